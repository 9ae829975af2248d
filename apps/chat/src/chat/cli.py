"""The commands. Each checks its configuration first: wrong settings exit with status 2 and say everything at once."""

from __future__ import annotations

import argparse
import logging
import logging.config
import os
import sys

from chat import config, logs
from chat import migrate as migrations
from chat.config import EXIT_CONFIG, ConfigError, Program, Settings


def _settings(program: Program, command: str) -> Settings:
    try:
        return config.load(os.environ, program)
    except ConfigError as error:
        print(f"{command}: {error}", file=sys.stderr)  # noqa: T201 - for the person who starts it
        sys.exit(EXIT_CONFIG)


def _serve(module: str, application: str) -> None:
    """Become gunicorn, in the same process, so that signals reach it."""
    arguments = ["-m", "gunicorn", "--config", f"python:chat.servers.{module}", f"{application}:create_app()"]
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - fixed arguments, no shell


def api() -> None:
    """chat-api: serve the HTTP API."""
    _settings(Program.API, "chat-api")
    _serve("api", "chat.api")


def websocket() -> None:
    """chat-websocket: serve Socket.IO."""
    _settings(Program.WEBSOCKET, "chat-websocket")
    _serve("websocket", "chat.sockets")


def migrate() -> None:
    """chat-migrate: bring the schema to this release's; harmless to repeat and to run twice at once."""
    parser = argparse.ArgumentParser(prog="chat-migrate", description=migrate.__doc__)
    parser.add_argument("--wait", type=float, default=30, metavar="SECONDS", help="for the database to answer (30)")
    wait = parser.parse_args().wait
    settings = _settings(Program.MIGRATE, "chat-migrate")
    logging.config.dictConfig(logs.dict_config("chat-migrate", settings.log_level))
    try:
        migrations.upgrade(settings.database, wait)
    except migrations.MigrationError as error:
        logging.getLogger("chat.migrate").error("%s", error)
        sys.exit(1)
