"""Asks the service without a pause, each time over a new connection, from a process of its own."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

from tests.engine.harness import snapshot

RECORD = "/run/asked.json"
PAUSE = 0.003
_child = 0


def start(port: int, seconds: float) -> None:
    global _child  # noqa: PLW0603 - one asker at a time, and the watcher has to find it again
    _child = os.fork()
    if _child:
        return
    going = True

    def end(*_signal: object) -> None:
        nonlocal going
        going = False

    signal.signal(signal.SIGTERM, end)
    answers: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    while going and time.monotonic() < deadline:
        asked = time.time()
        answer = snapshot.ask(port, timeout=5)
        answers.append({"asked": asked, "answered": time.time(), **answer})
        time.sleep(PAUSE)
    with open(RECORD, "w", encoding="utf-8") as handle:
        json.dump(answers, handle)
    os._exit(0)


def stop() -> list[dict[str, Any]]:
    """Every answer, in order: asked and answered (seconds since the epoch), and what came, or `failure`."""
    os.kill(_child, signal.SIGTERM)
    os.waitpid(_child, 0)
    with open(RECORD, encoding="utf-8") as handle:
        answers: list[dict[str, Any]] = json.load(handle)
    return answers
