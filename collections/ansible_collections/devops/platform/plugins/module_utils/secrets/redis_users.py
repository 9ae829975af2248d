# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Telling a running Redis of its file of users: what `ACL LOAD` does, without a restart and without a library.

This runs on the host, which has Python alone.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Sequence
from contextlib import closing
from typing import Any

LINE = 64 * 1024


def digests(passwords: Sequence[str]) -> dict[str, str]:
    """What the file of users holds of passwords, each once, as `secrets` of devops.platform.component."""
    found = dict.fromkeys(hashlib.sha256(password.encode()).hexdigest() for password in passwords)
    return {"digest" if number == 0 else f"digest_{number}": digest for number, digest in enumerate(found)}


class RedisError(Exception):
    """A refusal of Redis, or no answer. Holds no password: Redis repeats none."""


class Connection:
    """As much of Redis' protocol (RESP 2) as commands with short answers need."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.stream = socket.create_connection((host, port), timeout)
        self.reader = self.stream.makefile("rb")

    def close(self) -> None:
        self.reader.close()
        self.stream.close()

    def ask(self, *words: str) -> Any:
        encoded = [word.encode() for word in words]
        parts = [b"*%d\r\n" % len(encoded), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)]
        self.stream.sendall(b"".join(parts))
        return self._answer()

    def _answer(self) -> Any:
        line = self.reader.readline(LINE)
        if not line.endswith(b"\r\n"):
            raise RedisError("the connection ended before an answer came")
        kind, text = line[:1], line[1:-2].decode("utf-8", "replace")
        if kind == b"-":
            raise RedisError(text)
        if kind == b"$":
            length = int(text)
            return None if length < 0 else self.reader.read(length + 2)[:-2].decode("utf-8", "replace")
        if kind == b"*":
            return [self._answer() for _item in range(int(text))]
        return int(text) if kind == b":" else text


def load(host: str, port: int, passwords: Sequence[str], timeout: float = 10, *, check: bool = False) -> bool:
    """Have Redis read its file of users; whether that changed them. RedisError where it refuses.

    `passwords`: of the user `default`, any that may be valid: after a run that died nobody knows which are.
    """
    try:
        with closing(Connection(host, port, timeout)) as redis:
            _sign_in(redis, passwords)
            before = redis.ask("ACL", "LIST")
            if check:
                return False
            redis.ask("ACL", "LOAD")
            return bool(redis.ask("ACL", "LIST") != before)
    except OSError as error:
        raise RedisError(f"{host}:{port} does not answer: {error.strerror or error}") from error


def accepts(host: str, port: int, password: str, timeout: float = 10) -> bool:
    """Whether the user `default` is let in with a password."""
    try:
        with closing(Connection(host, port, timeout)) as redis:
            _sign_in(redis, [password])
    except RedisError:
        return False
    except OSError as error:
        raise RedisError(f"{host}:{port} does not answer: {error.strerror or error}") from error
    return True


def _sign_in(redis: Connection, passwords: Sequence[str]) -> None:
    said = "no password was given"
    for password in passwords:
        said = _refused(redis, password)
        if not said:
            return
    raise RedisError(f"none of {len(passwords)} passwords is valid: {said}")


def _refused(redis: Connection, password: str) -> str:
    """What Redis says against a password; nothing where it lets in."""
    try:
        redis.ask("AUTH", password)
    except RedisError as error:
        return str(error)
    return ""
