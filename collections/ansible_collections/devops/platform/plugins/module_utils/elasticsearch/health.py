# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a cluster stands, and what keeps it from green: which shard of which index, and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .client import Elasticsearch, ElasticsearchError

SHOWN = 5  # shards that a message explains; of a lost node they are all alike
ENABLE = "cluster.routing.allocation.enable"
INTERVAL = 1.0
# Deciders that only say what another one has said already.
OBVIOUS = ("same_shard",)

Clock = Callable[[], float]
Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Health:
    """`_cluster/health`, with what else decides whether a node may leave: versions of all nodes by name."""

    status: str
    nodes: int
    moving: int  # shards that are being copied
    unassigned: int
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def mixed(self) -> bool:
        return len(set(self.versions.values())) > 1

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen by itself: green. While versions differ also yellow with nothing under way:
        a node gets no copy of a shard from a newer one, and waits for its own upgrade."""
        if self.moving:
            return False
        return self.status == "green" or (self.mixed and self.status == "yellow")


def health_of(client: Elasticsearch) -> Health:
    """ElasticsearchError where there is no master."""
    answer = client.get("/_cluster/health?master_timeout=5s&timeout=5s")
    nodes = client.get("/_nodes/_all/version?filter_path=nodes.*.name,nodes.*.version")
    return parse_health(answer, nodes)


def parse_health(answer: Mapping[str, Any], nodes: Mapping[str, Any]) -> Health:
    return Health(
        status=str(answer["status"]),
        nodes=int(answer["number_of_nodes"]),
        moving=int(answer["initializing_shards"]) + int(answer["relocating_shards"]),
        unassigned=int(answer["unassigned_shards"]) + int(answer.get("delayed_unassigned_shards") or 0),
        versions={str(node["name"]): str(node["version"]) for node in (nodes.get("nodes") or {}).values()},
    )


def wait_until_settled(
    client: Elasticsearch, patience: float, now: Clock = time.monotonic, sleep: Sleep = time.sleep
) -> Health:
    """The health at last; ElasticsearchError with the reasons where `patience` seconds do not do."""
    deadline = now() + patience
    found: Health | None = None
    trouble: ElasticsearchError | None = None
    while True:
        try:
            found, trouble = health_of(client), None
            if found.settled:
                return found
        except ElasticsearchError as error:
            if not error.away:
                raise
            trouble = error
        if now() > deadline:
            break
        sleep(INTERVAL)
    if trouble or found is None:
        raise ElasticsearchError(f"no master after {patience:g} s: {trouble}; look at the other nodes' journals")
    raise ElasticsearchError(sentence(found, patience, explain(client)))


def sentence(found: Health, patience: float, reasons: Sequence[str]) -> str:
    """Why a cluster is not green, for a person."""
    head = (
        f"the cluster is {found.status} after {patience:g} s, with {found.nodes} nodes, {found.unassigned} shards "
        f"without a node and {found.moving} on their way"
    )
    return "\n".join([head, *(f"  {reason}" for reason in reasons)])


def explain(client: Elasticsearch) -> list[str]:
    """A line for each shard that has no node (for SHOWN of them), and one for what was switched off."""
    lines = []
    settings = client.get("/_cluster/settings?flat_settings=true")
    for kind in ("persistent", "transient"):
        enable = (settings.get(kind) or {}).get(ENABLE)
        if enable not in (None, "all"):
            lines.append(f"{ENABLE} is '{enable}' ({kind}): copies are not allocated; a run that died has left it so?")
    shards = client.get("/_cat/shards?format=json&h=index,shard,prirep,state,node")
    waiting = unassigned(shards)
    for index, number, primary in waiting[:SHOWN]:
        body = {"index": index, "shard": number, "primary": primary}
        name = shard_name(index, number, primary)
        try:
            lines.append(f"{name}: {reason(client.ask('POST', '/_cluster/allocation/explain', body))}")
        except ElasticsearchError as error:
            lines.append(f"{name}: {error}")
    if len(waiting) > SHOWN:
        lines.append(f"and {len(waiting) - SHOWN} more")
    return lines


def unassigned(shards: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, bool]]:
    """(index, shard, whether it is the primary) of those without a node; primaries, which are lost data, come first."""
    found = [
        (str(shard["index"]), int(shard["shard"]), shard["prirep"] == "p")
        for shard in shards
        if shard["state"] == "UNASSIGNED"
    ]
    return sorted(found, key=lambda shard: (not shard[2], shard[0], shard[1]))


def shard_name(index: str, number: int, primary: bool) -> str:
    return f"{index}[{number}] {'primary' if primary else 'replica'}"


def reason(explained: Mapping[str, Any]) -> str:
    """Why a shard has no node, of an answer of _cluster/allocation/explain."""
    since = str((explained.get("unassigned_info") or {}).get("reason") or "")
    said = str(explained.get("allocate_explanation") or explained.get("can_allocate") or "not known")
    nodes: dict[str, list[str]] = {}
    for node in explained.get("node_allocation_decisions") or ():
        verdicts = [
            str(decider["explanation"])
            for decider in node.get("deciders") or ()
            if decider.get("decision") != "YES" and decider.get("decider") not in OBVIOUS
        ]
        for verdict in verdicts:
            nodes.setdefault(verdict, []).append(str(node.get("node_name")))
    told = [f"{', '.join(sorted(names))}: {verdict}" for verdict, names in nodes.items()]
    return "; ".join(filter(None, [f"{since}, {said}" if since else said, *told]))
