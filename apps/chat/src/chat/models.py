"""The tables. Changes go through a migration in chat/migrations; a test compares the two."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    func,
    text,
)  # fmt: skip
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chat.validation import MAX_TEXT, MAX_TOPIC

LOBBY = "lobby"


class Base(DeclarativeBase):
    pass


class User(Base):
    """``name`` is unique without regard to case, and never changes."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("char_length(name) between 3 and 32", name="users_name_length"),
        Index("users_name_key", text("lower(name)"), unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())


class Room(Base):
    __tablename__ = "rooms"
    __table_args__ = (CheckConstraint(f"char_length(topic) <= {MAX_TOPIC}", name="rooms_topic_length"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    topic: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())


class Membership(Base):
    """``user_name`` is the user's, which never changes: here it is in order, however many members there are."""

    __tablename__ = "memberships"
    __table_args__ = (
        Index("memberships_of_user", "user_id", "room_id"),
        Index("memberships_by_name", "room_id", text("lower(user_name)")),
    )

    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    user_name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())


class Message(Base):
    """``author_id`` is null on messages from before there were accounts."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("room_id", "client_id", name="messages_client_id_key"),
        CheckConstraint(f"char_length(text) between 1 and {MAX_TEXT}", name="messages_text_length"),
        Index("messages_room_order", "room_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    client_id: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
