"""Room on the disk of the queue.

Of the standard library alone, for Python 3.9: hosts get this file as it is.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .reports import say

WATCH = 0.2  # seconds between two looks at the disk
ROTATED = 61  # seconds after which what the shipper writes goes into another file: each has a minute's lines
RESERVE = 64 * 2**20  # bytes that must be free for the queue, or a fifth of a small disk


class Guard:
    """Stops the shipper while the disk of its queue is nearly full, since rsyslog throws lines away that it cannot
    write, and while the queue is as large as it may become. Files and the journal keep lines meanwhile. ``used``: how
    much of the queue is, 1 for all of it."""

    def __init__(self, spool: str, pid_file: str, used: Callable[[], float] = lambda: 0.0) -> None:
        self.spool, self.pid_file, self.used, self.paused = spool, Path(pid_file), used, 0
        self.since = 0.0

    def look(self) -> None:
        disk = os.statvfs(self.spool)
        free, reserve = disk.f_bavail * disk.f_frsize, min(RESERVE, disk.f_blocks * disk.f_frsize // 5)
        used = self.used()
        if free < reserve or used >= 1:
            pid = self._shipper()
            if pid and pid != self.paused:
                say(
                    f"{free} bytes are free below {self.spool}: the shipper waits until there are {reserve}"
                    if free < reserve
                    else "the queue is as large as it may become: the shipper waits until a quarter of it is shipped"
                )
                os.kill(pid, signal.SIGSTOP)
                self.paused, self.since = pid, time.monotonic()
        room = free > reserve * 5 // 4 and used < 0.75
        # All is delivered, and what fills the disk may be the file that it had begun: a newer one lets that go. Half of
        # the reserve is more than it writes until the next look.
        stuck = used <= 0 and free > reserve // 2 and time.monotonic() - self.since > ROTATED
        if self.paused and (room or stuck):
            self.go_on()

    def go_on(self) -> None:
        if self.paused and self._shipper() == self.paused:
            os.kill(self.paused, signal.SIGCONT)
        self.paused = 0

    def _shipper(self) -> int:
        """The process, 0 where it does not run: the number in the file may be of something else by now."""
        try:
            pid = int(self.pid_file.read_text())
            return pid if b"rsyslogd" in Path(f"/proc/{pid}/cmdline").read_bytes() else 0
        except (OSError, ValueError):
            return 0

    def watch(self, stop: threading.Event) -> None:
        while not stop.wait(WATCH):
            try:
                self.look()
            except OSError as error:  # noqa: PERF203 - five times a second
                say(f"disk: {error}")
        self.go_on()
