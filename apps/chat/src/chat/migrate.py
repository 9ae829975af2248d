"""Schema migrations: by one command, once a rollout, never by a replica that starts."""

from __future__ import annotations

import logging
import time

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, NullPool, create_engine, exc, text

from chat.config import Database
from chat.database import connect_arguments
from chat.revisions import head, is_newer, scripts

log = logging.getLogger(__name__)

# Any number that nothing else in this database locks on.
LOCK = 0x63686174
LOCK_SECONDS = 120
RETRY_SECONDS = 1.0


class MigrationError(Exception):
    """The schema is as it was: a migration is one transaction."""


def upgrade(database: Database, wait: float) -> str:
    """Bring the schema to the newest revision and return it. Waits up to ``wait`` seconds for the server, and for
    another run of this command to end; MigrationError says what failed."""
    arguments = connect_arguments(database, timeout=False)  # a migration may take long
    engine = create_engine(database.url, connect_args=arguments, poolclass=NullPool)
    try:
        with _connect(engine, wait) as connection:
            return _upgrade_locked(connection)
    except exc.SQLAlchemyError as error:
        where = f"{database.host}:{database.port}/{database.name}"
        raise MigrationError(f"the schema of {where} was not changed: {_reason(error)}") from error


def _upgrade_locked(connection: Connection) -> str:
    with connection.begin():
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        before = MigrationContext.configure(connection).get_current_revision()
        if before is not None and is_newer(before):
            log.warning("the schema is newer than this release", extra={"revision": before, "newest_known": head()})
            return before
        if before == head():
            log.info("the schema is up to date", extra={"revision": before})
            return before
        options = scripts()
        options.attributes["connection"] = connection
        command.upgrade(options, "head")
    log.info("the schema was upgraded", extra={"from": before, "revision": head()})
    return head()


def _connect(engine: Engine, wait: float) -> Connection:
    deadline = time.monotonic() + wait
    while True:
        try:
            return engine.connect()
        except exc.OperationalError as error:
            if time.monotonic() >= deadline:
                raise
            log.info("waiting for the database", extra={"reason": _reason(error)})
            time.sleep(RETRY_SECONDS)


def _reason(error: exc.SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
