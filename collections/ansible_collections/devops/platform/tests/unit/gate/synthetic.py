"""Made-up hosts with what makes real ones hard to judge, measured as Prometheus measures.

A scrape every 15 s. Latency: lognormal noise that remembers (AR(1) in the logarithm), a daily trend that all hosts
share, and each host a little slower or faster than the others. Errors: binomial counts of few requests. Before the
change all are alike; after it the changed ones are `worse` times as bad.
"""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass, field

from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import Series

SCRAPE = 15.0
HISTORY = 40  # scrapes before the change
NAMES = tuple(f"app{number}" for number in range(1, 11))
QUERY = re.compile(r'(?P<by>by_host )?(?P<metric>\w+)\{host=~"(?P<hosts>[^"]*)"\}\[(?P<number>\d+)(?P<unit>m?s)\]')


@dataclass(frozen=True)
class Scrape:
    at: float
    requests: int
    errors: int
    latency: float


@dataclass
class World:
    """`at` is seconds since the change. Metrics: latency, error_ratio, throughput (requests a second), requests."""

    seed: int
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    seconds: float
    worse: float = 1.0
    requests: float = 30.0  # a scrape, on one host
    error_ratio: float = 0.03
    scrapes: dict[str, list[Scrape]] = field(default_factory=dict)

    def __post_init__(self):
        shared = random.Random(f"{self.seed} shared")
        phase, swing = shared.uniform(0, 2 * math.pi), shared.uniform(0.1, 0.4)
        for host in (*self.changed, *self.unchanged):
            self.scrapes[host] = list(self._host(host, random.Random(f"{self.seed} {host}"), phase, swing))

    def _host(self, host, chance, phase, swing):
        offset, noise = chance.gauss(0, 0.05), chance.gauss(0, 0.3)
        for number in range(-HISTORY, int(self.seconds / SCRAPE) + 1):
            at = number * SCRAPE - chance.uniform(0, 3)
            trend = 1 + swing * math.sin(2 * math.pi * at / 86400 + phase)
            noise = 0.6 * noise + chance.gauss(0, 0.3 * math.sqrt(1 - 0.6**2))
            worse = self.worse if host in self.changed and at > 0 else 1.0
            # An approximation of Poisson's distribution that needs one number.
            mean = self.requests * trend * math.exp(offset)
            requests = max(0, round(chance.gauss(mean, math.sqrt(mean))))
            errors = sum(chance.random() < self.error_ratio * worse * math.exp(offset) for _ in range(requests))
            yield Scrape(at, round(requests / worse), errors, 0.1 * trend * worse * math.exp(offset + noise))

    def instant(self, query, at, lookback):
        asked = QUERY.fullmatch(query)
        assert asked, query
        length = float(asked["number"]) / (1000 if asked["unit"] == "ms" else 1)
        names = asked["hosts"].split("|")
        groups = [[host] for host in names] if asked["by"] else [names]
        found = []
        for hosts in groups:
            seen = [scrape for host in hosts for scrape in self.scrapes[host] if at - length < scrape.at <= at]
            if seen:
                labels = {"host": hosts[0]} if asked["by"] else {}
                found.append(Series(labels, ((at, self._value(asked["metric"], seen, length)),)))
        return found

    def range(self, query, start, end, step):
        points: dict[str, list[tuple[float, float]]] = {}
        for number in range(int((end - start) / step + 1.5)):
            for one in self.instant(query, start + number * step, step):
                points.setdefault(one.labels.get("host", ""), []).append(one.points[0])
        return [Series({"host": host} if host else {}, tuple(found)) for host, found in points.items()]

    @staticmethod
    def _value(metric, seen, length):
        requests = sum(scrape.requests for scrape in seen)
        if metric == "requests":
            return float(requests)
        if metric == "throughput":
            return requests / length
        if metric == "error_ratio":
            return sum(scrape.errors for scrape in seen) / requests if requests else math.nan
        return sum(scrape.latency for scrape in seen) / len(seen)
