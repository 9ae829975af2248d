"""No query that a page needs reads a whole table, however large it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import support
from sqlalchemy import Engine, Select, create_engine, func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from chat.config import Program, load
from chat.messages import KNOWN, message_page
from chat.models import Membership, Message, Room, User
from chat.rooms import members_page, room_page, rooms_page
from chat.schemas import MembersQuery, RoomsQuery
from chat.validation import parse

VALUES = {"room": "room-7", "user_id": 7, "edge": 50000, "limit": 51, "client_id": "client-7"}
QUERIES: dict[str, Select[Any]] = {
    "a user by name": select(User).where(func.lower(User.name) == "user-77"),
    "a room by name": select(Room.id).where(Room.name == "room-77"),
    "one room": room_page(7).where(Room.name == "room-77"),
    "rooms": rooms_page(7, parse(RoomsQuery, {"after": "room-5"})),
    "the first rooms": rooms_page(7, RoomsQuery()),
    "a membership": select(Membership).where(Membership.room_id == 7, Membership.user_id == 7),
    "members": members_page(7, parse(MembersQuery, {"after": "user-100"})),
    "the newest messages": message_page("newest").params(VALUES),
    "messages before": message_page("before").params(VALUES),
    "messages after": message_page("after").params(VALUES),
    "messages for a replica": message_page("after", members_only=False).params(VALUES),
    "a message by client_id": KNOWN.params(VALUES),
    "the newest id": select(func.max(Message.id)).where(Message.room_id == 7),
}


@pytest.fixture(scope="module")
def large(environment: dict[str, str]) -> Iterator[Engine]:
    name = "large"
    engine = create_engine(load(environment, Program.MIGRATE).database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    settings = {**environment, "DATABASE_NAME": name}
    assert support.run("chat-migrate", settings).returncode == 0
    engine = create_engine(load(settings, Program.MIGRATE).database.url)
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO users (name, password_hash) SELECT 'user-' || n, 'x' FROM generate_series(1, 5000) n",
            "INSERT INTO rooms (name) SELECT 'room-' || n FROM generate_series(1, 2000) n",
            "INSERT INTO memberships (room_id, user_id, user_name) "
            "SELECT r, u, 'user-' || u FROM generate_series(1, 50) r, generate_series(1, 1000) u",
            "INSERT INTO messages (room_id, author_id, client_id, text) "
            "SELECT 1 + n % 100, 1 + n % 5000, 'client-' || n, 'text' FROM generate_series(1, 100000) n",
        ):
            connection.execute(text(statement))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    yield engine
    engine.dispose()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


@pytest.mark.parametrize("name", QUERIES)
def test_planned_by_an_index(large: Engine, name: str) -> None:
    compiled = QUERIES[name].compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    with Session(large) as session:
        plan: list[dict[str, Any]] = session.execute(text(f"EXPLAIN (FORMAT JSON) {compiled}")).scalar_one()
    found = [(node["Node Type"], node.get("Relation Name")) for node in nodes(plan[0]["Plan"])]
    assert not any(kind == "Seq Scan" for kind, _ in found), found
    assert any("Index" in kind for kind, _ in found)
