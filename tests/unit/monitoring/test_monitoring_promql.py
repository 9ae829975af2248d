"""What is read out of PromQL, and changed in it, for the tests of rules. None of this needs promtool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.monitoring.harness import promql
from tests.monitoring.harness.promtool import is_broken, split


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up == 0", {"up"}),
        ('sum by (job, le) (rate(a_bucket{le="0.5"}[5m])) > 1', {"a_bucket"}),
        ("a:b:rate5m / on (job, host) c_total > 2 * avg_over_time(d[1h] offset 5m)", {"a:b:rate5m", "c_total", "d"}),
        ("sum(a) without (host) unless on () b", {"a", "b"}),
        ("vector(1)", set()),
        ("time() - x", {"x"}),
        ('absent(up{job="up or down, by rate(5m)"}) or z', {"up", "z"}),
        ("a * on (job) group_left (name) b", {"a", "b"}),
        ("a\n  and b", {"a", "b"}),
        ("count(a) > bool 1e3", {"a"}),
    ],
)
def test_metrics(expression: str, expected: set[str]) -> None:
    assert promql.metrics(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up", []),
        ("up == 0", ["up != 0", "up > 0", "up < 0", "up == 1", "up == -1"]),
        ("a < b", ["a <= b", "a > b", "a == b"]),
        ('a{b=~"1.5m>2"}', ["a{}"]),
        ("a[5m]", ["a[150s]", "a[4m]", "a[6m]", "a[10m]"]),
        ("a offset 1h", ["a offset 30m", "a offset 48m", "a offset 72m", "a offset 2h"]),
        ("100 * a", ["102 * a", "98 * a", "100 / a"]),
        ("a and b", ["a or b"]),
        ("sum by (x, y) (a)", ["sum by (y) (a)", "sum by (x) (a)"]),
        ('a{x="1,}",y!=""}', ['a{y!=""}', 'a{x="1,}"}']),
    ],
)
def test_mutations(expression: str, expected: list[str]) -> None:
    assert [found.expression for found in promql.mutations(expression)] == expected


def test_a_mutation_says_what_it_changes() -> None:
    assert [str(found) for found in promql.mutations("a > 2")][:2] == ["comparison > -> >=", "comparison > -> <"]
    assert [found.kind for found in promql.mutations("a{b='c'}[1m] + 2")] == [
        *["duration"] * 4,
        "operator",
        *["threshold"] * 2,
        "label",
    ]


@pytest.mark.parametrize(("text", "length"), [("90s", 90), ("1h30m", 5400), ("3d", 259200), ("1500ms", 1.5)])
def test_seconds(text: str, length: float) -> None:
    assert promql.seconds(text) == length


@given(st.integers(0, 10**7))
def test_a_span_is_read_back(length: int) -> None:
    assert promql.seconds(promql.span(length)) == length


WORDS = st.sampled_from(
    ["a", "sum", "by", "(", ")", "{", "}", "[5m]", "0.95", ">", "==", '"x"', "and", " ", ",", "\n", "@"]
)


@given(st.lists(WORDS, max_size=20).map("".join))
def test_whatever_stands_there_is_read_and_changed_in_one_place(expression: str) -> None:
    promql.metrics(expression)
    for found in promql.mutations(expression):
        assert found.expression != expression


def test_verdicts_are_told_by_file() -> None:
    said = ("SUCCESS\n", "FAILED:\n    expr: x\n", "SUCCESS\n")
    output = "\n".join(f"Unit Testing:  {number}.yml\n  {text}" for number, text in enumerate(said, 1))
    assert split(output) == {"1.yml": "", "2.yml": "FAILED:\n    expr: x", "3.yml": ""}
    assert is_broken('FAILED:\nr.yml: rule 1, "X": could not parse expression: 1:6: parse error: unexpected "("')
    assert not is_broken('FAILED:\n    expr: "ALERTS", time: 2m,\n        exp: {job="a"} 1E+00\n        got: nil')
