"""Every verdict, and the words of each failure."""

from __future__ import annotations

import math

import pytest

from ansible_collections.devops.platform.plugins.module_utils.gate import verdict as judging
from ansible_collections.devops.platform.plugins.module_utils.gate.spec import Baseline, Objective, Scope, Traffic
from ansible_collections.devops.platform.plugins.module_utils.gate.verdict import Evidence, Reading, Slices, Value

SCOPE = Scope(("app1", "app2"), ("app3",))
LAST = Scope(("app1", "app2"))
BELOW = Objective("errors", "errors{@hosts}", "<", 60.0, 0.01)
RATIO = Baseline(1.5)
TEST = Baseline(1.2, "mann_whitney")


def objective(**keys):
    given = {"name": "errors", "query": "q", "comparison": "<", "window": 60.0, **keys}
    return Objective(**given)


def values(*numbers, **hosts):
    return (*(Value({}, n) for n in numbers), *(Value({"host": name}, n) for name, n in hosts.items()))


def readings(changed, baseline=(), count=3, **keys):
    return tuple(Reading(100.0 + 5 * n, changed, baseline, **keys) for n in range(count))


def judge(item, changed, baseline=(), scope=SCOPE, slices=None, **keys):
    return judging.judge(Evidence(item, scope, "q", readings(changed, baseline, **keys), slices))


@pytest.mark.parametrize(
    ("comparison", "value", "verdict"),
    [
        ("<", 0.009, "passed"),
        ("<", 0.01, "failed"),
        ("<=", 0.01, "passed"),
        ("<=", 0.011, "failed"),
        (">", 0.011, "passed"),
        (">", 0.01, "failed"),
        (">=", 0.01, "passed"),
        (">=", 0.009, "failed"),
    ],
)
def test_thresholds(comparison, value, verdict):
    assert judge(objective(comparison=comparison, threshold=0.01), values(value)).verdict == verdict


@pytest.mark.parametrize(
    ("changed", "keys", "reason"),
    [
        (values(0.001), {}, "0.001 is < 0.01"),
        (values(app1=0.001, app2=0.002), {}, '0.002 of {host="app2"} is < 0.01'),
        (values(app1=0.05, app2=0.002), {}, '0.05 of {host="app1"}, not < 0.01'),
        ((), {}, "no data since the change from app1, app2; see whether Prometheus scrapes them, whether the metric"),
        (values(app1=0.001), {}, "no data since the change from app2, only from app1; see whether"),
        (values(math.nan), {}, "the value is no number (NaN), as of 0/0; see whether there was any traffic"),
        (values(app1=0.001, app2=math.nan), {}, 'the value of {host="app2"} is no number (NaN)'),
        (values(math.inf), {}, "the value is infinite, as of 1/0; correct the query"),
        (
            values(0.001),
            {"count": 2},
            "too few samples: 2 usable data points since the change, 3 are wanted; give a lo",
        ),
    ],
)
def test_words(changed, keys, reason):
    found = judge(BELOW, changed, **keys)
    assert found.reason.startswith(reason)
    assert found.failed == (" is < " not in reason)


def test_nothing_was_measured_at_all():
    assert judging.judge(Evidence(BELOW, SCOPE, "q")).reason.startswith("no data since the change from app1, app2")


def test_a_prometheus_that_does_not_answer_goes_first():
    found = judging.judge(Evidence(BELOW, SCOPE, "q", readings(values(0.5)), error="it is down"))
    assert (found.verdict, found.reason) == ("failed", "it is down")


@pytest.mark.parametrize(
    ("traffic", "others", "scope", "item", "words"),
    [
        (99.0, None, SCOPE, {"threshold": 1.0}, "not enough traffic to judge: 99 events on app1, app2, at least 100"),
        (0.0, None, SCOPE, {"threshold": 1.0}, "not enough traffic to judge: 0 events on app1, app2"),
        (100.0, None, SCOPE, {"threshold": 1.0}, ""),
        (100.0, 99.0, SCOPE, {"baseline": RATIO}, "99 events on unchanged app3, at least 100 are wanted"),
        (100.0, 100.0, SCOPE, {"baseline": RATIO}, ""),
        (100.0, None, LAST, {"baseline": RATIO, "threshold": 1.0}, ""),
    ],
)
def test_traffic(traffic, others, scope, item, words):
    asked = objective(traffic=Traffic("r", 100.0), **item)
    found = judge(asked, values(0.5), values(0.5), scope, traffic=traffic, baseline_traffic=others)
    assert found.failed == bool(words)
    assert words in found.reason


@pytest.mark.parametrize("value", [math.nan, 0.5])
def test_too_little_traffic_explains_more_than_its_values(value):
    found = judge(objective(threshold=0.01, traffic=Traffic("r", 100.0)), values(value), traffic=3.0)
    assert "not enough traffic" in found.reason


@pytest.mark.parametrize(
    ("comparison", "changed", "others", "threshold", "verdict", "words"),
    [
        ("<", values(0.15), values(0.1), None, "passed", "0.15 beside 0.1 of the unchanged hosts"),
        ("<", values(0.16), values(0.1), None, "failed", "unchanged hosts, 1.6 times as bad, 1.5 times is allowed"),
        ("<", values(0.16), values(0.1), 0.2, "failed", "1.6 times as bad"),
        ("<", values(0.15), values(0.1), 0.12, "failed", "0.15, not < 0.12"),
        ("<", values(app1=0.1, app2=0.2), values(0.1), None, "failed", '0.2 of {host="app2"} beside 0.1'),
        ("<", values(0.14), values(app3=0.1, app4=0.1, app5=9.0), None, "passed", "beside 0.1"),
        (">", values(70.0), values(100.0), None, "passed", "70 beside 100"),
        (">", values(66.0), values(100.0), None, "failed", "1.52 times as bad"),
        (">", values(0.0), values(100.0), None, "failed", "there is no multiple"),
        ("<", values(0.0), values(0.0), None, "passed", "0 beside 0"),
        ("<", values(0.001), values(0.0), 0.01, "passed", "no multiple: the threshold alone was judged"),
        ("<", values(0.001), values(0.0), None, "failed", "there is no multiple; give a threshold as well"),
        ("<", values(-1.0), values(1.0), None, "failed", "values below 0 have no ratio; give a threshold"),
        ("<", values(0.1), (), None, "failed", "no data from the unchanged hosts app3 to compare with"),
        ("<", values(0.1), values(math.nan), None, "failed", "no data from the unchanged hosts app3"),
    ],
)
def test_ratios(comparison, changed, others, threshold, verdict, words):
    item = objective(comparison=comparison, threshold=threshold, baseline=RATIO)
    found = judge(item, changed, others)
    assert found.verdict == verdict, found.reason
    assert words in found.reason


LOW, HIGH = tuple(float(n) for n in range(8)), tuple(float(n) for n in range(10, 18))


@pytest.mark.parametrize(
    ("comparison", "slices", "changed", "others", "verdict", "words"),
    [
        ("<", (HIGH, LOW), 2.0, 1.0, "failed", "by chance with p=7.8e-05, 2 times as bad, 1.2 times is allowed"),
        ("<", (LOW, HIGH), 2.0, 1.0, "passed", "by chance with p=1"),
        ("<", (HIGH, LOW), 1.1, 1.0, "passed", "by chance with p=7.8e-05"),
        (">", (LOW, HIGH), 1.0, 2.0, "failed", "p=7.8e-05, 2 times as bad"),
        (">", (HIGH, LOW), 1.0, 2.0, "passed", "p=1"),
        (
            "<",
            (HIGH[:3], LOW[:3]),
            2.0,
            1.0,
            "failed",
            "too few samples for a test: 3 and 3 slices of 7.5 s have values",
        ),
        ("<", ((), LOW), 2.0, 1.0, "failed", "too few samples for a test: 0 and 8 slices"),
        ("<", (HIGH, LOW), 2.0, 0.0, "failed", "there is no multiple"),
    ],
)
def test_tests(comparison, slices, changed, others, verdict, words):
    item = objective(comparison=comparison, baseline=TEST)
    found = judge(item, values(changed), values(others), slices=Slices(slices[0], slices[1], 7.5))
    assert found.verdict == verdict, found.reason
    assert words in found.reason


@pytest.mark.parametrize(
    ("threshold", "value", "verdict", "words"),
    [
        (
            None,
            0.5,
            "skipped",
            "no unchanged hosts are left to compare with, and there is no threshold: nothing was judg",
        ),
        (1.0, 0.5, "passed", "0.5 is < 1; no unchanged hosts are left to compare with, so that the threshold alone"),
        (0.1, 0.5, "failed", "0.5, not < 0.1"),
    ],
)
@pytest.mark.parametrize("baseline", [RATIO, TEST])
def test_the_last_wave(baseline, threshold, value, verdict, words):
    found = judge(objective(threshold=threshold, baseline=baseline), values(value), scope=LAST)
    assert (found.verdict, found.reason[: len(words)]) == (verdict, words)


def row(*numbers, traffic=None):
    return [
        Reading(float(n), values(number) if number is not None else (), (), traffic) for n, number in enumerate(numbers)
    ]


BAD = 0.5


@pytest.mark.parametrize(
    ("found", "planned", "early"),
    [
        (row(BAD, BAD, BAD, BAD), 6, 0),  # the third, fourth have three samples behind them: two in a row
        (row(BAD, BAD, BAD, BAD, BAD), 6, 3),
        (row(BAD, BAD, BAD, BAD, BAD), 12, 0),  # a third of 12 is 4
        (row(BAD, BAD, BAD, BAD, BAD, BAD), 12, 4),
        (row(0.0, 0.0, BAD, BAD, BAD), 6, 3),
        (row(0.0, 0.0, BAD, BAD, 0.0, BAD, BAD), 6, 0),
        (row(0.0, 0.0, BAD, BAD, None, BAD, BAD), 6, 0),
        (row(0.0, 0.0, BAD, BAD, math.nan, BAD, BAD), 6, 0),
        (row(None, None, None, BAD, BAD, BAD, BAD), 6, 0),
        (row(None, None, None, BAD, BAD, BAD, BAD, BAD), 6, 3),
        (row(0.0, 0.0, 0.9, 0.7, 0.5, 0.3, 0.2, 0.1), 6, 0),  # a spike that gets diluted
        (row(0.0, 0.0, 0.9, 0.7, 0.5, 0.3, 0.4, 0.5), 6, 6),
        (row(BAD, BAD, BAD, BAD, BAD), 3, 3),
        ([], 6, 0),
    ],
)
def test_early(found, planned, early):
    assert judging.early(BELOW, found, planned) == early


def test_early_is_the_other_way_round_where_more_is_better():
    above = objective(comparison=">", threshold=10.0)
    assert judging.early(above, row(5.0, 5.0, 5.0, 5.0, 4.0), 6) == 3
    assert judging.early(above, row(5.0, 5.0, 5.0, 6.0, 7.0), 6) == 0


def test_never_early_without_traffic_or_without_a_threshold():
    busy = objective(threshold=0.01, traffic=Traffic("r", 100.0))
    assert judging.early(busy, row(*[BAD] * 9, traffic=99.0), 6) == 0
    assert judging.early(busy, row(*[BAD] * 9, traffic=100.0), 6) == 7
    assert judging.early(objective(baseline=RATIO), row(*[BAD] * 9), 6) == 0


def test_the_result():
    item = objective(threshold=0.01, baseline=RATIO)
    found = judge(item, values(app1=0.004, app2=0.006), values(app3=0.005, app4=0.003), Scope(("app1", "app2"), ("a",)))
    assert judging.result(found) == {
        "name": "errors",
        "query": "q",
        "verdict": "passed",
        "reason": '0.006 of {host="app2"} is < 0.01; 0.006 of {host="app2"} beside 0.004 of the unchanged hosts',
        "value": 0.006,
        "comparison": "<",
        "threshold": 0.01,
        "samples": 3,
        "series": [[100.0, 0.006], [105.0, 0.006], [110.0, 0.006]],
        "baseline": {
            "value": 0.004,
            "series": [[100.0, 0.004], [105.0, 0.004], [110.0, 0.004]],
            "ratio": pytest.approx(1.5),
            "p_value": None,
        },
    }


def test_the_result_without_a_number():
    found = judging.result(judging.judge(Evidence(BELOW, SCOPE, "q", (*readings(values(0.5)), *row(math.nan)))))
    assert (found["value"], len(found["series"]), found["samples"]) == (None, 3, 3)


def test_the_line():
    found = judge(BELOW, values(app1=0.05, app2=0.0))
    assert judging.line(found, "http://m/graph") == (
        'errors: 0.05 of {host="app1"}, not < 0.01 (over 60s on app1, app2); look at http://m/graph'
    )
