"""Rooms and who is in them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Row, Select, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chat.database import autocommit
from chat.errors import NameTaken, NotFound, NotMember
from chat.models import Membership, Message, Room
from chat.schemas import MembersQuery, NewRoom, RoomsQuery, user_json

RoomRow = Row[tuple[str, str, bool, int, int | None]]


def room_page(user_id: int) -> Select[tuple[str, str, bool, int, int | None]]:
    """What is shown of a room; the figures come from indexes, room by room."""
    mine = exists().where(Membership.room_id == Room.id, Membership.user_id == user_id)
    members = select(func.count()).where(Membership.room_id == Room.id).correlate(Room).scalar_subquery()
    last = select(func.max(Message.id)).where(Message.room_id == Room.id).correlate(Room).scalar_subquery()
    return select(Room.name, Room.topic, mine, members, last)


def rooms_page(user_id: int, query: RoomsQuery) -> Select[tuple[str, str, bool, int, int | None]]:
    found = room_page(user_id).order_by(Room.name).limit(query.limit + 1)
    return found if query.after is None else found.where(Room.name > query.after)


def members_page(room_id: int, query: MembersQuery) -> Select[tuple[int, str]]:
    name = func.lower(Membership.user_name)
    found = select(Membership.user_id, Membership.user_name).where(Membership.room_id == room_id)
    if query.after is not None:
        found = found.where(name > query.after.lower())
    return found.order_by(name).limit(query.limit + 1)


def find_room(session: Session, name: str) -> int:
    """Its id; NotFound where there is none of this name."""
    room_id = session.scalars(select(Room.id).where(Room.name == name)).one_or_none()
    if room_id is None:
        raise NotFound
    return room_id


def require_member(session: Session, room_id: int, user_id: int) -> None:
    if session.get(Membership, (room_id, user_id)) is None:
        raise NotMember


class RoomStore:
    def __init__(self, engine: Engine) -> None:
        self.engine, self.single = engine, autocommit(engine)

    def list_all(self, user_id: int, query: RoomsQuery) -> dict[str, Any]:
        with self.single.connect() as connection:
            rows = connection.execute(rooms_page(user_id, query)).all()
        return {"rooms": [_room_json(row) for row in rows[: query.limit]], "more": len(rows) > query.limit}

    def get(self, user_id: int, name: str) -> dict[str, Any]:
        with self.single.connect() as connection:
            row = connection.execute(room_page(user_id).where(Room.name == name)).one_or_none()
        if row is None:
            raise NotFound
        return _room_json(row)

    def create(self, user: dict[str, Any], new: NewRoom) -> dict[str, Any]:
        """The room, with its maker in it."""
        values = {"name": new.name, "topic": new.topic}
        with Session(self.engine) as session, session.begin():
            statement = insert(Room).values(values).on_conflict_do_nothing().returning(Room.id)
            room_id = session.scalars(statement).one_or_none()
            if room_id is None:
                raise NameTaken
            session.add(Membership(room_id=room_id, user_id=user["id"], user_name=user["name"]))
        return {**values, "joined": True, "members": 1, "last_message_id": None}

    def enter(self, user: dict[str, Any], name: str) -> None:
        with Session(self.engine) as session, session.begin():
            values = {"room_id": find_room(session, name), "user_id": user["id"], "user_name": user["name"]}
            session.execute(insert(Membership).values(values).on_conflict_do_nothing())

    def leave(self, user_id: int, name: str) -> None:
        with Session(self.engine) as session, session.begin():
            mine = (Membership.room_id == find_room(session, name)) & (Membership.user_id == user_id)
            session.execute(delete(Membership).where(mine))

    def members(self, user_id: int, name: str, query: MembersQuery) -> tuple[list[dict[str, Any]], bool]:
        """Users by name, and whether there are more; NotMember for who is not one."""
        with Session(self.engine) as session:
            room_id = find_room(session, name)
            require_member(session, room_id, user_id)
            rows = session.execute(members_page(room_id, query)).all()
        return [user_json(*row) for row in rows[: query.limit]], len(rows) > query.limit

    def last_id(self, user_id: int, name: str) -> int | None:
        """Of the newest message; NotFound and NotMember as everywhere."""
        with Session(self.engine) as session:
            room_id = find_room(session, name)
            require_member(session, room_id, user_id)
            return session.scalar(select(func.max(Message.id)).where(Message.room_id == room_id))


def _room_json(row: RoomRow) -> dict[str, Any]:
    return dict(zip(("name", "topic", "joined", "members", "last_message_id"), row, strict=True))
