"""Users: making them, and telling whether a name and a password belong together."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Engine, Text, func, literal, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Session

from chat import passwords
from chat.errors import NameTaken, WrongCredentials
from chat.models import LOBBY, Membership, Room, User
from chat.schemas import Credentials, NewUser, user_json
from chat.validation import user_problem


def _welcome(user_id: int, name: str) -> Insert:
    """Who is new sees a room at once. Nothing happens where there is no lobby."""
    lobby = select(Room.id, literal(user_id, BigInteger), literal(name, Text)).where(Room.name == LOBBY)
    return insert(Membership).from_select(["room_id", "user_id", "user_name"], lobby).on_conflict_do_nothing()


class UserStore:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create(self, new: NewUser) -> dict[str, Any]:
        """The user, in the lobby where there is one; NameTaken where somebody has the name, in whatever case."""
        values = {"name": new.name, "password_hash": passwords.make(new.password)}
        statement = insert(User).values(values).on_conflict_do_nothing().returning(User.id)
        with Session(self.engine) as session, session.begin():
            user_id = session.scalars(statement).one_or_none()
            if user_id is None:
                raise NameTaken
            session.execute(_welcome(user_id, new.name))
        return user_json(user_id, new.name)

    def authenticate(self, given: Credentials) -> dict[str, Any]:
        """The user; WrongCredentials says nothing about which of the two is wrong, nor does the time it takes."""
        user = self._find(given.name)
        # No transaction is open meanwhile: hashing is slow, and connections are few.
        if not passwords.matches(user.password_hash if user else None, given.password) or user is None:
            raise WrongCredentials
        if passwords.outdated(user.password_hash):
            self._rehash(user, given.password)
        return user_json(user.id, user.name)

    def _find(self, name: str) -> User | None:
        if user_problem(name):
            return None
        with Session(self.engine, expire_on_commit=False) as session:
            return session.scalars(select(User).where(func.lower(User.name) == name.lower())).one_or_none()

    def _rehash(self, user: User, password: str) -> None:
        # Only where it still is what was checked: the password may have been changed meanwhile.
        same = (User.id == user.id) & (User.password_hash == user.password_hash)
        with Session(self.engine) as session, session.begin():
            session.execute(update(User).where(same).values(password_hash=passwords.make(password)))
