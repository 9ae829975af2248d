# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where reports go: beside the journal, readable by its owner alone."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import SUFFIX, Journal, journals
from ansible_collections.devops.platform.plugins.plugin_utils.report.page import render
from ansible_collections.devops.platform.plugins.plugin_utils.report.view import Earlier

KEPT = 5  # rollouts to go back to that the report names
LOOKED_AT = 200


def write(journal: Path, command: str = "ansible-playbook") -> Path:
    """Write a journal's report; returns where it is. OSError or JournalError where that does not work."""
    page = render(Journal(journal).events(), earlier(journal), command)
    path = journal.with_name(f"{journal.name.removesuffix(SUFFIX)}.html")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(page)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return path


def earlier(journal: Path) -> list[Earlier]:
    """What was done before a rollout with the same target, the last one first; of journals that can be read."""
    target = _first(journal).get("target")
    found: list[Earlier] = []
    before = [other for other in journals(journal.parent) if other.path.name < journal.name]
    for other in reversed(before[-LOOKED_AT:]):
        begin, end = _first(other.path), _last(other.path)
        if target and begin.get("target") == target and end.get("result") == "done":
            with contextlib.suppress(TypeError, ValueError):
                found.append(Earlier(other.rollout, float(end.get("at", 0)), str(begin.get("kind") or "rollout")))
        if len(found) == KEPT:
            break
    return found


def _first(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return _event(stream.readline())
    except OSError:
        return {}


def _last(path: Path) -> dict[str, Any]:
    """The last event, where it is short enough to be an end."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - 65536))
            lines = stream.read().split(b"\n")
    except OSError:
        return {}
    return _event(lines[-2]) if len(lines) > 1 else {}


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
