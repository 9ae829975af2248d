"""Service level objectives as rules of Prometheus: what is promised, what is left of it, alerts on how fast it goes.

An alert compares the share of errors in a long and a short window with a multiple of the error budget. The long one
says that it matters, the short one that it still goes on. The multiples and windows are those of the SRE workbook,
chapter 5, for 30 days; other periods scale the windows, so that an alert stands for the same share of the budget.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.gate.spec import TOKEN, seconds, words

MINUTE, HOUR, DAY = 60, 3600, 86400
PERIOD = 30 * DAY  # what the windows below are for
SHORTEST_PERIOD, LONGEST_PERIOD = 7 * DAY, 90 * DAY
LOWEST, HIGHEST = 50.0, 99.999
SLOW = "2m"  # well below the 5 minutes for which Prometheus knows a sample
RUNBOOK = "slo-burn"
WINDOW = "@window"
UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"))
MATCHER = r'[A-Za-z_][A-Za-z0-9_]*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\\n]|\\.)*"'
MATCHERS = re.compile(rf"\s*{MATCHER}(?:\s*,\s*{MATCHER})*\s*")


@dataclass(frozen=True)
class Burn:
    """The budget goes `factor` times too fast, over `long` and over `short` seconds of a period of 30 days."""

    factor: Decimal
    long: int
    short: int
    severity: str


# 2 % of the budget in an hour, 5 % in six hours, 10 % in a day, 10 % in three days.
BURNS = (
    Burn(Decimal("14.4"), HOUR, 5 * MINUTE, "high"),
    Burn(Decimal(6), 6 * HOUR, 30 * MINUTE, "high"),
    Burn(Decimal(3), DAY, 2 * HOUR, "medium"),
    Burn(Decimal(1), 3 * DAY, 6 * HOUR, "medium"),
)


def scaled(length: int, period: float) -> int:
    """A window of 30 days for another period, in seconds: whole minutes, one at least."""
    return max(1, round(length * period / PERIOD / MINUTE)) * MINUTE


def text(length: float) -> str:
    """Whole minutes in Prometheus' words: `5m`, `6h`, `3d`, `84m`."""
    whole = int(length)
    return next(f"{whole // size}{unit}" for size, unit in UNITS if whole % size == 0)


def budget(objective: float | str) -> Decimal:
    """The share that may fail: 0.001 for 99.9, exactly."""
    return (100 - Decimal(str(objective))) / 100


def impossible(objective: float | str) -> list[Burn]:
    """Those that need more errors than there are requests, and so can never be."""
    return [burn for burn in BURNS if burn.factor * budget(objective) >= 1]


def bucket(threshold: float | str) -> str:
    """A matcher of the bucket `le`: 0.25 has one spelling; a whole number is written 1 or 1.0."""
    number = Decimal(str(threshold)).normalize()
    if number != number.to_integral_value():
        return f'le="{number:f}"'
    return f'le=~"{number:f}([.]0)?"'


def problems(sli: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with an indicator, as (key, text); the key is empty where it is the whole."""
    ways = [way for way in ("errors", "histogram") if way in sli]
    if not ways and not any(key in sli for key in ("total", "threshold")):  # a lonely partner is the schema's affair
        yield "", "says nothing; give it errors and total, or histogram and threshold"
    elif len(ways) == 2:
        yield "", "gives errors and a histogram; only one of them can be meant"
    for key in ("errors", "total"):
        if key in sli:
            found = words(str(sli[key]))
            if WINDOW not in found:
                yield key, f"lacks {WINDOW}: it is asked over several windows, as in rate(requests_total[{WINDOW}])"
            for word in sorted(set(found) - {WINDOW}):
                yield key, f"{word} is not understood here; only {WINDOW} is"
    if "matchers" in sli and not MATCHERS.fullmatch(str(sli["matchers"])):
        yield "matchers", """are label matchers without braces, such as app="chat",service="api\""""


def slo_rules(slos: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A rule file `slos` for the objectives, `{}` where there are none. ValueError for what preflight would refuse."""
    groups = [group for slo in slos for group in _groups(slo)]
    return {"slos": {"groups": groups}} if groups else {}


def _groups(slo: Mapping[str, Any]) -> list[dict[str, Any]]:
    name, sli = str(slo["name"]), slo["sli"]
    wrong = [f"{key}: {problem}".removeprefix(": ") for key, problem in problems(sli)]
    if wrong:
        raise ValueError(f"the indicator of SLO '{name}' {'; '.join(wrong)}")
    period = seconds(slo["window"])
    if not SHORTEST_PERIOD <= period <= LONGEST_PERIOD:
        raise ValueError(f"SLO '{name}' is over {slo['window']}; it must be between 7d and 90d")
    lengths = sorted({scaled(length, period) for burn in BURNS for length in (burn.long, burn.short)})
    share = budget(slo["objective"])
    short = [length for length in lengths if length <= scaled(HOUR, period)]
    rules = [*_indicators(name, sli, short), _record("slo:objective:ratio", f"vector({1 - share:f})", name)]
    rules += [_alert(slo, burn, period) for burn in BURNS if burn not in impossible(slo["objective"])]
    rules.append(_no_data(slo, scaled(HOUR, period)))
    slow = [_ratio(name, sli, length) for length in lengths if length not in short]
    return [
        {"name": f"slo-{name}", "rules": rules},
        # Hours and weeks of samples: figures that move so slowly need not be worked out at each scrape.
        {"name": f"slo-{name}-slow", "interval": SLOW, "rules": [*slow, _left(name, share, period, lengths[0])]},
    ]


def _record(metric: str, expression: str, name: str) -> dict[str, Any]:
    return {"record": metric, "expr": expression, "labels": {"slo": name}}


def _indicators(name: str, sli: Mapping[str, Any], lengths: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The share of errors by window; for the shortest also errors and requests themselves, which the budget adds up."""
    shortest, *longer = lengths
    errors, total = _parts(sli, text(shortest))
    if "errors" in sli:
        errors = f"{errors} or {total} * 0"
    record = f"slo:errors:rate{text(shortest)}"
    yield _record(record, errors, name)
    yield _record(f"slo:total:rate{text(shortest)}", total, name)
    yield _record(
        f"slo:error_ratio:rate{text(shortest)}", f'{record}{{slo="{name}"}} / slo:total:rate{text(shortest)}', name
    )
    for length in longer:
        yield _ratio(name, sli, length)


def _ratio(name: str, sli: Mapping[str, Any], length: int) -> dict[str, Any]:
    """Errors that were never counted have no series: that is 0. A histogram without the bucket, though, has no answer,
    rather than a good one."""
    errors, total = _parts(sli, text(length))
    ratio = f"{errors} / {total} or {total} * 0" if "errors" in sli else f"{errors} / {total}"
    return _record(f"slo:error_ratio:rate{text(length)}", ratio, name)


def _parts(sli: Mapping[str, Any], window: str) -> tuple[str, str]:
    """(errors, total) over a window, each in parentheses where it needs them."""
    if "histogram" in sli:
        metric, matchers = str(sli["histogram"]), str(sli.get("matchers") or "").strip()
        inside = f"{matchers}, {bucket(sli['threshold'])}" if matchers else bucket(sli["threshold"])
        total = f"sum(rate({metric}_count{{{matchers}}}[{window}]))"
        return f"({total} - sum(rate({metric}_bucket{{{inside}}}[{window}])))", total
    errors, total = (f"({_over(str(sli[key]), window)})" for key in ("errors", "total"))
    return errors, total


def _over(query: str, window: str) -> str:
    """The query with its placeholder replaced, on one line; text in quotes stays as it is."""
    return TOKEN.sub(lambda found: window if found["word"] == WINDOW else found[0], query).strip()


def _labels(slo: Mapping[str, Any], severity: str) -> dict[str, str]:
    name = str(slo["name"])
    return {
        "severity": severity,
        "team": str(slo["team"]),
        "family": f"slo-{name}",
        "runbook": str(slo.get("runbook") or RUNBOOK),
        "slo": name,
    }


def _alert(slo: Mapping[str, Any], burn: Burn, period: float) -> dict[str, Any]:
    name = str(slo["name"])
    long, short = text(scaled(burn.long, period)), text(scaled(burn.short, period))
    limit = f"{(burn.factor * budget(slo['objective'])).normalize():f}"
    pace = "faster than" if burn.factor == 1 else f"more than {burn.factor} times as fast as"
    hours = round(period / float(burn.factor) / HOUR)
    return {
        "alert": "SloBurn",
        "expr": (f'slo:error_ratio:rate{long}{{slo="{name}"}} > {limit} and slo:error_ratio:rate{short} > {limit}'),
        "labels": {**_labels(slo, burn.severity), "window": long},
        "annotations": {
            "summary": f"the error budget of {name} goes {pace} it may",
            "description": (
                f"{{{{ $value | humanizePercentage }}}} of the requests of the last {long} were bad, and it goes on. "
                f"{100 - float(budget(slo['objective']) * 100):g} % are promised over {slo['window']}: "
                f"at this pace the budget for all of that lasts less than {hours} hours."
            ),
        },
    }


def _no_data(slo: Mapping[str, Any], length: int) -> dict[str, Any]:
    name = str(slo["name"])
    return {
        "alert": "SloWithoutData",
        "expr": f'absent(slo:error_ratio:rate{text(length)}{{slo="{name}"}})',
        "for": "15m",
        "labels": _labels(slo, "medium"),
        "annotations": {
            "summary": f"nothing is known about the SLO {name}",
            "description": "Its expressions have had no result for 15 minutes: what they ask for is not measured.",
        },
    }


def _left(name: str, share: Decimal, period: float, shortest: int) -> dict[str, Any]:
    """What is left of the budget: 1 is all, 0 nothing, below 0 the objective is missed. By requests, not by time."""
    rate = f'rate{text(shortest)}{{slo="{name}"}}[{text(period)}]'
    failed = f"sum_over_time(slo:errors:{rate}) / sum_over_time(slo:total:{rate})"
    return _record("slo:error_budget_remaining:ratio", f"1 - {failed} / {share:f}", name)
