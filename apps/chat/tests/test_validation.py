from __future__ import annotations

import json
import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from chat import schemas, validation
from chat.validation import MAX_PAYLOAD, MAX_TEXT, Invalid, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
ROOMS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
CLIENT_IDS = st.text(string.ascii_letters + string.digits + "-_", min_size=8, max_size=64)
CLEAN = st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\n\x85")
TEXTS = st.text(CLEAN, min_size=1, max_size=200).filter(str.strip)
GOOD: dict[str, object] = {"room": "lobby", "text": "hello", "client_id": "c" * 16}


@given(ROOMS, TEXTS, CLIENT_IDS)
def test_what_is_allowed_comes_back_unchanged(room: str, text: str, client_id: str) -> None:
    payload = {"room": room, "text": text, "client_id": client_id}
    assert parse(schemas.MessageEvent, payload).model_dump() == payload


@given(JSON | st.fixed_dictionaries({"room": JSON, "text": JSON, "client_id": JSON}))
def test_anything_else_is_refused_in_words(payload: Any) -> None:
    """Whatever comes: either Invalid with a reason for each field, or something that can be stored and sent."""
    try:
        message = parse(schemas.MessageEvent, payload)
    except Invalid as error:
        assert error.problems
        assert set(error.problems) <= {"room", "text", "client_id", "message"}
        return
    assert 1 <= len(message.text) <= MAX_TEXT
    assert "\0" not in message.text
    message.text.encode()


@given(st.text(st.characters(categories=("Cc", "Cs"), exclude_characters="\t\n\x80\x85"), min_size=1, max_size=3))
def test_characters_that_cannot_be_stored(bad: str) -> None:
    problem = validation.text_problem(f"a{bad}b")
    if any(character < "\x20" or character == "\x7f" or "\ud800" <= character <= "\udfff" for character in bad):
        assert problem is not None


@pytest.mark.parametrize(
    ("model", "good", "field", "value"),
    [
        *((schemas.MessageEvent, GOOD, "room", bad) for bad in ("", "-a", "A", "a" * 65, "a\n", "ü", 1, None)),
        *((schemas.MessageEvent, GOOD, "text", bad) for bad in ("", " \n\t", "x" * 4001, "a\0b", "\ud800", ["x"])),
        *((schemas.MessageEvent, GOOD, "client_id", bad) for bad in ("short", "c" * 65, "with space", "c" * 8 + "\n")),
        *(
            (schemas.NewUser, {"name": "alice", "password": "long enough"}, "name", bad)
            for bad in ("al", "a" * 33, "_al", "al ice", "alice\n", "álice", "<b>x</b>", 1)
        ),
        *(
            (schemas.NewUser, {"name": "alice12345", "password": "long enough"}, "password", bad)
            for bad in ("too short", "x" * 129, "ALICE12345", "long enough\0", "long enough\ud800", 1234567890)
        ),
        *((schemas.NewRoom, {"name": "a"}, "topic", bad) for bad in ("x" * 201, "two\nlines", "\x1b[31m", None)),
        *((schemas.Page, {}, "after", bad) for bad in ("x", "-1", "1.0", "+1", "٣", str(2**63), ["1", "2"], "1" * 99)),
        *((schemas.Page, {}, "limit", bad) for bad in ("0", "201", "")),
        (schemas.Page, {"before": "5"}, "after", "5"),
    ],
)  # fmt: skip
def test_refused(model: type[BaseModel], good: dict[str, object], field: str, value: object) -> None:
    parse(model, good)
    with pytest.raises(Invalid) as caught:
        parse(model, {**good, field: value})
    assert set(caught.value.problems) == {field}


def test_all_problems_at_once_and_none_repeats_what_was_sent() -> None:
    with pytest.raises(Invalid) as caught:
        parse(schemas.MessageEvent, {"room": "<canary>", "text": "\0canary", "client_id": "canary!", "canary": 1})
    assert set(caught.value.problems) == {"room", "text", "client_id", "message"}
    assert "canary" not in str(caught.value)


def test_the_longest_message_fits_the_payload() -> None:
    payload = {"room": "r" * 64, "text": "\U0001f600" * MAX_TEXT, "client_id": "c" * 64}
    parse(schemas.MessageEvent, payload)
    assert len(json.dumps(payload)) < MAX_PAYLOAD


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (validation.RoomName, validation.room_problem),
        (validation.UserName, validation.user_problem),
        (validation.ClientId, validation.client_id_problem),
        (validation.Text, validation.text_problem),
        (validation.Topic, validation.topic_problem),
        (validation.Password, validation.password_problem),
    ],
)
@given(value=st.text(max_size=70) | ROOMS | CLIENT_IDS | TEXTS)
def test_the_document_says_what_the_rules_do(kind: Any, problem: Any, value: str) -> None:
    """The JSON Schema stands beside the rule, so the two could part; only what is blank is a matter of taste."""
    schema = TypeAdapter(kind).json_schema()
    fits = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)) and (
        re.search(schema["pattern"].replace("$", r"\Z"), value) is not None
    )
    blank = not re.sub(r"[\s\ufeff]", "", value)
    assert fits == (problem(value) is None) or blank
