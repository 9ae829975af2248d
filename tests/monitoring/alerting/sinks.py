"""Where messages go in the tests: real servers that remember what they were told."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends

REGION = "eu-central-1"
PHONE = "+4930123456"


@dataclass
class Http:
    """Slack's endpoint, and any webhook: what came by path, as (headers, JSON)."""

    url: str = ""
    came: dict[str, list[tuple[dict[str, str], Any]]] = field(default_factory=dict)

    def bodies(self, path: str) -> list[Any]:
        return [body for _headers, body in self.came.get(path, [])]

    def alerts(self, path: str, status: str = "firing") -> list[dict[str, str]]:
        """The labels of all alerts that Alertmanager's webhook told of, in order."""
        return [alert["labels"] for body in self.bodies(path) for alert in body["alerts"] if alert["status"] == status]


@contextmanager
def http_sink(address: str = "127.0.0.1") -> Iterator[Http]:
    sink = Http()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            sink.came.setdefault(self.path, []).append((dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer((address, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sink.url = f"http://{address}:{server.server_port}"
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Mail:
    """A mail server: (user, password) of each login, and the messages."""

    port: int
    logins: list[tuple[str, str]] = field(default_factory=list)
    messages: list[tuple[list[str], Message]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.messages.append((list(envelope.rcpt_tos), message_from_bytes(envelope.content)))
        return "250 OK"

    def login(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=True)


@contextmanager
def mail_sink(port: int, address: str = "127.0.0.1", login: bool = True) -> Iterator[Mail]:
    """``login``: whether it wants one."""
    sink = Mail(port)
    controller = Controller(
        sink,
        hostname=address,
        port=port,
        authenticator=sink.login,
        auth_required=login,
        auth_require_tls=False,
        auth_exclude_mechanism=[
            "LOGIN"
        ],  # aiosmtpd asks with other words than mail servers do, and clients take fright
    )
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def part(message: Message, kind: str) -> str:
    """The text of a message's part of this kind."""
    [found] = (each for each in message.walk() if each.get_content_type() == kind)
    payload = found.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


@dataclass
class Sms:
    """SNS, as moto has it."""

    url: str

    def texts(self) -> list[tuple[str, str]]:
        """(number, text) of each text message."""
        backend = sns_backends[DEFAULT_ACCOUNT_ID][REGION]
        return list(backend.sms_messages.values())


@contextmanager
def sms_sink(port: int, address: str = "127.0.0.1") -> Iterator[Sms]:
    server = ThreadedMotoServer(ip_address=address, port=port, verbose=False)
    server.start()
    try:
        yield Sms(f"http://{address}:{port}")
    finally:
        server.stop()
