"""The list of exceptions: how it is read, what it excuses, and when it is too long."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.dashboards.exceptions import (
    Allowance,
    ExceptionsError,
    in_force,
    parse,
    unneeded,
)
from ansible_collections.devops.platform.plugins.module_utils.dashboards.read import Query

A1, A2, B1 = Query("a", "one", "A", "x"), Query("a", "two", "B", "y"), Query("b", "one", "A", "z")
QUERIES = [A1, A2, B1]


def test_parse():
    data = {"exceptions": [{"dashboard": "a", "panels": ["one"], "query": "A", "unless": "up", "reason": "so  it\nis"}]}
    assert parse("e.yml", data) == (Allowance("a", "so it is", ("one",), "A", "up", "e.yml: exceptions[0]"),)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, ["e.yml: has no list 'exceptions'"]),
        ({"exceptions": {}}, ["e.yml: has no list 'exceptions'"]),
        ({"exceptions": ["a"]}, ["exceptions[0]: must be a mapping"]),
        ({"exceptions": [{"dashboard": "a"}]}, ["exceptions[0]: lacks 'reason'"]),
        ({"exceptions": [{"dashbord": "a", "reason": " "}]}, ["did you mean 'dashboard'", "'dashboard'", "'reason'"]),
        ({"exceptions": [{"dashboard": "a", "reason": "r", "query": "A"}]}, ["so needs its panel"]),
        ({"exceptions": [{"dashboard": "a", "reason": "r", "panels": "one"}]}, ["panels must be a list"]),
    ],
)
def test_mistakes_are_told_all_at_once(data: Any, words):
    with pytest.raises(ExceptionsError) as error:
        parse("e.yml", data)
    assert len(error.value.problems) == len(words)
    for problem, word in zip(error.value.problems, words, strict=True):
        assert word in problem


@pytest.mark.parametrize(
    ("allowance", "covered"),
    [
        (Allowance("a", "r"), [A1, A2]),
        (Allowance("a", "r", ("one",)), [A1]),
        (Allowance("a", "r", ("two",), "B"), [A2]),
        (Allowance("a", "r", ("two",), "A"), []),
        (Allowance("c", "r"), []),
    ],
)
def test_what_one_covers(allowance, covered):
    assert [query for query in QUERIES if allowance.covers(query)] == covered


def test_unless_there_is_something():
    always, sometimes, never = Allowance("a", "r"), Allowance("a", "r", unless="x"), Allowance("a", "r", unless="y")
    assert in_force([always, sometimes, never], lambda expr: expr == "y") == [always, sometimes]


@pytest.mark.parametrize(
    ("allowance", "active", "empty", "words"),
    [
        (Allowance("a", "why", place="e[0]"), True, [A1], []),
        (Allowance("a", "why", place="e[0]"), True, [B1], ["e[0]: no longer needed"]),
        (Allowance("a", "why", place="e[0]"), False, [], []),
        (Allowance("c", "why", place="e[0]"), False, [], ["e[0]: there is no query in dashboard 'c'"]),
        (Allowance("a", "why", ("one", "gone"), place="e[0]"), True, [A1], ["there is no panel 'gone' in dashboard"]),
    ],
)
def test_what_is_not_needed(allowance, active, empty, words):
    found = unneeded([allowance], [allowance] if active else [], QUERIES, empty)
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True))
