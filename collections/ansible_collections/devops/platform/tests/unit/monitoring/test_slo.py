"""Objectives as rules. That the rules alert when they should is shown in tests/monitoring, with promtool."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.gate.spec import seconds
from ansible_collections.devops.platform.plugins.module_utils.monitoring import slo

EVENTS = {"errors": 'sum(rate(bad{c="@window"}[@window]))', "total": "sum(rate(all[@window]))"}
LATENCY = {"histogram": "took_seconds", "matchers": 'app="chat"', "threshold": 0.25}


def objective(**more: Any) -> dict[str, Any]:
    return {"name": "x", "objective": 99.9, "window": "30d", "sli": EVENTS, "team": "web", **more}


def rules(**more: Any) -> list[dict[str, Any]]:
    groups = slo.slo_rules([objective(**more)])["slos"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def records(**more: Any) -> dict[str, str]:
    return {rule["record"]: rule["expr"] for rule in rules(**more) if "record" in rule}


def burns(**more: Any) -> list[tuple[str, str, str]]:
    """(long window, short window and limit, severity) of each alert."""
    found = []
    for rule in rules(**more):
        if rule.get("alert") == "SloBurn":
            [(long, limit), (short, again)] = re.findall(r"rate(\w+)(?:\{[^}]*\})? > ([\d.]+)", rule["expr"])
            assert limit == again
            assert rule["labels"]["window"] == long
            found.append((f"{long}/{short}", limit, rule["labels"]["severity"]))
    return found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {},
            [
                ("1h/5m", "0.0144", "high"),
                ("6h/30m", "0.006", "high"),
                ("1d/2h", "0.003", "medium"),
                ("3d/6h", "0.001", "medium"),
            ],
        ),
        (
            {"objective": 95, "window": "90d"},
            [
                ("3h/15m", "0.72", "high"),
                ("18h/90m", "0.3", "high"),
                ("3d/6h", "0.15", "medium"),
                ("9d/18h", "0.05", "medium"),
            ],
        ),
        (
            {"objective": 90, "window": "7d"},
            [("84m/7m", "0.6", "high"), ("336m/28m", "0.3", "medium"), ("1008m/84m", "0.1", "medium")],
        ),
        ({"objective": 50}, [("3d/6h", "0.5", "medium")]),
    ],
)
def test_windows_and_limits(given: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert burns(**given) == expected


def test_each_window_of_an_alert_is_recorded() -> None:
    assert {name for name in records() if name.startswith("slo:error_ratio")} == {
        f"slo:error_ratio:rate{window}" for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    }


def test_long_windows_are_worked_out_less_often() -> None:
    often, slow = slo.slo_rules([objective()])["slos"]["groups"]
    assert "interval" not in often
    assert slow["interval"] == "2m"
    long = [rule["record"].rpartition(":rate")[2] for rule in slow["rules"][:-1]]
    assert long == ["2h", "6h", "1d", "3d"]
    assert slow["rules"][-1]["record"] == "slo:error_budget_remaining:ratio"


def test_errors_that_were_never_counted_are_none() -> None:
    made = records()
    errors, total = 'sum(rate(bad{c="@window"}[5m]))', "sum(rate(all[5m]))"
    assert made["slo:errors:rate5m"] == f"({errors}) or ({total}) * 0"
    assert made["slo:total:rate5m"] == f"({total})"
    assert made["slo:error_ratio:rate5m"] == 'slo:errors:rate5m{slo="x"} / slo:total:rate5m'
    hour = 'sum(rate(bad{c="@window"}[1h]))'
    assert made["slo:error_ratio:rate1h"] == f"({hour}) / (sum(rate(all[1h]))) or (sum(rate(all[1h]))) * 0"


def test_what_is_slower_than_the_bucket_is_bad() -> None:
    count, bucket = 'took_seconds_count{app="chat"}[1h]', 'took_seconds_bucket{app="chat", le="0.25"}[1h]'
    made = records(sli=LATENCY)["slo:error_ratio:rate1h"]
    assert made == f"(sum(rate({count})) - sum(rate({bucket}))) / sum(rate({count}))"


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.25, 'le="0.25"'),
        (1, 'le=~"1([.]0)?"'),
        (2.50, 'le="2.5"'),
        (10.0, 'le=~"10([.]0)?"'),
        (1e-05, 'le="0.00001"'),
    ],
)
def test_a_bucket_is_found_however_it_is_written(threshold: float, expected: str) -> None:
    assert slo.bucket(threshold) == expected


def test_the_budget_counts_requests_over_the_whole_period() -> None:
    assert records()["slo:error_budget_remaining:ratio"] == (
        '1 - sum_over_time(slo:errors:rate5m{slo="x"}[30d]) / sum_over_time(slo:total:rate5m{slo="x"}[30d]) / 0.001'
    )
    assert records()["slo:objective:ratio"] == "vector(0.999)"


def test_alerts_say_who_should_look_and_where() -> None:
    alerts = [rule for rule in rules(runbook="slow") if "alert" in rule]
    assert {rule["alert"] for rule in alerts} == {"SloBurn", "SloWithoutData"}
    for rule in alerts:
        assert rule["labels"].items() >= {"team": "web", "runbook": "slow", "family": "slo-x", "slo": "x"}.items()
    assert {rule["labels"]["runbook"] for rule in rules() if "alert" in rule} == {"slo-burn"}
    text = alerts[0]["annotations"]["description"]
    assert "99.9 % are promised over 30d" in text
    assert "lasts less than 50 hours" in text
    paces = {rule["annotations"]["summary"].partition("goes ")[2] for rule in alerts if rule["alert"] == "SloBurn"}
    assert paces == {
        *(f"more than {factor} times as fast as it may" for factor in ("14.4", 6, 3)),
        "faster than it may",
    }


@pytest.mark.parametrize(
    ("sli", "key", "words"),
    [
        ({}, "", "says nothing"),
        ({**EVENTS, **LATENCY}, "", "only one of them"),
        ({**EVENTS, "errors": "rate(bad[5m])"}, "errors", "lacks @window"),
        ({**EVENTS, "total": "rate(all{x='@window'}[5m])"}, "total", "lacks @window"),
        ({**EVENTS, "total": "rate(all{@hosts}[@window])"}, "total", "@hosts is not understood"),
        ({**LATENCY, "matchers": '{app="chat"}'}, "matchers", "without braces"),
        ({**LATENCY, "matchers": "app=chat"}, "matchers", "label matchers"),
    ],
)
def test_a_wrong_indicator_is_told(sli: dict[str, Any], key: str, words: str) -> None:
    [(found, text)] = slo.problems(sli)
    assert (found, words in text) == (key, True)
    with pytest.raises(ValueError, match=r"the indicator of SLO 'x'"):
        slo.slo_rules([objective(sli=sli)])


@pytest.mark.parametrize("sli", [EVENTS, LATENCY, {**LATENCY, "matchers": r'a="x\"",b!~"y,z" , c="@"'}])
def test_a_right_indicator_is_no_problem(sli: dict[str, Any]) -> None:
    assert list(slo.problems(sli)) == []


@pytest.mark.parametrize("window", ["6d", "91d"])
def test_a_period_that_alerts_make_no_sense_for(window: str) -> None:
    with pytest.raises(ValueError, match="between 7d and 90d"):
        rules(window=window)


def test_without_objectives_there_is_no_file() -> None:
    assert slo.slo_rules([]) == {}


@given(st.integers(7 * 24, 90 * 24), st.decimals("50", "99.999", places=3))
def test_whatever_is_promised_there_are_sound_alerts(hours: int, promised: Decimal) -> None:
    made = burns(window=f"{hours}h", objective=float(promised))
    assert made
    for windows, limit, _severity in made:
        long, short = map(seconds, windows.split("/"))
        assert 60 <= short < long < hours * 3600
        assert 0 < float(limit) < 1
    assert len({windows for windows, _limit, _severity in made}) == len(made)
