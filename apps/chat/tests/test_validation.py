from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import validation
from chat.validation import MAX_PAYLOAD, MAX_TEXT, Invalid, NewMessage, parse_message, parse_page, parse_room

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
ROOMS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
CLIENT_IDS = st.text(string.ascii_letters + string.digits + "-_", min_size=8, max_size=64)
CLEAN = st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\n\x85")
TEXTS = st.text(CLEAN, min_size=1, max_size=200).filter(str.strip)


@given(ROOMS, TEXTS, CLIENT_IDS)
def test_what_is_allowed_comes_back_unchanged(room: str, text: str, client_id: str) -> None:
    payload = {"room": room, "text": text, "client_id": client_id}
    assert parse_message(payload) == NewMessage(room, text, client_id)


@given(JSON | st.fixed_dictionaries({"room": JSON, "text": JSON, "client_id": JSON}))
def test_anything_else_is_refused_in_words(payload: Any) -> None:
    """Whatever comes: either Invalid with a reason for each field, or something that can be stored and sent."""
    try:
        message = parse_message(payload)
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
    ("field", "value"),
    [
        ("room", ""), ("room", "-a"), ("room", "A"), ("room", "a" * 65), ("room", "a\n"), ("room", "ü"), ("room", 1),
        ("text", ""), ("text", " \n\t"), ("text", "x" * (MAX_TEXT + 1)), ("text", "a\0b"), ("text", ["x"]),
        ("client_id", "short"), ("client_id", "c" * 65), ("client_id", "with space"), ("client_id", None),
    ],
)  # fmt: skip
def test_refused(field: str, value: object) -> None:
    good: dict[str, object] = {"room": "lobby", "text": "hello", "client_id": "c" * 16}
    with pytest.raises(Invalid) as caught:
        parse_message({**good, field: value})
    assert set(caught.value.problems) == {field}


def test_all_problems_at_once_and_none_repeats_what_was_sent() -> None:
    with pytest.raises(Invalid) as caught:
        parse_message({"room": "<canary>", "text": "\0canary", "client_id": "canary!", "canary": 1})
    assert set(caught.value.problems) == {"room", "text", "client_id", "message"}
    assert "canary" not in str(caught.value)


def test_the_longest_message_fits_the_payload() -> None:
    payload = {"room": "r" * 64, "text": "\U0001f600" * MAX_TEXT, "client_id": "c" * 64}
    parse_message(payload)
    assert len(json.dumps(payload)) < MAX_PAYLOAD


@given(st.dictionaries(st.sampled_from(["after", "limit", "other"]), st.text(max_size=25)))
def test_pages(arguments: dict[str, str]) -> None:
    try:
        page = parse_page(arguments)
    except Invalid as error:
        assert set(error.problems) <= {"after", "limit"}
        return
    assert 1 <= page.limit <= validation.MAX_LIMIT
    assert page.after is None or 0 <= page.after <= validation.MAX_ID


def test_rooms() -> None:
    assert parse_room({"room": "lobby"}) == "lobby"
    for bad in (None, "lobby", {}, {"room": None}):
        with pytest.raises(Invalid):
            parse_room(bad)
