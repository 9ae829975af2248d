"""Accounts, memberships, authors, topics and the lobby.

Only adds, and nothing that the release before has to fill: it goes on writing rooms and messages while this one comes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    now = sa.func.clock_timestamp()
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.CheckConstraint("char_length(name) between 3 and 32", name="users_name_length"),
    )
    op.create_index("users_name_key", "users", [sa.text("lower(name)")], unique=True)
    op.add_column("rooms", sa.Column("topic", sa.Text, nullable=False, server_default=""))
    op.create_check_constraint("rooms_topic_length", "rooms", "char_length(topic) <= 200")
    op.create_table(
        "memberships",
        sa.Column("room_id", sa.BigInteger, sa.ForeignKey("rooms.id"), primary_key=True),
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
    )
    op.create_index("memberships_of_user", "memberships", ["user_id", "room_id"])
    op.create_index("memberships_by_name", "memberships", ["room_id", sa.text("lower(user_name)")])
    op.add_column("messages", sa.Column("author_id", sa.BigInteger))
    # Not valid: what is there has no author, so reading a large table under this lock would prove nothing.
    op.create_foreign_key(
        "messages_author_id_fkey", "messages", "users", ["author_id"], ["id"], postgresql_not_valid=True
    )
    op.execute("INSERT INTO rooms (name) VALUES ('lobby') ON CONFLICT DO NOTHING")
