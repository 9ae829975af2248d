"""Objectives as operators write them: every mistake at once, and whole queries of what is right."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.gate import options
from ansible_collections.devops.platform.plugins.module_utils.gate.spec import (
    Baseline,
    Objective,
    SpecError,
    Traffic,
    duration,
    expand,
    matcher,
    parse,
    problems,
    seconds,
)

RIGHT: dict[str, Any] = {
    "name": "errors",
    "query": "rate(errors{@hosts}[@window])",
    "comparison": "<",
    "threshold": 0.01,
}
COMPARED: dict[str, Any] = {**RIGHT, "baseline": {"ratio": 1.5}}


def without(key, raw=RIGHT):
    return {name: value for name, value in raw.items() if name != key}


def test_defaults():
    assert parse([RIGHT], "90s") == (Objective("errors", RIGHT["query"], "<", 90.0, 0.01),)


def test_everything():
    raw = {
        **without("threshold"),
        "window": "1h30m",
        "min_samples": 5,
        "traffic": {"query": "sum(requests{@hosts})", "at_least": 100},
        "baseline": {"test": "mann_whitney", "significance": 0.05},
    }
    assert parse([raw]) == (
        Objective(
            "errors",
            RIGHT["query"],
            "<",
            5400.0,
            None,
            5,
            Traffic("sum(requests{@hosts})", 100.0),
            Baseline(1.2, "mann_whitney", 0.05),
        ),
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("text", "objectives[0] must be a mapping, not 'text'"),
        (without("name"), "objectives[0].name: is missing; it must be a name of its own"),
        ({**RIGHT, "name": " "}, "objectives[0].name: is ' '; it must be a name of its own"),
        (without("query"), "objectives[0] (errors).query: is missing; it must be PromQL"),
        ({**RIGHT, "query": 7}, "objectives[0] (errors).query: is 7; it must be PromQL"),
        ({**RIGHT, "query": "x{@host}"}, "(errors).query: @host is no placeholder; did you mean '@hosts'?"),
        (without("comparison"), "(errors).comparison: is missing; it must be one of <, <=, >, >="),
        ({**RIGHT, "comparison": "=<"}, "(errors).comparison: is '=<'; it must be one of <, <=, >, >="),
        (without("threshold"), "(errors).threshold: is missing; there must be a threshold or a baseline"),
        ({**RIGHT, "threshold": "low"}, "(errors).threshold: is 'low'; it must be a number"),
        ({**RIGHT, "threshold": True}, "(errors).threshold: is True; it must be a number"),
        ({**RIGHT, "threshold": float("nan")}, "(errors).threshold: is nan; it must be a number"),
        ({**RIGHT, "window": 60}, "(errors).window: 60 is no duration such as 60s or 5m"),
        ({**RIGHT, "window": "0s"}, "(errors).window: '0s' is no duration"),
        ({**RIGHT, "min_samples": 0}, "(errors).min_samples: is 0; it must be a whole number from 1 to 200"),
        ({**RIGHT, "min_samples": 2.5}, "(errors).min_samples: is 2.5; it must be a whole number"),
        ({**RIGHT, "treshold": 1}, "(errors).treshold: is no key here; did you mean 'threshold'?"),
        ({**RIGHT, "traffic": 5}, "(errors).traffic must be a mapping, not 5"),
        ({**RIGHT, "traffic": {"query": "x"}}, "(errors).traffic.at_least: is missing; it must be a number above 0"),
        ({**RIGHT, "traffic": {"at_least": 1}}, "(errors).traffic.query: is missing; it must be PromQL"),
        (
            {**RIGHT, "traffic": {"query": "x", "at_least": 1, "atleast": 1}},
            "traffic.atleast: is no key here; did you mean 'at_least'?",
        ),
        ({**RIGHT, "baseline": []}, "(errors).baseline must be a mapping, not []"),
        ({**RIGHT, "baseline": {}}, "(errors).baseline is empty; it must hold ratio, such as 1.5, or test"),
        ({**RIGHT, "baseline": {"ratio": 0.5}}, "(errors).baseline.ratio: is 0.5; it must be a number above 1"),
        ({**RIGHT, "baseline": {"test": "t"}}, "(errors).baseline.test: is 't'; it must be one of mann_whitney"),
        (
            {**RIGHT, "baseline": {"ratio": 2, "significance": 0.01}},
            "(errors).baseline.significance: belongs to a test; add test: mann_whitney, or leave it out",
        ),
        (
            {**RIGHT, "baseline": {"test": "mann_whitney", "significance": 1}},
            "(errors).baseline.significance: is 1; it must be a number above 0 and below 0.5",
        ),
        ({**COMPARED, "query": "errors"}, "(errors).query: must hold @hosts: a baseline asks it"),
        (
            {**COMPARED, "traffic": {"query": "requests", "at_least": 1}},
            "(errors).traffic.query: must hold @hosts",
        ),
    ],
)
def test_mistakes_are_named_with_what_would_be_right(raw, words):
    assert [words in line for line in problems([raw])] == [True], problems([raw])


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (None, "objectives must be a list, not None"),
        ({}, "objectives must be a list, not {}"),
        ([], "objectives is empty: without one nothing would be judged"),
        ([RIGHT, RIGHT], "objectives: the name 'errors' is there 2 times; each needs its own"),
    ],
)
def test_mistakes_of_the_list(raw, words):
    assert problems(raw) == [words]


def test_all_mistakes_at_once():
    with pytest.raises(SpecError) as raised:
        parse([{"name": "a", "comparison": "!="}, {"query": "b{@x}", "windw": 1}], "soon")
    lines = raised.value.problems
    for place in ("window", "[0] (a).query", "[0] (a).comparison", "[0] (a).threshold", "[1].name", "[1].windw", "@x"):
        assert any(place in line for line in lines), place
    assert len(lines) == 9
    assert str(raised.value) == "\n".join(lines)


def test_right_objectives_have_no_problems():
    assert problems([RIGHT, {**COMPARED, "name": "b"}]) == []


ASKED: dict[str, Any] = {
    "url": "http://127.0.0.1:9090",
    "timeout": 10.0,
    "interval": 5.0,
    "since": None,
    "hosts": ["app1"],
    "baseline_hosts": ["app2"],
    "label": "host",
    "window": "60s",
    "objectives": [RIGHT],
}


def test_options():
    asked = options.parse(ASKED, 7.0)
    assert (asked.since, asked.scope.hosts, asked.scope.baseline_hosts) == (7.0, ("app1",), ("app2",))
    assert options.parse({**ASKED, "since": 3.0}, 7.0).since == 3.0


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"url": "127.0.0.1:9090"}, "url must be http://"),
        ({"url": "http://user:pw@m:9090"}, "without a user"),
        ({"url": "http://m:port"}, "url must be"),
        ({"hosts": []}, "hosts is empty"),
        ({"baseline_hosts": ["app1"]}, "app1 stands in hosts, too"),
        ({"label": "the host"}, "'the host' is no name of a label"),
        ({"since": 200.0}, "since lies 193 s in the future; see whether the clocks"),
        ({"interval": 0.0}, "interval must be more than 0"),
        ({"timeout": -1.0}, "timeout must be more than 0, not -1"),
        ({"interval": 30.0}, "errors: a window of 60 s has 2 evaluations at interval 30, fewer than min_samples 3"),
        ({"window": "1x"}, "window: '1x' is no duration"),
    ],
)
def test_mistakes_of_the_options(keys, words):
    with pytest.raises(SpecError) as raised:
        options.parse({**ASKED, **keys}, 7.0)
    assert words in str(raised.value)
    assert "pw@" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "length"),
    [("60s", 60), ("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("1d", 86400), ("1w", 604800), ("1m1ms", 60.001)],
)
def test_durations(text, length):
    assert seconds(text) == pytest.approx(length)


@pytest.mark.parametrize("text", ["", "60", "s", "30m1h", "1.5h", "-5m", " 5m", "0s", None, 60, True])
def test_no_durations(text):
    with pytest.raises(ValueError, match="is no duration such as"):
        seconds(text)


@given(st.integers(1, 10**9))
def test_durations_there_and_back(milliseconds):
    assert seconds(duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@pytest.mark.parametrize(
    ("query", "whole"),
    [
        ("rate(x{@hosts}[@window])", 'rate(x{host=~"app1|b\\\\.c"}[60s])'),
        ('x{a="b",@hosts} / y{@hosts}', 'x{a="b",host=~"app1|b\\\\.c"} / y{host=~"app1|b\\\\.c"}'),
        ("x{a=\"@hosts\", b='@window', c=`@hosts`}", "x{a=\"@hosts\", b='@window', c=`@hosts`}"),
        ('x{a="\\"@hosts"}', 'x{a="\\"@hosts"}'),
        ("x # don't @hosts\n[@window]", "x # don't @hosts\n[60s]"),
        ("x{@hosts} @ start()", 'x{host=~"app1|b\\\\.c"} @ start()'),
        ("x @end()", "x @end()"),
        ("x{@hosted}", "x{@hosted}"),
    ],
)
def test_placeholders(query, whole):
    assert expand(query, "host", ["app1", "b.c"], 60.0) == whole


def unquoted(promql):
    """What Go's strconv.Unquote makes of a text with the escapes that are used."""
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), promql)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5), st.text(max_size=12))
def test_a_matcher_matches_its_hosts_and_no_other(hosts, other):
    found = re.fullmatch(r'host=~"((?:[^"\\\n]|\\.)*)"', matcher("host", hosts))
    assert found, "no text of PromQL"
    pattern = re.compile(unquoted(found[1]))
    assert all(pattern.fullmatch(host) for host in hosts)
    assert bool(pattern.fullmatch(other)) == (other in hosts)


@given(st.text(alphabet="@hostswindow{}[]\"'`#\\ \n(=~)", max_size=60))
def test_expanding_leaves_the_rest_alone(query):
    whole = expand(query, "host", ["a"], 60.0)
    assert whole.replace('host=~"a"', "@hosts").replace("60s", "@window") == query
