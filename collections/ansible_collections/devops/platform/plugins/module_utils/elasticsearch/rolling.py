# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node leaves its cluster for a restart, and comes back, without anybody who reads or writes noticing."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .client import Elasticsearch, ElasticsearchError
from .health import ENABLE, INTERVAL, Clock, Sleep, health_of, wait_until_settled

DIRECTORY = "/var/lib/elasticsearch"
MAP_COUNT_FILE = "/proc/sys/vm/max_map_count"
AWAY = {"persistent": {ENABLE: "primaries"}}
BACK = {"persistent": {ENABLE: None}, "transient": {ENABLE: None}}


@dataclass(frozen=True)
class Step:
    """What was done, in sentences; `changed` where the cluster was told something."""

    changed: bool = False
    notes: list[str] = field(default_factory=list)


def leave(client: Elasticsearch, patience: float, now: Clock = time.monotonic, sleep: Sleep = time.sleep) -> Step:
    """Before a node stops: all copies are in place, none is moved while it is away, and what it has is on its disk.

    Copies are only moved for primaries until it is back: of all others a node has that returns within minutes, and
    without this the cluster would copy its whole data to the others meanwhile.
    """
    try:
        health = health_of(client)
    except ElasticsearchError as error:
        if not error.away:
            raise
        return Step(notes=[f"nothing to leave: {error}"])
    if health.nodes == 1:
        _flush(client)
        return Step(notes=["the only node of its cluster: nobody can read or write until it is back"])
    health = wait_until_settled(client, patience, now, sleep)
    client.ask("PUT", "/_cluster/settings", AWAY)
    _flush(client)
    notes = [f"{health.nodes} nodes, {health.status}; copies stay where they are"]
    if health.nodes == 2:
        notes.append("of two nodes one is no majority: the cluster does not answer until this one is back")
    return Step(True, notes)


def join(
    client: Elasticsearch,
    name: str,
    others: Sequence[str],
    patience: float,
    now: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> Step:
    """After a node started: it is a member of the one cluster that there is, copies move again, and all are in place.

    `others`: URLs of the nodes that should be in the same cluster; those that do not answer are passed by.
    """
    deadline = now() + patience
    cluster = _member(client, name, deadline, patience, now, sleep)
    strangers = [url for url in others if (found := _cluster_of(client.at(url, 5.0))) and found != cluster]
    if strangers:
        raise ElasticsearchError(
            f"{name} has founded a cluster of its own, while {', '.join(strangers)} are in another one. Stop it, see "
            "that the nodes reach each other's transport port, remove its data directory, which holds nothing yet, and "
            "put it behind another host in the inventory's group"
        )
    settings = client.get("/_cluster/settings?flat_settings=true")
    held = any(ENABLE in (settings.get(kind) or {}) for kind in ("persistent", "transient"))
    if held:
        client.ask("PUT", "/_cluster/settings", BACK)
    health = wait_until_settled(client, max(deadline - now(), 1.0), now, sleep)
    return Step(held, [f"{health.nodes} nodes, {health.status}"])


def _member(client: Elasticsearch, name: str, deadline: float, patience: float, now: Clock, sleep: Sleep) -> str:
    """The id of the cluster in which the node is, with a master; waits for it."""
    trouble: Exception | None = None
    while True:
        try:
            nodes = health_of(client).versions
            cluster = _cluster_of(client)
            if name in nodes and cluster:
                return cluster
            trouble = ElasticsearchError(f"its cluster has the nodes {', '.join(sorted(nodes))}, not {name}")
        except ElasticsearchError as error:
            if not error.away:
                raise
            trouble = error
        if now() > deadline:
            raise ElasticsearchError(
                f"{name} is in no cluster after {patience:g} s: {trouble}; its journal says whom it looks for "
                "(journalctl -u elasticsearch)"
            )
        sleep(INTERVAL)


def _cluster_of(client: Elasticsearch) -> str:
    """The id of a node's cluster; '' where it is in none, or does not answer."""
    try:
        found = str(
            client.get("/_cluster/state/version?filter_path=cluster_uuid&master_timeout=5s").get("cluster_uuid")
        )
    except ElasticsearchError as error:
        if error.away:
            return ""
        raise
    return "" if found in ("None", "_na_") else found


def _flush(client: Elasticsearch) -> None:
    """What is in memory goes to disk, so that a start has little to do again. A shard that is busy is not waited for:
    it has its log of operations."""
    try:
        client.ask("POST", "/_flush?wait_if_ongoing=true")
    except ElasticsearchError as error:
        if error.status != 409 and not error.away:
            raise


def founding_refused(founder: bool, has_data: bool, clusters: Mapping[str, str]) -> str:
    """Why the host that founds clusters must not start now; '' where it may.

    `clusters`: {URL: id of its cluster} of the other nodes. Without data it would found a second cluster beside theirs.
    """
    formed = [url for url, cluster in clusters.items() if cluster]
    if not founder or has_data or not formed:
        return ""
    return (
        f"this host is the first of its group, so it founds the cluster where it has no data, but {', '.join(formed)} "
        "are in one already. Put it behind another host in the inventory's group; then it joins them"
    )


def clusters_of(client: Elasticsearch, urls: Sequence[str]) -> dict[str, str]:
    return {url: _cluster_of(client.at(url, 5.0)) for url in urls}


def has_data(directory: str) -> bool:
    """Whether a node was started there before."""
    try:
        return "_state" in os.listdir(directory)
    except OSError:
        return False


def maps_refused(wanted: int, path: str = MAP_COUNT_FILE) -> str:
    """Why the kernel allows too few memory maps; '' where it allows enough, or nothing is wanted."""
    if not wanted:
        return ""
    with open(path, encoding="ascii") as handle:
        found = int(handle.read())
    if found >= wanted:
        return ""
    return (
        f"vm.max_map_count is {found}, and Elasticsearch starts with {wanted} only. Hosts get it from the role base "
        "(--tags hosts). A container has that of its machine: raise it there, or set node.store.allow_mmap: false "
        "below platform.logging.elasticsearch.settings"
    )
