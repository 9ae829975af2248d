"""Time passes, Prometheus comes and goes, and the gate ends when it knows enough."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.gate import watch
from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import QueryError, Series
from ansible_collections.devops.platform.plugins.module_utils.gate.spec import Scope, parse

SCOPE = Scope(("app1",), ("app2",))
ERRORS = {"name": "errors", "query": "errors{@hosts}[@window]", "comparison": "<", "threshold": 0.01}
DOWN = QueryError("Prometheus is down", away=True)


class Clocked:
    """A clock that only sleeping moves, and a source that says what `value(query, at)` does."""

    def __init__(self, value=lambda _query, _at: 0.0, now=1000.0):
        self.value, self.now = value, now
        self.asked: list[tuple[str, float, float]] = []
        self.slept: list[float] = []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds

    def instant(self, query, at, lookback):
        self.asked.append((query, at, lookback))
        value = self.value(query, at)
        if isinstance(value, Exception):
            raise value
        return [] if value is None else [Series({}, ((at, value),))]

    def range(self, query, start, end, step):
        self.asked.append((query, start, end))
        value = self.value(query, self.now)
        if isinstance(value, Exception):
            raise value
        return [Series({}, tuple((start + n * step, float(n)) for n in range(8)))]

    def watch(self, *objectives, since=1000.0, interval=5.0, scope=SCOPE):
        return watch.watch(parse(list(objectives)), scope, since, self, self.clock, self.sleep, interval)


def test_it_waits_for_the_window_and_no_value_holds_anything_from_before_the_change():
    world = Clocked()
    [verdict] = world.watch({**ERRORS, "window": "20s"})
    assert (verdict.verdict, world.now) == ("passed", 1020.0)
    assert world.asked == [
        ('errors{host=~"app1"}[5s]', 1005.0, 5.0),
        ('errors{host=~"app1"}[10s]', 1010.0, 10.0),
        ('errors{host=~"app1"}[15s]', 1015.0, 15.0),
        ('errors{host=~"app1"}[20s]', 1020.0, 20.0),
    ]
    assert verdict.evidence.query == 'errors{host=~"app1"}[20s]'


def test_a_late_beginning_judges_the_newest_window_at_once():
    world = Clocked()
    [verdict] = world.watch(ERRORS, since=0.0)
    assert (verdict.verdict, world.slept) == ("passed", [])
    assert (world.asked[0][1], world.asked[-1]) == (945.0, ('errors{host=~"app1"}[60s]', 1000.0, 60.0))


def test_a_beginning_in_between_fetches_what_is_past():
    world = Clocked()
    [verdict] = world.watch(ERRORS, since=970.0)
    assert (verdict.evidence.samples, world.now, world.asked[0][1]) == (12, 1030.0, 975.0)


def test_points_are_bounded():
    world = Clocked()
    [verdict] = world.watch({**ERRORS, "window": "2h"}, since=-9000.0)
    assert verdict.evidence.samples == 200


@pytest.mark.parametrize(
    ("window", "interval", "number"), [(60.0, 5.0, 12), (60.0, 7.0, 8), (3.0, 5.0, 1), (0.3, 0.1, 3)]
)
def test_times_end_with_the_window(window, interval, number):
    found = watch.times(100.0, window, interval)
    assert (len(found), found[-1]) == (number, 100.0 + window)
    assert found[0] > 100.0


def test_a_breach_ends_it_early():
    world = Clocked(lambda _query, _at: 0.5)
    [verdict] = world.watch(ERRORS)
    assert (verdict.verdict, world.now) == ("failed", 1030.0)
    assert verdict.reason == "0.5, not < 0.01, in 4 evaluations in a row"


def test_a_spike_that_recovers_does_not():
    """Five errors in the first seconds, a hundred requests every five seconds after them."""
    world = Clocked(lambda _query, at: 5 / (20 * (at - 1000)))
    [verdict] = world.watch({**ERRORS, "threshold": 0.005})
    assert (verdict.verdict, world.now) == ("passed", 1060.0)


def test_a_breach_at_the_end_fails_at_the_end():
    world = Clocked(lambda _query, at: 0.5 if at > 1057 else 0.0)
    [verdict] = world.watch(ERRORS)
    assert (verdict.verdict, verdict.reason, world.now) == ("failed", "0.5, not < 0.01", 1060.0)


def test_other_objectives_are_not_judged_then():
    world = Clocked(lambda query, _at: 0.5 if "errors" in query else 0.0)
    errors, other = world.watch(ERRORS, {**ERRORS, "name": "other", "query": "x"})
    assert errors.failed
    assert (other.verdict, other.reason) == ("skipped", "not judged: errors failed before")


def test_each_objective_has_its_own_window():
    world = Clocked()
    verdicts = world.watch({**ERRORS, "window": "15s"}, {**ERRORS, "name": "b", "window": "30s"})
    assert ([item.verdict for item in verdicts], world.now) == (["passed", "passed"], 1030.0)


def test_a_restart_of_prometheus_is_waited_out_and_what_was_missed_is_asked_afterwards():
    world = Clocked()
    world.value = lambda _query, _at: DOWN if 1012 < world.now < 1033 else 0.0
    [verdict] = world.watch(ERRORS)
    assert (verdict.verdict, verdict.evidence.samples, world.now) == ("passed", 12, 1060.0)


def test_a_restart_at_the_very_end_is_waited_out_too():
    world = Clocked()
    world.value = lambda _query, _at: DOWN if 1052 < world.now < 1068 else 0.0
    [verdict] = world.watch(ERRORS)
    assert (verdict.verdict, verdict.evidence.samples, world.now) == ("passed", 12, 1070.0)


def test_prometheus_stays_away():
    world = Clocked(lambda _query, _at: DOWN)
    verdicts = world.watch(ERRORS, {**ERRORS, "name": "other"})
    assert [(item.verdict, item.reason) for item in verdicts] == [("failed", "Prometheus is down")] * 2
    assert 1060 <= world.now <= 1075
    assert len(world.asked) <= 15  # one question at a time, not one an objective


def test_a_query_that_is_wrong_fails_at_once():
    world = Clocked(lambda _query, _at: QueryError("parse error", final=True))
    verdicts = world.watch(ERRORS, {**ERRORS, "name": "other"})
    assert [(item.verdict, item.reason) for item in verdicts] == [("failed", "parse error")] * 2
    assert world.now == 1005.0


def test_a_query_that_cannot_be_carried_out_now_is_tried_again():
    world = Clocked()
    world.value = lambda _query, _at: QueryError("many-to-many") if world.now < 1020 else 0.0
    assert world.watch(ERRORS)[0].verdict == "passed"


def test_no_data_is_no_pass():
    [verdict] = Clocked(lambda _query, _at: None).watch(ERRORS)
    assert "no data since the change from app1" in verdict.reason


TESTED = {
    "name": "latency",
    "query": "latency{@hosts}[@window]",
    "comparison": "<",
    "window": "80s",
    "baseline": {"test": "mann_whitney"},
}


def test_a_test_compares_slices_side_by_side_once():
    world = Clocked(lambda _query, _at: 1.0)
    [verdict] = world.watch(TESTED)
    assert verdict.verdict == "passed"
    assert world.asked[-2:] == [
        ('latency{host=~"app1"}[10s]', 1010.0, 1080.0),
        ('latency{host=~"app2"}[10s]', 1010.0, 1080.0),
    ]
    assert sum("[10s]" in query and at == 1010.0 for query, at, end in world.asked if end > 1000) == 2
    assert verdict.comparison.p_value == pytest.approx(0.5, abs=0.06)


def test_a_test_whose_slices_have_no_answer_is_a_failure():
    world = Clocked()
    world.value = lambda query, _at: DOWN if world.now >= 1080 and "[10s]" in query else 1.0
    [verdict] = world.watch(TESTED)
    assert (verdict.verdict, verdict.reason) == ("failed", "Prometheus is down")


def test_traffic_is_added_up_over_series():
    class Two(Clocked):
        def instant(self, query, at, lookback):
            one = super().instant(query, at, lookback)
            return one * 2 if query.startswith("requests") else one

    asked = {**ERRORS, "traffic": {"query": "requests{@hosts}[@window]", "at_least": 100}}
    world = Two(lambda query, _at: 50.0 if query.startswith("requests") else 0.0)
    assert world.watch(asked)[0].verdict == "passed"
    world = Two(lambda query, _at: 49.0 if query.startswith("requests") else 0.0)
    assert "98 events on app1, at least 100" in world.watch(asked)[0].reason
