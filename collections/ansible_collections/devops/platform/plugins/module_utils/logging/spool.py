"""Lines that wait on a host for one output: segments of lines of JSON, written by rsyslog and read by the gateway.

rsyslog appends to a segment a minute, each line by one write, and notes how far it read its sources after that. The
gateway notes how far a segment is delivered after that. Whoever is killed, the lines in between come again, and nothing
else does. Of the standard library alone, for Python 3.9: hosts get this file as it is.

A segment goes when all of it is delivered and nobody can write to it any more. It is renamed first: who opens it by its
name then makes a new one. Once the shipper has it no longer open, nothing is added, whatever the clock says.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

SUFFIX = ".ndjson"
TAKEN = ".taken"
BATCH_LINES = 5000
BATCH_BYTES = 8 * 2**20


class Spool:
    """The segments of the output ``name`` in ``folder``."""

    def __init__(self, folder: str, name: str) -> None:
        self.folder, self.name = Path(folder), name
        self._place = self.folder / f"{name}.delivered"
        self._delivered: dict[str, int] = self._read()  # {inode: bytes}; a name may be another file's by now

    def _read(self) -> dict[str, int]:
        try:
            found = json.loads(self._place.read_text())
        except (OSError, ValueError):
            return {}
        return {str(key): int(value) for key, value in found.items()} if isinstance(found, dict) else {}

    def _note(self) -> None:
        staged = self._place.with_suffix(".new")
        staged.write_text(json.dumps(self._delivered))
        os.replace(staged, self._place)

    def segments(self) -> list[Path]:
        """The oldest first, by name; those that were taken before one of the same name."""
        found = [path for path in self.folder.glob(f"{self.name}-*") if path.suffix in (SUFFIX, TAKEN)]
        return sorted(found, key=lambda path: (path.stem, path.suffix == SUFFIX))

    def waiting(self) -> int:
        """Bytes that are not delivered yet."""
        total = 0
        for path in self.segments():
            try:
                found = path.stat()
            except FileNotFoundError:
                continue  # delivered meanwhile
            total += max(0, found.st_size - self._delivered.get(str(found.st_ino), 0))
        return total

    def step(self, deliver: Callable[[list[bytes]], object]) -> int:
        """Deliver what comes next, and note it; how many lines that were. What ``deliver`` raises leaves all as it
        was."""
        segments = self.segments()
        for number, path in enumerate(segments):
            key = str(path.stat().st_ino)
            begin = self._delivered.get(key, 0)
            lines, end = batch(path, begin)
            if end == begin and (number + 1 < len(segments) or path.suffix == TAKEN) and self._clear(path, key):
                continue
            if end > begin:
                if lines:
                    deliver(lines)
                self._delivered[key] = end
                self._note()
                if lines:
                    return len(lines)
        return 0

    def _clear(self, path: Path, key: str) -> bool:
        """Take a segment that is delivered out of the way; whether that is done."""
        if path.suffix == SUFFIX:
            taken = path.with_suffix(TAKEN)
            if taken.exists():
                return False  # one of that name is not done yet
            path = path.rename(taken)
        if written(path) or batch(path, self._delivered.get(key, 0))[1] > self._delivered.get(key, 0):
            return False
        # Forgotten first: its number may be another file's at once. What is read again is only a duplicate.
        self._delivered.pop(key, None)
        self._note()
        path.unlink()
        return True


def written(path: Path) -> bool:
    """Whether anybody has it open to write: the kernel lends a file for reading only where nobody has."""
    with path.open("rb") as handle:
        try:
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            return True
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def batch(path: Path, begin: int) -> tuple[list[bytes], int]:
    """(lines, where they end) from ``begin`` on; a line without its end is still being written."""
    size = BATCH_BYTES
    with path.open("rb") as handle:
        while True:
            handle.seek(begin)
            content = handle.read(size)
            whole = content.rfind(b"\n") + 1
            if whole or len(content) < size:
                break
            size *= 2  # a line that is longer than all that
    lines, end = [], begin
    for line in content[:whole].splitlines(keepends=True):
        end += len(line)
        if line.strip():
            lines.append(line.rstrip(b"\n"))
        if len(lines) == BATCH_LINES:
            break
    return lines, end
