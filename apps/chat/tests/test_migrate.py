from __future__ import annotations

import subprocess

import psycopg
import support
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from conftest import dsn
from sqlalchemy import create_engine

from chat.config import Program, load
from chat.models import Base


def schema(environment: dict[str, str]) -> list[tuple[object, ...]]:
    query = "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
    with psycopg.connect(dsn(environment)) as connection:
        return connection.execute(query + "WHERE table_schema = 'public' ORDER BY 1, 2").fetchall()


def test_repeating_changes_nothing(empty_database: dict[str, str]) -> None:
    first = support.run("chat-migrate", empty_database)
    assert first.returncode == 0, first.stderr
    assert '"the schema was upgraded"' in first.stderr
    before = schema(empty_database)
    assert {row[0] for row in before} == {"alembic_version", "rooms", "messages"}
    second = support.run("chat-migrate", empty_database)
    assert second.returncode == 0, second.stderr
    assert '"the schema is up to date"' in second.stderr
    assert schema(empty_database) == before


def test_several_at_once(empty_database: dict[str, str]) -> None:
    """One does the work, the others wait for it and find nothing to do; none fails."""
    runs = [
        subprocess.Popen([support.command("chat-migrate")], env=empty_database, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outputs = [process.communicate(timeout=30)[1] for process in runs]
    assert [process.returncode for process in runs] == [0] * 4, outputs
    assert sum("the schema was upgraded" in output for output in outputs) == 1
    assert sum("the schema is up to date" in output for output in outputs) == 3


def test_migrations_give_what_the_models_say(empty_database: dict[str, str]) -> None:
    assert support.run("chat-migrate", empty_database).returncode == 0
    engine = create_engine(load(empty_database, Program.MIGRATE).database.url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_an_older_release_leaves_a_newer_schema_alone(empty_database: dict[str, str]) -> None:
    assert support.run("chat-migrate", empty_database).returncode == 0
    with psycopg.connect(dsn(empty_database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    result = support.run("chat-migrate", empty_database)
    assert result.returncode == 0, result.stderr
    assert "newer than this release" in result.stderr


def test_no_database() -> None:
    environment = {
        "DATABASE_HOST": "127.0.0.1", "DATABASE_PORT": str(support.free_port()), "DATABASE_NAME": "chat",
        "DATABASE_USER": "chat", "DATABASE_PASSWORD": "canary",
    }  # fmt: skip
    result = support.run("chat-migrate", environment, "--wait", "0")
    assert result.returncode == 1
    assert f"the schema of 127.0.0.1:{environment['DATABASE_PORT']}/chat was not changed" in result.stderr
    assert "canary" not in result.stderr
