"""The Socket.IO service, :5001.

Events from clients, each answered by its acknowledgement, ``{"ok": true, …}`` or ``{"ok": false, "error": {…}}``:
    join     {room}                   from now on its messages arrive
    leave    {room}
    message  {room, text, client_id}  stored, then sent to the room; the answer holds the stored id
Event to clients: ``message`` {id, room, client_id, text, created_at}. It can come more than once: compare ids.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from typing import Any

from flask import Flask, request
from flask_socketio import SocketIO, join_room, leave_room

from chat import config, database, http, logs
from chat.broadcast import Broadcast, room_channel
from chat.config import Program, Settings
from chat.messages import ClientIdReused, MessageStore
from chat.metrics import Metrics
from chat.validation import MAX_PAYLOAD, Invalid, parse_message, parse_room

log = logging.getLogger(__name__)

PATH = "ws/socket.io"
Answer = dict[str, Any]


def create_socketio(app: Flask, settings: Settings, broadcast: Broadcast, async_mode: str) -> SocketIO:
    def allowed(origin: str, environ: dict[str, str]) -> bool:
        return http.origin_allowed(origin, environ, settings.cors_origins)

    return SocketIO(
        app,
        path=PATH,
        async_mode=async_mode,
        client_manager=broadcast,
        cors_allowed_origins=allowed,
        # No long polling: its requests would have to reach the same replica every time.
        transports=["websocket"],
        # One event of a client after the other: they keep their order, and nobody can start many at once.
        async_handlers=False,
        max_http_buffer_size=MAX_PAYLOAD,
        ping_interval=20,
        ping_timeout=20,
        manage_session=False,
        logger=False,
        engineio_logger=False,
    )


def register_events(socketio: SocketIO, store: MessageStore, broadcast: Broadcast, metrics: Metrics) -> None:
    def answered(handler: Callable[[Any], Answer]) -> Callable[..., Answer]:
        """Every outcome becomes an acknowledgement, every line logged meanwhile carries one id."""

        @functools.wraps(handler)
        def run(*arguments: Any) -> Answer:
            token = logs.request_id.set(logs.new_request_id())
            try:
                return {"ok": True, **handler(arguments[0] if len(arguments) == 1 else None)}
            except Invalid as error:
                return refusal("invalid", "the message is not valid", error.problems)
            except ClientIdReused:
                return refusal("conflict", "this client_id already stands for another text in this room")
            except database.UNAVAILABLE as error:
                metrics.errors.labels("database").inc()
                log.error("the database does not answer", extra={"reason": str(error).splitlines()[0]})
                return refusal("unavailable", "the service cannot answer now, try again")
            except Exception:
                metrics.errors.labels("internal").inc()
                log.exception("unhandled error")
                return refusal("internal", "the service made a mistake; its log has the details")
            finally:
                logs.request_id.reset(token)

        return run

    @socketio.on("join")
    @answered
    def on_join(payload: Any) -> Answer:
        room = parse_room(payload)
        join_room(room_channel(room))
        return {"room": room}

    @socketio.on("leave")
    @answered
    def on_leave(payload: Any) -> Answer:
        room = parse_room(payload)
        leave_room(room_channel(room))
        return {"room": room}

    @socketio.on("message")
    @answered
    def on_message(payload: Any) -> Answer:
        outcome = "failed"
        try:
            stored = store.add(parse_message(payload))
            outcome = "stored" if stored.created else "duplicate"
        except (Invalid, ClientIdReused):
            outcome = "refused"
            raise
        finally:
            metrics.messages_in.labels(outcome).inc()
        # Also when it was stored before: the replica that stored it may have died before it told the others.
        broadcast.send(stored.message)
        log.info("message", extra={"id": stored.message["id"], "outcome": outcome, "sid": request.sid})  # type: ignore[attr-defined]
        return {"id": stored.message["id"], "duplicate": not stored.created, "message": stored.message}


def refusal(code: str, message: str, fields: dict[str, str] | None = None) -> Answer:
    return {"ok": False, **http.error_body(code, message, fields)}


def create_app(settings: Settings | None = None, async_mode: str = "gevent") -> Flask:
    """The application, served by a gevent worker; without ``settings`` they come from the environment."""
    settings = settings or config.load(os.environ, Program.WEBSOCKET)
    assert settings.redis is not None  # noqa: S101 - Program.WEBSOCKET reads it
    metrics = Metrics()
    engine = database.make_engine(settings, metrics)
    broadcast = Broadcast(settings.redis, metrics)
    app = http.make_flask("chat.sockets", settings, metrics)
    app.register_blueprint(http.operations(metrics, http.readiness(engine, broadcast)))
    socketio = create_socketio(app, settings, broadcast, async_mode)
    register_events(socketio, MessageStore(engine), broadcast, metrics)
    metrics.watch_websockets(lambda: len(open_sockets(app)))
    _subscribe_now(socketio)
    app.extensions["chat.metrics"] = metrics
    app.extensions["chat.socketio"] = socketio
    return app


def _subscribe_now(socketio: SocketIO) -> None:
    """Without this the subscription would begin with the first client, and /readyz would wait for it."""
    server = socketio.server
    if not server.manager_initialized:
        server.manager_initialized = True
        server.manager.initialize()


def disconnect_all(app: Flask) -> int:
    """Close every connection so that clients reconnect, to another replica; returns how many there were.

    Closed below Socket.IO: a client told 'disconnected by the server' there would not come back by itself.
    """
    eio = app.extensions["chat.socketio"].server.eio
    sids = open_sockets(app)
    for sid in sids:
        eio.start_background_task(eio.disconnect, sid)  # it waits for the client, and none should wait for another
    return len(sids)


def open_sockets(app: Flask) -> list[str]:
    """Ids of the connections that are open; Engine.IO keeps closed ones in its list for a while."""
    sockets = app.extensions["chat.socketio"].server.eio.sockets
    return [sid for sid, connection in list(sockets.items()) if not connection.closed]
