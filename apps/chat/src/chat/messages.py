"""Storing and reading messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chat.models import Message, Room
from chat.validation import NewMessage, Page


class ClientIdReused(Exception):
    """The client_id already stands for another text in this room."""


@dataclass(frozen=True)
class Stored:
    """``message`` as clients get it; ``created`` is False when it had been stored before."""

    message: dict[str, Any]
    created: bool


class MessageStore:
    """Messages in PostgreSQL, ordered per room by id."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, new: NewMessage) -> Stored:
        """Store a message once, however often it is sent; ClientIdReused where its client_id means another text."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            room_id = _lock_room(session, new.room)
            values = {"room_id": room_id, "client_id": new.client_id, "text": new.text}
            statement = insert(Message).values(values).on_conflict_do_nothing(constraint="messages_client_id_key")
            message = session.scalars(statement.returning(Message)).one_or_none()
            if message is not None:
                return Stored(message.as_json(new.room), created=True)
            known = select(Message).where(Message.room_id == room_id, Message.client_id == new.client_id)
            message = session.scalars(known).one()
            if message.text != new.text:
                raise ClientIdReused
            return Stored(message.as_json(new.room), created=False)

    def history(self, room: str, page: Page) -> list[dict[str, Any]]:
        """Oldest first: what follows ``page.after``, or the newest messages. A room nobody wrote to is empty."""
        query = select(Message).join(Room, Room.id == Message.room_id).where(Room.name == room).limit(page.limit)
        with Session(self.engine) as session:
            if page.after is None:
                messages = list(session.scalars(query.order_by(Message.id.desc())))[::-1]
            else:
                messages = list(session.scalars(query.where(Message.id > page.after).order_by(Message.id)))
            return [message.as_json(room) for message in messages]


def _lock_room(session: Session, name: str) -> int:
    """The room's id, made on its first message, and locked until the transaction ends.

    Ids are taken under this lock, so they become visible in their order: who has read up to an id has missed nothing
    before it, which ``after`` relies on.
    """
    lock = select(Room.id).where(Room.name == name).with_for_update(key_share=True)
    room_id = session.scalars(lock).one_or_none()
    if room_id is None:
        session.execute(insert(Room).values(name=name).on_conflict_do_nothing())
        room_id = session.scalars(lock).one()
    return room_id
