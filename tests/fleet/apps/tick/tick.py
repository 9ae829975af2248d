"""A small service to roll out: it says which version answers, after a while, and counts what it answered.

The image's BEHAVIOUR makes it what a rollout has to cope with: `good`, `slow` (each answer takes 0.4 seconds), `wrong`
(/greeting, which users do not ask for, answers 500) or `broken` (it ends at once).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ.get("VERSION", "0")
BEHAVIOUR = os.environ.get("BEHAVIOUR", "good")
GREETING = os.environ.get("GREETING", "hello")
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)


class Counts:
    """Prometheus' counters of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[int, int] = {}
        self._buckets = [0] * len(BUCKETS)
        self._sum = 0.0

    def count(self, status: int, seconds: float) -> None:
        with self._lock:
            self._answers[status] = self._answers.get(status, 0) + 1
            self._sum += seconds
            for index, limit in enumerate(BUCKETS):
                self._buckets[index] += seconds <= limit

    def text(self) -> str:
        with self._lock:
            total = sum(self._answers.values())
            lines = [f'tick_requests_total{{status="{status}"}} {count}' for status, count in self._answers.items()]
            lines += [
                f'tick_request_seconds_bucket{{le="{limit}"}} {count}'
                for limit, count in zip(BUCKETS, self._buckets, strict=True)
            ]
            lines += [
                f'tick_request_seconds_bucket{{le="+Inf"}} {total}',
                f"tick_request_seconds_sum {self._sum}",
                f"tick_request_seconds_count {total}",
            ]
            return "\n".join(
                ["# TYPE tick_requests_total counter", "# TYPE tick_request_seconds histogram", *lines, ""]
            )


COUNTS = Counts()
STOPPING = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 3  # an idle connection must not hold up the end of the process

    def do_GET(self) -> None:
        if self.path == "/readyz":
            self._answer(200, "ready")
        elif self.path == "/metrics":
            self._answer(200, COUNTS.text())
        else:
            self._tick()

    def _tick(self) -> None:
        began = time.monotonic()
        if BEHAVIOUR == "slow":
            time.sleep(0.4)
        status = 500 if BEHAVIOUR == "wrong" and self.path == "/greeting" else 200
        self._answer(status, json.dumps({"version": VERSION, "greeting": GREETING}))
        COUNTS.count(status, time.monotonic() - began)

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.close_connection = self.close_connection or STOPPING.is_set()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """The edge logs."""


def main() -> None:
    if BEHAVIOUR == "broken":
        sys.exit("this version cannot start")
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Handler)
    server.daemon_threads = False  # requests under way end before the process does

    def stop(*_: object) -> None:
        STOPPING.set()
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
