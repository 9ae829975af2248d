"""A Prometheus that does nothing but snapshots: files below `data`, over the API that the real one has."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BLOCK = "01HZZZZZZZZZZZZZZZZZZZZZZZ"
NAMES = (f"{number:016x}" for number in range(1 << 16))


def block(folder: Path, name: str = BLOCK, text: str = "samples", begin: int = 0, end: int = 1000) -> Path:
    """A block as far as its files go; times in milliseconds."""
    (folder / name / "chunks").mkdir(parents=True)
    (folder / name / "chunks" / "000001").write_text(text, encoding="utf-8")
    meta = {"ulid": name, "minTime": begin, "maxTime": end, "stats": {"numSamples": len(text)}}
    (folder / name / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    return folder / name


@dataclass
class Fake:
    """`answers` come before those that are right: (status, body)."""

    data: Path
    url: str = ""
    text: str = "samples"
    answers: list[tuple[int, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def snapshot(self) -> str:
        name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{next(NAMES)}"
        (self.data / "snapshots" / name).mkdir(parents=True)
        if self.text:
            block(self.data / "snapshots" / name, text=self.text)
        return name


@contextmanager
def fake(data: Path) -> Iterator[Fake]:
    found = Fake(data)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.asked.append(self.path)
            status, body = found.answers.pop(0) if found.answers else (200, "")
            if status == 200 and not body:
                body = json.dumps({"status": "success", "data": {"name": found.snapshot()}})
            found.meanwhile()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
