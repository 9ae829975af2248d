"""/readyz and the revision of the schema, with real PostgreSQL: what a host does that was rolled out too early."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import support
from alembic import command
from conftest import dsn
from sqlalchemy import Engine, create_engine, event

from chat import revisions
from chat.config import Program, load
from chat.revisions import DatabaseCheck, head, known

BEHIND = f"the database is at revision 0001, this version needs {head()}: run the migration"


@pytest.fixture
def engine(empty_database: dict[str, str]) -> Engine:
    return create_engine(load(empty_database, Program.MIGRATE).database.url)


def migrate(engine: Engine, revision: str) -> None:
    options = revisions.scripts()
    with engine.begin() as connection:
        options.attributes["connection"] = connection
        command.upgrade(options, revision)


def test_known_revisions_newest_first() -> None:
    assert known()[-1] == "0001"
    assert known() == tuple(sorted(known(), reverse=True))


@pytest.mark.parametrize("name", ["chat-api", "chat-websocket"])
def test_a_database_that_is_behind(
    environment: dict[str, str], empty_database: dict[str, str], engine: Engine, tmp_path: Path, name: str
) -> None:
    """Not ready, in words, until the migration has run; no restart is needed then."""
    migrate(engine, "0001")
    with support.service(name, {**environment, **empty_database}, tmp_path / "log") as replica:
        answer = replica.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["postgresql"] == BEHIND
        assert replica.get("/healthz").ok
        assert support.run("chat-migrate", empty_database).returncode == 0
        replica.wait_ready()


def test_a_database_that_is_ahead(engine: Engine) -> None:
    """As during a rollout, for the replicas that are yet to be replaced."""
    migrate(engine, "head")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert DatabaseCheck(engine)() is None


def test_a_version_table_without_a_version(engine: Engine) -> None:
    migrate(engine, "head")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    assert DatabaseCheck(engine)() == "the tables are missing: run chat-migrate"


def test_success_is_remembered_until_the_database_was_away(engine: Engine, empty_database: dict[str, str]) -> None:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _conn, _cursor, said, *_rest: statements.append(said))
    migrate(engine, "head")
    check = DatabaseCheck(engine)
    statements.clear()
    assert [check(), check(), check()] == [None] * 3
    assert [said for said in statements if "alembic" in said] == ["SELECT version_num FROM alembic_version"]
    with psycopg.connect(dsn(empty_database), autocommit=True) as other:
        other.execute("UPDATE alembic_version SET version_num = '0001'")
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert "terminat" in str(check())
    assert check() == BEHIND
