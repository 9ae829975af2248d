"""200 made-up rollouts through the code that the module runs: how often it is wrong, either way.

Each is judged twice, with the same chance: where the change did nothing, and where it made the hosts twice as bad.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.gate import watch
from ansible_collections.devops.platform.plugins.module_utils.gate.spec import Scope, parse
from ansible_collections.devops.platform.tests.unit.gate.synthetic import NAMES, World

EACH = 40  # rollouts a kind; five kinds
TEST = {"test": "mann_whitney"}


def rollout(kind, seed):
    """The objective and the hosts of one rollout, different each time."""
    chance = random.Random(f"{kind} {seed}")
    changed, unchanged = chance.randint(1, 4), chance.randint(2, 5)
    hosts = NAMES[:changed], NAMES[changed : changed + unchanged]
    requests, ratio = chance.uniform(15, 60), chance.uniform(0.02, 0.05)
    # An operator chooses the window so that there is something to see: some hundred errors in the smaller group.
    wanted = 100 / ratio
    window = max(480.0, wanted / (requests * 0.6 * min(changed, unchanged)) * 15)
    by_host = "by_host " if chance.random() < 0.5 else ""
    traffic = {"query": "requests{@hosts}[@window]", "at_least": round(wanted * 0.5)}
    errors = f"{by_host}error_ratio{{@hosts}}[@window]"
    kinds: dict[str, dict[str, Any]] = {
        "latency tested": {"query": f"{by_host}latency{{@hosts}}[@window]", "comparison": "<", "baseline": TEST},
        "latency by ratio": {
            "query": "by_host latency{@hosts}[@window]",
            "comparison": "<",
            "baseline": {"ratio": 1.5},
        },
        "errors tested": {"query": errors, "comparison": "<", "baseline": TEST, "traffic": traffic},
        "errors by threshold": {
            "query": "error_ratio{@hosts}[@window]",
            "comparison": "<",
            "threshold": ratio * 1.5,
            "traffic": traffic,
        },
        # By host: the sums of groups of different sizes differ by their sizes.
        "throughput tested": {"query": "by_host throughput{@hosts}[@window]", "comparison": ">", "baseline": TEST},
    }
    objective = {"name": kind, "window": f"{round(window)}s", **kinds[kind]}
    return objective, hosts, {"requests": requests, "error_ratio": ratio, "seconds": window + 30}


def judge(kind, seed, worse):
    objective, (changed, unchanged), settings = rollout(kind, seed)
    world = World(seed, changed, unchanged, worse=worse, **settings)
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    [verdict] = watch.watch(
        parse([objective]), Scope(changed, unchanged), 0.0, world, lambda: now[0], sleep, interval=15.0
    )
    return verdict


KINDS = ("latency tested", "latency by ratio", "errors tested", "errors by threshold", "throughput tested")


def test_false_aborts_and_missed_regressions():
    false: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    early = 0
    for number, kind in enumerate(KINDS):
        for seed in range(number * EACH, (number + 1) * EACH):
            alike, worse = judge(kind, seed, 1.0), judge(kind, seed, 2.0)
            false[kind] += alike.failed
            missed[kind] += not worse.failed
            early += bool(worse.evidence.early)
            assert not alike.evidence.error
            for word in ("too few", "no data", "not enough"):
                assert word not in alike.reason + worse.reason
    total = EACH * len(KINDS)
    for kind in KINDS:
        print(f"\n  {kind}: {false[kind]} of {EACH} false aborts, {missed[kind]} of {EACH} missed", end="")
    print(
        f"\n{total} rollouts: {false.total()} false aborts ({100 * false.total() / total:.1f} %), "
        f"{missed.total()} missed regressions; {early} of {EACH} thresholds found early"
    )
    assert false.total() <= 0.05 * total
    assert missed.total() == 0


def test_slices_keep_chance_apart():
    """By the test alone, with hardly any guard, false aborts stay near the significance: 1 of 100, here at most 5.

    Windows that overlap would say everything several times over, and chance would look certain.
    """
    false = 0
    for seed in range(1000, 1100):
        scope = Scope(NAMES[:3], NAMES[3:6])
        [objective] = parse(
            [
                {
                    "name": "errors",
                    "query": "error_ratio{@hosts}[@window]",
                    "comparison": "<",
                    "window": "600s",
                    "baseline": {"test": "mann_whitney", "ratio": 1.001},
                }
            ]
        )
        world = World(seed, scope.hosts, scope.baseline_hosts, 630.0)
        [verdict] = watch.watch([objective], scope, 0.0, world, lambda: 600.0, lambda _s: None, interval=15.0)
        false += verdict.failed
    print(f"\n100 comparisons by the test alone: {false} false aborts")
    assert false <= 5


@pytest.mark.parametrize("worse", [1.0, 2.0])
def test_a_handful_of_requests_is_never_judged(worse):
    for seed in range(20):
        scope = Scope(NAMES[:2], NAMES[2:4])
        objectives = parse(
            [
                {
                    "name": "errors",
                    "query": "error_ratio{@hosts}[@window]",
                    "comparison": "<",
                    "threshold": 0.01,
                    "window": "300s",
                    "traffic": {"query": "requests{@hosts}[@window]", "at_least": 500},
                }
            ]
        )
        world = World(seed, scope.hosts, scope.baseline_hosts, 330.0, worse=worse, requests=2.0)
        [verdict] = watch.watch(objectives, scope, 0.0, world, lambda: 300.0, lambda _s: None, interval=15.0)
        assert verdict.failed
        assert "not enough traffic to judge" in verdict.reason
