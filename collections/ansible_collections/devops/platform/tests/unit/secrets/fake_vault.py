"""A fake of Vault on loopback: what the key-value engine of version 2 and two ways to sign in answer, and no more."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "t0ken"
ROLE, SECRET_ID = "r0le", "s3cret-id"


class FakeVault(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.documents: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[str] = []
        self.sealed = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def write(self, path: str, data: dict[str, Any]) -> None:
        self.documents.setdefault(path, []).append(data)


class Handler(BaseHTTPRequestHandler):
    server: FakeVault

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}"))

    def do_PUT(self) -> None:
        self.do_POST()

    def _answer(self, body: dict[str, Any] | None) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        if self.server.sealed:
            self._send(503, {"errors": ["Vault is sealed"]})
        elif self.path == "/v1/auth/approle/login" and body is not None:
            right = body == {"role_id": ROLE, "secret_id": SECRET_ID}
            self._send(*((200, {"auth": {"client_token": TOKEN}}) if right else (400, {"errors": ["invalid role"]})))
        elif self.headers.get("X-Vault-Token") != TOKEN:
            self._send(403, {"errors": ["permission denied"]})
        elif self.path.startswith("/v1/secret/data/"):
            self._document(self.path.removeprefix("/v1/secret/data/"), body)
        else:
            self._send(404, {"errors": []})

    def _document(self, path: str, body: dict[str, Any] | None) -> None:
        versions = self.server.documents.get(path, [])
        if body is not None:
            if body.get("options", {}).get("cas", len(versions)) != len(versions):
                self._send(400, {"errors": ["check-and-set parameter did not match the current version"]})
                return
            self.server.write(path, body["data"])
            self._send(200, {"data": {"version": len(versions) + 1}})
        elif versions:
            metadata = {"version": len(versions), "created_time": "2026-01-02T03:04:05.123456789Z"}
            self._send(200, {"data": {"data": versions[-1], "metadata": metadata}})
        else:
            self._send(404, {"errors": []})

    def _send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        pass


@contextlib.contextmanager
def running() -> Iterator[FakeVault]:
    server = FakeVault()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
