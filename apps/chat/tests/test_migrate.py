from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

import psycopg
import support
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from conftest import dsn
from sqlalchemy import Engine, create_engine, text

from chat.config import Program, load
from chat.messages import MessageStore
from chat.models import Base
from chat.revisions import scripts


@contextlib.contextmanager
def engine_of(environment: dict[str, str]) -> Iterator[Engine]:
    engine = create_engine(load(environment, Program.MIGRATE).database.url)
    yield engine
    engine.dispose()


def schema(environment: dict[str, str]) -> list[tuple[object, ...]]:
    query = "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
    with psycopg.connect(dsn(environment)) as connection:
        return connection.execute(query + "WHERE table_schema = 'public' ORDER BY 1, 2").fetchall()


def test_repeating_changes_nothing(empty_database: dict[str, str]) -> None:
    first = support.run("chat-migrate", empty_database)
    assert first.returncode == 0, first.stderr
    assert '"the schema was upgraded"' in first.stderr
    before = schema(empty_database)
    assert {row[0] for row in before} == {"alembic_version", "rooms", "messages", "users", "memberships"}
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


def test_the_release_before_runs_on_it(empty_database: dict[str, str]) -> None:
    """What 1.0.0 has stored stays, and what it says to the database while this release comes still works."""
    with engine_of(empty_database) as engine, engine.begin() as connection:
        options = scripts()
        options.attributes["connection"] = connection
        command.upgrade(options, "0001")
        connection.execute(text("INSERT INTO rooms (name) VALUES ('lobby'), ('old')"))
        connection.execute(text("INSERT INTO messages (room_id, client_id, text) VALUES (2, 'from-before', 'kept')"))
    assert support.run("chat-migrate", empty_database).returncode == 0
    with psycopg.connect(dsn(empty_database), autocommit=True) as connection:
        connection.execute("INSERT INTO rooms (name) VALUES ('late') ON CONFLICT DO NOTHING")
        for _ in range(2):
            connection.execute(
                "INSERT INTO messages (room_id, client_id, text) VALUES (2, 'late-one', 'late') "
                "ON CONFLICT ON CONSTRAINT messages_client_id_key DO NOTHING RETURNING id"
            )
        assert connection.execute("SELECT name, topic FROM rooms ORDER BY id").fetchall() == [
            ("lobby", ""), ("old", ""), ("late", ""),
        ]  # fmt: skip
        connection.execute("SELECT 1 FROM alembic_version, messages LIMIT 0")  # how it asks whether it is ready
    with engine_of(empty_database) as engine:
        found = MessageStore(engine).newest("old", 0, 10)
    assert [(message["text"], message["author"]) for message in found] == [("kept", None), ("late", None)]


def test_the_lobby_is_there(empty_database: dict[str, str]) -> None:
    assert support.run("chat-migrate", empty_database).returncode == 0
    with psycopg.connect(dsn(empty_database)) as connection:
        assert connection.execute("SELECT name FROM rooms").fetchall() == [("lobby",)]


def test_no_database() -> None:
    environment = {
        "DATABASE_HOST": "127.0.0.1", "DATABASE_PORT": str(support.free_port()), "DATABASE_NAME": "chat",
        "DATABASE_USER": "chat", "DATABASE_PASSWORD": "canary",
    }  # fmt: skip
    result = support.run("chat-migrate", environment, "--wait", "0")
    assert result.returncode == 1
    assert f"the schema of 127.0.0.1:{environment['DATABASE_PORT']}/chat was not changed" in result.stderr
    assert "canary" not in result.stderr
