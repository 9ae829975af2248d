"""Alembic's entry point. The connection and its transaction come from chat.migrate, which holds the lock."""

from __future__ import annotations

from alembic import context

from chat.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
context.run_migrations()
