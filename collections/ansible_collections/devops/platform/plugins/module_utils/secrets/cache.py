"""Secrets that were read already in this run, in memory only.

Ansible forks a process for each host and task: what one of them keeps for itself dies with it. So the values stand in
an anonymous file in memory that the first process of the run makes and all others inherit. It has no name, is gone
with the run, and nobody but the user who runs Ansible can look into its processes. The lookup `sound_hosts`, which
Ansible asks in that first process before the first play, is what loads this module there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator

from .backend import Record

Key = tuple[str, str, str]  # backend, identifier, stage


class Cache:
    def __init__(self) -> None:
        self.descriptor = os.memfd_create("devops.platform", os.MFD_CLOEXEC)

    @contextlib.contextmanager
    def opened(self) -> Iterator[dict[Key, Record]]:
        """What is known, alone: several hosts that want one secret ask its backend once. Changes are kept."""
        fcntl.lockf(
            self.descriptor, fcntl.LOCK_EX
        )  # of the process; flock would be shared by all that inherit the file
        try:
            known = self._read()
            before = dict(known)
            yield known
            if known != before:
                self._write(known)
        finally:
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN)

    def forget(self) -> None:
        """After a change of values."""
        with self.opened() as known:
            known.clear()

    def _read(self) -> dict[Key, Record]:
        content = os.pread(self.descriptor, os.fstat(self.descriptor).st_size, 0)
        try:
            rows = json.loads(content or b"[]")
        except ValueError:
            return {}  # whoever wrote was killed in the midst of it: ask again
        return {(backend, name, stage): Record(text, changed) for backend, name, stage, text, changed in rows}

    def _write(self, known: dict[Key, Record]) -> None:
        rows = [[*key, record.text, record.changed] for key, record in known.items()]
        content = json.dumps(rows).encode()
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, content, 0)


RUN = Cache()
