"""How rows of the tables become tests of promtool. None of this needs promtool."""

from __future__ import annotations

from typing import Any

import pytest

from tests.monitoring.harness import cases
from tests.monitoring.harness.mutants import Verdict, mutants, summary
from tests.monitoring.harness.rules import all_rules, find, needed

DOWN = {"alert": "InstanceDown", "labels": {"host": "a"}, "fires_after": "1m", "step": "30s", "calm": "1m"}
UP = 'up{host="a"}'


def series(test: dict[str, Any]) -> dict[str, str]:
    return {each["series"]: each["values"] for each in test["input_series"]}


def looks(test: dict[str, Any]) -> dict[str, bool]:
    """When -> whether it must fire."""
    return {look["eval_time"]: bool(look["exp_samples"]) for look in test["promql_expr_test"]}


def test_three_states_become_a_test_that_fires_and_one_that_does_not() -> None:
    fires, silent = cases.case({**DOWN, "series": {UP: {"gauge": [1, 0.5, 0]}}}).tests
    assert series(fires)[UP] == " ".join(["1"] * 2 + ["0"] * 12 + ["1"] * 16)
    assert looks(fires) == {
        "0s": False,
        "30s": False,
        "90s": False,
        "2m": True,
        "390s": True,
        "450s": False,
        "870s": False,
    }
    assert series(silent)[UP] == " ".join(["1"] * 2 + ["0.5"] * 28)
    assert set(looks(silent).values()) == {False}


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (7, "7 7 7 7"),
        ({"gauge": [1, 2]}, "1 2 2 2"),
        ({"gauge": [1, None]}, "1 _ _ _"),
        ({"gauge": ["stale", 2]}, "stale 2 2 2"),
        ({"counter": [1, 10]}, "0 1 11 21"),
        ({"counter": [0.5, None]}, "0 0.5 _ _"),
    ],
)
def test_phases_become_samples(what: Any, expected: str) -> None:
    row = {**DOWN, "phases": [1, "1m"], "series": {UP: what}, "fires": ["1m"], "silent": [0]}
    [test] = cases.case({key: value for key, value in row.items() if key not in ("fires_after", "calm")}).tests
    assert series(test)[UP] == expected
    assert looks(test) == {"1m": True, "0s": False}


def test_a_row_with_windows_is_one_for_each() -> None:
    rows = list(cases.expanded({"record": "a:rate@", "windows": ["1h", "3d"], "phases": [1]}))
    assert [(row["record"], row["step"]) for row in rows] == [("a:rate1h", "12m"), ("a:rate3d", "864m")]


def test_an_alert_brings_the_recording_rules_that_it_needs_in_their_order() -> None:
    rule = find("HttpErrors", {"severity": "high"})
    names = ["job:http_requests:rate5m", "job:http_errors:rate5m", "job:http_error_ratio:rate5m"]
    assert [other.name for other in needed(rule, set())] == names
    assert needed(rule, {"job:http_error_ratio:rate5m"}) == []


def test_mutants_are_told_apart_and_waits_are_shifted_by_a_step() -> None:
    for rule in all_rules():
        made = list(mutants(rule, 60))
        assert len({str(mutant) for mutant in made}) == len(made), rule
    found = [mutant.change for mutant in mutants(find("InstanceDown", {}), 30) if mutant.kind == "for"]
    assert found == ["for 1m -> 30s", "for 1m -> 90s"]
    assert [m.change for m in mutants(find("Watchdog", {}), 60) if m.kind == "for"] == ["for none -> 1m"]


def test_the_summary_counts_by_kind() -> None:
    rows = summary([Verdict("for", "dead"), Verdict("for", "alive"), Verdict("label", "equivalent")])
    assert [row.split() for row in rows[1:]] == [
        ["for", "2", "1", "1", "0"],
        ["label", "1", "0", "0", "1"],
        ["all", "3", "1", "1", "1"],
    ]
