"""How often the requests that matter go to PostgreSQL and Redis: the time of a request is made of these round trips."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import psycopg
import pytest
import redis.connection
import support
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool
from support import Person

from chat import database as databases
from chat.api import create_app
from chat.config import Program, load
from chat.metrics import Metrics
from chat.sessions import storage_key


@dataclass
class Effort:
    """What this process sends: ``sql`` by what libpq writes down, BEGIN, COMMIT and pings included; ``redis`` by the
    packets, a pipeline being one."""

    trace: IO[bytes]
    packets: list[Any] = field(default_factory=list)

    def of(self, action: Callable[[], Any]) -> tuple[int, int]:
        before, seen = self._asked(), len(self.packets)
        action()
        return self._asked() - before, len(self.packets) - seen

    def _asked(self) -> int:
        self.trace.seek(0)
        words = [line.split(b"\t") for line in self.trace.read().splitlines()]
        return sum(line[1:2] == [b"F"] and line[3] in (b"Query", b"Sync") for line in words)


@contextlib.contextmanager
def measured() -> Iterator[Effort]:
    """What connections made meanwhile do. They outlive it in their pools, and libpq keeps the number of the file that
    it writes to: without ``untrace`` they would write into whatever has that number next, a socket for example."""
    traced: list[psycopg.Connection] = []
    send = redis.connection.AbstractConnection.send_packed_command
    with tempfile.TemporaryFile() as trace, pytest.MonkeyPatch.context() as patch:
        found = Effort(trace)

        def connected(connection: psycopg.Connection, _entry: object) -> None:
            connection.pgconn.trace(trace.fileno())
            traced.append(connection)

        def counted(self: redis.connection.AbstractConnection, command: Any, check_health: bool = True) -> Any:
            found.packets.append(command)
            return send(self, command, check_health)  # type: ignore[no-untyped-call]

        patch.setattr(redis.connection.AbstractConnection, "send_packed_command", counted)
        event.listen(Pool, "connect", connected)
        try:
            yield found
        finally:
            event.remove(Pool, "connect", connected)
            for connection in traced:
                if not connection.closed:
                    connection.pgconn.untrace()


@pytest.fixture
def effort() -> Iterator[Effort]:
    with measured() as found:
        yield found


def test_measuring_ends_with_the_measurement(environment: dict[str, str]) -> None:
    """A connection that goes on living writes nothing to the file that has its trace's number by then."""
    engine = databases.make_engine(load(environment, Program.API), Metrics())
    read, write = os.pipe()
    with databases.autocommit(engine).connect() as before, measured() as effort:
        assert effort.of(lambda: before.exec_driver_sql("SELECT 1")) == (0, 0)
        with databases.autocommit(engine).connect() as connection:
            number = effort.trace.fileno()
            assert effort.of(lambda: connection.exec_driver_sql("SELECT 1")) == (1, 0)
    os.dup2(write, number)
    with databases.autocommit(engine).connect() as first, databases.autocommit(engine).connect() as second:
        first.exec_driver_sql("SELECT 1")
        second.exec_driver_sql("SELECT 1")
    engine.dispose()
    for each in (write, number):
        os.close(each)
    with os.fdopen(read, "rb") as written:
        assert written.read() == b""


@pytest.fixture
def client(environment: dict[str, str], effort: Effort, alice: Person, room: str) -> FlaskClient:  # noqa: ARG001
    """Alice's, of a service that is warm: connected, with prepared statements and scripts."""
    opened = create_app(load(environment, Program.API)).test_client()
    opened.set_cookie("chat_session", alice.http.cookies["chat_session"])
    opened.environ_base["HTTP_X_CSRF_TOKEN"] = str(alice.http.headers["X-CSRF-Token"])
    for _ in range(8):
        assert opened.get(f"/api/rooms/{room}/messages").status_code == 200
        assert opened.get(f"/api/rooms/{room}/messages?after=1").status_code == 200
        assert opened.get("/api/rooms").status_code == 200
        assert opened.post(f"/api/rooms/{room}/messages", json={"text": "x"}).status_code == 201
    return opened


def test_round_trips(client: FlaskClient, effort: Effort, room: str) -> None:
    """Of PostgreSQL one statement each, without BEGIN, COMMIT or a ping. Of Redis: session, rate of requests; a message
    has a rate of its own and is published."""
    url = f"/api/rooms/{room}/messages"
    asked = {
        "read": effort.of(lambda: client.get(url)),
        "read on": effort.of(lambda: client.get(f"{url}?after=1")),
        "rooms": effort.of(lambda: client.get("/api/rooms")),
        "write": effort.of(lambda: client.post(url, json={"text": "x"})),
    }
    assert asked == {"read": (1, 2), "read on": (1, 2), "rooms": (1, 2), "write": (1, 4)}


def test_a_session_is_prolonged_now_and_then(client: FlaskClient, environment: dict[str, str], alice: Person) -> None:
    store = redis.Redis(port=int(environment["REDIS_PORT"]), password=environment["REDIS_PASSWORD"])
    key, life = storage_key(alice.http.cookies["chat_session"]), 30 * 24 * 3600
    store.expire(key, int(life * 0.98))
    assert "Set-Cookie" not in client.get("/api/rooms").headers
    assert store.ttl(key) <= life * 0.98
    store.expire(key, int(life * 0.96))
    assert "Set-Cookie" in client.get("/api/rooms").headers
    assert store.ttl(key) > life * 0.99


def test_connections_that_idled_are_asked_whether_they_live(
    environment: dict[str, str], effort: Effort, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a restart of the server, at night, costs no request in the morning."""
    engine: Engine = databases.make_engine(load(environment, Program.API), Metrics())

    def ask() -> int:
        with databases.autocommit(engine).connect() as connection:
            return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    first = ask()
    assert effort.of(ask) == (1, 0)
    monkeypatch.setattr(databases, "FRESH_SECONDS", 0.0)
    assert effort.of(ask) == (2, 0)
    database.execute("SELECT pg_terminate_backend(%s)", [first])
    assert ask() != first
    engine.dispose()


def test_who_leaves_while_their_message_waits_sends_none(
    environment: dict[str, str], database: psycopg.Connection, alice: Person, bob: Person, room: str
) -> None:
    """Messages wait for each other. A membership that ends meanwhile is not what it was when the message came."""
    answers: list[int] = []
    request = threading.Thread(target=lambda: answers.append(bob.post(room, text="too late")[0]))
    with database.transaction():
        database.execute(sql.SQL("SELECT 1 FROM rooms WHERE name = %s FOR NO KEY UPDATE"), [room])
        request.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with psycopg.connect(database.info.dsn, password=environment["DATABASE_PASSWORD"], autocommit=True) as other:
            support.wait_for("lock", lambda: other.execute(waiting).fetchone() != (0,))
        bob.call("DELETE", f"/api/rooms/{room}/membership", expect=204)
    request.join(10)
    assert answers == [403]
    assert alice.call("GET", f"/api/rooms/{room}/messages")["messages"] == []
