"""The order of an upgrade, and what forbids it. Pure.

Rules of Kubernetes' version skew policy: the control plane goes one minor version at a time and never back; a kubelet
is at most three minor versions behind its API server, and never ahead of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .membership import CONTROL_PLANE, WORKER

VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
BEHIND = 3  # minor versions that a kubelet may be behind


def parsed(version: str) -> tuple[int, int, int]:
    """ValueError for what is no release of Kubernetes, such as 1.34.4."""
    found = VERSION.fullmatch(str(version))
    if not found:
        raise ValueError(f"'{version}' is no version of Kubernetes, such as 1.34.4")
    return int(found[1]), int(found[2]), int(found[3])


def upgrade_plan(
    target: str,
    control_plane: Sequence[str],
    workers: Sequence[str],
    seen: Mapping[str, Mapping[str, Any]],
    parallel: int | str = 1,
) -> dict[str, Any]:
    """`{problems, first, control_plane, batches, nodes}`: the nodes that are not at `target`, in their order.

    `seen`: `{node: {joined, version, serves_version}}`. `first` upgrades what the cluster has in common. A run that
    was broken off is planned anew from what is there: what it did is not done again.
    """
    servers = [name for name in control_plane if name in seen]
    plain = [name for name in workers if name in seen and name not in control_plane]
    unseen = [name for name in [*control_plane, *workers] if name not in seen]
    alone = [name for name in [*servers, *plain] if not seen[name].get("joined")]
    problems = [f"{name}: it was not looked at; run without --limit" for name in unseen]
    problems += [f"{name}: it is in no cluster; playbooks/kubernetes.yml brings it there" for name in alone]
    if not problems:
        problems = _skew(target, servers, plain, seen)
    due_servers = [name for name in servers if _due(target, seen[name], CONTROL_PLANE)]
    due_workers = [name for name in plain if _due(target, seen[name], WORKER)]
    # The cluster's common settings are upgraded with the first API server; once one has the version, they are.
    done = any(str(seen[name].get("serves_version")) == target for name in servers)
    return {
        "problems": problems,
        "first": "" if done or not due_servers else due_servers[0],
        "control_plane": due_servers,
        "batches": batches(due_workers, len(plain), parallel),
        "nodes": [*due_servers, *due_workers],
    }


def _due(target: str, look: Mapping[str, Any], role: str) -> bool:
    serves = role == CONTROL_PLANE and str(look.get("serves_version")) != target
    return serves or str(look.get("version")) != target


def _skew(
    target: str, servers: Sequence[str], workers: Sequence[str], seen: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    try:
        wanted = parsed(target)
    except ValueError as error:
        return [f"platform.kubernetes.cluster.version: {error}"]
    problems = []
    for name in servers:
        problems += _server(name, str(seen[name].get("serves_version") or ""), wanted, target)
    for name in [*servers, *workers]:
        problems += _kubelet(name, str(seen[name].get("version") or ""), wanted, target)
    return problems


def _server(name: str, version: str, wanted: tuple[int, int, int], target: str) -> list[str]:
    try:
        have = parsed(version)
    except ValueError as error:
        return [f"{name}: its API server: {error}"]
    if have > wanted:
        return [f"{name}: its API server is {version}, newer than {target}; Kubernetes has no way back"]
    if have[0] != wanted[0] or wanted[1] - have[1] > 1:
        between = f"{have[0]}.{have[1] + 1}"
        return [f"{name}: from {version} to {target} is more than one minor version; go by {between} first"]
    return []


def _kubelet(name: str, version: str, wanted: tuple[int, int, int], target: str) -> list[str]:
    try:
        have = parsed(version)
    except ValueError as error:
        return [f"{name}: its kubelet: {error}"]
    if have > wanted:
        return [f"{name}: its kubelet is {version}, newer than {target}; no kubelet may be ahead of its API server"]
    if wanted[1] - have[1] > BEHIND:
        return [
            f"{name}: its kubelet is {version}, more than {BEHIND} minor versions behind {target}; go by one between"
        ]
    return []


def batches(names: Sequence[str], total: int, parallel: int | str) -> list[list[str]]:
    """Names in groups of `parallel`, a number or a share of `total` such as 25%; at least one at a time."""
    text = str(parallel)
    size = math.floor(total * int(text[:-1]) / 100) if text.endswith("%") else int(text)
    size = max(1, size)
    return [list(names[start : start + size]) for start in range(0, len(names), size)]
