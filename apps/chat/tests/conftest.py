from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import psycopg
import pytest
import support
from psycopg import sql


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A private PostgreSQL with an empty database; DATABASE_* settings."""
    folder = tmp_path_factory.mktemp("postgresql")
    if os.geteuid() == 0:
        # pytest's folders are closed to others, and PostgreSQL runs as another user.
        for parent in (folder.parent, folder.parent.parent):
            parent.chmod(0o711)
    try:
        with support.postgresql(folder) as environment:
            yield environment
    except support.MissingError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def redis_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    try:
        with support.redis_server(tmp_path_factory.mktemp("redis")) as environment:
            yield environment
    except support.MissingError as error:
        pytest.fail(str(error))


@pytest.fixture
def empty_database(cluster: dict[str, str]) -> dict[str, str]:
    """DATABASE_* settings of a database of this test's own, without tables."""
    name = f"t{secrets.token_hex(4)}"
    with psycopg.connect(dsn(cluster), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return {**cluster, "DATABASE_NAME": name}


@pytest.fixture(scope="session")
def environment(cluster: dict[str, str], redis_environment: dict[str, str]) -> dict[str, str]:
    """Everything a service needs, on a migrated database."""
    result = support.run("chat-migrate", cluster)
    assert result.returncode == 0, result.stderr
    return {**cluster, **redis_environment, "SECRET_KEY": support.SECRET_KEY}


def dsn(environment: dict[str, str]) -> str:
    names = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}
    return " ".join(f"{key}={environment[f'DATABASE_{name}']}" for key, name in names.items())


@pytest.fixture
def database(environment: dict[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn(environment), autocommit=True) as connection:
        yield connection


@pytest.fixture
def room() -> str:
    """A room that no other test writes to."""
    return f"room-{secrets.token_hex(4)}"
