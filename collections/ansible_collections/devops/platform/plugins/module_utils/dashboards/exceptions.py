# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Queries that may answer nothing, and why. An exception that excuses nothing any more is a failure itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .read import Query

KEYS = ("dashboard", "panels", "query", "unless", "reason")


class ExceptionsError(Exception):
    """Mistakes in the list of exceptions, all of them."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Allowance:
    """`panels` and `query` left out stand for all. `unless`: PromQL; where that has an answer, nothing is excused."""

    dashboard: str
    reason: str
    panels: tuple[str, ...] = ()
    query: str = ""
    unless: str = ""
    place: str = ""  # of which the messages speak

    def covers(self, query: Query) -> bool:
        return (
            query.dashboard == self.dashboard
            and (not self.panels or query.panel in self.panels)
            and self.query in ("", query.ref)
        )


def parse(name: str, data: Any) -> tuple[Allowance, ...]:
    """The content of an exceptions file; ExceptionsError names the file and all mistakes."""
    listed = data.get("exceptions") if isinstance(data, Mapping) else None
    if not isinstance(listed, list):
        raise ExceptionsError([f"{name}: has no list 'exceptions'; write `exceptions: []` where there is none"])
    problems: list[str] = []
    found = []
    for number, item in enumerate(listed):
        place = f"{name}: exceptions[{number}]"
        if not isinstance(item, Mapping):
            problems.append(f"{place}: must be a mapping with dashboard and reason")
            continue
        unknown = [str(key) for key in item if key not in KEYS]
        problems += [f"{place}: '{key}' is no key of an exception{did_you_mean(key, KEYS)}" for key in unknown]
        missing = [key for key in ("dashboard", "reason") if not str(item.get(key) or "").strip()]
        problems += [f"{place}: lacks '{key}'" for key in missing]
        panels = item.get("panels") or []
        if not isinstance(panels, list):
            problems.append(f"{place}: panels must be a list of titles")
            continue
        if item.get("query") and len(panels) != 1:
            problems.append(f"{place}: names a query, and so needs its panel")
        texts = {key: " ".join(str(item.get(key) or "").split()) for key in KEYS if key != "panels"}
        found.append(Allowance(**texts, panels=tuple(map(str, panels)), place=place))
    if problems:
        raise ExceptionsError(problems)
    return tuple(found)


def in_force(allowances: Sequence[Allowance], answered: Callable[[str], bool]) -> list[Allowance]:
    """Those whose `unless` has no answer now."""
    return [item for item in allowances if not (item.unless and answered(item.unless))]


def unneeded(
    allowances: Sequence[Allowance], active: Sequence[Allowance], queries: Sequence[Query], empty: Sequence[Query]
) -> list[str]:
    """Exceptions that name nothing, and those in force that excuse nothing."""
    lines = []
    for item in allowances:
        there = {query.panel for query in queries if item.covers(query)}
        missing = [f"panel '{panel}'" for panel in item.panels if panel not in there]
        if missing or not there:
            what = f"{', '.join(missing) or 'query'} in dashboard '{item.dashboard}'"
            lines.append(f"{item.place}: there is no {what}; correct the exception, or remove it")
        elif item in active and not any(item.covers(query) for query in empty):
            lines.append(f"{item.place}: no longer needed, everything in it has an answer; remove it ({item.reason})")
    return lines
