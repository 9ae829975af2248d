"""What a client may send. Pure functions: they return clean values or raise Invalid with every problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_TEXT = 4000
MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_ID = 2**63 - 1
# A whole message, JSON and escapes included: 4000 characters of \uXXXX\uXXXX fit.
MAX_PAYLOAD = 64 * 1024

_ROOM = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
# Control characters other than tab and newline, and lone surrogates: neither PostgreSQL nor a page can show them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class Invalid(Exception):
    """``problems``: field name to what is wrong with it, in words for the sender. No value of theirs is repeated."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True)
class NewMessage:
    """``client_id`` is made by the sender, once a message: sending the same again stores nothing new."""

    room: str
    text: str
    client_id: str


@dataclass(frozen=True)
class Page:
    """``after``: id of the last message known, None for the newest ones. ``limit``: 1 to MAX_LIMIT."""

    after: int | None
    limit: int


def room_problem(value: object) -> str | None:
    if not isinstance(value, str) or not _ROOM.fullmatch(value):
        return "must be 1 to 64 of a-z, 0-9, '-' and '_', starting with a letter or digit"
    return None


def text_problem(value: object) -> str | None:
    if not isinstance(value, str):
        return "must be a string"
    if not value.strip():
        return "must not be empty"
    if len(value) > MAX_TEXT:
        return f"must have at most {MAX_TEXT} characters"
    if _FORBIDDEN.search(value):
        return "must not hold control characters other than tab and newline"
    return None


def client_id_problem(value: object) -> str | None:
    if not isinstance(value, str) or not _CLIENT_ID.fullmatch(value):
        return "must be 8 to 64 of letters, digits, '-' and '_'"
    return None


_CHECKS = {"room": room_problem, "text": text_problem, "client_id": client_id_problem}


def parse_message(payload: object) -> NewMessage:
    """A message as received; unknown keys are refused, so that a misspelt one is not lost silently."""
    if not isinstance(payload, Mapping):
        raise Invalid({"message": "must be an object with room, text and client_id"})
    problems = {name: problem for name, check in _CHECKS.items() if (problem := check(payload.get(name)))}
    if any(name not in _CHECKS for name in payload):
        problems["message"] = "has unknown keys; room, text and client_id are known"
    if problems:
        raise Invalid(problems)
    return NewMessage(payload["room"], payload["text"], payload["client_id"])


def parse_room(payload: object) -> str:
    """The room of a join or leave: ``{"room": "lobby"}``."""
    if not isinstance(payload, Mapping):
        raise Invalid({"message": "must be an object with room"})
    room = payload.get("room")
    if problem := room_problem(room):
        raise Invalid({"room": problem})
    return str(room)


def parse_page(arguments: Mapping[str, Any]) -> Page:
    """Query parameters ``after`` and ``limit``."""
    problems: dict[str, str] = {}

    def whole(name: str, low: int, high: int) -> int | None:
        raw = arguments.get(name)
        if raw is None:
            return None
        # isascii: int() would also take digits of other scripts; the length keeps int() cheap.
        if not (raw.isascii() and raw.isdigit() and len(raw) <= 19 and low <= int(raw) <= high):
            problems[name] = f"must be a whole number from {low} to {high}"
            return None
        return int(raw)

    after, limit = whole("after", 0, MAX_ID), whole("limit", 1, MAX_LIMIT)
    if problems:
        raise Invalid(problems)
    return Page(after, limit if limit is not None else DEFAULT_LIMIT)
