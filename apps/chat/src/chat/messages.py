"""Storing and reading messages: one statement each, and one round trip to PostgreSQL."""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Engine, Integer, Row, Select, Text, bindparam, select, text

from chat.database import autocommit
from chat.errors import ClientIdReused, NotFound, NotMember
from chat.models import Membership, Message, Room, User
from chat.schemas import Page, user_json

# Statements are made once and get their values when they are executed: making one takes as long as executing it.
ROOM, USER = bindparam("room", type_=Text), bindparam("user_id", type_=BigInteger)
CLIENT_ID = bindparam("client_id", type_=Text)
EDGE, LIMIT = bindparam("edge", type_=BigInteger), bindparam("limit", type_=Integer)
COLUMNS = (Message.id, Message.client_id, Message.text, Message.author_id, Message.created_at)
# A room as one user sees it: the membership is null for who is no member of it.
SEEN = (Membership.room_id == Room.id) & (Membership.user_id == USER)


@dataclass(frozen=True)
class Stored:
    """``message`` as clients get it; ``created`` is False when it had been stored before."""

    message: dict[str, Any]
    created: bool


@functools.cache
def message_page(direction: str, members_only: bool = True) -> Select[Any]:
    """What room and membership are, and the messages ``after`` or ``before`` the edge or the ``newest``: no row where
    there is no room, one without a message where there is none for this user."""
    authored = select(*COLUMNS, User.name.label("author")).outerjoin(User, User.id == Message.author_id)
    page = authored.where(Message.room_id == Room.id).limit(LIMIT).correlate(Room)
    if direction == "after":
        page = page.where(Message.id > EDGE).order_by(Message.id)
    elif direction == "before":
        page = page.where(Message.id < EDGE).order_by(Message.id.desc())
    else:
        page = page.order_by(Message.id.desc())
    found = page.lateral("page")
    allowed = Membership.user_id.is_not(None) if members_only else Room.id.is_not(None)
    query = (
        select(Membership.user_id.label("member"), *found.c)
        .select_from(Room)
        .outerjoin(Membership, SEEN)
        .outerjoin(found, allowed)
        .where(Room.name == ROOM)
    )
    return query.order_by(found.c.id if direction == "after" else found.c.id.desc())


# The room stays locked until the message is visible, and its id is taken under this lock: so ids become visible in
# their order, and who has read up to one has missed nothing before it, which ``after`` relies on. The membership is
# locked as well: one that ends while this waits for the room does not count any more. (Text, as SQLAlchemy compiles
# what has ON CONFLICT anew each time.)
ADD = text("""
    WITH place AS (
        SELECT rooms.id, memberships.user_id
        FROM rooms JOIN memberships ON memberships.room_id = rooms.id AND memberships.user_id = :user_id
        WHERE rooms.name = :room FOR NO KEY UPDATE
    )
    INSERT INTO messages (room_id, author_id, client_id, text)
    SELECT id, user_id, :client_id, :text FROM place
    ON CONFLICT ON CONSTRAINT messages_client_id_key DO NOTHING
    RETURNING id, client_id, text, author_id, created_at
""")
KNOWN = (
    select(Membership.user_id.label("member"), *COLUMNS)
    .select_from(Room)
    .outerjoin(Membership, SEEN)
    .outerjoin(Message, (Message.room_id == Room.id) & (Message.client_id == CLIENT_ID))
    .where(Room.name == ROOM)
)


class MessageStore:
    """Messages in PostgreSQL, ordered per room by id."""

    def __init__(self, engine: Engine) -> None:
        self.engine = autocommit(engine)

    def add(self, author: dict[str, Any], room: str, text: str, client_id: str | None) -> Stored:
        """Store a member's message once, however often it is sent; ClientIdReused where its client_id stands for
        another text, or for a message of somebody else. Without client_id it is new each time."""
        values = {
            "room": room,
            "user_id": author["id"],
            "client_id": client_id or uuid.uuid4().hex,
            "text": text,
        }
        with self.engine.connect() as connection:
            message = connection.execute(ADD, values).one_or_none()
            if message is not None:
                return Stored(message_json(room, message, author["name"]), created=True)
            # Nothing was stored, which is rare: only now it matters why.
            known = _for_member(connection.execute(KNOWN, values).one_or_none())
        if known.id is None:  # became a member between the two: as if it had come before
            raise NotMember
        if known.text != text or known.author_id != author["id"]:
            raise ClientIdReused
        return Stored(message_json(room, known, author["name"]), created=False)

    def history(self, user_id: int, room: str, page: Page) -> dict[str, Any]:
        """Oldest first: what follows ``page.after``, or the newest before ``page.before``, or the newest of all."""
        direction = "after" if page.after is not None else "before" if page.before is not None else "newest"
        edge = page.after if page.after is not None else page.before
        # One more than the page holds, so that it is known whether there are more.
        values = {"room": room, "user_id": user_id, "edge": edge, "limit": page.limit + 1}
        with self.engine.connect() as connection:
            rows = connection.execute(message_page(direction), values).all()
        _for_member(rows[0] if rows else None)
        found = [message_json(room, row, row.author) for row in rows[: page.limit] if row.id is not None]
        return {
            "room": room,
            "messages": found if direction == "after" else found[::-1],
            "more": len(rows) > page.limit,
        }

    def newest(self, room: str, after: int, limit: int) -> list[dict[str, Any]]:
        """For a replica that has missed some, not for a user: one more than ``limit`` where there are more."""
        values = {"room": room, "user_id": None, "edge": after, "limit": limit + 1}
        with self.engine.connect() as connection:
            rows = connection.execute(message_page("after", members_only=False), values).all()
        if not rows:
            raise NotFound
        return [message_json(room, row, row.author) for row in rows if row.id is not None]


def _for_member(row: Row[Any] | None) -> Row[Any]:
    """What was found of a room for a user."""
    if row is None:
        raise NotFound
    if row.member is None:
        raise NotMember
    return row


def message_json(room: str, message: Any, author: str | None) -> dict[str, Any]:
    return {
        "id": message.id,
        "room": room,
        "client_id": message.client_id,
        "text": message.text,
        "author": None if message.author_id is None else user_json(message.author_id, str(author)),
        "created_at": message.created_at.isoformat(timespec="milliseconds"),
    }
