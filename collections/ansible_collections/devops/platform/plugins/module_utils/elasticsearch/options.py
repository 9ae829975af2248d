# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that the modules about Elasticsearch share, and the client that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .client import Elasticsearch

ARGUMENTS: dict[str, Any] = {
    "url": {"type": "str", "required": True},
    "user": {"type": "str", "default": "superuser"},
    "password": {"type": "str", "required": True, "no_log": True},
    "authority": {"type": "str", "required": True},
    "patience": {"type": "int", "default": 600},
}


def client_of(options: Mapping[str, Any]) -> Elasticsearch:
    return Elasticsearch(
        str(options["url"]).rstrip("/"), options["user"], options["password"], ca_text=options["authority"]
    )
