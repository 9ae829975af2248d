"""One line a step on standard error, with the seconds since the start and what the step took."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_started = time.monotonic()
_lock = threading.Lock()


def elapsed() -> float:
    """Seconds since this process began to work."""
    return time.monotonic() - _started


def say(text: str) -> None:
    with _lock:
        print(f"[{elapsed():6.1f} s] {text}", file=sys.stderr, flush=True)


@contextmanager
def step(name: str, announce: bool = False) -> Iterator[list[str]]:
    """Report a step when it ends. What the body appends to the list is its outcome.

    ``announce`` also says that a step begins, for those that take long.
    """
    notes: list[str] = []
    begun = time.monotonic()
    if announce:
        say(f"{name} …")
    try:
        yield notes
    except BaseException:
        say(f"{name}: failed after {time.monotonic() - begun:.1f} s")
        raise
    outcome = ", ".join(notes) or "done"
    say(f"{name}: {outcome} ({time.monotonic() - begun:.1f} s)")
