"""What a connection may cost: below Socket.IO, where its packets come in and wait to go out."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import simple_websocket

from chat.metrics import Metrics
from chat.validation import MAX_PAYLOAD

log = logging.getLogger(__name__)

# Packets that wait for a client to read them, and that wait to be handled for a client that sends.
MAX_WAITING = 1000
MAX_UNHANDLED = 50
# For the Socket.IO handshake inside of an open connection.
HANDSHAKE_SECONDS = 10.0


class WholeSocket:
    """A socket whose ``send`` sends everything, one sender after the other: half a frame would garble all that
    follow it."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        self._lock = threading.Lock()

    def send(self, data: bytes) -> int:
        with self._lock:
            self._wrapped.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


class BoundedServer(simple_websocket.Server):  # type: ignore[misc]
    """Reads no more from a client that sends faster than it is answered, and no packet that is too large."""

    def __init__(self, environ: dict[str, Any], **arguments: Any) -> None:
        environ = {**environ, "gunicorn.socket": WholeSocket(environ["gunicorn.socket"])}
        super().__init__(environ, max_message_size=MAX_PAYLOAD, **arguments)

    def _handle_events(self) -> bool:
        going: bool = super()._handle_events()
        while going and self.connected and len(self.input_buffer) > MAX_UNHANDLED:
            time.sleep(0.02)
        return going


def bound_connections(eio: Any, metrics: Metrics) -> Callable[[str], None]:
    """Bounds every connection of this Engine.IO server; returns what ends one at once, whether or not it reads."""
    wrapper = eio._async["websocket"]

    def accept(handler: Any, server: Any) -> Any:
        made = wrapper(handler, server)

        def serve(environ: dict[str, Any], _start_response: Any) -> Any:
            made.ws = BoundedServer(environ, **made.server_args)
            handler.__self__.chat_transport = made.ws
            made.app(made)
            raise StopIteration  # how gunicorn is told that the socket was taken over

        return serve

    eio._async = {**eio._async, "websocket": accept}

    def abort(sid: str) -> None:
        connection = eio.sockets.get(sid)
        if connection is None or connection.closed:
            return
        connection.close(wait=False, abort=True)
        with contextlib.suppress(OSError, AttributeError):
            connection.chat_transport.sock.shutdown(socket.SHUT_RDWR)

    send_packet = eio.send_packet

    def send(sid: str, packet: Any) -> None:
        connection = eio.sockets.get(sid)
        if connection is None or connection.closed or connection.closing:
            return
        if connection.queue.qsize() >= MAX_WAITING:
            if not getattr(connection, "chat_slow", False):
                connection.chat_slow = True
                metrics.slow_clients.inc()
                log.info("a client does not read what it is sent, it is disconnected")
                # Elsewhere: who sends to a whole room must not wait for what follows from this one's leaving.
                eio.start_background_task(abort, sid)
            return
        send_packet(sid, packet)

    eio.send_packet = send
    receive = eio.handlers["message"]

    def guarded(sid: str, data: Any) -> None:
        try:
            if isinstance(data, bytes):
                raise ValueError("binary packets have no meaning here")
            receive(sid, data)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            log.info("a malformed packet, its connection is closed", extra={"reason": type(error).__name__})
            eio.start_background_task(abort, sid)

    eio.on("message", guarded)
    return abort
