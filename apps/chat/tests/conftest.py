from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator

import psycopg
import pytest
import support
from psycopg import sql
from support import Person, Service

# Tests speak plain HTTP, all from one address, and faster than people.
RELAXED = {
    "SESSION_COOKIE_SECURE": "false",
    "RATE_LIMIT_SIGN_UP": "100000/minute",
    "RATE_LIMIT_SIGN_IN": "100000/minute",
    "RATE_LIMIT_MESSAGES": "100000/minute",
    "RATE_LIMIT_REQUESTS": "100000/minute",
}


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
    return {**cluster, **redis_environment, "SECRET_KEY": support.SECRET_KEY, **RELAXED}


def dsn(environment: dict[str, str]) -> str:
    names = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}
    return " ".join(f"{key}={environment[f'DATABASE_{name}']}" for key, name in names.items())


@pytest.fixture
def database(environment: dict[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn(environment), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def api(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with support.service("chat-api", environment, tmp_path_factory.mktemp("api") / "api.log") as replica:
        replica.wait_ready()
        yield replica


@pytest.fixture(scope="session")
def replicas(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Service]]:
    """Two of the websocket service, as on two hosts: they share PostgreSQL and Redis and nothing else."""
    folder = tmp_path_factory.mktemp("websocket")
    with contextlib.ExitStack() as stack:
        first, second = (
            stack.enter_context(support.service("chat-websocket", environment, folder / f"{name}.log"))
            for name in ("first", "second")
        )
        first.wait_ready()
        second.wait_ready()
        yield first, second
        for replica in (first, second):  # together, not one after the other
            replica.process.terminate()


@pytest.fixture(scope="session")
def alice(api: Service) -> Person:
    return Person(api)


@pytest.fixture(scope="session")
def bob(api: Service) -> Person:
    return Person(api)


@pytest.fixture
def room(alice: Person, bob: Person) -> str:
    """A room that no other test writes to, with Alice and Bob in it."""
    name = f"room-{secrets.token_hex(4)}"
    alice.make(name)
    bob.enter(name)
    return name
