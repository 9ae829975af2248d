# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reaching an edge at its address under the name that its certificate bears."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

SERVED_BY = "x-served-by"

# Of every module that asks an edge, as the fragment devops.platform.edge documents them.
OPTIONS: dict[str, dict[str, Any]] = {
    "url": {"type": "str", "required": True},
    "server_name": {"type": "str", "default": ""},
    "ca_path": {"type": "path"},
    "timeout": {"type": "int", "default": 10},
}


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


def of(options: Mapping[str, Any]) -> Edge:
    """The edge that a module's OPTIONS name."""
    return Edge(options["url"], options["server_name"], options["ca_path"], options["timeout"])


@dataclass(frozen=True)
class Answer:
    """`headers` have names in small letters; `cookies` are those that the answer sets, name to value."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def served_by(self) -> str:
        return self.headers.get(SERVED_BY, "")

    def json(self) -> Any:
        """The body as JSON, None where it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def request(edge: Edge, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    """One request with a JSON body, or none; JourneyError where no answer comes."""
    try:
        connection = socket.create_connection(edge.address, timeout=edge.timeout)
        if edge.secure:
            connection = edge.context().wrap_socket(connection, server_hostname=edge.host)
        client = http.client.HTTPConnection(edge.host, timeout=edge.timeout)
        client.sock = connection
        sent = {"Connection": "close", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            client.request(method, path, None if body is None else json.dumps(body), sent)
            response = client.getresponse()
            pairs = response.getheaders()
            return Answer(
                response.status,
                response.read().decode(errors="replace"),
                {name.lower(): value for name, value in pairs},
                cookies([value for name, value in pairs if name.lower() == "set-cookie"]),
            )
        finally:
            client.close()
    except (OSError, http.client.HTTPException, CookieError) as error:
        raise JourneyError(f"{method} {edge.url.rstrip('/')}{path} (as {edge.host}): {error}") from error


def cookies(lines: Iterable[str]) -> dict[str, str]:
    """Names and values of `Set-Cookie` lines."""
    jar = SimpleCookie()
    for line in lines:
        jar.load(line)
    return {name: morsel.value for name, morsel in jar.items()}


def expect_ok(edge: Edge, path: str) -> Answer:
    """GET of one path that must answer 200; JourneyError with what came instead."""
    answer = request(edge, "GET", path)
    if answer.status != 200:
        raise JourneyError(f"GET {edge.url.rstrip('/')}{path} answered {answer.status}: {answer.text.strip()[:300]}")
    return answer


def websocket(edge: Edge, path: str, cookie: str = "") -> tuple[Any, str]:
    """An open WebSocket (the library's own object) and the name of the host behind it, '' where the edge hides it.

    `cookie` is the value of the header of that name. JourneyError where the handshake fails. Needs the Python package
    websocket-client.
    """
    from websocket import WebSocketException, create_connection

    host, port = edge.address
    scheme = "wss" if edge.secure else "ws"
    name = f"[{host}]" if ":" in host else host
    url = f"{scheme}://{name}:{port}{path}"
    options: dict[str, Any] = {"context": edge.context(), "server_hostname": edge.host} if edge.secure else {}
    try:
        connection = create_connection(
            url,
            timeout=edge.timeout,
            host=edge.host,
            sslopt=options,
            http_no_proxy=["*"],
            origin=origin(edge),
            cookie=cookie or None,
        )
    except (OSError, WebSocketException) as error:
        reason = str(error).split(" -+-+- ")[0]  # what follows are all headers and the body
        raise JourneyError(f"WebSocket {url} (as {edge.host}): {reason}") from error
    headers = {str(key).lower(): str(value) for key, value in (connection.getheaders() or {}).items()}
    return connection, headers.get(SERVED_BY, "")


def origin(edge: Edge) -> str:
    """What a browser would send for a page of this edge."""
    return f"{'https' if edge.secure else 'http'}://{edge.host}"
