# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What follows from what was measured. Pure: no clock, no network.

Which value is judged: the last one, measured when the window was over. A query that aggregates over @window thereby
speaks for all of the time since the change and for nothing before it; one that does not speaks for that moment alone.
Where there are several series, each is judged and the worst speaks, named by its labels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from .prometheus import Series
from .spec import Baseline, Objective, Scope, duration
from .statistics import least_p, mann_whitney

LEAST_IN_A_ROW = 3  # breaches, one after the other, that end the watch early


@dataclass(frozen=True)
class Value:
    """The value of one series at one time."""

    labels: Mapping[str, str]
    value: float

    @property
    def finite(self) -> bool:
        return math.isfinite(self.value)


@dataclass(frozen=True)
class Reading:
    """One evaluation. Traffic is None where it is not asked for."""

    at: float
    changed: tuple[Value, ...]
    baseline: tuple[Value, ...] = ()
    traffic: float | None = None
    baseline_traffic: float | None = None

    @property
    def usable(self) -> bool:
        return bool(self.changed) and all(value.finite for value in self.changed)


@dataclass(frozen=True)
class Slices:
    """Values of windows that do not overlap, of all series of a group."""

    changed: tuple[float, ...]
    baseline: tuple[float, ...]
    length: float


@dataclass(frozen=True)
class Evidence:
    """All that is known of one objective when it is judged. `error`: why the last question has no answer."""

    objective: Objective
    scope: Scope
    query: str
    readings: tuple[Reading, ...] = ()
    slices: Slices | None = None
    error: str = ""
    early: int = 0  # breaches in a row that ended the watch before its time

    @property
    def samples(self) -> int:
        return sum(reading.usable for reading in self.readings)

    @property
    def compares(self) -> bool:
        return self.objective.baseline is not None and bool(self.scope.baseline_hosts) and not self.early


@dataclass(frozen=True)
class Comparison:
    """How the changed hosts stand beside the others. `ratio` is None where there is nothing to divide by."""

    value: float | None = None
    ratio: float | None = None
    p_value: float | None = None
    problem: str = ""
    said: str = ""


@dataclass(frozen=True)
class Verdict:
    evidence: Evidence
    verdict: str
    reason: str
    comparison: Comparison = Comparison()

    @property
    def failed(self) -> bool:
        return self.verdict == "failed"


def good(comparison: str, value: float, threshold: float) -> bool:
    return {
        "<": value < threshold,
        "<=": value <= threshold,
        ">": value > threshold,
        ">=": value >= threshold,
    }[comparison]


def worst(objective: Objective, values: Sequence[Value]) -> Value | None:
    """The series that speaks: one without a number first, then the furthest on the bad side."""
    direction = 1 if objective.less_is_better else -1
    return max(values, key=lambda one: (not one.finite, direction * one.value if one.finite else 0.0), default=None)


def named(labels: Mapping[str, str]) -> str:
    """` of {host="app1"}`, or nothing for a series without labels."""
    inside = ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f" of {{{inside}}}" if inside else ""


def breached(objective: Objective, reading: Reading) -> bool:
    """Whether this one evaluation is bad beyond doubt: values, enough traffic, and the threshold not kept."""
    speaks = worst(objective, reading.changed)
    if objective.threshold is None or speaks is None or not speaks.finite:
        return False
    if objective.traffic and (reading.traffic or 0) < objective.traffic.at_least:
        return False
    return not good(objective.comparison, speaks.value, objective.threshold)


def early(objective: Objective, readings: Sequence[Reading], planned: int) -> int:
    """How many breaches in a row end the watch now; 0 where it goes on.

    As many as a third of all planned evaluations, 3 at least, each with `min_samples` behind it, and the last no better
    than the first: what was a spike gets better from one evaluation to the next as it leaves, or is diluted in, the
    window. Comparisons with other hosts are made once, at the end: to ask again and again would be to find something.
    """
    needed = max(LEAST_IN_A_ROW, math.ceil(planned / 3))
    seen = 0
    row: list[Reading] = []
    for reading in readings:
        seen += reading.usable
        row = [*row, reading] if seen >= objective.min_samples and breached(objective, reading) else []
    if len(row) < needed:
        return 0
    first, last = (worst(objective, reading.changed) for reading in (row[-needed], row[-1]))
    if first is None or last is None:
        return 0
    better = last.value < first.value if objective.less_is_better else last.value > first.value
    return 0 if better else len(row)


def judge(evidence: Evidence) -> Verdict:
    """The verdict on one objective, with the first reason that holds."""
    for check in (_answered, _trafficked, _present, _finite, _enough, _kept):
        reason = check(evidence)
        if reason:
            return Verdict(evidence, "failed", reason)
    objective, speaks = evidence.objective, worst(evidence.objective, evidence.readings[-1].changed)
    said = _stands(evidence, speaks) if speaks else ""
    if objective.baseline is None:
        return Verdict(evidence, "passed", said)
    if not evidence.scope.baseline_hosts:
        reason = "no unchanged hosts are left to compare with"
        if objective.threshold is None:
            return Verdict(evidence, "skipped", f"{reason}, and there is no threshold: nothing was judged")
        return Verdict(evidence, "passed", f"{said}; {reason}, so that the threshold alone was judged")
    comparison = compare(evidence, objective.baseline)
    if comparison.problem:
        return Verdict(evidence, "failed", comparison.problem, comparison)
    return Verdict(evidence, "passed", "; ".join(filter(None, (said, comparison.said))), comparison)


def _stands(evidence: Evidence, speaks: Value) -> str:
    objective = evidence.objective
    shown = f"{speaks.value:.4g}{named(speaks.labels)}"
    if objective.threshold is None:
        return shown
    return f"{shown} is {objective.comparison} {objective.threshold:.4g}"


def _answered(evidence: Evidence) -> str:
    return evidence.error


def _trafficked(evidence: Evidence) -> str:
    traffic = evidence.objective.traffic
    if not traffic or not evidence.readings:
        return ""
    last = evidence.readings[-1]
    groups = [("", evidence.scope.hosts, last.traffic)]
    if evidence.compares:
        groups.append(("unchanged ", evidence.scope.baseline_hosts, last.baseline_traffic))
    for kind, hosts, events in groups:
        if (events or 0) < traffic.at_least:
            return (
                f"not enough traffic to judge: {events or 0:.4g} events on {kind}{', '.join(hosts)}, at least "
                f"{traffic.at_least:.4g} are wanted; give a longer window, or see why none reach these hosts"
            )
    return ""


def _present(evidence: Evidence) -> str:
    scope = evidence.scope
    last = evidence.readings[-1].changed if evidence.readings else ()
    if not last:
        return (
            f"no data since the change from {', '.join(scope.hosts)}; see whether Prometheus scrapes them, whether "
            f"the metric exists and bears the label {scope.label}"
        )
    seen = {value.labels[scope.label] for value in last if scope.label in value.labels}
    missing = [host for host in scope.hosts if host not in seen] if seen else []
    if missing:
        return (
            f"no data since the change from {', '.join(missing)}, only from {', '.join(sorted(seen))}; see whether "
            "Prometheus scrapes them"
        )
    return ""


def _finite(evidence: Evidence) -> str:
    speaks = worst(evidence.objective, evidence.readings[-1].changed)
    if speaks is None or speaks.finite:
        return ""
    if math.isnan(speaks.value):
        return f"the value{named(speaks.labels)} is no number (NaN), as of 0/0; see whether there was any traffic"
    return f"the value{named(speaks.labels)} is infinite, as of 1/0; correct the query"


def _enough(evidence: Evidence) -> str:
    wanted = evidence.objective.min_samples
    if evidence.samples >= wanted:
        return ""
    return (
        f"too few samples: {evidence.samples} usable data points since the change, {wanted} are wanted; give a longer "
        "window, of at least four scrape intervals"
    )


def _kept(evidence: Evidence) -> str:
    objective, last = evidence.objective, evidence.readings[-1]
    speaks = worst(objective, last.changed)
    if objective.threshold is None or speaks is None or good(objective.comparison, speaks.value, objective.threshold):
        return ""
    shown = f"{speaks.value:.4g}{named(speaks.labels)}, not {objective.comparison} {objective.threshold:.4g}"
    return f"{shown}, in {evidence.early} evaluations in a row" if evidence.early else shown


def compare(evidence: Evidence, baseline: Baseline) -> Comparison:
    """Changed hosts beside unchanged ones, at the end of the window.

    Without a test each changed series is held against the middle one of the unchanged, and the worst speaks: one bad
    host is found. With a test the groups are compared, the middle one of each: that every host differs a little from
    every other is no reason for an abort, and one that differs much is the threshold's affair.
    """
    objective, last = evidence.objective, evidence.readings[-1]
    others = [value.value for value in last.baseline if value.finite]
    speaks = worst(objective, last.changed)
    if not others or speaks is None:
        hosts = ", ".join(evidence.scope.baseline_hosts)
        return Comparison(problem=f"no data from the unchanged hosts {hosts} to compare with; see whether they serve")
    reference = median(others)
    value = median(one.value for one in last.changed) if objective.tested else speaks.value
    if value < 0 or reference < 0:
        text = (
            f"{value:.4g} beside {reference:.4g}: values below 0 have no ratio; give a threshold instead of a baseline"
        )
        return Comparison(reference, problem=text)
    ratio = value / reference if reference else None
    whom = "" if objective.tested else named(speaks.labels)
    said = f"{value:.4g}{whom} beside {reference:.4g} of the unchanged hosts"
    excess = _excess(objective, value, reference)
    if objective.tested:
        return _tested(evidence, baseline, Comparison(reference, ratio, said=said), excess)
    if excess <= baseline.ratio:
        return Comparison(reference, ratio, said=said)
    if ratio is None and objective.threshold is not None:
        # One error beside none is no reason for an abort, and it is within the threshold.
        return Comparison(reference, said=f"{said}, of which there is no multiple: the threshold alone was judged")
    return Comparison(reference, ratio, problem=f"{said}, {_beyond(excess, baseline)}")


def _tested(evidence: Evidence, baseline: Baseline, comparison: Comparison, excess: float) -> Comparison:
    reference, ratio, said = comparison.value, comparison.ratio, comparison.said
    slices = evidence.slices
    sizes = (len(slices.changed), len(slices.baseline)) if slices else (0, 0)
    if slices is None or min(sizes) == 0 or least_p(*sizes) > baseline.significance:
        length = f" of {slices.length:g} s" if slices else ""
        text = (
            f"too few samples for a test: {sizes[0]} and {sizes[1]} slices{length} have values; give a longer window: "
            "each slice must hold at least two scrapes"
        )
        return Comparison(reference, ratio, problem=text)
    worse, better = slices.changed, slices.baseline
    if not evidence.objective.less_is_better:
        worse, better = better, worse
    p_value = mann_whitney(worse, better)
    said = f"{said}, by chance with p={p_value:.2g}"
    if p_value <= baseline.significance and excess > baseline.ratio:
        return Comparison(reference, ratio, p_value, f"{said}, {_beyond(excess, baseline)}")
    return Comparison(reference, ratio, p_value, said=said)


def _excess(objective: Objective, value: float, reference: float) -> float:
    """How many times worse; infinite beside a 0, 1 where both are."""
    worse, better = (value, reference) if objective.less_is_better else (reference, value)
    if better:
        return worse / better
    return math.inf if worse else 1.0


def _beyond(excess: float, baseline: Baseline) -> str:
    if math.isinf(excess):
        return "of which there is no multiple; give a threshold as well"
    return f"{excess:.3g} times as bad, {baseline.ratio:g} times is allowed"


def not_judged(evidence: Evidence, why: str) -> Verdict:
    return Verdict(evidence, "skipped", f"not judged: {why}")


def result(verdict: Verdict) -> dict[str, Any]:
    """What the module returns of one objective; values that JSON cannot say are null."""
    evidence, comparison = verdict.evidence, verdict.comparison
    objective = evidence.objective
    line = _line(objective, evidence.readings, "changed")
    return {
        "name": objective.name,
        "query": evidence.query,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "value": line[-1][1] if line and line[-1][0] == round(evidence.readings[-1].at, 3) else None,
        "comparison": objective.comparison,
        "threshold": objective.threshold,
        "samples": evidence.samples,
        "series": line,
        "baseline": {
            "value": comparison.value,
            "series": _line(objective, evidence.readings, "baseline"),
            "ratio": comparison.ratio,
            "p_value": comparison.p_value,
        },
    }


def _line(objective: Objective, readings: Sequence[Reading], group: str) -> list[list[float]]:
    """The worst of the changed series over time; of the unchanged ones the middle one, which they stand for."""
    points = []
    for reading in readings:
        values = [one for one in getattr(reading, group) if one.finite]
        speaks = worst(objective, values)
        if speaks and (group == "baseline" or reading.usable):
            value = median(one.value for one in values) if group == "baseline" else speaks.value
            points.append([round(reading.at, 3), value])
    return points


def line(verdict: Verdict, look: str) -> str:
    """One line for the operator: what is wrong, over which time, where, and what to look at."""
    evidence = verdict.evidence
    where = f"over {duration(evidence.objective.window)} on {', '.join(evidence.scope.hosts)}"
    return f"{evidence.objective.name}: {verdict.reason} ({where}); look at {look}"


def as_series(found: Sequence[Series]) -> tuple[Value, ...]:
    """An instant answer as values."""
    return tuple(Value(one.labels, one.points[-1][1]) for one in found if one.points)
