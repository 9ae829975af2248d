"""The whole check, with a source that answers what a test tells it to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from ansible_collections.devops.platform.plugins.module_utils.dashboards import check
from ansible_collections.devops.platform.plugins.module_utils.dashboards.exceptions import Allowance
from ansible_collections.devops.platform.plugins.module_utils.dashboards.read import Board, Query, Variable
from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import QueryError

UP, GONE = Query("u", "Up", "A", 'up{app="$app"}'), Query("u", "Gone", "B", "gone")
APP = Variable("app", "up", "app")
ANSWERS = {"up": 1, 'up{app="chat"}': 1, 'up{app="shop"}': 1}


@dataclass
class FakeSource:
    """`answers`: expression -> number of series, or an error; `later`: the same from the second round on."""

    answers: dict[str, int | QueryError] = field(default_factory=lambda: dict(ANSWERS))
    later: Mapping[str, int | QueryError] = field(default_factory=dict)
    labels: tuple[str, ...] = ("chat", "shop")
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def answered(self, expr, at):
        return bool(self.give(expr))

    def count(self, expr, window, instant):
        self.asked.append((expr, instant))
        return self.give(expr)

    def label_values(self, metric, label, window):
        return self.labels

    def give(self, expr):
        answer = self.answers.get(expr, 0)
        if isinstance(answer, QueryError):
            raise answer
        return answer


@dataclass
class FakeTime:
    source: FakeSource
    seconds: float = 10.0
    slept: int = 0

    def sleep(self, seconds):
        self.seconds -= seconds
        self.slept += 1
        self.source.answers.update(self.source.later)


def run(source, *queries, allowances=(), variables=(APP,), seconds=10.0):
    clock = FakeTime(source, seconds)
    boards = [Board("u", 3600, tuple(variables), queries, 2)]
    outcome = check.check(
        boards, allowances, source, check.Clock(lambda: 1e9, lambda: clock.seconds, clock.sleep), 15.0
    )
    return outcome, clock


def test_all_is_well():
    source = FakeSource()
    outcome, clock = run(source, UP, Query("u", "Now", "A", "up", instant=True))
    assert outcome.failures == []
    assert (outcome.queries, outcome.asked, outcome.skipped, clock.slept) == (2, 3, 2, 0)
    assert source.asked == [('up{app="chat"}', False), ('up{app="shop"}', False), ("up", True)]


def test_an_empty_answer_is_asked_again_and_then_told():
    outcome, clock = run(FakeSource(), UP, GONE)
    assert outcome.failures == ["dashboard 'u', panel 'Gone', query B: has no answer: gone"]
    assert clock.slept == 3


def test_what_comes_later_is_well():
    outcome, clock = run(FakeSource(later={"gone": 1}), UP, GONE)
    assert outcome.failures == []
    assert clock.slept == 1


def test_only_what_had_no_answer_is_asked_again():
    source = FakeSource()
    run(source, UP, GONE)
    assert [expr for expr, _instant in source.asked].count("gone") == 4
    assert [expr for expr, _instant in source.asked].count('up{app="chat"}') == 1


def test_the_first_of_several_is_shown():
    [line] = run(FakeSource({}), UP)[0].failures
    assert line.endswith('has no answer: up{app="chat"}, nor with 1 other settings of its variables')


def test_one_application_may_lack_what_another_has():
    outcome, _clock = run(FakeSource({'up{app="shop"}': 1}), UP)
    assert outcome.failures == []


def test_a_refused_query_is_told_at_once():
    refused = QueryError("Prometheus does not understand the query", final=True)
    outcome, clock = run(FakeSource({**ANSWERS, "gone": refused}), UP, GONE)
    assert outcome.failures == ["dashboard 'u', panel 'Gone', query B: Prometheus does not understand the query"]
    assert clock.slept == 0


def test_a_query_with_one_value_must_be_understood_as_well():
    many = Variable("app", "up", "app", many=True, every=".*")
    refused = QueryError("bad", final=True)
    source = FakeSource({'up{app=".*"}': 1, 'up{app="chat"}': refused})
    outcome, _clock = run(source, UP, variables=[many])
    assert outcome.failures == ["dashboard 'u', panel 'Up', query A: bad"]
    assert run(FakeSource({'up{app=".*"}': 1}), UP, variables=[many])[0].failures == []


def test_a_variable_without_values_and_one_that_nobody_defined():
    outcome, _clock = run(FakeSource(labels=()), Query("u", "Up", "A", "up"))
    assert outcome.failures == [
        "dashboard 'u', panel 'variable app', query A: has no value: label_values(up, app); is this scraped here?"
    ]
    outcome, _clock = run(FakeSource(), Query("u", "Up", "A", "up{x='$x'}"))
    assert "no variable 'x' is defined; the dashboard has app; in: up{x='$x'}" in outcome.failures[0]


def test_exceptions_excuse_and_are_counted():
    outcome, clock = run(FakeSource(), UP, GONE, allowances=[Allowance("u", "not here", ("Gone",))])
    assert outcome.failures == []
    assert outcome.excused == ["dashboard 'u', panel 'Gone', query B"]
    assert clock.slept == 0


def test_an_exception_does_not_excuse_a_refused_query():
    refused = QueryError("bad", final=True)
    outcome, _clock = run(FakeSource({**ANSWERS, "gone": refused}), UP, GONE, allowances=[Allowance("u", "r")])
    assert any("bad" in line for line in outcome.failures)


@pytest.mark.parametrize(
    ("allowance", "words"),
    [
        (Allowance("u", "why", ("Up",), place="e[0]"), "e[0]: no longer needed"),
        (Allowance("x", "why", place="e[0]"), "e[0]: there is no query in dashboard 'x'"),
    ],
)
def test_an_exception_that_is_not_needed_fails(allowance, words):
    outcome, _clock = run(FakeSource(), UP, allowances=[allowance])
    [line] = outcome.failures
    assert words in line


def test_an_exception_that_is_not_in_force_excuses_nothing():
    outcome, _clock = run(FakeSource(), UP, GONE, allowances=[Allowance("u", "r", ("Gone",), unless="up")])
    assert outcome.failures == ["dashboard 'u', panel 'Gone', query B: has no answer: gone"]


def test_a_prometheus_that_is_away_is_one_failure():
    away = QueryError("Prometheus cannot be reached", away=True)
    outcome, clock = run(FakeSource({'up{app="chat"}': away}), UP, GONE)
    assert outcome.failures == ["Prometheus cannot be reached"]
    assert clock.slept == 3
    back = {**ANSWERS, "gone": 1}
    assert run(FakeSource({'up{app="chat"}': away}, later=back), UP, GONE)[0].failures == []


def test_when_the_time_is_over():
    outcome, _clock = run(FakeSource(), UP, seconds=0.0)
    assert outcome.failures == ["dashboard 'u', panel 'Up', query A: was not asked: the time was over; give more of it"]
