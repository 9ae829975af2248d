# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filling variables in as Grafana does, and which of their values are worth a question. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.devops.platform.plugins.module_utils.gate.spec import duration

from .read import Board, Variable

FEW = 3  # values of a variable that are tried one by one
POINTS = 1000  # of a graph as wide as a screen
REFERENCE = re.compile(r"\$(\w+)|\$\{(\w+)(?:\.\w+)?(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]")
SPECIAL = re.compile(r"[$^*{}\[\]'+?.()|]")

Look = Callable[[str, str], Sequence[str]]  # metric, label -> values


class FillError(Exception):
    """A reference to a variable that there is not, or in a form that is not known."""


@dataclass(frozen=True)
class Window:
    """The time that is asked for: `span` seconds until `end` in epoch seconds. `scrape` lies between two samples."""

    end: float
    span: float
    scrape: float
    least: float = 0.0  # seconds between points that the panel wants at least

    @property
    def step(self) -> float:
        return max(1.0, float(round(self.span / POINTS)), self.scrape, self.least)

    def builtins(self) -> dict[str, str]:
        """What Grafana defines itself. The window of a rate holds four scrapes, so that one that fails does no harm."""
        rate = max(self.step + self.scrape, 4 * self.scrape)
        return {
            "__interval": duration(self.step),
            "__interval_ms": f"{self.step * 1000:.0f}",
            "__rate_interval": duration(rate),
            "__range": duration(self.span),
            "__range_s": f"{self.span:.0f}",
            "__range_ms": f"{self.span * 1000:.0f}",
            "__from": f"{(self.end - self.span) * 1000:.0f}",
            "__to": f"{self.end * 1000:.0f}",
        }


@dataclass(frozen=True)
class Choice:
    """What a variable is set to. `raw` stands as it is; otherwise each value is escaped, as a pattern where `many`."""

    values: tuple[str, ...]
    many: bool = False
    raw: bool = False

    def text(self, form: str = "") -> str:
        """As Grafana's Prometheus source fills it in, or in the form that the reference names."""
        if self.raw or form == "raw":
            return "|".join(self.values)
        if form in ("csv", "pipe"):
            return {"csv": ",", "pipe": "|"}[form].join(self.values)
        if form not in ("", "regex"):
            raise FillError(f"the form ':{form}' is not known here; use one of regex, pipe, csv, raw")
        if not self.many and not form:
            return "".join(self.values).replace("\\", "\\\\").replace('"', '\\"')
        # The pattern stands in a PromQL string, which takes each backslash twice.
        patterns = [SPECIAL.sub(r"\\\\\g<0>", value.replace("\\", "\\\\\\\\")) for value in self.values]
        return patterns[0] if len(patterns) == 1 else f"({'|'.join(patterns)})"


@dataclass(frozen=True)
class Case:
    """One way to set all variables. `judged`: an empty answer counts; otherwise only that the query is understood."""

    choices: Mapping[str, Choice] = field(default_factory=dict)
    unset: tuple[Variable, ...] = ()  # variables that have no value at all
    judged: bool = True

    def __str__(self) -> str:
        return ", ".join(f"{name}={choice.text()}" for name, choice in self.choices.items())


def fill(text: str, choices: Mapping[str, Choice], builtins: Mapping[str, str]) -> str:
    """`text` with every reference filled in; FillError for one that nothing defines."""

    def one(match: re.Match[str]) -> str:
        name, form = match[1] or match[2] or match[4], match[3] or match[5] or ""
        if name in builtins:
            return builtins[name]
        if name not in choices:
            raise FillError(
                f"no variable '{name}' is defined; the dashboard has {', '.join(sorted(choices)) or 'none'}"
            )
        return choices[name].text(form)

    return REFERENCE.sub(one, text)


def cases(board: Board, look: Look, builtins: Mapping[str, str]) -> list[Case]:
    """What readers choose: all hosts first, then each of the first few applications, then one host alone."""
    first, known = _choose(board, look, builtins, {})
    found = [Case(first, tuple(variable for variable in board.variables if not known[variable.name]))]
    for variable in board.variables:
        if not variable.many:
            for value in known[variable.name][1:FEW]:
                choices, _values = _choose(board, look, builtins, {variable.name: (value,)})
                found.append(Case(choices))
    alone = {variable.name: known[variable.name][:1] for variable in board.variables if variable.many}
    if any(alone.values()):
        choices, _values = _choose(board, look, builtins, {name: values for name, values in alone.items() if values})
        found.append(Case(choices, judged=False))
    return found


def _choose(
    board: Board, look: Look, builtins: Mapping[str, str], wanted: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, Choice], dict[str, tuple[str, ...]]]:
    """In the dashboard's order, as the query of one variable may name those before it."""
    choices: dict[str, Choice] = {}
    known: dict[str, tuple[str, ...]] = {}
    for variable in board.variables:
        values = variable.values
        if variable.label:
            values = tuple(look(fill(variable.metric, choices, builtins), variable.label))
        known[variable.name] = values
        if variable.name in wanted:
            choices[variable.name] = Choice(wanted[variable.name], variable.many)
        elif variable.many and variable.every:
            choices[variable.name] = Choice((variable.every,), True, raw=True)
        elif variable.many:
            choices[variable.name] = Choice(values or ("",), True)
        else:
            choices[variable.name] = Choice(values[:1])
    return choices, known
