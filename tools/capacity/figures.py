"""What was measured, what follows of it, and how that is put into words. Nothing here runs anything."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tools.table import markdown

# What a small instance is, and how much of it may be used: the rest is for queries, compaction and bad days.
PROCESSORS, MEMORY, SHARE = 2, 4 << 30, 0.6


@dataclass(frozen=True)
class Reading:
    """One look at Prometheus' own metrics while it scrapes ``hosts`` hosts.

    ``samples``: a second; ``processors``: busy ones; ``memory``: resident bytes; ``rules``: seconds for all rule groups
    together, once; ``missed``: evaluations that were left out since the start.
    """

    hosts: int
    up: int
    series: float
    samples: float
    memory: float
    processors: float
    rules: float
    missed: float


@dataclass(frozen=True)
class Capacity:
    """The medians of some readings."""

    readings: tuple[Reading, ...]

    def median(self, figure: str) -> float:
        return statistics.median(float(getattr(reading, figure)) for reading in self.readings)

    @property
    def hosts(self) -> int:
        return self.readings[0].hosts

    @property
    def memory_per_series(self) -> float:
        return self.median("memory") / self.median("series")

    @property
    def carried(self) -> int:
        """Hosts that a small instance carries, by whatever is used up first; to two figures, as no more is known."""
        by_memory = SHARE * MEMORY / (self.median("memory") / self.hosts)
        by_processors = SHARE * PROCESSORS / (self.median("processors") / self.hosts)
        least = min(by_memory, by_processors)
        return int(float(f"{least:.2g}"))

    @property
    def narrow(self) -> str:
        by_memory = MEMORY / self.median("memory")
        return "memory" if by_memory < PROCESSORS / self.median("processors") else "processors"

    def spoken(self) -> str:
        return (
            f"{self.median('samples'):,.0f} samples/s, {self.memory_per_series:,.0f} bytes a series, "
            f"{self.median('processors'):.2f} processors, all rules once in {self.median('rules') * 1000:,.0f} ms; "
            f"a small instance carries {self.carried} hosts"
        )

    def wrong(self) -> list[str]:
        """Why these figures stand for nothing."""
        found = []
        lowest = min(reading.up for reading in self.readings)
        if lowest < self.hosts:
            found.append(f"only {lowest} of {self.hosts} hosts were scraped: the generator or Prometheus was too slow")
        if self.readings[-1].missed > self.readings[0].missed:
            found.append("rule evaluations were left out: Prometheus was too slow")
        return found


HEADER = ("hosts", "series", "samples/s", "memory", "bytes a series", "processors busy", "all rules once")


def document(measured: Sequence[Capacity], interval: str, where: str) -> str:
    """docs/capacity.md."""
    rows = [
        (
            f"{item.hosts}",
            f"{item.median('series'):,.0f}",
            f"{item.median('samples'):,.0f}",
            f"{item.median('memory') / (1 << 20):,.0f} MiB",
            f"{item.memory_per_series:,.0f}",
            f"{item.median('processors'):.2f}",
            f"{item.median('rules') * 1000:,.0f} ms",
        )
        for item in measured
    ]
    largest = measured[-1]
    table = markdown(HEADER, rows, frozenset(range(len(HEADER))))
    return PAGE.format(
        interval=interval,
        readings=len(largest.readings),
        where=where,
        table=table,
        processors=PROCESSORS,
        memory=MEMORY >> 30,
        share=f"{SHARE:.0%}",
        carried=largest.carried,
        narrow=largest.narrow,
    )


PAGE = """\
# Capacity

How much one Prometheus carries, measured by `make bench BENCH=capacity`, which also wrote this file. A generator serves
what a real node_exporter said, with other values at each scrape, under the names of so many hosts. Prometheus is the
one that the lab's hosts run, with all rules of the role, every {interval}.

Medians of {readings} readings a minute apart; {where}.

{table}

A small instance ({processors} processors, {memory} GiB), of which {share} may be used, carries **{carried} hosts**;
{narrow} would be used up first. Applications add their own series: count them with `count({{job="..."}})`, and compare.
"""
