# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The part of Socket.IO (protocol 5 on Engine.IO 4) that a client needs which speaks WebSocket from the start.

A frame is text. Its first character is Engine.IO's packet type (0 open, 1 close, 2 ping, 3 pong, 4 message); a message
goes on with Socket.IO's (0 connect, 1 disconnect, 2 event, 3 acknowledgement, 4 refusal), then perhaps a namespace and
a number, then JSON.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

MESSAGE = re.compile(r"4(?P<kind>[0-4])(?:(?P<namespace>/[^,]*),)?(?P<number>\d+)?(?P<data>.*)", re.DOTALL)
KINDS = {"0": "connected", "1": "disconnected", "2": "event", "3": "acknowledgement", "4": "refused"}


class ProtocolError(Exception):
    """The other side said something that does not fit, or nothing in time."""


@dataclass(frozen=True)
class Packet:
    """`kind` is open, close, ping, pong, connected, disconnected, event, acknowledgement or refused.

    `data` is the decoded JSON (for an event: its arguments), or None; `name` is an event's name; `number` is the one
    that an acknowledgement repeats from its event, or -1.
    """

    kind: str
    data: Any = None
    name: str = ""
    number: int = -1


class Connection(Protocol):
    """What is used of websocket.WebSocket."""

    def recv(self) -> Any: ...

    def send(self, payload: str) -> Any: ...

    def settimeout(self, timeout: float) -> None: ...

    def close(self) -> None: ...


def decode(frame: str) -> Packet:
    """A frame as a packet; ProtocolError for one that is none."""
    simple = {"1": "close", "2": "ping", "3": "pong"}
    if frame[:1] in simple:
        return Packet(simple[frame[0]])
    if frame[:1] == "0":
        return Packet("open", _json(frame, frame[1:]))
    match = MESSAGE.fullmatch(frame)
    if match is None:
        raise ProtocolError(f"not a Socket.IO frame: {frame[:80]!r}")
    kind = KINDS[match["kind"]]
    data = _json(frame, match["data"]) if match["data"] else None
    number = int(match["number"]) if match["number"] else -1
    if kind != "event":
        return Packet(kind, data, number=number)
    if not isinstance(data, list) or not data:
        raise ProtocolError(f"an event without a name: {frame[:80]!r}")
    return Packet("event", data[1:], str(data[0]), number)


def encode_event(name: str, *arguments: Any, number: int = -1) -> str:
    """An event as a frame; with a `number` the other side acknowledges it."""
    return f"42{number if number >= 0 else ''}{json.dumps([name, *arguments], separators=(',', ':'))}"


def _json(frame: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ProtocolError(f"no JSON in the frame {frame[:80]!r}: {error}") from error


class Client:
    """One connected client. `received` keeps the events that came while another was waited for."""

    def __init__(self, connection: Connection, timeout: float = 10.0) -> None:
        self.connection = connection
        self.timeout = timeout
        self.received: list[Packet] = []
        self._calls = 0
        self._expect("open")
        connection.send("40")
        self._expect("connected")

    def call(self, name: str, *arguments: Any) -> Any:
        """Send an event and wait until the server has dealt with it; returns what it answered (a list)."""
        number, self._calls = self._calls, self._calls + 1
        self.connection.send(encode_event(name, *arguments, number=number))
        what = f"the acknowledgement of '{name}'"
        return self._wait(lambda packet: packet.kind == "acknowledgement" and packet.number == number, what).data

    def wait_for(self, matches: Callable[[Packet], bool], what: str) -> Packet:
        """The first event for which `matches` is true, also of those that came before; ProtocolError without one."""
        for index, packet in enumerate(self.received):
            if matches(packet):
                return self.received.pop(index)
        return self._wait(lambda packet: packet.kind == "event" and matches(packet), what)

    def close(self) -> None:
        self.connection.close()

    def _wait(self, matches: Callable[[Packet], bool], what: str) -> Packet:
        deadline = time.monotonic() + self.timeout
        while True:
            packet = self._next(deadline, what)
            if matches(packet):
                return packet
            if packet.kind == "event":
                self.received.append(packet)

    def _expect(self, kind: str) -> Packet:
        packet = self._next(time.monotonic() + self.timeout, f"the packet '{kind}'")
        if packet.kind != kind:
            raise ProtocolError(f"expected the packet '{kind}', got '{packet.kind}': {packet.data}")
        return packet

    def _next(self, deadline: float, what: str) -> Packet:
        """The next packet that is not a ping; pings are answered."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ProtocolError(f"{what} did not come in time")
            self.connection.settimeout(left)
            try:
                frame = self.connection.recv()
            except Exception as error:  # the WebSocket library is the caller's: its timeout has no name here
                if "timed out" in str(error):
                    raise ProtocolError(f"{what} did not come in time") from error
                raise ProtocolError(f"the connection broke while waiting for {what}: {error}") from error
            packet = decode(frame if isinstance(frame, str) else frame.decode())
            if packet.kind == "ping":
                self.connection.send("3")
            elif packet.kind == "close":
                raise ProtocolError(f"the server closed the connection while waiting for {what}")
            else:
                return packet
