# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two people talk: what one writes must reach the other, who is connected to another host."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.journey import socketio
from ansible_collections.devops.platform.plugins.module_utils.journey.edge import Edge, JourneyError, websocket

Connect = Callable[[], tuple[socketio.Client, str]]


@dataclass(frozen=True)
class Delivery:
    """Which hosts the two were connected to ('' where the edge hides it), and how long the message took."""

    sender: str
    receiver: str
    seconds: float


def connector(edge: Edge, path: str, cookie: str = "") -> Connect:
    """Connects a new client, with the cookie of a session, and says which host serves it."""

    def connect() -> tuple[socketio.Client, str]:
        connection, host = websocket(edge, f"{path.rstrip('/')}/?EIO=4&transport=websocket", cookie)
        try:
            return socketio.Client(connection, timeout=edge.timeout), host
        except socketio.ProtocolError as error:
            connection.close()
            raise JourneyError(f"Socket.IO at {edge.url}{path}: {error}") from error

    return connect


def second_client(connect: Connect, first: str, attempts: int) -> tuple[socketio.Client, str]:
    """A client at another host than `first`; JourneyError where `attempts` connections all end at the same one."""
    for _attempt in range(attempts):
        client, host = connect()
        if not first or host != first:
            return client, host
        client.close()
    raise JourneyError(
        f"{attempts} new WebSockets all ended at {first}, where the first one is; is another application host in the "
        "edge's upstream, and does it answer?"
    )


def converse(connect: Connect, room: str, text: str, client_id: str, attempts: int = 1) -> Delivery:
    """Two clients join `room`, one writes `text`; returns when the other has it. JourneyError where it doesn't come.

    `client_id` marks the message as one that was never sent before. With more than one of `attempts`, the clients are
    at different hosts, and so many connections may be made to find the second.
    """
    sender, sender_host = connect()
    try:
        receiver, receiver_host = second_client(connect, sender_host if attempts > 1 else "", attempts)
        try:
            for client, host in ((sender, sender_host), (receiver, receiver_host)):
                accepted(client.call("join", {"room": room}), f"joining the room '{room}' at {host or 'a host'}")
            start = time.monotonic()
            message = {"room": room, "text": text, "client_id": client_id}
            accepted(sender.call("message", message), f"writing a message at {sender_host or 'a host'}")
            what = f"the message from a client at {sender_host or 'one host'} to one at {receiver_host or 'another'}"
            receiver.wait_for(lambda packet: packet.name == "message" and holds(packet.data, client_id), what)
            return Delivery(sender_host, receiver_host, round(time.monotonic() - start, 3))
        except socketio.ProtocolError as error:
            raise JourneyError(str(error)) from error
        finally:
            receiver.close()
    finally:
        sender.close()


def accepted(answer: Any, what: str) -> None:
    """JourneyError where a service's answer to an event tells of an error."""
    for part in answer if isinstance(answer, list) else []:
        if isinstance(part, dict) and (part.get("error") or part.get("ok") is False):
            raise JourneyError(f"{what} was refused: {part}")


def holds(data: Any, text: str) -> bool:
    """Whether `text` is a value anywhere in decoded JSON."""
    if isinstance(data, dict):
        return any(holds(value, text) for value in data.values())
    if isinstance(data, list):
        return any(holds(value, text) for value in data)
    return bool(data == text)
