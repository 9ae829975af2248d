"""Revisions of the schema: those that this release knows, and whether the database has what it needs."""

from __future__ import annotations

import functools
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, exc, text


def scripts() -> Config:
    options = Config()
    options.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return options


@functools.cache
def known() -> tuple[str, ...]:
    """Newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(scripts()).walk_revisions())


def head() -> str:
    return known()[0]


def is_newer(revision: str) -> bool:
    """A newer release made it. Migrations only ever add, so this one works on: a replica that is yet to be replaced,
    or that was put back."""
    return revision not in known()


class DatabaseCheck:
    """The readiness check of PostgreSQL: it answers, and its schema is not behind what this release needs."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # Schemas only go forward, so a good one is not looked at again, until the database was away: it may be another
        # one that comes back, such as a backup.
        self.good = False

    def __call__(self) -> str | None:
        """None when all is well, otherwise why not, in one line without secrets."""
        try:
            with self.engine.connect() as connection:
                if self.good:
                    connection.execute(text("SELECT 1"))
                    return None
                revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        except exc.ProgrammingError:
            return "the tables are missing: run chat-migrate"
        except exc.SQLAlchemyError as error:
            self.good = False
            return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        if revision is None:
            return "the tables are missing: run chat-migrate"
        self.good = revision == head() or is_newer(revision)
        if self.good:
            return None
        return f"the database is at revision {revision}, this version needs {head()}: run the migration"
