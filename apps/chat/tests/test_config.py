from __future__ import annotations

from pathlib import Path

import pytest
import support

from chat.config import ConfigError, Program, load

GOOD = {
    "DATABASE_HOST": "db",
    "DATABASE_NAME": "chat",
    "DATABASE_USER": "chat",
    "DATABASE_PASSWORD": "database-secret",
    "REDIS_HOST": "cache",
    "REDIS_PASSWORD": "r@dis/secret",
    "SECRET_KEY": "k" * 32,
}


def problems(**changes: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load({**GOOD, **changes}, Program.API)
    return caught.value.problems


def test_the_least_that_is_needed() -> None:
    settings = load(GOOD, Program.API)
    assert (settings.database.port, settings.port, settings.log_level) == (5432, 5000, "info")
    assert settings.cors_origins == ()
    assert (settings.session_days, settings.session_cookie_secure, settings.trusted_proxies) == (30, True, 0)
    assert {name: str(rate) for name, rate in settings.rates.items()}["sign_up"] == "20 per 1 hour"
    assert settings.redis is not None
    assert settings.redis.url == "redis://:r%40dis%2Fsecret@cache:6379/0"


def test_what_an_endpoint_of_a_cloud_needs(tmp_path: Path) -> None:
    user = tmp_path / "user"
    user.write_text("chat_clone\n")
    given = {key: value for key, value in GOOD.items() if key != "DATABASE_USER"}
    more = {"DATABASE_USER_FILE": str(user), "REDIS_TLS": "true", "REDIS_USERNAME": "app"}
    settings = load({**given, **more}, Program.API)
    assert settings.database.user == "chat_clone"
    assert settings.redis is not None
    assert settings.redis.url == "rediss://app:r%40dis%2Fsecret@cache:6379/0"


@pytest.mark.parametrize(
    ("text", "expected"), [("", ()), ("\n", ()), ("a" * 32 + "\n" + "b" * 32, ("a" * 32, "b" * 32))]
)
def test_other_keys_that_count(text: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "others"
    path.write_text(text)
    settings = load({**GOOD, "SECRET_KEY_OTHERS_FILE": str(path)}, Program.API)
    assert settings.secret_key_others == expected
    assert load({**GOOD, "SECRET_KEY_OTHERS": text}, Program.API).secret_key_others == expected
    assert not expected or expected[0] not in repr(settings)


def test_no_secret_is_shown() -> None:
    shown = repr(load(GOOD, Program.API))
    assert not any(secret in shown for secret in ("database-secret", "r@dis", "k" * 32))


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            {"DATABASE_PORT": "0", "LOG_LEVEL": "loud", "CORS_ORIGINS": "*", "RATE_LIMIT_REQUESTS": "x"},
            Program.WEBSOCKET,
        )
    named = {problem.split()[0].rstrip(":") for problem in caught.value.problems}
    assert named == {
        "DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD",
        "REDIS_HOST", "REDIS_PASSWORD", "SECRET_KEY", "LOG_LEVEL", "CORS_ORIGINS",
        "RATE_LIMIT_REQUESTS",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY has 5 characters: at least 32 are needed"),
        ({"SECRET_KEY_OTHERS": "short"}, "SECRET_KEY_OTHERS has a line of less than 32 characters"),
        ({"SECRET_KEY_OTHERS_FILE": "/nowhere"}, "SECRET_KEY_OTHERS_FILE: cannot read /nowhere: No such file"),
        ({"DATABASE_PORT": "70000"}, "DATABASE_PORT: '70000' is not a whole number from 1 to 65535"),
        ({"DATABASE_PORT": "1.5"}, "DATABASE_PORT: '1.5' is not a whole number from 1 to 65535"),
        ({"SLOW_QUERY_SECONDS": "nan"}, "SLOW_QUERY_SECONDS: 'nan' is not a number from 0 to 60"),
        (
            {"DATABASE_PASSWORD_FILE": "/x"},
            "DATABASE_PASSWORD and DATABASE_PASSWORD_FILE are both set: keep one of them",
        ),
        ({"SESSION_COOKIE_SECURE": "no"}, "SESSION_COOKIE_SECURE: 'no' is not one of true, false"),
        ({"SESSION_DAYS": "0"}, "SESSION_DAYS: '0' is not a whole number from 1 to 365"),
        ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES: '-1' is not a whole number from 0 to 10"),
        ({"RATE_LIMIT_SIGN_IN": "often"}, "RATE_LIMIT_SIGN_IN: 'often' is not a rate such as 120/minute"),
        ({"RATE_LIMIT_MESSAGES": "0/minute"}, "RATE_LIMIT_MESSAGES: '0/minute' is not a rate such as 120/minute"),
        ({"CORS_ORIGINS": "https://a.example/path"}, "CORS_ORIGINS: 'https://a.example/path' is not an origin such as"),
        ({"CORS_ORIGINS": "https://a.example:port"}, "CORS_ORIGINS: 'https://a.example:port' is not an origin such as"),
    ],
)
def test_one_problem(changes: dict[str, str], expected: str) -> None:
    (problem,) = problems(**changes)
    assert problem.startswith(expected)


def test_origins() -> None:
    settings = load({**GOOD, "CORS_ORIGINS": "https://a.example, http://localhost:8080/"}, Program.API)
    assert settings.cors_origins == ("https://a.example", "http://localhost:8080")


def test_a_secret_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("from a file\n")
    environ = {**GOOD, "DATABASE_PASSWORD": "", "DATABASE_PASSWORD_FILE": str(path)}
    assert load(environ, Program.API).database.password == "from a file"
    path.write_text("")
    assert problems(DATABASE_PASSWORD="", DATABASE_PASSWORD_FILE=str(path)) == [
        f"DATABASE_PASSWORD_FILE: {path} is empty"
    ]
    path.unlink()
    assert problems(DATABASE_PASSWORD="", DATABASE_PASSWORD_FILE=str(path)) == [
        f"DATABASE_PASSWORD_FILE: cannot read {path}: No such file or directory"
    ]


def test_migrations_need_the_database_only() -> None:
    environ = {name: value for name, value in GOOD.items() if name.startswith("DATABASE_")}
    assert load(environ, Program.MIGRATE).redis is None


@pytest.mark.parametrize("name", ["chat-api", "chat-websocket", "chat-migrate"])
def test_commands_refuse_with_status_2(name: str) -> None:
    result = support.run(name, {"DATABASE_HOST": "db", "DATABASE_PASSWORD": "canary"})
    assert result.returncode == 2
    assert f"{name}: the configuration has" in result.stderr
    assert "- DATABASE_NAME is not set" in result.stderr
    assert "- DATABASE_USER is not set" in result.stderr
    assert "canary" not in result.stdout + result.stderr
