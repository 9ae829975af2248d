"""Service level objectives and the platform's own rule files, beside what the schemas say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.gate.spec import seconds
from ansible_collections.devops.platform.plugins.module_utils.monitoring import rulefiles, slo
from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data
from ansible_collections.devops.platform.plugins.module_utils.roles.files import FILE_NAME

from .context import Check, Context, Finding

SCRAPES = 4  # that a rate needs to be one


def listed(context: Context) -> Iterator[tuple[int, Data]]:
    for number, entry in enumerate(context.platform.get("slos") or ()):
        if isinstance(entry, Mapping):
            yield number, entry


def names(context: Context) -> Iterator[Finding]:
    """Two objectives of one name would overwrite each other's series."""
    first: dict[str, int] = {}
    for number, entry in listed(context):
        name = entry.get("name")
        if name in first:
            line = context.line(("slos", first[str(name)], "name"))
            yield Finding(("slos", number, "name"), f"'{name}' is the name of another objective already (line {line})")
        elif name is not None:
            first[str(name)] = number


def indicators(context: Context) -> Iterator[Finding]:
    for number, entry in listed(context):
        sli = entry.get("sli")
        if isinstance(sli, Mapping) and context.intact("slos", number, "sli"):
            for key, text in slo.problems(sli):
                yield Finding(("slos", number, "sli", *([key] if key else [])), text, at_key=not key)


def windows(context: Context) -> Iterator[Finding]:
    """Periods that the multiples make no sense for, or that Prometheus does not know."""
    server = context.section("monitoring", "prometheus")
    kept = _length(server.get("retention_time", "15d"))
    scrape = _length(server.get("scrape_interval", "15s"))
    for number, entry in listed(context):
        period, path = _length(entry.get("window")), ("slos", number, "window")
        if not period:
            continue
        if not slo.SHORTEST_PERIOD <= period <= slo.LONGEST_PERIOD:
            yield Finding(path, f"is {entry['window']}; an objective is for a period between 7d and 90d")
        elif server and kept and period > kept:
            text = f"is {entry['window']}, but Prometheus keeps {server.get('retention_time', '15d')} only: the budget"
            yield Finding(path, f"{text} could not be known; raise monitoring.prometheus.retention_time, or shorten it")
        elif scrape * SCRAPES > slo.scaled(slo.BURNS[0].short, period):
            short = slo.text(slo.scaled(slo.BURNS[0].short, period))
            text = f"is so short that its alerts look at {short}, less than {SCRAPES} scrapes of"
            yield Finding(path, f"{text} {server['scrape_interval']}; lengthen it, or scrape more often")


def _length(value: Any) -> float:
    """Seconds; 0 where there is nothing, or nothing right."""
    try:
        return seconds(value)
    except ValueError:
        return 0


def alerts(context: Context) -> Iterator[Finding]:
    """Objectives so low that some alerts would need more errors than there are requests."""
    for number, entry in listed(context):
        objective = entry.get("objective")
        if not isinstance(objective, (int, float)):
            continue
        never = " and ".join(f"{burn.factor} times" for burn in slo.impossible(objective))
        if never:
            text = f"is so low that a budget cannot go {never} too fast; there will be no alerts for that"
            yield Finding(("slos", number, "objective"), text, severity="warning")


def prometheus(context: Context) -> Iterator[Finding]:
    """Objectives and rules without anybody to evaluate them."""
    if context.section("monitoring", "prometheus") or not context.trusted("monitoring", "prometheus"):
        return
    for path in (("slos",), ("monitoring", "rules")):
        if context.section(*path[:-1]).get(path[-1]):
            text = "is for Prometheus, and there is none; add platform.monitoring.prometheus, or take it away"
            yield Finding(path, text, at_key=True)


def file_names(context: Context) -> Iterator[Finding]:
    """Rule files keep their names on the host: each must be free there."""
    taken = dict.fromkeys((*rulefiles.RULE_SETS, *rulefiles.GENERATED), "the platform")
    for number, file in context.items("monitoring", "rules"):
        name, path = rulefiles.installed_as(file), ("monitoring", "rules", number)
        if not FILE_NAME.fullmatch(name):
            yield Finding(path, f"'{name}' is no name for a file on a host; use letters, digits, '.', '_' and '-'")
        elif name in taken:
            yield Finding(path, f"{taken[name]} has a rule file {name}.yml already; give this one another name")
        taken.setdefault(name, file)


CHECKS: tuple[Check, ...] = (names, indicators, windows, alerts, prometheus, file_names)
