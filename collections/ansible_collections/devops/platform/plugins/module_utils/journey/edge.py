# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reaching an edge at its address under the name that its certificate bears."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SERVED_BY = "x-served-by"


class JourneyError(Exception):
    """A step of a journey that failed; the message says which, and what came instead."""


@dataclass(frozen=True)
class Edge:
    """`url` is where it answers; `name` what the client asks for (SNI and Host); `ca` a file that vouches for it."""

    url: str
    name: str = ""
    ca: str | None = None
    timeout: float = 10.0

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (443 if self.secure else 80)

    @property
    def secure(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    @property
    def host(self) -> str:
        """The name to ask for, by default the one of the URL."""
        return self.name or urlsplit(self.url).hostname or ""

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)


@dataclass(frozen=True)
class Answer:
    """`headers` have names in small letters."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def served_by(self) -> str:
        return self.headers.get(SERVED_BY, "")


def get(edge: Edge, path: str) -> Answer:
    """GET of one path; JourneyError where no answer comes."""
    try:
        connection = socket.create_connection(edge.address, timeout=edge.timeout)
        if edge.secure:
            connection = edge.context().wrap_socket(connection, server_hostname=edge.host)
        client = http.client.HTTPConnection(edge.host, timeout=edge.timeout)
        client.sock = connection
        try:
            client.request("GET", path, headers={"Connection": "close"})
            response = client.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, response.read().decode(errors="replace"), headers)
        finally:
            client.close()
    except (OSError, http.client.HTTPException) as error:
        raise JourneyError(f"GET {edge.url.rstrip('/')}{path} (as {edge.host}): {error}") from error


def expect_ok(edge: Edge, path: str) -> Answer:
    """GET of one path that must answer 200; JourneyError with what came instead."""
    answer = get(edge, path)
    if answer.status != 200:
        raise JourneyError(f"GET {edge.url.rstrip('/')}{path} answered {answer.status}: {answer.text.strip()[:300]}")
    return answer


def websocket(edge: Edge, path: str) -> tuple[Any, str]:
    """An open WebSocket (the library's own object) and the name of the host behind it, '' where the edge hides it.

    JourneyError where the handshake fails. Needs the Python package websocket-client.
    """
    from websocket import WebSocketException, create_connection

    host, port = edge.address
    scheme = "wss" if edge.secure else "ws"
    name = f"[{host}]" if ":" in host else host
    url = f"{scheme}://{name}:{port}{path}"
    options: dict[str, Any] = {"context": edge.context(), "server_hostname": edge.host} if edge.secure else {}
    try:
        connection = create_connection(
            url, timeout=edge.timeout, host=edge.host, sslopt=options, http_no_proxy=["*"], origin=origin(edge)
        )
    except (OSError, WebSocketException) as error:
        reason = str(error).split(" -+-+- ")[0]  # what follows are all headers and the body
        raise JourneyError(f"WebSocket {url} (as {edge.host}): {reason}") from error
    headers = {str(key).lower(): str(value) for key, value in (connection.getheaders() or {}).items()}
    return connection, headers.get(SERVED_BY, "")


def origin(edge: Edge) -> str:
    """What a browser would send for a page of this edge."""
    return f"{'https' if edge.secure else 'http'}://{edge.host}"
