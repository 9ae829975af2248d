"""What the bench measures, what it allows, and how that is put into words. Nothing here runs anything."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.table import markdown, plain

FORMAT = 1


@dataclass(frozen=True)
class Limit:
    """What a measure may take; None where that is not limited. ``floors``: so many times a playbook of one ping."""

    floors: float | None = None
    seconds: float | None = None
    tasks: int | None = None
    changed: int | None = None


@dataclass(frozen=True)
class Measure:
    """Something that is timed. ``part``: what is set up for it, one of PARTS."""

    name: str
    part: str
    limit: Limit


PARTS = ("hosts", "drift", "up", "site", "cold", "capacity", "logging")
MEASURES = (
    Measure("node_exporter, nothing to change", "hosts", Limit(floors=1.5, changed=0)),
    Measure("node_exporter, first installation", "hosts", Limit(floors=4)),
    Measure("base and docker, nothing to change", "hosts", Limit(floors=5, changed=0)),
    Measure("drift, nothing differs", "drift", Limit(floors=3, changed=0)),
    Measure("rollout of node_exporter, nothing to change", "drift", Limit(floors=2.5, changed=0)),
    Measure("make up, images and mirror cached", "up", Limit(seconds=5 * 60)),
    Measure("site.yml, nothing to change", "site", Limit(seconds=30, tasks=60, changed=0)),
    Measure("make up, nothing cached", "cold", Limit(seconds=15 * 60)),
)


@dataclass(frozen=True)
class Sample:
    """One run of ansible-playbook from start to end, as the clock on the wall and the run's own report have it."""

    seconds: float
    tasks: int = 0
    round_trips: int = 0
    changed: int = 0


@dataclass(frozen=True)
class Result:
    """All runs of a measure on ``hosts`` hosts; ``floor``: the run of the floor just before each, or nothing."""

    name: str
    hosts: int
    samples: tuple[Sample, ...]
    floor: tuple[float, ...] = ()

    @property
    def seconds(self) -> float:
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def floor_seconds(self) -> float | None:
        return statistics.median(self.floor) if self.floor else None

    @property
    def floors(self) -> float | None:
        """How many times the floor it took: each run beside its own, as both have the same machine at that moment."""
        if not self.floor:
            return None
        pairs = zip(self.samples, self.floor, strict=True)
        return statistics.median(sample.seconds / floor for sample, floor in pairs)

    def worst(self, figure: str) -> int:
        """The largest of a figure that ought to be the same in every run."""
        return max(int(getattr(sample, figure)) for sample in self.samples)

    def to_data(self) -> dict[str, Any]:
        return {
            "hosts": self.hosts,
            "samples": [vars(sample) for sample in self.samples],
            "floor": list(self.floor),
        }

    @classmethod
    def from_data(cls, name: str, data: Mapping[str, Any]) -> Result:
        samples = tuple(Sample(**sample) for sample in data["samples"])
        return cls(name, int(data["hosts"]), samples, tuple(data["floor"]))


def misses(limit: Limit, result: Result) -> list[str]:
    """Every limit that was not kept, empty where all were. Medians for times, the worst run for counts."""
    found = []
    if limit.floors is not None and (result.floors is None or result.floors > limit.floors):
        taken = f"{result.floors:.2f}" if result.floors is not None else "unknown"
        found.append(f"{taken} x the floor, at most {limit.floors:g} allowed")
    if limit.seconds is not None and result.seconds > limit.seconds:
        found.append(f"{result.seconds:.1f} s, at most {limit.seconds:g} allowed")
    for figure in ("tasks", "changed"):
        allowed = getattr(limit, figure)
        if allowed is not None and result.worst(figure) > allowed:
            found.append(f"{figure} {result.worst(figure)}, at most {allowed} allowed")
    return found


def allowed(limit: Limit) -> str:
    parts = [
        f"{limit.floors:g} x floor" if limit.floors is not None else "",
        f"{limit.seconds:g} s" if limit.seconds is not None else "",
        f"{limit.tasks} tasks" if limit.tasks is not None else "",
        "changed=0" if limit.changed == 0 else "",
    ]
    return ", ".join(part for part in parts if part)


HEADER = (
    "measure",
    "hosts",
    "runs",
    "tasks",
    "round trips",
    "changed",
    "seconds",
    "floor",
    "x floor",
    "limit",
    "verdict",
)
NUMBERS = frozenset(range(1, 9))


def row(measure: Measure, result: Result) -> tuple[str, ...]:
    return (
        measure.name,
        str(result.hosts),
        str(len(result.samples)),
        str(result.worst("tasks")),
        str(result.worst("round_trips")),
        str(result.worst("changed")),
        f"{result.seconds:.1f}",
        f"{result.floor_seconds:.1f}" if result.floor_seconds is not None else "",
        f"{result.floors:.2f}" if result.floors is not None else "",
        allowed(measure.limit),
        "; ".join(misses(measure.limit, result)) or "kept",
    )


def rows(results: Mapping[str, Result]) -> list[tuple[str, ...]]:
    """One a measure that there is a result of, in the order of MEASURES."""
    return [row(measure, results[measure.name]) for measure in MEASURES if measure.name in results]


def text(results: Mapping[str, Result]) -> str:
    return plain(HEADER, rows(results), right=NUMBERS)


def missed(results: Mapping[str, Result]) -> list[str]:
    """A line for every limit that was not kept."""
    return [
        f"{measure.name}: {miss}"
        for measure in MEASURES
        if measure.name in results
        for miss in misses(measure.limit, results[measure.name])
    ]


def document(results: Mapping[str, Result], facts: Iterable[tuple[str, str]], when: str) -> str:
    """docs/benchmarks.md, the whole file."""
    absent = [measure.name for measure in MEASURES if measure.name not in results]
    gaps = f"\nNot measured yet: {'; '.join(absent)}.\n" if absent else ""
    return f"""# Benchmarks

What a run costs, measured by `make bench`, which also wrote this file. Times are medians of the runs, from the start of
the program to its end; counts are those of the worst run. The floor is a playbook of one ping task on the same hosts,
run just before each run: what Ansible takes to reach every host once. How many times the floor a run took is the median
of these pairs.

{markdown(HEADER, rows(results), right=NUMBERS)}
{gaps}
Tasks are those of the play recap, skipped ones included. A round trip is one host asked once to do something; a task on
ten hosts is ten.

## Where

Last measured {when}.

{markdown(("what", "here"), list(facts))}

## How to repeat it

    make bench                     # all but cold, capacity and logging; starts ten hosts, takes the lab down and up
    make bench BENCH="hosts"       # one part: hosts, drift, up or site
    make bench BENCH="--runs 5"    # more runs
    make bench BENCH="--cold"      # also `make up` with nothing cached: removes the lab's images and mirror first
    make bench BENCH="capacity"    # how much one Prometheus carries: docs/capacity.md
    make bench BENCH="logging"     # lines a second, beside a plain bulk load: docs/logging-load.md

Parts that are not measured keep their last result. The exit code is 1 where a limit is not kept. The figures behind
this file are in `docs/benchmarks.json`.

- **hosts**: ten hosts of Debian 13 and nothing else running; `playbooks/hosts.yml` and `playbooks/monitoring.yml` as
  they are, with the lab's `platform.yml`; the hosts are sorted into groups beforehand, as `site.yml` does once a run. A
  first installation starts from hosts that node_exporter was removed from.
- **drift**: twelve hosts that carry base and node_exporter; `playbooks/drift.yml`, preflight and all.
- **up**: `make down`, then `make up`: starting the hosts, rolling everything out on them, and verifying it.
- **site**: `ansible-playbook site.yml` on the lab as `make up` left it.
"""


def merged(old: Mapping[str, Any], results: Mapping[str, Result]) -> dict[str, Result]:
    """Earlier results from docs/benchmarks.json with new ones over them."""
    kept = old.get("results", {}) if old.get("format") == FORMAT else {}
    known = {measure.name for measure in MEASURES}
    return {**{name: Result.from_data(name, data) for name, data in kept.items() if name in known}, **results}


def to_data(results: Mapping[str, Result]) -> dict[str, Any]:
    return {"format": FORMAT, "results": {name: result.to_data() for name, result in results.items()}}
