# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's memory of a rollout: one file of JSON lines, appended to and synced before anything goes on.

DIRECTORY/<platform>-<environment>/<rollout id>.jsonl, readable by its owner alone. Every line is an event (state.py
says which) with ``at``, seconds since the epoch. A line that a killed run left unfinished is no event.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FORMAT = 1
SUFFIX = ".jsonl"
OVER = ("done", "unchanged", "reversed")  # results after which nothing has to be resumed


class JournalError(Exception):
    """A journal that cannot be read or written; the message names the file and says what to do."""


class Journal:
    """The journal of one rollout. Several processes may append at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def rollout(self) -> str:
        return self.path.name[: -len(SUFFIX)]

    def append(self, event: str, **more: Any) -> None:
        """Write one event and wait until it is on the disk."""
        line = json.dumps({"event": event, "at": round(time.time(), 3), **more}, sort_keys=True) + "\n"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                end = _whole(descriptor)
                try:
                    _write(descriptor, line.encode(), end)
                    os.fsync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, end)  # a full disk leaves no half line
                    raise
            finally:
                os.close(descriptor)
        except OSError as error:
            raise JournalError(
                f"the rollout's journal {self.path} cannot be written: {error.strerror}; make room or correct its "
                "permissions, then resume the rollout"
            ) from error

    def ending(self) -> str:
        """The result in the last event, '' where that is none; without reading all of a long journal."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(max(0, stream.seek(0, os.SEEK_END) - 65536))
                lines = stream.read().split(b"\n")
            last = json.loads(lines[-2]) if len(lines) > 1 else {}
        except (OSError, ValueError):
            return ""  # events() says what is wrong
        return str(last.get("result")) if last.get("event") == "end" else ""

    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.ending() in OVER

    def discard(self) -> None:
        """Forget a rollout that had nothing to do, and its report."""
        for path in (self.path, self.path.with_suffix(".html")):
            path.unlink(missing_ok=True)

    def events(self) -> list[dict[str, Any]]:
        """Every event, in order. JournalError where the file is missing or damaged."""
        try:
            text = self.path.read_bytes().decode("utf-8", "replace")
        except OSError as error:
            raise JournalError(f"the journal {self.path} cannot be read: {error.strerror}") from error
        found = []
        lines = text.split("\n")
        for number, line in enumerate(lines[:-1], 1):  # what follows the last line's end was never finished
            try:
                event = json.loads(line)
                if not isinstance(event, dict) or "event" not in event:
                    raise ValueError("no event")
            except ValueError as error:
                raise JournalError(
                    f"{self.path}:{number} is damaged ({error}); what this rollout did is in the hosts' ledgers: "
                    "playbooks/rollback.yml goes back to an earlier one, then move the file away"
                ) from error
            found.append(event)
        if found and found[0].get("format") != FORMAT:
            raise JournalError(
                f"{self.path} has format {found[0].get('format')}, this version knows {FORMAT}; use the version that "
                "wrote it, or a newer one"
            )
        return found


def _whole(descriptor: int) -> int:
    """Where the last whole line ends; what a killed run wrote after it is cut off."""
    size = os.fstat(descriptor).st_size
    end = size
    while end:
        start = max(0, end - 65536)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
    return end


def _write(descriptor: int, content: bytes, offset: int) -> None:
    while content:
        written = os.pwrite(descriptor, content, offset)
        content, offset = content[written:], offset + written


def directory_of(root: Path, directory: str, platform: Mapping[str, Any]) -> Path:
    """Where the journals of a platform's environment are."""
    return root / directory / f"{platform.get('name', 'platform')}-{platform.get('environment', 'default')}"


def journals(directory: Path) -> list[Journal]:
    """All journals of a directory, oldest id first."""
    if not directory.is_dir():
        return []
    return [Journal(path) for path in sorted(directory.glob(f"*{SUFFIX}"))]


def lives(controller: Mapping[str, Any]) -> bool:
    """Whether the process that wrote a journal still runs: the same id, with the same start, on this machine."""
    return bool(controller) and identity(int(controller.get("pid", 0))) == dict(controller)


def identity(pid: int) -> dict[str, Any]:
    """What tells a process from another one that got its id later. Source: proc(5)."""
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (OSError, IndexError):
        return {}
    return {"pid": pid, "started": ticks, "boot": boot}
