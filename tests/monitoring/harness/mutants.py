"""Rules with one thing wrong. A table that lets one of them pass has a hole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.monitoring.harness.cases import Case
from tests.monitoring.harness.promql import mutations, seconds, span
from tests.monitoring.harness.rules import Rule


@dataclass(frozen=True)
class Mutant:
    rule: Rule
    kind: str
    change: str
    data: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.rule}: {self.change}"


def mutants(rule: Rule, step: float) -> Iterator[Mutant]:
    """`step` is how far its wait is shifted. A change that stands twice in an expression makes two mutants."""
    seen: Counter[str] = Counter()
    for found in mutations(rule.expression):
        seen[str(found)] += 1
        number = f" (no. {seen[str(found)]})" if seen[str(found)] > 1 else ""
        yield Mutant(rule, found.kind, f"{found}{number}", {**rule.data, "expr": found.expression})
    if rule.is_alert:
        wait = seconds(str(rule.data.get("for", "0s")))
        for shifted in (wait - step, wait + step):
            if shifted >= 0:
                change = f"for {rule.data.get('for', 'none')} -> {span(shifted)}"
                yield Mutant(rule, "for", change, {**rule.data, "for": span(shifted)})


def step_of(cases: Sequence[Case]) -> float:
    return min(case.step for case in cases)


@dataclass(frozen=True)
class Verdict:
    """`said` is dead, alive or equivalent."""

    kind: str
    said: str


def report(verdicts: Mapping[str, Verdict]) -> str:
    """Every mutant with what became of it, and how many of each kind there are."""
    lines = [f"{verdict.said:<11}{name}" for name, verdict in verdicts.items()]
    return "\n".join([*lines, "", *summary(verdicts.values())]) + "\n"


def summary(verdicts: Collection[Verdict]) -> list[str]:
    columns = ("dead", "alive", "equivalent")
    rows = [f"{'mutants of rules':<18}{'made':>6}" + "".join(f"{column:>12}" for column in columns)]
    for kind in (*sorted({verdict.kind for verdict in verdicts}), "all"):
        said = [verdict.said for verdict in verdicts if kind in (verdict.kind, "all")]
        rows.append(f"{kind:<18}{len(said):>6}" + "".join(f"{said.count(column):>12}" for column in columns))
    return rows
