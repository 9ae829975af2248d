"""What playbooks ask about nodes: each answer is one filter. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.monitoring.storage import TEXTFILE
from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Addresses,
    Data,
    Groups,
    natural,
    section,
)

from . import membership, upgrade
from .configuration import cgroup_root
from .settings import FLANNEL, cluster, groups_of

POD_BRIDGES = ("cni0", "flannel.1")


def _hosts(groups: Groups, group: Any) -> list[str]:
    return sorted((str(host) for host in groups.get(str(group), ())), key=natural) if group else []


def _members(platform: Data, groups: Groups) -> tuple[list[str], list[str]]:
    """Control plane and workers; who is of both is of the control plane."""
    given = section(platform, "kubernetes", "cluster")
    control_plane = _hosts(groups, given.get("control_plane"))
    return control_plane, [host for host in _hosts(groups, given.get("workers")) if host not in control_plane]


def kubeadm_plan(platform: Data, groups: Groups, seen: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each node does, decided from the looks of all of them: membership.plan."""
    return membership.plan(*_members(platform, groups), seen)


def upgrade_plan(platform: Data, groups: Groups, seen: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """In which order nodes are upgraded to the version that platform.yml names: upgrade.upgrade_plan."""
    given = section(platform, "kubernetes", "cluster")
    parallel = section(given, "upgrade").get("parallel", 1)
    return upgrade.upgrade_plan(str(given.get("version")), *_members(platform, groups), seen, parallel)


def node_settings(
    platform: Data, host: str, groups: Groups, addresses: Addresses, look: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What the role kubernetes_node is told of a host; `look` is what kubeadm_info said of it.

    A node keeps the version that it has: another one is the affair of playbooks/upgrade_kubernetes.yml, which empties
    the node first.
    """
    wanted = cluster(platform, groups, addresses)
    look = look or {}
    serves = host in _hosts(groups, wanted.control_plane)
    exported = section(platform, "monitoring", "node_exporter")
    joined = bool(look.get("joined")) and not look.get("attempt")
    return {
        "version": str(look.get("version") or wanted.version) if joined else wanted.version,
        "images": wanted.images,
        "mirrors": dict(wanted.mirrors),
        "cni_plugins": wanted.cni_plugins,
        "helm": wanted.helm if serves else "",
        "containerd": dict(wanted.containerd),
        "kubelet_cgroup_root": cgroup_root(wanted, host),
        "resolvers": list(wanted.resolvers),
        "snapshots": {**asdict(wanted.snapshots), "textfile_directory": TEXTFILE if exported else ""}
        if wanted.snapshots and serves
        else {},
    }


def kubeconfig(platform: Data) -> str:
    """The file that the controller reaches the cluster with, relative to the directory of ansible.cfg."""
    given = section(platform, "kubernetes", "cluster")
    name = str(given.get("name") or platform.get("name") or "kubernetes")
    return str(given.get("kubeconfig") or f".kube/{name}.conf")


def pod_interfaces(platform: Data, host: str, groups: Groups) -> list[str]:
    """Interfaces of pods on a host, whose packets its firewall forwards; empty where it is no node of ours."""
    if not any(host in groups.get(group, ()) for group in groups_of(platform)):
        return []
    return list(POD_BRIDGES) if section(platform, "kubernetes", "cluster").get("network", FLANNEL) == FLANNEL else []
