"""What was measured, and how that is put into words. Nothing here runs anything."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tools.table import markdown

SHARE = 0.5  # of a plain bulk load, at least
P95 = 10.0  # seconds from a line in a file to a line that is found, at most


@dataclass(frozen=True)
class Load:
    """One run: ``lines`` of a file until Elasticsearch has all of them, and then the same documents in plain bulk
    requests. Seconds of processor are of the whole run; ``server``: of Elasticsearch, ``alone``: of it in the plain
    load."""

    lines: int
    shipped: float
    plain: float
    shipper: float
    gateway: float
    server: float
    alone: float

    @property
    def share(self) -> float:
        """How fast shipping is, of a plain load."""
        return self.plain / self.shipped


@dataclass(frozen=True)
class Figures:
    """``waits``: seconds from written to found, one for each line of a steady trickle; ``beside``: lines a second that
    were shipped meanwhile."""

    loads: tuple[Load, ...]
    waits: tuple[float, ...]
    beside: int

    @property
    def share(self) -> float:
        return statistics.median(load.share for load in self.loads)

    @property
    def p95(self) -> float:
        return quantile(self.waits, 0.95)

    def wrong(self) -> list[str]:
        """Which limits are missed."""
        found = []
        if self.share < SHARE:
            found.append(f"shipping is {self.share:.0%} of a plain bulk load; {SHARE:.0%} is the least")
        if self.p95 > P95:
            found.append(f"19 of 20 lines are found within {self.p95:.1f} s; {P95:g} s is the most")
        return found


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def row(load: Load) -> list[str]:
    processor = (load.shipper, load.gateway, load.server, load.alone)
    return [
        f"{load.lines}", f"{load.shipped:.1f} s", f"{load.lines / load.shipped:.0f}", f"{load.lines / load.plain:.0f}",
        f"{load.share:.0%}", *(f"{seconds / load.lines * 1000**2:.0f} ms" for seconds in processor),
    ]  # fmt: skip


def document(figures: Figures, where: str) -> str:
    columns = [
        "lines",
        "took",
        "lines/s",
        "plain bulk, lines/s",
        "share",
        "rsyslog",
        "gateway",
        "Elasticsearch",
        "plain: Elasticsearch",
    ]
    table = markdown(columns, [row(load) for load in figures.loads])
    p50, longest = quantile(figures.waits, 0.5), max(figures.waits)
    missed = "; ".join(figures.wrong())
    missed = f"**Missed: {missed}.**" if missed else "Both limits are kept."
    return f"""# Logs under load

The last result of `python -m tools.bench logging`: {where}.
Everything shares one machine: an application's file of JSON, rsyslog with all redactions, the gateway, and
Elasticsearch of one node with TLS and a heap of 320 MB. Measure where nothing else runs: with a load beyond the number
of processors, a row of three programs waits for them more often than a single one.

{table}

A run begins with a file that is full and a shipper that is not started, and ends when Elasticsearch has every line.
Then the very same documents, with their ids, go to another index in plain bulk requests of 2000, one after the other.
Shipping must be at least {SHARE:.0%} of that; it reads, redacts, parses and writes each line on the same processors.
The last four columns are time of a processor for a thousand lines, which other work on the machine changes least.

{missed}

From a line in a file to a line that is found, without anybody who asks for a refresh, beside {figures.beside} lines a
second ({len(figures.waits)} lines): p50 {p50:.1f} s, p95 {figures.p95:.1f} s, longest {longest:.1f} s; p95 must be
below {P95:g} s. Indexes are refreshed every five seconds, which is most of it.

Before lines went through a spool, the checkpoint of rsyslog's queue for each line held a host at 1500 lines a second
([ADR 015](adr/015-lines-go-through-a-gateway.md)).
"""
