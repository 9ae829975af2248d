"""The clients that are connected to this replica, and what is done to them together."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import redis
from flask_socketio import SocketIO
from sqlalchemy import exc

from chat.broadcast import EVENT, SIGNED_OUT, Broadcast, room_channel
from chat.errors import NotFound
from chat.messages import MessageStore
from chat.presence import Presence, User
from chat.sessions import SessionReader
from chat.transport import HANDSHAKE_SECONDS

log = logging.getLogger(__name__)

# Of a room, when this replica missed some; who may have missed more is sent away, to read them page by page.
CATCH_UP = 200
# Ids before the newest one seen: what was stored first may have been published last.
OVERLAP = 100


@dataclass(eq=False)
class Connection:
    sid: str
    user: User
    session: str
    rooms: set[str] = field(default_factory=set)


class Connections:
    def __init__(
        self, socketio: SocketIO, broadcast: Broadcast, presence: Presence, sessions: SessionReader, store: MessageStore
    ) -> None:
        self.server: Any = socketio.server
        self.broadcast, self.presence, self.sessions, self.store = broadcast, presence, sessions, store
        self.known: dict[str, Connection] = {}
        self.draining = threading.Event()
        self.seen: dict[str, int] = {}  # room: newest message that came to this replica
        broadcast.controls["signed_out"] = lambda order: self.end_session(order["session"])
        broadcast.controls["left"] = lambda order: self.put_out(order["room"], order["user_id"])
        broadcast.recovered = self.catch_up

    # One connection ---------------------------------------------------------------------------------------------------

    def add(self, sid: str, user: User, session: str) -> None:
        self.known[sid] = Connection(sid, user, session)

    def remove(self, sid: str) -> None:
        connection = self.known.pop(sid, None)
        if self.draining.is_set():
            return  # they come back elsewhere in a moment; who does not is forgotten by itself
        for room in sorted(connection.rooms) if connection else ():
            self._gone(room, connection.user)  # type: ignore[union-attr]

    def enter(self, connection: Connection, room: str) -> list[User]:
        """Its messages arrive from now on; returns who is online in it (nobody, where Redis cannot tell)."""
        self.server.manager.enter_room(connection.sid, "/", room_channel(room))
        connection.rooms.add(room)
        try:
            for user in self.presence.touch(room, [connection.user]):
                self.broadcast.tell_presence(room, user, online=True)
            return self.presence.online(room)
        except redis.RedisError as error:
            self._redis_failed(error)
            return []

    def leave(self, connection: Connection, room: str) -> None:
        self.server.manager.leave_room(connection.sid, "/", room_channel(room))
        if room in connection.rooms:
            connection.rooms.remove(room)
            self._gone(room, connection.user)

    def _gone(self, room: str, user: User) -> None:
        """Offline, unless another connection of the same user is in the room."""
        if any(other.user["id"] == user["id"] and room in other.rooms for other in list(self.known.values())):
            return
        try:
            if self.presence.leave(room, user):
                self.broadcast.tell_presence(room, user, online=False)
        except redis.RedisError as error:
            self._redis_failed(error)  # it expires there, and another replica tells

    # Several ----------------------------------------------------------------------------------------------------------

    def end_session(self, session: str) -> None:
        self._sign_out(connection for connection in list(self.known.values()) if connection.session == session)

    def _sign_out(self, connections: Iterable[Connection]) -> None:
        for connection in connections:
            self._emit(connection.sid, SIGNED_OUT, {})
            self.server.disconnect(connection.sid, namespace="/", ignore_queue=True)

    def put_out(self, room: str, user_id: int) -> None:
        """Of a room that this user is no member of any more."""
        for connection in list(self.known.values()):
            if connection.user["id"] == user_id and room in connection.rooms:
                self.leave(connection, room)

    def heartbeat(self) -> None:
        """What keeps presence and sessions alive, and finds those that are not; repairs what Redis or an order lost."""
        rooms: dict[str, dict[int, User]] = defaultdict(dict)
        for connection in list(self.known.values()):
            for room in connection.rooms:
                rooms[room][connection.user["id"]] = connection.user
        for room, users in rooms.items():
            for user in self.presence.touch(room, list(users.values())):
                self.broadcast.tell_presence(room, user, online=True)
            for user in self.presence.sweep(room):
                self.broadcast.tell_presence(room, user, online=False)
        self.seen = {room: last for room, last in self.seen.items() if room in rooms}
        ended = set(self.sessions.prolong(sorted({connection.session for connection in self.known.values()})))
        self._sign_out(connection for connection in list(self.known.values()) if connection.session in ended)

    def heartbeats(self) -> None:
        while not self.draining.is_set():
            self.server.sleep(self.presence.seconds / 3)
            try:
                self.heartbeat()
            except redis.RedisError as error:
                self._redis_failed(error)
            except Exception:
                self.broadcast.metrics.errors.labels("internal").inc()
                log.exception("a heartbeat failed")

    def close_strangers(self, opened: dict[str, float]) -> None:
        """Connections that never became a client's: opened, and then nothing."""
        eio = self.server.eio
        open_now = [sid for sid, connection in list(eio.sockets.items()) if not connection.closed]
        clients = {self.server.manager.eio_sid_from_sid(sid, "/") for sid in list(self.known)}
        now = time.monotonic()
        for sid in [sid for sid in opened if sid not in open_now or sid in clients]:
            del opened[sid]
        for sid in open_now:
            if sid not in clients and now - opened.setdefault(sid, now) > HANDSHAKE_SECONDS:
                eio.start_background_task(eio.disconnect, sid)

    def watch_strangers(self) -> None:
        opened: dict[str, float] = {}
        while not self.draining.is_set():
            self.server.sleep(2)
            self.close_strangers(opened)

    # Messages that were missed ----------------------------------------------------------------------------------------

    def note(self, room: str, message_id: int) -> None:
        self.seen[room] = max(self.seen.get(room, 0), message_id)

    def catch_up(self, _seconds: float) -> None:
        """After a time without the subscription: what others sent meanwhile goes to our clients now. Where that is too
        much, or cannot be read, they are sent away: reconnecting clients read what they missed."""
        for room in sorted({room for connection in list(self.known.values()) for room in connection.rooms}):
            try:
                missed = self.store.newest(room, self.seen.get(room, 0) - OVERLAP, CATCH_UP)
            except (exc.SQLAlchemyError, NotFound):
                missed = None
            if missed is None or len(missed) > CATCH_UP:
                self._send_away([other for other in list(self.known.values()) if room in other.rooms])
                continue
            for message in missed:
                self._emit(room_channel(room), EVENT, message)
                self.note(room, message["id"])

    # The end ----------------------------------------------------------------------------------------------------------

    def drain(self) -> int:
        """Say to every client when to come back, each at another moment; returns how many there were."""
        self.draining.set()
        clients = list(self.known.values())
        self._send_away(clients)
        return len(clients)

    def _send_away(self, clients: list[Connection]) -> None:
        """Closed below Socket.IO: a client told 'disconnected by the server' there would not come back by itself."""
        spread = min(30.0, 2.0 + len(clients) / 200)
        for connection in clients:
            self._emit(connection.sid, "drain", {"reconnect_after": round(random.uniform(0.2, spread), 2)})  # noqa: S311
        self.server.sleep(0.2)  # for it to go out before the end does
        eio = self.server.eio
        for connection in clients:
            sid = self.server.manager.eio_sid_from_sid(connection.sid, "/")
            if sid is not None:
                eio.start_background_task(eio.disconnect, sid)  # it waits for the client, and none should for another

    def _emit(self, to: str, event: str, data: dict[str, Any]) -> None:
        """To clients of this replica."""
        self.server.manager.emit(event, data, namespace="/", room=to, ignore_queue=True)

    def _redis_failed(self, error: redis.RedisError) -> None:
        self.broadcast.metrics.errors.labels("redis").inc()
        log.warning("presence is not known now", extra={"reason": type(error).__name__})
