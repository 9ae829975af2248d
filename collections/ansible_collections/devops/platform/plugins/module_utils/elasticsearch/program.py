# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The retention program as a component of hosts whose Elasticsearch has neither ILM nor SLM. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data

from .objects import meta
from .settings import RETENTION_USER, seconds, settings_of

NAME = "elasticsearch_retention"
LIBRARY = "/usr/local/lib/devops-platform"
PACKAGE = f"{LIBRARY}/log_retention"
SETTINGS = f"/etc/{NAME}"
SOURCES = Path(__file__).parent
FILES = ("client.py", "retention.py")  # of this directory, as they are
INTERVAL = 300


def program_settings(platform: Data, host: str, password: str, ca: str = f"{SETTINGS}/ca.crt") -> dict[str, Any]:
    """What the program reads: the same settings that ILM and SLM are told elsewhere."""
    settings = settings_of(platform)
    snapshots = settings.snapshots
    policy: dict[str, Any] = {
        "prefix": settings.prefix,
        "default": seconds(settings.retention),
        "apps": {app: seconds(keep) for app, keep in settings.app_retention.items()},
        "metadata": meta(settings),
    }
    if snapshots:
        policy |= {
            "repository": settings.prefix.rstrip("-"),
            "at": snapshots.hour * 3600 + snapshots.minute * 60,
            "keep": snapshots.keep,
        }
    return {
        "url": f"https://127.0.0.1:{settings.port}",
        "user": RETENTION_USER,
        "password": password,
        "ca": ca,
        "node": host,
        "interval": INTERVAL,
        "policy": policy,
    }


def retention_components(
    platform: Data, host: str, passwords: Mapping[str, str], authority: str
) -> list[dict[str, Any]]:
    """The program as components of devops.platform.component: one, or none where the server does that itself.

    `passwords`: as for `elasticsearch_component`; `authority`: PEM text of what vouches for the nodes.
    """
    settings = settings_of(platform)
    if not settings.own_retention:
        return []
    password = str(passwords[RETENTION_USER])
    text = json.dumps(program_settings(platform, host, password), indent=1, sort_keys=True) + "\n"
    own = {"group": NAME, "mode": "0640"}
    sources: Sequence[dict[str, Any]] = [{"path": f"{PACKAGE}/{name}", "source": str(SOURCES / name)} for name in FILES]
    return [
        {
            "name": NAME,
            "user": NAME,
            "directories": [{"path": SETTINGS, "group": NAME, "mode": "0750"}],
            "files": [
                {"path": f"{PACKAGE}/__init__.py", "content": ""},
                *sources,
                {"path": f"{SETTINGS}/ca.crt", "content": authority, **own},
                {"path": f"{SETTINGS}/settings.json", "content": text, **own},
            ],
            "unit": {
                "description": "Retention and snapshots of logs",
                "exec": f"/usr/bin/python3 -m log_retention.retention {SETTINGS}/settings.json",
                "environment": {"PYTHONPATH": LIBRARY, "PYTHONDONTWRITEBYTECODE": "1"},
                "after": ["elasticsearch.service"],
                "hardening": "strict",
            },
            "secrets": {"retention_password": password},
        }
    ]
