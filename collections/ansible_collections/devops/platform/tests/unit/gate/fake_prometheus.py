"""A Prometheus as far as its HTTP API: it answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

Answer = tuple[int, Any]


def vector(*items: tuple[dict[str, str], str], at: float = 0.0) -> Answer:
    result = [{"metric": labels, "value": [at, value]} for labels, value in items]
    return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}


def matrix(*items: tuple[dict[str, str], list[tuple[float, str]]]) -> Answer:
    result = [{"metric": labels, "values": values} for labels, values in items]
    return 200, {"status": "success", "data": {"resultType": "matrix", "result": result}}


def refusal(status: int, kind: str, text: str) -> Answer:
    return status, {"status": "error", "errorType": kind, "error": text}


@dataclass
class FakePrometheus:
    """`answer` gets the path's last part and the form; a text instead of a mapping is sent as it is."""

    answer: Callable[[str, dict[str, str]], Answer] = lambda _path, _form: vector()
    delay: float = 0.0
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)

    def reply(self, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        self.asked.append({"path": path, **form})
        time.sleep(self.delay)
        status, body = self.answer(path.rsplit("/", 1)[1], form)
        return status, (body if isinstance(body, str) else json.dumps(body)).encode()

    @contextmanager
    def serving(self, port: int = 0) -> Iterator[FakePrometheus]:
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, body = fake.reply(self.path, {key: values[0] for key, values in parse_qs(text).items()})
                try:
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    """The client did not wait."""

            def log_message(self, *_):
                """Quiet."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
