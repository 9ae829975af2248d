"""In which order components go, and which packages may. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def order(ledgers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The latest first; applications before everything else, as they need Docker to be stopped."""

    def place(name: str) -> tuple[bool, int, str]:
        generation = ledgers[name].get("generation") or {}
        runs = (generation.get("runtime") or {}).get("kind") == "compose"
        return runs, _since(ledgers[name]), name

    return sorted(ledgers, key=place, reverse=True)


def _since(ledger: Mapping[str, Any]) -> int:
    """When the component came, as far back as its ledger remembers."""
    kept = [ledger.get("generation") or {}, *(ledger.get("previous") or ())]
    return min((int(generation.get("at") or 0) for generation in kept if generation), default=0)


def going(output: str) -> set[str]:
    """Packages that `apt-get --simulate` would remove."""
    rows = [line.split() for line in output.splitlines()]
    return {row[1].partition(":")[0] for row in rows if len(row) > 1 and row[0] in ("Remv", "Purg")}


def removable(
    candidates: Iterable[str], simulate: Callable[[list[str]], set[str]]
) -> tuple[list[str], dict[str, list[str]]]:
    """(packages that may go, {package that has to stay: packages of others that need it}).

    `simulate` answers with everything that would go with the packages that it is given.
    """
    chosen: list[str] = list(candidates)
    kept: dict[str, list[str]] = {}
    if not chosen or simulate(chosen) <= set(chosen):
        return chosen, kept
    known = set(chosen)
    for name in chosen:
        foreign = simulate([name]) - known
        if foreign:
            kept[name] = sorted(foreign)
    return [name for name in chosen if name not in kept], kept
