# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks leave for a later one of the same run, instead of reaching their host: see docs/operations.md.

It lies in the directory that ansible-playbook makes for itself (mode 0700) and removes when it ends, however it ends.
Files are private as well: rendered ones hold secrets.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants as C  # noqa: N812 (its name throughout Ansible)
from ansible.module_utils.parsing.convert_bool import boolean

VARIABLE = "platform_collect"


def wanted(variables: Mapping[str, Any]) -> bool:
    """Whether this run only collects what it would send to hosts."""
    return boolean(variables.get(VARIABLE) or False)


def leave(kind: str, host: str, data: Mapping[str, Any]) -> None:
    """Add to what is kept of a host; tasks of one host follow each other, so their order is that of the numbers."""
    folder = _folder(kind, host)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / f"{len(list(folder.iterdir())):06}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
        json.dump(data, stream)


def take(kind: str, host: str) -> list[dict[str, Any]]:
    """Everything that was left for a host, in order; it is gone then."""
    folder, found = _folder(kind, host), []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        found.append(json.loads(path.read_text(encoding="utf-8", errors="surrogateescape")))
        path.unlink()
    return found


def _folder(kind: str, host: str) -> Path:
    # No name of a host leads out of the directory.
    return Path(C.DEFAULT_LOCAL_TMP) / f"devops-platform-{kind}" / host.encode().hex()
