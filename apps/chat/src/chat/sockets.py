"""The Socket.IO service, :5001. Events, each answered by its acknowledgement: join, leave and message (README.md)."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from typing import Any

import redis
from flask import Flask, request
from flask_socketio import ConnectionRefusedError as ConnectionRefused
from flask_socketio import SocketIO

from chat import config, database, http, logs, schemas
from chat.broadcast import Broadcast
from chat.config import Program, Settings
from chat.connections import Connection, Connections
from chat.errors import NotMember, RateLimited, Refused, Unauthenticated, Unavailable
from chat.messages import MessageStore
from chat.metrics import Metrics
from chat.presence import Presence
from chat.rates import Rates
from chat.rooms import RoomStore
from chat.sessions import COOKIE, SessionReader
from chat.transport import bound_connections
from chat.validation import MAX_PAYLOAD, Invalid, parse

log = logging.getLogger(__name__)

PATH = "ws/socket.io"
Answer = dict[str, Any]
Handler = Callable[[Connection, Any], Answer]


def create_socketio(app: Flask, settings: Settings, broadcast: Broadcast, async_mode: str) -> SocketIO:
    def allowed(origin: str, environ: dict[str, str]) -> bool:
        return http.origin_allowed(origin, environ, settings.cors_origins)

    # Loggers of ours, quiet ones: their own write lines that are no JSON, with what clients sent in them.
    quiet = logging.getLogger("chat.socketio")
    quiet.setLevel(logging.ERROR)
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
        logger=quiet,
        engineio_logger=quiet,
    )


class Events:
    """What clients may ask for, and what comes of it."""

    def __init__(
        self, connections: Connections, store: MessageStore, rooms: RoomStore, rates: Rates, metrics: Metrics
    ) -> None:
        self.connections, self.store, self.rooms = connections, store, rooms
        self.rates, self.metrics = rates, metrics

    def join(self, connection: Connection, payload: Any) -> Answer:
        self.rates.hit("requests", connection.user["id"])
        room = parse(schemas.RoomEvent, payload).room
        self.rooms.last_id(connection.user["id"], room)
        online = self.connections.enter(connection, room)
        # Read again after messages began to arrive: whatever is newer than this comes by itself.
        try:
            last = self.rooms.last_id(connection.user["id"], room)
        except NotMember:  # put out meanwhile
            self.connections.leave(connection, room)
            raise
        self.connections.note(room, last or 0)
        return {"room": room, "last_id": last, "online": online}

    def leave(self, connection: Connection, payload: Any) -> Answer:
        self.rates.hit("requests", connection.user["id"])
        room = parse(schemas.RoomEvent, payload).room
        self.connections.leave(connection, room)
        return {"room": room}

    def message(self, connection: Connection, payload: Any) -> Answer:
        outcome = "failed"
        try:
            self.rates.hit("messages", connection.user["id"])
            new = parse(schemas.MessageEvent, payload)
            stored = self.store.add(connection.user, new.room, new.text, new.client_id)
            outcome = "stored" if stored.created else "duplicate"
        except (Invalid, Refused):
            outcome = "refused"
            raise
        finally:
            self.metrics.messages_in.labels(outcome).inc()
        # Also when it was stored before: the replica that stored it may have died before it told the others.
        self.connections.broadcast.send(stored.message)
        log.info("message", extra={"id": stored.message["id"], "outcome": outcome, "sid": connection.sid})
        return {"id": stored.message["id"], "created_at": stored.message["created_at"], "created": stored.created}

    def unknown(self, connection: Connection, _payload: Any) -> Answer:
        self.rates.hit("requests", connection.user["id"])
        raise Invalid({"event": "must be join, leave or message"})

    def answered(self, handler: Handler) -> Callable[..., Answer]:
        """Every outcome becomes an acknowledgement, every line logged meanwhile carries one id and the user's."""

        @functools.wraps(handler)
        def run(*arguments: Any) -> Answer:
            token = logs.request_id.set(logs.new_request_id())
            connection = self.connections.known.get(request.sid)  # type: ignore[attr-defined]
            user = logs.user_id.set(connection.user["id"] if connection else None)
            try:
                if connection is None:
                    raise Unauthenticated
                return {"ok": True, **handler(connection, arguments[0] if len(arguments) == 1 else None)}
            except Invalid as error:
                return refusal(error, error.problems)
            except Refused as error:
                return refusal(error)
            except database.UNAVAILABLE as error:
                self.metrics.errors.labels("database").inc()
                log.error("the database does not answer", extra={"reason": str(error).splitlines()[0]})
                return refusal(Unavailable())
            except Exception:
                self.metrics.errors.labels("internal").inc()
                log.exception("unhandled error")
                return {
                    "ok": False,
                    **http.error_body("internal", "the service made a mistake; its log has the details"),
                }
            finally:
                logs.request_id.reset(token)
                logs.user_id.reset(user)

        return run


def refusal(error: Refused | Invalid, fields: dict[str, str] | None = None) -> Answer:
    if isinstance(error, Invalid):
        return {"ok": False, **http.error_body("invalid", "the message is not valid", fields)}
    answer: Answer = {"ok": False, **http.error_body(error.code, error.words, fields)}
    if isinstance(error, RateLimited):
        answer["error"]["retry_after"] = error.retry_after
    return answer


def register(socketio: SocketIO, events: Events, sessions: SessionReader) -> None:
    connections = events.connections

    def connect(_auth: object = None) -> None:
        """The cookie of the handshake says who this is, once: a session that ends closes its connections."""
        if connections.draining.is_set():
            raise ConnectionRefused("the service is about to stop", {"code": "unavailable"})
        try:
            found = sessions.find(request.cookies.get(COOKIE))
        except (redis.RedisError, ValueError):
            raise ConnectionRefused("the service cannot answer now", {"code": "unavailable"}) from None
        if found is None:
            raise ConnectionRefused("sign in first", {"code": "unauthenticated"})
        session, user = found
        connections.add(request.sid, user, session)  # type: ignore[attr-defined]

    def disconnect(*_reason: object) -> None:
        connections.remove(request.sid)  # type: ignore[attr-defined]

    socketio.on_event("connect", connect)
    socketio.on_event("disconnect", disconnect)
    for name in ("join", "leave", "message"):
        socketio.on_event(name, events.answered(getattr(events, name)))
    unknown = events.answered(events.unknown)
    socketio.on_event("*", lambda _event, *arguments: unknown(*arguments))


def create_app(settings: Settings | None = None, async_mode: str = "gevent") -> Flask:
    """The application, served by a gevent worker; without ``settings`` they come from the environment."""
    settings = settings or config.load(os.environ, Program.WEBSOCKET)
    assert settings.redis is not None  # noqa: S101 - Program.WEBSOCKET reads it
    metrics = Metrics()
    engine = database.make_engine(settings, metrics)
    broadcast = Broadcast(settings.redis, metrics)
    store, sessions = MessageStore(engine), SessionReader(broadcast.client, settings.session_days)
    app = http.make_flask("chat.sockets", settings, metrics)
    socketio = create_socketio(app, settings, broadcast, async_mode)
    presence = Presence(broadcast.client, settings.presence_seconds)
    connections = Connections(socketio, broadcast, presence, sessions, store)
    broadcast.seen = connections.note
    rates = Rates(broadcast.client, settings.redis, settings, metrics)
    register(socketio, Events(connections, store, RoomStore(engine), rates, metrics), sessions)
    bound_connections(socketio.server.eio, metrics)
    checks = {"stopping": lambda: "about to stop" if connections.draining.is_set() else None}
    app.register_blueprint(http.operations(metrics, {**http.readiness(engine, broadcast), **checks}))
    metrics.watch_websockets(lambda: len(open_sockets(app)))
    app.extensions["chat.metrics"] = metrics
    app.extensions["chat.socketio"] = socketio
    app.extensions["chat.connections"] = connections
    _subscribe_now(socketio)
    socketio.start_background_task(connections.heartbeats)
    socketio.start_background_task(connections.watch_strangers)
    return app


def _subscribe_now(socketio: SocketIO) -> None:
    """Without this the subscription would begin with the first client, and /readyz would wait for it."""
    server = socketio.server
    if not server.manager_initialized:
        server.manager_initialized = True
        server.manager.initialize()


def open_sockets(app: Flask) -> list[str]:
    """Ids of the connections that are open; Engine.IO keeps closed ones in its list for a while."""
    sockets = app.extensions["chat.socketio"].server.eio.sockets
    return [sid for sid, connection in list(sockets.items()) if not connection.closed]
