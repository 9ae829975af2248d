"""Variables as Grafana fills them in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.dashboards.fill import (
    Case,
    Choice,
    FillError,
    Window,
    cases,
    fill,
)
from ansible_collections.devops.platform.plugins.module_utils.dashboards.read import Board, Variable

ONE, MANY = Choice(("a",)), Choice(("a", "b.c"), many=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("up", "up"),
        ('up{a="$one"}', 'up{a="a"}'),
        ('up{a="${one}", b="[[one]]"}', 'up{a="a", b="a"}'),
        ('up{a=~"$many"}', r'up{a=~"(a|b\\.c)"}'),
        ("${many:pipe} ${many:csv} ${many:raw}", "a|b.c a,b.c a|b.c"),
        ("${one:regex}", "a"),
        ("rate(up[$__rate_interval]) $__interval ${__range_s}", "rate(up[60s]) 15s 3600"),
    ],
)
def test_references(text, expected):
    assert fill(text, {"one": ONE, "many": MANY}, Window(1e9, 3600, 15).builtins()) == expected


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice((".*",), True, raw=True), ".*"),
        (Choice(('a"b\\c',)), 'a\\"b\\\\c'),
        (Choice(("a.b",), many=True), r"a\\.b"),
        (Choice(("a.b",)), "a.b"),
    ],
)
def test_how_values_are_written(choice, expected):
    assert choice.text() == expected


@given(st.lists(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=6), min_size=1))
def test_a_pattern_matches_its_values_and_no_others(values):
    """In PromQL, a string takes away one of two backslashes; what is left is the pattern."""
    pattern = Choice(tuple(values), many=True).text().replace("\\\\", "\\")
    for value in values:
        assert re.fullmatch(pattern, value)
    assert not re.fullmatch(pattern, "".join(values) + "x")


@pytest.mark.parametrize(
    ("text", "words"),
    [("$other", "no variable 'other' is defined; the dashboard has one"), ("${one:lucene}", "the form ':lucene'")],
)
def test_what_cannot_be_filled_in(text, words):
    with pytest.raises(FillError, match=words):
        fill(text, {"one": ONE}, {})


@pytest.mark.parametrize(
    ("window", "interval", "rate"),
    [
        (Window(0, 3600, 15), "15s", "60s"),
        (Window(0, 86400, 15), "86s", "101s"),
        (Window(0, 3600, 2), "4s", "8s"),
        (Window(0, 600, 1.5), "1500ms", "6s"),
        (Window(0, 3600, 15, 300), "300s", "315s"),
    ],
)
def test_intervals(window, interval, rate):
    found = window.builtins()
    assert (found["__interval"], found["__rate_interval"]) == (interval, rate)


APP = Variable("app", "requests", "app")
HOST = Variable("host", 'requests{app="$app"}', "host", many=True, every=".*")
VALUES = {
    ("requests", "app"): ["chat", "shop", "tick", "last"],
    ('requests{app="chat"}', "host"): ["app1", "app2"],
    ('requests{app="shop"}', "host"): ["app3"],
}


def look(metric, label):
    return VALUES.get((metric, label), [])


def described(variables):
    board = Board("u", 3600, tuple(variables), ())
    return [(str(case), case.judged, [each.name for each in case.unset]) for case in cases(board, look, {})]


def test_all_at_first_then_each_of_the_first_few_then_one_alone():
    assert described([APP, HOST]) == [
        ("app=chat, host=.*", True, []),
        ("app=shop, host=.*", True, []),
        ("app=tick, host=.*", True, []),
        ("app=chat, host=app1", False, []),
    ]


def test_without_a_pattern_for_all_they_are_listed():
    assert described([APP, Variable("host", 'requests{app="$app"}', "host", many=True)])[0][0] == (
        "app=chat, host=(app1|app2)"
    )


def test_what_has_no_value_is_told():
    missing = Variable("cluster", "nothing", "cluster", many=True, every=".*")
    assert described([missing]) == [("cluster=.*", True, ["cluster"])]


def test_choices_are_tried_as_well():
    assert [case[0] for case in described([Variable("slo", values=("99.9", "99"))])] == ["slo=99.9", "slo=99"]


def test_without_variables_there_is_one_case():
    assert cases(Board("u", 3600, (), ()), look, {}) == [Case()]
