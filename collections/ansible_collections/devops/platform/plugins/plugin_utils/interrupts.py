# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rollout that is interrupted goes back instead of dying: what the first SIGINT or SIGTERM does while one is open.

A handler runs between any two instructions of the main thread, which may hold any lock: it takes none. It writes to
descriptors, and appends to the journal in place. A thread would be worse: Ansible forks its workers in the main thread,
so a fork could happen while the thread has the journal locked; the worker would inherit that lock and wait for itself.
The lock of the journal is held by workers alone, each for one line.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import Journal, JournalError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A terminal and the program that started this one may both pass on one Ctrl-C.
TWICE = 0.5  # seconds within which the same signal is the same wish
CLEAR = b"\r\x1b[2K"  # the line that stdout's callback may be drawing on

Handler = Callable[[int, FrameType | None], Any]


class Interrupts:
    """Stands before Ansible's own handlers from ``open`` to ``close``; says what it does on ``descriptor``."""

    def __init__(self, descriptor: int = 2, clock: Callable[[], float] = time.monotonic) -> None:
        self._descriptor = descriptor
        self._clock = clock
        self._process = os.getpid()
        self._group = os.getpgrp()
        self._before: dict[int, Any] = {}
        self._journal: Journal | None = None
        self._command = ""
        self._first: float | None = None
        self.decided = ""  # why an interruption changes nothing any more

    def open(self, journal: Path, command: str) -> None:
        """From now on the first signal is for the rollout of this journal."""
        self._journal, self._command, self.decided, self._first = Journal(journal), command, "", None
        if threading.current_thread() is not threading.main_thread():
            return  # somebody runs Ansible as a library, and has signals in hand
        for number in SIGNALS:
            now = signal.getsignal(number)
            if now != self._on_signal:
                # Before it is replaced: a signal may arrive right after that.
                self._before[number] = now
                signal.signal(number, self._on_signal)

    def close(self) -> None:
        """Signals do again what they did before; not where somebody else has taken them over meanwhile."""
        for number, before in self._before.items():
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, before if before is not None else signal.SIG_DFL)
        self._before.clear()
        self._journal = None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            # A worker that has just been forked is still in the terminal's group; its end would end the run.
            if os.getpgrp() != self._group:
                self._pass_on(number, frame)
            return
        now = self._clock()
        if self._first is None:
            self._first = now
            self._note(number)
        elif now - self._first >= TWICE:
            self._say("interrupted again: stopping at once")
            self._pass_on(number, frame)

    def _note(self, number: int) -> None:
        if self._journal is None:
            return
        decided = "it is over already" if self._journal.over() else self.decided
        if decided:
            self._say(f"{decided}; once more stops at once and leaves it to be resumed: {self._command}")
            return
        try:
            self._journal.append("interrupted", signal=signal.Signals(number).name)
        except JournalError as error:
            self._say(f"the interruption could not be noted, so the rollout goes on ({error}); once more stops at once")
            return
        self._say(
            "interrupted: what is under way ends first, then every changed host is taken back; once more stops at once "
            f"and leaves it to be resumed: {self._command}"
        )

    def _say(self, words: str) -> None:
        try:
            start = CLEAR if os.isatty(self._descriptor) else b""
            os.write(self._descriptor, start + words.encode(errors="replace") + b"\n")
        except OSError:
            pass  # nobody listens

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """As if this had never been here."""
        before = self._before.get(number)
        if callable(before):
            before(number, frame)
        elif before != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
