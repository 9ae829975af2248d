"""What goes in and out, over HTTP and Socket.IO: the models that validate requests and make the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from chat.validation import (
    DEFAULT_LIMIT,
    MAX_ID,
    ClientId,
    Id,
    Limit,
    Password,
    RoomName,
    Secret,
    Text,
    Topic,
    UserName,
)  # fmt: skip


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Model):
    """No query, or a path without parameters."""


# What comes in --------------------------------------------------------------------------------------------------------


class NewUser(Model):
    name: UserName
    password: Password

    @model_validator(mode="after")
    def _differ(self) -> NewUser:
        if self.password.casefold() == self.name.casefold():
            raise PydanticCustomError("rule", "must not be the name", {"field": "password"})
        return self


class Credentials(Model):
    name: Secret
    password: Secret


class NewRoom(Model):
    name: RoomName
    topic: Topic = ""


class NewMessage(Model):
    """``client_id`` is made by the sender, once a message: sending the same again stores nothing new."""

    text: Text
    client_id: ClientId | None = None


class RoomPath(Model):
    room: RoomName


class RoomsQuery(Model):
    """By name; ``after``: the last name known."""

    after: RoomName | None = None
    limit: Limit = DEFAULT_LIMIT


class MembersQuery(Model):
    """By name, without regard to case; ``after``: the last name known."""

    after: UserName | None = None
    limit: Limit = DEFAULT_LIMIT


class Page(Model):
    """``before`` and ``after``: the id of a message. Neither: the newest messages."""

    before: Id | None = None
    after: Id | None = None
    limit: Limit = DEFAULT_LIMIT

    @model_validator(mode="after")
    def _one(self) -> Page:
        if self.before is not None and self.after is not None:
            raise PydanticCustomError("rule", "cannot be used together with before", {"field": "after"})
        return self


class RoomEvent(Model):
    """join and leave."""

    room: RoomName


class MessageEvent(Model):
    room: RoomName
    text: Text
    client_id: ClientId


# What goes out --------------------------------------------------------------------------------------------------------


class Error(Model):
    code: str
    message: str
    fields: dict[str, str] = Field(default_factory=dict)


class Refusal(Model):
    error: Error
    request_id: str | None


class User(Model):
    id: int = Field(ge=1, le=MAX_ID)
    name: UserName


class Session(Model):
    user: User | None
    csrf_token: str


class SignedIn(Model):
    user: User
    csrf_token: str


class Room(Model):
    name: RoomName
    topic: Topic
    joined: bool
    members: int = Field(ge=0)
    last_message_id: int | None


class Rooms(Model):
    rooms: list[Room]
    more: bool


class Member(Model):
    id: int
    name: UserName
    online: bool


class Members(Model):
    members: list[Member]
    more: bool


class Message(Model):
    id: int
    room: RoomName
    client_id: ClientId
    text: Text
    author: User | None
    created_at: datetime


class Messages(Model):
    room: RoomName
    messages: list[Message]
    more: bool


def user_json(user_id: int, name: str) -> dict[str, Any]:
    return {"id": user_id, "name": name}
