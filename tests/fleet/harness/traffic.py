"""Users of the service while it is changed: what they asked is counted, and what they got."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.devops.platform.plugins.module_utils.journey.edge import Edge, JourneyError, request


class Traffic:
    """``asked``: requests that got their answer; ``failures``: those that did not, with the reason and the time."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.asked = 0
        self.failures: list[str] = []
        self.versions: Counter[str] = Counter()

    def _ask(self, pause: float) -> None:
        while not self._stop.wait(pause):
            trouble, version = "", ""
            try:
                answer = request(self._edge, "GET", "/")
                version = str((answer.json() or {}).get("version", ""))
                if answer.status != 200:
                    trouble = f"{answer.status} from {answer.served_by or 'the edge'}"
            except JourneyError as error:
                trouble = str(error)
            with self._lock:
                self.asked += 1
                self.versions[version] += 1
                if trouble:
                    self.failures.append(f"{time.strftime('%H:%M:%S')} {trouble}")

    @contextmanager
    def running(self, users: int = 4, pause: float = 0.05) -> Iterator[Traffic]:
        threads = [threading.Thread(target=self._ask, args=(pause,), daemon=True) for _ in range(users)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(30)

    def expect_none_failed(self) -> None:
        assert self.asked > 50, f"only {self.asked} requests were made: that shows nothing"
        assert not self.failures, f"{len(self.failures)} of {self.asked} requests failed:\n" + "\n".join(
            self.failures[:20]
        )
