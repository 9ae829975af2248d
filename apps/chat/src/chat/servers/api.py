"""gunicorn's configuration for the API: threads, because it waits for PostgreSQL most of the time."""

from __future__ import annotations

from chat.config import Program
from chat.servers.common import options

globals().update(options(Program.API, "chat-api"))
worker_class = "gthread"
threads = 16
