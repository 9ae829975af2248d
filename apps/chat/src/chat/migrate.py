"""Schema migrations: by one command, once a rollout, never by a replica that starts."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, create_engine, exc, text

from chat.config import Database
from chat.database import connect_arguments

log = logging.getLogger(__name__)

# Any number that nothing else in this database locks on.
LOCK = 0x63686174
LOCK_SECONDS = 120
RETRY_SECONDS = 1.0


class MigrationError(Exception):
    """The schema is as it was: a migration is one transaction."""


def scripts() -> Config:
    options = Config()
    options.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return options


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
        options = scripts()
        head = str(ScriptDirectory.from_config(options).get_current_head())
        known = {script.revision for script in ScriptDirectory.from_config(options).walk_revisions()}
        if before is not None and before not in known:
            # A newer release was here: an older one, rolled back to, works on (migrations only ever add).
            log.warning("the schema is newer than this release", extra={"revision": before, "newest_known": head})
            return before
        if before == head:
            log.info("the schema is up to date", extra={"revision": head})
            return head
        options.attributes["connection"] = connection
        command.upgrade(options, "head")
    log.info("the schema was upgraded", extra={"from": before, "revision": head})
    return head


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
