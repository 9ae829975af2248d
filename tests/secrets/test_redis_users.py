"""Passwords of a running Redis: read anew without a restart, and what is said where that fails."""

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.devops.platform.plugins.module_utils.secrets.redis_users import RedisError, accepts, load
from tests.secrets import servers

FIRST, NEXT = "f1rst" * 4, "n3xt" * 5


@pytest.fixture
def redis(tmp_path):
    found = servers.Servers(tmp_path, 0, servers.free_port())
    with servers._redis(found, FIRST):
        yield found


def write(redis, *passwords: str) -> None:
    digests = " ".join(f"#{hashlib.sha256(password.encode()).hexdigest()}" for password in passwords)
    redis.acl.write_text(f"user default on {digests} ~* &* +@all\n", encoding="utf-8")


def let_in(redis, *passwords: str) -> list[bool]:
    return [accepts("127.0.0.1", redis.redis, password) for password in passwords]


def test_two_passwords_one_after_the_other(redis):
    assert let_in(redis, FIRST, NEXT) == [True, False]
    write(redis, FIRST, NEXT)
    assert load("127.0.0.1", redis.redis, [FIRST, NEXT], check=True) is False
    assert let_in(redis, FIRST, NEXT) == [True, False]
    assert load("127.0.0.1", redis.redis, [FIRST, NEXT]) is True
    assert load("127.0.0.1", redis.redis, [FIRST, NEXT]) is False
    assert let_in(redis, FIRST, NEXT) == [True, True]
    write(redis, NEXT)
    assert load("127.0.0.1", redis.redis, ["wr0ng", NEXT]) is True
    assert let_in(redis, FIRST, NEXT) == [False, True]


def test_a_file_that_redis_refuses_changes_nothing(redis):
    redis.acl.write_text("user default on nonsense\n", encoding="utf-8")
    with pytest.raises(RedisError, match="ERR"):
        load("127.0.0.1", redis.redis, [FIRST])
    assert let_in(redis, FIRST) == [True]


def test_passwords_are_in_no_message(redis):
    with pytest.raises(RedisError) as error:
        load("127.0.0.1", redis.redis, [NEXT, "0ther"])
    assert "none of 2 passwords is valid: WRONGPASS" in str(error.value)
    assert NEXT not in str(error.value)


def test_nobody_answers():
    port = servers.free_port()
    with pytest.raises(RedisError, match=f"127.0.0.1:{port} does not answer: Connection refused"):
        load("127.0.0.1", port, [FIRST], 1)
