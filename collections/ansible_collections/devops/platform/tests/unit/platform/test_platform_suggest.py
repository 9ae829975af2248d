"""What a reader probably meant, and what placeholders stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError, Topology
from ansible_collections.devops.platform.plugins.module_utils.platform.placeholders import (
    FUNCTIONS,
    placeholders,
    resolve,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean, nearest
from ansible_collections.devops.platform.tests.unit.platform import example

WORDS = st.from_regex(r"[a-z][a-z0-9_-]{0,12}", fullmatch=True)
TOPOLOGY = Topology(example.data(), example.GROUPS, example.ADDRESSES)


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("prot", ["port", "path"], "; did you mean 'port'?"),
        ("Port", ["port"], "; did you mean 'port'?"),
        ("chat_db", ["chat_redis", "chat_database"], "; did you mean 'chat_database'?"),
        ("1.9.1", ["1.8.0", "1.9.0"], "; did you mean '1.9.0'?"),
        ("pt", ["prometheus"], "; there is prometheus"),
        ("zzz", ["b", "a"], "; there is a, b"),
        ("zzz", [], ""),
        ("zzz", [f"name{number}" for number in range(13)], ""),
        (7, [70, 1], "; did you mean '70'?"),
    ],
)
def test_hints(word, known, hint):
    assert did_you_mean(word, known) == hint


@given(st.lists(WORDS, min_size=1, max_size=8), st.data())
def test_a_known_word_is_nearest_to_itself(known, data):
    word = data.draw(st.sampled_from(known))
    assert nearest(word, known) == word


@given(WORDS.filter(lambda word: len(word) > 4), st.data())
def test_one_letter_too_few_is_understood(word, data):
    gap = data.draw(st.integers(1, len(word) - 1))
    assert nearest(word[:gap] + word[gap + 1 :], [word]) == word


@given(WORDS, st.lists(WORDS, max_size=8))
def test_a_suggestion_is_one_of_the_choices_whatever_their_order(word, known):
    assert nearest(word, known) == nearest(word, reversed(known))
    assert nearest(word, known) in {None, *known}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("@address(data)", "192.0.2.20"),
        ("@addresses(app)", "192.0.2.101,192.0.2.102"),
        ("@port(postgresql)", "5432"),
        ("@port(redis)", "6379"),
        ("redis://@address( data ):@port(redis)/0", "redis://192.0.2.20:6379/0"),
        ("someone@example.org", "someone@example.org"),
        ("@address", "@address"),
        ("$x @ (data)", "$x @ (data)"),
    ],
)
def test_placeholders_are_replaced_and_all_else_is_text(text, value):
    assert resolve(text, TOPOLOGY) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "@adress(data)",
            "@adress(data): unknown placeholder; known are @address, @addresses, @port, @endpoint, @endpoint_port",
        ),
        ("@port(mysql)", "@port(mysql): no such server; it may be postgresql or redis"),
        ("@address(dta)", "the inventory has no group 'dta' (it has: app, data, edge, monitoring)"),
        ("@address(app)", "@address(app): the group has 2 hosts, not one; @addresses(app) gives all of them"),
        ("@addresses(ungrouped)", "@addresses(ungrouped): the group has no host"),
    ],
)
def test_placeholders_that_cannot_be_replaced(text, message):
    with pytest.raises(PlatformError) as error:
        resolve(text, TOPOLOGY)
    assert str(error.value) == message


@given(st.text(alphabet=st.characters(exclude_characters="@")))
def test_text_without_an_at_sign_stays(text):
    assert resolve(text, TOPOLOGY) == text


@given(st.text(max_size=20), st.sampled_from(FUNCTIONS), st.from_regex(r"[^()\n]{0,10}", fullmatch=True), st.text())
def test_each_placeholder_is_found_with_its_argument(before, function, argument, after):
    text = f"{before} @{function}({argument}) {after}"
    found = [(found.function, found.argument) for found in placeholders(text)]
    assert (function, argument.strip()) in found


@given(
    st.lists(st.sampled_from(["@address(data)", "@port(redis)", "x", " ", "@", "(", ")", "@address(", "$"]), max_size=9)
)
def test_what_was_put_in_is_not_read_again(pieces):
    text = "".join(pieces)
    try:
        value = resolve(text, TOPOLOGY)
    except PlatformError:
        return
    assert "@address(data)" not in value
    assert text.count("@address(data)") == value.count("192.0.2.20")
