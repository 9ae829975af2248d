"""Tables of cases, and the test files of promtool that are made of them.

A case of an alert says what its series do in three states: `good`, `edge` (as near to the threshold as may be without
an alert) and `bad` (as near beyond it). From these come two tests: good, bad and good again, with a look a step before
it may fire, when it must, while it goes on, and when it is over; and good, then edge for as long, where nothing may
fire.

    - alert: HostMemoryHigh
      where: {severity: high}            # labels of the rule, where its name alone does not tell which is meant
      labels: {host: a}                  # what the alert has beside the rule's own labels
      fires_after: 5m
      series:
        memory{host="a"}: {gauge: [good, edge, bad]}    # a value
        requests_total{host="a"}: {counter: [1, 2, 3]}  # an increase a step
        limit{host="a"}: 100                            # always

Where three states are not enough, `phases` lists how long each lasts; series have a value for each, and `fires`,
`silent` or, for recording rules, `values` say what must be when. Values are compared in millionths. A moment or a
length without a unit counts steps. `stale` ends a series, `null` is a gap. A row with `windows` stands for one with
each of them in place of @, and with steps of a fifth of it. `why` is for readers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.monitoring.harness.promql import seconds, span, tokens
from tests.monitoring.harness.rules import Rule, find, needed

TABLES = Path(__file__).parents[1] / "cases"
KEYS = {"alert", "record", "where", "labels", "step", "series", "phases", "calm", "fires_after"}
KEYS |= {"fires", "silent", "values", "why"}
STATES = 3
STAYS = 10  # steps for which it goes on after it has fired
RECOVERY = 15  # steps that are looked at after it is over


@dataclass(frozen=True)
class Case:
    """A row of a table: a rule, and the tests that it must pass."""

    rule: Rule
    step: float
    tests: tuple[dict[str, Any], ...]
    given: frozenset[str]
    fires: bool
    silent: bool

    def content(self) -> dict[str, Any]:
        return {"evaluation_interval": span(self.step), "tests": list(self.tests)}

    def asked_for_alerts(self) -> dict[str, Any]:
        """Its first test where the alert fires, which expects none: so promtool shows what there is."""
        test, at = next(
            (test, look["eval_time"]) for test in self.tests for look in test["promql_expr_test"] if look["exp_samples"]
        )
        rest = {key: value for key, value in test.items() if key != "promql_expr_test"}
        looks = [{"alertname": self.rule.name, "eval_time": at, "exp_alerts": []}]
        return {"evaluation_interval": span(self.step), "tests": [{**rest, "alert_rule_test": looks}]}

    def rules(self, changed: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The rule, or a changed one, behind the recording rules that it needs, in one group: one order."""
        before = [dict(rule.data) for rule in needed(self.rule, set(self.given))]
        return {"groups": [{"name": "rules", "rules": [*before, dict(changed or self.rule.data)]}]}


@cache
def all_cases() -> tuple[Case, ...]:
    rows = [row for path in sorted(TABLES.glob("*.yml")) for row in yaml.safe_load(path.read_text(encoding="utf-8"))]
    return tuple(case(each) for row in rows for each in expanded(row))


def expanded(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    rest = {key: value for key, value in row.items() if key != "windows"}
    if "windows" not in row:
        yield rest
    for window in row.get("windows", ()):
        yield {**rest, "record": row["record"].replace("@", window), "step": span(seconds(window) / 5)}


def case(row: Mapping[str, Any]) -> Case:
    assert set(row) <= KEYS, f"unknown: {set(row) - KEYS}"
    rule = find(str(row.get("alert") or row["record"]), row.get("where") or {})
    step = seconds(row.get("step", "1m"))
    tests = list(_phased(rule, row, step) if "phases" in row else _states(rule, row, step))
    given = frozenset(tokens(name)[0].text for name in row["series"])
    simple = "phases" not in row
    # A value of a recording rule is right or not: it tells both sides.
    sides = [simple or bool(row.get(side) or row.get("values")) for side in ("fires", "silent")]
    return Case(rule, step, tuple(tests), given, *sides)


def _states(rule: Rule, row: Mapping[str, Any], step: float) -> Iterator[dict[str, Any]]:
    calm, delay = seconds(row.get("calm", "10m")), seconds(row["fires_after"])
    over = calm + delay + STAYS * step
    end = over + RECOVERY * step
    lengths = [calm, over - calm, end - over]
    good, edge, bad = range(STATES)
    yield _test(
        step,
        _series(row["series"], lengths, (good, bad, good), step),
        [
            *(_silent(rule, at) for at in (0, calm - step, calm + delay - step) if at >= 0),
            *(_fires(rule, row, at) for at in (calm + delay, over - step)),
            *(_silent(rule, at) for at in (over + step, end)),
        ],
    )
    looks = [_silent(rule, at) for at in (calm + delay, over - step, over, end)]
    yield _test(step, _series(row["series"], lengths, (good, edge, edge), step), looks)


def _phased(rule: Rule, row: Mapping[str, Any], step: float) -> Iterator[dict[str, Any]]:
    lengths = [_moment(length, step) for length in row["phases"]]
    looks = [
        *(_fires(rule, row, _moment(at, step)) for at in row.get("fires", ())),
        *(_silent(rule, _moment(at, step)) for at in row.get("silent", ())),
        *(_value(rule, row, _moment(at, step), value) for at, value in row.get("values", {}).items()),
    ]
    yield _test(step, _series(row["series"], lengths, range(len(lengths)), step), looks)


def _moment(given: Any, step: float) -> float:
    return given * step if isinstance(given, int) else seconds(given)


def _test(step: float, series: list[dict[str, str]], looks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"interval": span(step), "input_series": series, "promql_expr_test": looks}


def _series(table: Mapping[str, Any], lengths: list[float], states: Sequence[int], step: float) -> list[dict[str, str]]:
    return [{"series": name, "values": " ".join(_points(what, lengths, states, step))} for name, what in table.items()]


def _points(what: Any, lengths: list[float], states: Sequence[int], step: float) -> Iterator[str]:
    """A gauge has a state's value from its first moment on; a counter grows after it."""
    kind, listed = next(iter(what.items())) if isinstance(what, Mapping) else ("gauge", None)
    assert kind in ("gauge", "counter"), kind
    values = [listed[state] if listed else what for state in states]
    counts = [round(length / step) for length in lengths]
    if kind == "gauge":
        for value, count in zip(values, counts, strict=True):
            yield from ["_" if value is None else f"{value}"] * count
        yield "_" if values[-1] is None else f"{values[-1]}"
        return
    total = 0.0
    yield "0"
    for value, count in zip(values, counts, strict=True):
        for _sample in range(count):
            total += value or 0
            yield "_" if value is None else f"{total:.12g}"


def _selector(rule: Rule) -> str:
    labels = {"alertname": rule.name, "alertstate": "firing", **rule.labels}
    return "ALERTS" + _labels(labels)


def _labels(labels: Mapping[str, Any]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _silent(rule: Rule, at: float) -> dict[str, Any]:
    return {"expr": _selector(rule), "eval_time": span(at), "exp_samples": []}


def _fires(rule: Rule, row: Mapping[str, Any], at: float) -> dict[str, Any]:
    labels = {"alertname": rule.name, "alertstate": "firing", **(row.get("labels") or {}), **rule.labels}
    sample = {"labels": "ALERTS" + _labels(labels), "value": 1}
    return {"expr": _selector(rule), "eval_time": span(at), "exp_samples": [sample]}


def _value(rule: Rule, row: Mapping[str, Any], at: float, value: float | None) -> dict[str, Any]:
    """What a recording rule has made, with all its labels; None is nothing at all."""
    labels = {**(row.get("labels") or {}), **rule.labels}
    samples = [] if value is None else [{"labels": _labels(labels), "value": round(value * 1e6)}]
    metric = rule.name + (_labels(rule.labels) if rule.labels else "")
    return {"expr": f"round({metric} * 1e6)", "eval_time": span(at), "exp_samples": samples}
