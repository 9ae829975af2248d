"""The tables. Changes go through a migration in chat/migrations; a test compares the two."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, Text, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chat.validation import MAX_TEXT


class Base(DeclarativeBase):
    pass


class Room(Base):
    __tablename__ = "rooms"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())


class Message(Base):
    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("room_id", "client_id", name="messages_client_id_key"),
        CheckConstraint(f"char_length(text) between 1 and {MAX_TEXT}", name="messages_text_length"),
        Index("messages_room_order", "room_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    client_id: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())

    def as_json(self, room: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "room": room,
            "client_id": self.client_id,
            "text": self.text,
            "created_at": self.created_at.isoformat(timespec="milliseconds"),
        }
