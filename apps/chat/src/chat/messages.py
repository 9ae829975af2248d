"""Storing and reading messages."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chat.errors import ClientIdReused, NotFound
from chat.models import Message, Room, User
from chat.rooms import find_room, require_member
from chat.schemas import Page, user_json

Found = tuple[Message, str]  # of an outer join: the name is None where there is no author


@dataclass(frozen=True)
class Stored:
    """``message`` as clients get it; ``created`` is False when it had been stored before."""

    message: dict[str, Any]
    created: bool


def message_page(room_id: int, page: Page) -> Select[Found]:
    """One more than the page holds, so that it is known whether there are more."""
    query = select(Message, User.name).outerjoin(User, User.id == Message.author_id).where(Message.room_id == room_id)
    query = query.limit(page.limit + 1)
    if page.after is not None:
        return query.where(Message.id > page.after).order_by(Message.id)
    if page.before is not None:
        query = query.where(Message.id < page.before)
    return query.order_by(Message.id.desc())


class MessageStore:
    """Messages in PostgreSQL, ordered per room by id."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, author: dict[str, Any], room: str, text: str, client_id: str | None) -> Stored:
        """Store a member's message once, however often it is sent; ClientIdReused where its client_id stands for
        another text, or for a message of somebody else. Without client_id it is new each time."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            room_id = _lock_room(session, room)
            require_member(session, room_id, author["id"])
            values = {
                "room_id": room_id,
                "author_id": author["id"],
                "client_id": client_id or uuid.uuid4().hex,
                "text": text,
            }
            statement = insert(Message).values(values).on_conflict_do_nothing(constraint="messages_client_id_key")
            message = session.scalars(statement.returning(Message)).one_or_none()
            if message is not None:
                return Stored(message_json(room, message, author["name"]), created=True)
            known = select(Message).where(Message.room_id == room_id, Message.client_id == values["client_id"])
            message = session.scalars(known).one()
            if message.text != text or message.author_id != author["id"]:
                raise ClientIdReused
            return Stored(message_json(room, message, author["name"]), created=False)

    def history(self, user_id: int, room: str, page: Page) -> dict[str, Any]:
        """Oldest first: what follows ``page.after``, or the newest before ``page.before``, or the newest of all."""
        with Session(self.engine) as session:
            room_id = find_room(session, room)
            require_member(session, room_id, user_id)
            found = session.execute(message_page(room_id, page)).all()
            messages = [message_json(room, message, author) for message, author in found[: page.limit]]
        more = len(found) > page.limit
        return {"room": room, "messages": messages if page.after is not None else messages[::-1], "more": more}

    def newest(self, room: str, after: int, limit: int) -> list[dict[str, Any]]:
        """For a replica that has missed some, not for a user."""
        with Session(self.engine) as session:
            query = message_page(find_room(session, room), Page.model_construct(before=None, after=after, limit=limit))
            return [message_json(room, message, author) for message, author in session.execute(query)]


def message_json(room: str, message: Message, author: str | None) -> dict[str, Any]:
    return {
        "id": message.id,
        "room": room,
        "client_id": message.client_id,
        "text": message.text,
        "author": None if message.author_id is None else user_json(message.author_id, str(author)),
        "created_at": message.created_at.isoformat(timespec="milliseconds"),
    }


def _lock_room(session: Session, name: str) -> int:
    """The room's id; it is locked until the transaction ends.

    Ids are taken under this lock, so they become visible in their order: who has read up to an id has missed nothing
    before it, which ``after`` relies on.
    """
    room_id = session.scalars(select(Room.id).where(Room.name == name).with_for_update(key_share=True)).one_or_none()
    if room_id is None:
        raise NotFound
    return room_id
