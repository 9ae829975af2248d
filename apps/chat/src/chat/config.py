"""Settings from the environment: read once at start, all mistakes reported together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

from limits import RateLimitItem, parse
from sqlalchemy import URL

EXIT_CONFIG = 2
LOG_LEVELS = ("debug", "info", "warning", "error")
SECRET_KEY_LENGTH = 32
# How often what may happen: for RATE_LIMIT_<NAME>. Sign-ups and sign-ins count per address, failed sign-ins also per
# name, the rest per user (per address for who is signed out).
RATES = {
    "sign_up": "20/hour",
    "sign_in": "30/minute",
    "sign_in_name": "10/minute",
    "messages": "120/minute",
    "requests": "1200/minute",
}

T = TypeVar("T")


class Program(Enum):
    """What is being started; the value is its default port (0: it listens nowhere)."""

    API = 5000
    WEBSOCKET = 5001
    MIGRATE = 0


class ConfigError(Exception):
    """One or more settings are missing or wrong. ``problems`` holds one sentence each, never a secret's value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"the configuration has {len(problems)} problem(s):\n{lines}")


@dataclass(frozen=True)
class Database:
    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)

    @property
    def url(self) -> URL:
        return URL.create("postgresql+psycopg", self.user, self.password, self.host, self.port, self.name)


@dataclass(frozen=True)
class Redis:
    host: str
    port: int
    username: str | None
    password: str = field(repr=False)
    tls: bool = False

    @property
    def url(self) -> str:
        """For redis-py; holds the password, so it must not be logged."""
        user = quote(self.username or "", safe="")
        return f"{'rediss' if self.tls else 'redis'}://{user}:{quote(self.password, safe='')}@{self.host}:{self.port}/0"


@dataclass(frozen=True)
class Settings:
    """``redis`` and ``secret_key`` are None for chat-migrate, which needs neither. ``secret_key_others``: keys that
    sign nothing here, and whose signatures count: those before and after it while it is replaced. ``cors_origins``:
    other origins than the page's own that a browser may call from. ``trusted_proxies``: how many of the last entries
    of X-Forwarded-For were written by proxies of ours. ``presence_seconds``: after which the users of a replica that
    died count as offline."""

    database: Database
    redis: Redis | None
    secret_key: str | None = field(repr=False)
    secret_key_others: tuple[str, ...] = field(repr=False)
    log_level: str
    cors_origins: tuple[str, ...]
    listen_host: str
    port: int
    pool_size: int
    slow_query_seconds: float
    session_days: int
    session_cookie_secure: bool
    trusted_proxies: int
    presence_seconds: float
    rates: Mapping[str, RateLimitItem]


class _Reader:
    """Reads variables and collects what is wrong with them; a wrong one reads as its fallback."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self.environ.get(name, "").strip() or default
        if value is None:
            self.problems.append(f"{name} is not set")
            return ""
        return value

    def secret(self, name: str, minimum: int = 1) -> str:
        """``NAME`` or the content of the file that ``NAME_FILE`` names. No default, by design."""
        path, value = self.environ.get(f"{name}_FILE", ""), self.environ.get(name, "")
        if path and value:
            self.problems.append(f"{name} and {name}_FILE are both set: keep one of them")
            return value
        if path:
            try:
                value = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                self.problems.append(f"{name}_FILE: cannot read {path}: {reason}")
                return ""
            if not value:
                self.problems.append(f"{name}_FILE: {path} is empty")
                return ""
        if not value:
            self.problems.append(f"{name} is not set (nor {name}_FILE, the path of a file that holds it)")
        elif len(value) < minimum:
            self.problems.append(f"{name} has {len(value)} characters: at least {minimum} are needed")
        return value

    def named(self, name: str) -> str:
        """As ``secret``, of what is no secret but comes with one: the user whose password it is."""
        return self.secret(name) if self.environ.get(f"{name}_FILE") else self.text(name)

    def lines(self, name: str, minimum: int) -> tuple[str, ...]:
        """Secrets of ``NAME_FILE`` or ``NAME``, one a line; none is the usual case."""
        path, text = self.environ.get(f"{name}_FILE", ""), self.environ.get(name, "")
        if path:
            try:
                text = Path(path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                self.problems.append(f"{name}_FILE: cannot read {path}: {reason}")
        values = tuple(line for line in text.splitlines() if line)
        if any(len(value) < minimum for value in values):
            self.problems.append(f"{name} has a line of less than {minimum} characters")
        return values

    def number(self, name: str, default: T, kind: Callable[[str], T], low: float, high: float) -> T:
        raw = self.environ.get(name, "").strip()
        if not raw:
            return default
        try:
            value = kind(raw)
            if not low <= float(raw) <= high:
                raise ValueError
        except ValueError:
            expected = "a whole number" if kind is int else "a number"
            self.problems.append(f"{name}: {raw!r} is not {expected} from {low:g} to {high:g}")
            return default
        return value

    def port(self, name: str, default: int) -> int:
        return self.number(name, default, int, 1, 65535)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in allowed:
            self.problems.append(f"{name}: {value!r} is not one of {', '.join(allowed)}")
            return default
        return value

    def flag(self, name: str, default: bool) -> bool:
        return self.choice(name, str(default).lower(), ("true", "false")) == "true"

    def rate(self, name: str, default: str) -> RateLimitItem:
        raw = self.environ.get(name, "").strip() or default
        try:
            rate = parse(raw)
            if rate.amount < 1 or rate.multiples < 1:
                raise ValueError
        except ValueError:
            self.problems.append(f"{name}: {raw!r} is not a rate such as 120/minute or 10 per 5 minutes")
            return parse(default)
        return rate

    def origins(self, name: str) -> tuple[str, ...]:
        values = tuple(item.strip().rstrip("/") for item in self.environ.get(name, "").split(",") if item.strip())
        for value in values:
            if not _is_origin(value):
                self.problems.append(f"{name}: {value!r} is not an origin such as https://chat.example.com")
        return values


def _is_origin(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    rebuilt = f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port is not None else "")
    return parts.scheme in ("http", "https") and bool(parts.hostname) and rebuilt == value.lower()


def load(environ: Mapping[str, str], program: Program) -> Settings:
    """Read and check everything that ``program`` needs; ConfigError lists every problem at once."""
    reader = _Reader(environ)
    database = Database(
        host=reader.text("DATABASE_HOST"),
        port=reader.port("DATABASE_PORT", 5432),
        name=reader.text("DATABASE_NAME"),
        user=reader.named("DATABASE_USER"),
        password=reader.secret("DATABASE_PASSWORD"),
    )
    redis = secret_key = None
    others: tuple[str, ...] = ()
    if program is not Program.MIGRATE:
        redis = Redis(
            host=reader.text("REDIS_HOST"),
            port=reader.port("REDIS_PORT", 6379),
            username=environ.get("REDIS_USERNAME") or None,
            password=reader.secret("REDIS_PASSWORD"),
            tls=reader.flag("REDIS_TLS", False),
        )
        secret_key = reader.secret("SECRET_KEY", SECRET_KEY_LENGTH)
        others = reader.lines("SECRET_KEY_OTHERS", SECRET_KEY_LENGTH)
    settings = Settings(
        database=database,
        redis=redis,
        secret_key=secret_key,
        secret_key_others=others,
        log_level=reader.choice("LOG_LEVEL", "info", LOG_LEVELS),
        cors_origins=reader.origins("CORS_ORIGINS"),
        listen_host=reader.text("LISTEN_HOST", "0.0.0.0"),  # noqa: S104 - a container's own network
        port=reader.port("PORT", program.value),
        pool_size=reader.number("DATABASE_POOL_SIZE", 4, int, 1, 100),
        slow_query_seconds=reader.number("SLOW_QUERY_SECONDS", 1.0, float, 0, 60),
        session_days=reader.number("SESSION_DAYS", 30, int, 1, 365),
        session_cookie_secure=reader.flag("SESSION_COOKIE_SECURE", True),
        trusted_proxies=reader.number("TRUSTED_PROXIES", 0, int, 0, 10),
        presence_seconds=reader.number("PRESENCE_SECONDS", 30.0, float, 1, 600),
        rates={name: reader.rate(f"RATE_LIMIT_{name.upper()}", default) for name, default in RATES.items()},
    )
    if reader.problems:
        raise ConfigError(reader.problems)
    return settings
