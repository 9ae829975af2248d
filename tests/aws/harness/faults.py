"""A proxy before moto that answers some requests itself, as AWS would where something is wrong."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "content-encoding", "date", "server"}


@dataclass(frozen=True)
class Request:
    """What is asked: `CreateVpc` of ec2, or the method and path where the service has no names for actions."""

    service: str
    action: str
    json: bool = False


@dataclass(frozen=True)
class Answer:
    """An error of AWS; how it is written depends on the service's protocol."""

    code: str
    message: str
    status: int = 403

    def body(self, request: Request) -> tuple[str, str]:
        """Content type and content."""
        if request.json:
            return "application/x-amz-json-1.1", json.dumps({"__type": self.code, "message": self.message})
        error = f"<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
        if request.service == "ec2":
            return "text/xml", f"<Response><Errors>{error}</Errors></Response>"
        return "text/xml", error if request.service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"


def denied(request: Request) -> Answer:
    return Answer("AccessDeniedException", f"You are not authorized to perform: {request.service}:{request.action}")


def throttled(_request: Request) -> Answer:
    return Answer("ThrottlingException", "Rate exceeded", status=400)


@dataclass
class Faults:
    """`rule` says how a request is answered, None for as moto does. `seen` counts actions."""

    rule: Callable[[Request], Answer | None] = lambda _request: None
    seen: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def answer(self, request: Request) -> Answer | None:
        self.seen[request.action] += 1
        return self.rule(request)


def _request(method: str, path: str, headers: dict[str, str], body: bytes) -> Request:
    signed = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("authorization", ""))
    service = signed[1] if signed else ""
    target = headers.get("x-amz-target", "")
    if target:
        return Request(service, target.rpartition(".")[2], json=True)
    named = re.search(rb"(?:^|&)Action=(\w+)", body)
    return Request(service, named[1].decode() if named else f"{method} {path.split('?', maxsplit=1)[0]}")


@contextmanager
def proxy(upstream: str) -> Iterator[Faults]:
    faults = Faults()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args: object) -> None:
            """Not among the tests' output."""

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = _request(self.command, self.path, headers, body)
            own = faults.answer(request)
            if own:
                kind, content = own.body(request)
                self._reply(own.status, {"content-type": kind}, content.encode())
                return
            forwarded = urllib.request.Request(upstream + self.path, data=body or None, method=self.command)
            for name, value in headers.items():
                if name not in HOP_BY_HOP:
                    forwarded.add_header(name, value)
            try:
                with urllib.request.urlopen(forwarded, timeout=120) as found:
                    self._reply(found.status, dict(found.headers.items()), found.read())
            except urllib.error.HTTPError as error:
                self._reply(error.code, dict(error.headers.items()), error.read())

        def _reply(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"):
        setattr(Handler, f"do_{method}", Handler._serve)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    faults.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield faults
    finally:
        server.shutdown()
        server.server_close()
