"""How a node leaves and comes back, how the cluster's state is explained, and what is refused, without a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import health, rolling
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import ElasticsearchError

AWAY = ElasticsearchError("nobody is there")
FORBIDDEN = ElasticsearchError("may not", 403)


class Fake:
    """A cluster: `status` of each look at it (the last one stays), and what it was told."""

    def __init__(self, *status: str, nodes: int = 3, versions: tuple[str, ...] = ("8.15.0",), **more: Any) -> None:
        self.looks = list(status) or ["green"]
        self.nodes = nodes
        self.versions = versions
        self.moving = more.get("moving", 0)
        self.trouble: list[ElasticsearchError | None] = more.get("trouble", [])
        self.settings: dict[str, str] = more.get("settings", {})
        self.clusters: dict[str, str] = more.get("clusters", {})
        self.url = ""
        self.told: list[tuple[str, str]] = []

    def at(self, url: str, _timeout: float = 0) -> Fake:
        other = Fake(clusters=self.clusters)
        other.url = url
        return other

    def get(self, path: str) -> Any:
        if path.startswith("/_cluster/state"):
            found = self.clusters.get(self.url, "" if self.url else "ours")
            if not found:
                raise AWAY
            return {"cluster_uuid": found}
        if path.startswith("/_cluster/settings"):
            return {"persistent": self.settings}
        if path.startswith("/_cat/shards"):
            return [{"index": "logs", "shard": "0", "prirep": "r", "state": "UNASSIGNED", "node": None}]
        if path.startswith("/_nodes"):
            versions = [self.versions[number % len(self.versions)] for number in range(self.nodes)]
            return {"nodes": {f"id{n}": {"name": f"log{n + 1}", "version": v} for n, v in enumerate(versions)}}
        trouble = self.trouble.pop(0) if self.trouble else None
        if trouble:
            raise trouble
        status = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return {
            "status": status,
            "number_of_nodes": self.nodes,
            "initializing_shards": self.moving,
            "relocating_shards": 0,
            "unassigned_shards": 0 if status == "green" else 1,
        }

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.told.append((method, path))
        if path == "/_cluster/allocation/explain":
            return {"unassigned_info": {"reason": "NODE_LEFT"}, "allocate_explanation": "no disk"}
        return {}


class Time:
    """Passes while somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def run(step: Callable[..., Any], fake: Fake, *arguments: Any) -> Any:
    time = Time()
    return step(fake, *arguments, now=time.now, sleep=time.sleep)


SETTINGS = ("PUT", "/_cluster/settings")
FLUSH = ("POST", "/_flush?wait_if_ongoing=true")


@pytest.mark.parametrize(
    ("fake", "told", "note"),
    [
        pytest.param(Fake("green"), [SETTINGS, FLUSH], "3 nodes, green", id="green"),
        pytest.param(Fake("yellow", "yellow", "green"), [SETTINGS, FLUSH], "3 nodes, green", id="waits for green"),
        pytest.param(Fake("yellow", versions=("8.15.0", "8.16.0")), [SETTINGS, FLUSH], "yellow", id="mixed versions"),
        pytest.param(Fake("red", nodes=1), [FLUSH], "only node", id="alone"),
        pytest.param(Fake("green", nodes=2), [SETTINGS, FLUSH], "2 nodes, green", id="two"),
        pytest.param(Fake(trouble=[AWAY]), [], "nothing to leave", id="not running"),
    ],
)
def test_leaving(fake, told, note):
    step = run(rolling.leave, fake, 60)
    assert fake.told == told
    assert note in step.notes[0]
    assert step.changed is (SETTINGS in told)


def test_of_two_nodes_one_is_no_majority():
    assert "one is no majority" in run(rolling.leave, Fake(nodes=2), 60).notes[1]


@pytest.mark.parametrize(
    ("fake", "message"),
    [
        pytest.param(Fake("yellow"), r"yellow after 30 s.*\n  logs\[0\] replica: NODE_LEFT, no disk", id="yellow"),
        pytest.param(Fake("yellow", versions=("8.15.0", "8.16.0"), moving=1), "1 on their way", id="mixed, under way"),
        pytest.param(Fake("green", moving=2), "2 on their way", id="under way"),
        pytest.param(Fake(trouble=[FORBIDDEN]), "may not", id="forbidden"),
        pytest.param(Fake("yellow", trouble=[None, *[AWAY] * 99]), "no master after 30 s", id="lost"),
    ],
)
def test_no_leaving(fake, message):
    with pytest.raises(ElasticsearchError, match=f"(?s){message}"):
        run(rolling.leave, fake, 30)
    assert SETTINGS not in fake.told


@pytest.mark.parametrize(
    ("fake", "told"),
    [
        pytest.param(Fake(settings={health.ENABLE: "primaries"}), [SETTINGS], id="after leaving"),
        pytest.param(Fake(), [], id="first start"),
        pytest.param(Fake(trouble=[AWAY] * 5), [], id="slow to start"),
        pytest.param(Fake("red", "yellow", "green"), [], id="waits for green"),
    ],
)
def test_joining(fake, told):
    step = run(rolling.join, fake, "log2", [], 60)
    assert fake.told == told
    assert (step.changed, step.notes) == (bool(told), ["3 nodes, green"])


@pytest.mark.parametrize(
    ("fake", "others", "message"),
    [
        pytest.param(Fake(nodes=1), [], "its cluster has the nodes log1, not log2", id="not there"),
        pytest.param(Fake(trouble=[AWAY] * 99), [], "in no cluster after 60 s: nobody is there", id="away"),
        pytest.param(Fake(clusters={"b": "other"}), ["a", "b"], "a cluster of its own, while b are in", id="two"),
        pytest.param(Fake("yellow"), [], "yellow after", id="never green"),
    ],
)
def test_no_joining(fake, others, message):
    with pytest.raises(ElasticsearchError, match=message):
        run(rolling.join, fake, "log2", others, 60)


@pytest.mark.parametrize(
    ("founder", "data", "clusters", "refused"),
    [
        (True, False, {"a": "", "b": ""}, False),
        (True, False, {"a": "", "b": "x"}, True),
        (True, True, {"a": "x"}, False),
        (False, False, {"a": "x"}, False),
    ],
)
def test_founding(founder, data, clusters, refused):
    assert bool(rolling.founding_refused(founder, data, clusters)) is refused


@pytest.mark.parametrize(
    ("wanted", "found", "text"),
    [(0, "1", ""), (262144, "262144", ""), (262144, "65530\n", "vm.max_map_count is 65530")],
)
def test_memory_maps(wanted, found, text, tmp_path):
    path = tmp_path / "max_map_count"
    path.write_text(found)
    assert rolling.maps_refused(wanted, str(path)).startswith(text)
    assert bool(rolling.maps_refused(wanted, str(path))) is bool(text)


def test_data(tmp_path):
    assert not rolling.has_data(str(tmp_path / "none"))
    assert not rolling.has_data(str(tmp_path))
    (tmp_path / "_state").mkdir()
    assert rolling.has_data(str(tmp_path))


def test_switched_off_allocation_is_the_first_reason():
    fake: Any = Fake("yellow", settings={health.ENABLE: "primaries"})
    lines = health.explain(fake)
    assert lines[0].startswith("cluster.routing.allocation.enable is 'primaries' (persistent)")


def test_lost_primaries_come_first():
    shards = [
        {"index": "b", "shard": "0", "prirep": "r", "state": "UNASSIGNED"},
        {"index": "c", "shard": "1", "prirep": "p", "state": "UNASSIGNED"},
        {"index": "a", "shard": "0", "prirep": "p", "state": "STARTED"},
    ]
    assert health.unassigned(shards) == [("c", 1, True), ("b", 0, False)]


def test_reasons_are_told_once_with_their_nodes():
    decider = {"decision": "NO", "decider": "disk_threshold", "explanation": "the disk is full"}
    obvious = {"decision": "NO", "decider": "same_shard", "explanation": "a copy is there"}
    decisions = [
        {"node_name": "log2", "deciders": [decider, obvious]},
        {"node_name": "log1", "deciders": [decider, {"decision": "YES", "decider": "x", "explanation": "y"}]},
    ]
    found = health.reason({"unassigned_info": {"reason": "NODE_LEFT"}, "node_allocation_decisions": decisions})
    assert found == "NODE_LEFT, not known; log1, log2: the disk is full"
