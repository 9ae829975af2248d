"""What a client may send: the rules of each field, and the models that are put together from them in chat.schemas.

No value that was sent is ever repeated in a problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_TEXT = 4000
MAX_TOPIC = 200
MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_ID = 2**63 - 1
MIN_PASSWORD, MAX_PASSWORD = 10, 128
# A whole message, JSON and escapes included: 4000 characters of \uXXXX\uXXXX fit.
MAX_PAYLOAD = 64 * 1024

_ROOM = "[a-z0-9][a-z0-9_-]{0,63}"
_CLIENT_ID = "[A-Za-z0-9_-]{8,64}"
_USER = "[A-Za-z0-9][A-Za-z0-9_.-]{2,31}"
# Control characters other than tab and newline, and lone surrogates: neither PostgreSQL nor a page can show them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_CLEAN = r"[^\u0000-\u0008\u000b-\u001f\u007f]"
_SHOWN = r"[^\s\u0000-\u001f\u007f\u0085]"

M = TypeVar("M", bound=BaseModel)
Problem = Callable[[object], str | None]


class Invalid(Exception):
    """``problems``: field name to what is wrong with it, in words for the sender."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


def pattern_problem(pattern: str, words: str) -> Problem:
    compiled = re.compile(pattern)
    return lambda value: None if isinstance(value, str) and compiled.fullmatch(value) else words


def _string_problem(value: object, low: int, high: int) -> str | None:
    if not isinstance(value, str):
        return "must be a string"
    if not low <= len(value) <= high:
        return f"must have {low} to {high} characters" if low > 1 else f"must have at most {high} characters"
    return None


def text_problem(value: object) -> str | None:
    if isinstance(value, str) and not value.strip():
        return "must not be empty"
    if problem := _string_problem(value, 1, MAX_TEXT):
        return problem
    if _FORBIDDEN.search(str(value)):
        return "must not hold control characters other than tab and newline"
    return None


def topic_problem(value: object) -> str | None:
    if problem := _string_problem(value, 0, MAX_TOPIC):
        return problem
    return "must not hold control characters" if re.search(r"[\t\n]", str(value)) else _forbidden(value)


def _forbidden(value: object) -> str | None:
    return "must not hold control characters" if _FORBIDDEN.search(str(value)) else None


def password_problem(value: object) -> str | None:
    return _string_problem(value, MIN_PASSWORD, MAX_PASSWORD) or _forbidden(value)


def secret_problem(value: object) -> str | None:
    """Of a sign-in: any text; whether it is right says the account, not a rule."""
    if isinstance(value, str) and not value:
        return "must not be empty"
    return _string_problem(value, 1, MAX_PASSWORD) or _forbidden(value)


def _whole(low: int, high: int) -> Callable[[object], int]:
    def check(raw: object) -> int:
        # isascii: int() would also take digits of other scripts; the length keeps int() cheap.
        good = isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) <= 19
        if not good or not low <= int(str(raw)) <= high:
            raise PydanticCustomError("rule", "{words}", {"words": f"must be a whole number from {low} to {high}"})
        return int(str(raw))

    return check


def _rule(problem: Problem) -> PlainValidator:
    def check(value: object) -> object:
        if words := problem(value):
            raise PydanticCustomError("rule", "{words}", {"words": words})
        return value

    return PlainValidator(check)


def _schema(**keys: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **keys})


room_problem = pattern_problem(_ROOM, "must be 1 to 64 of a-z, 0-9, '-' and '_', starting with a letter or digit")
client_id_problem = pattern_problem(_CLIENT_ID, "must be 8 to 64 of letters, digits, '-' and '_'")
user_problem = pattern_problem(
    _USER, "must be 3 to 32 of letters, digits, '_', '.' and '-', starting with a letter or digit"
)

# What the rules say in words stands in the OpenAPI document as a JSON Schema, written next to them.
RoomName = Annotated[str, _rule(room_problem), _schema(pattern=f"^{_ROOM}$")]
UserName = Annotated[str, _rule(user_problem), _schema(pattern=f"^{_USER}$")]
ClientId = Annotated[str, _rule(client_id_problem), _schema(pattern=f"^{_CLIENT_ID}$")]
Text = Annotated[
    str, _rule(text_problem), _schema(minLength=1, maxLength=MAX_TEXT, pattern=rf"^{_CLEAN}*{_SHOWN}{_CLEAN}*$",
    description="Not only blanks; no control characters other than tab and newline.")
]  # fmt: skip
Topic = Annotated[str, _rule(topic_problem), _schema(maxLength=MAX_TOPIC, pattern=r"^[^\u0000-\u001f\u007f]*$")]
Password = Annotated[
    str, _rule(password_problem), _schema(minLength=MIN_PASSWORD, maxLength=MAX_PASSWORD, pattern=rf"^{_CLEAN}*$",
    format="password", description="Not the name.")
]  # fmt: skip
Secret = Annotated[
    str, _rule(secret_problem), _schema(minLength=1, maxLength=MAX_PASSWORD, pattern=rf"^{_CLEAN}*$", format="password")
]
Id = Annotated[
    int, PlainValidator(_whole(0, MAX_ID)), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_ID})
]
Limit = Annotated[
    int, PlainValidator(_whole(1, MAX_LIMIT)), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT})
]


def find_problems(model: type[M], data: object, whole: str) -> tuple[M | None, dict[str, str]]:
    """The value, or every problem with it. ``whole`` names what is not one field's: unknown keys, or no object."""
    known = list(model.model_fields)
    if not isinstance(data, Mapping):
        return None, {whole: f"must be an object with {_names(known)}"}
    problems = {}
    # Looked for here and not by pydantic: a misspelt key is not lost silently, and none is repeated.
    if any(name not in known for name in data):
        problems[whole] = f"has unknown keys; {_listed(known)} known" if known else "must be empty"
    try:
        value = model.model_validate({name: data[name] for name in known if name in data})
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            field = item["loc"][0] if item["loc"] else item.get("ctx", {}).get("field", whole)
            problems[str(field)] = "is missing" if item["type"] == "missing" else item["msg"]
        return None, problems
    return (None if problems else value), problems


def parse(model: type[M], data: object, whole: str = "message") -> M:
    """The payload of an event; Invalid has every problem."""
    value, problems = find_problems(model, data, whole)
    if value is None:
        raise Invalid(problems)
    return value


def _names(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _listed(names: list[str]) -> str:
    return f"{_names(names)} {'are' if len(names) > 1 else 'is'}"
