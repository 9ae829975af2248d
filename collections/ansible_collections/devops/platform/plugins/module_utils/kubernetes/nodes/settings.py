"""`platform.kubernetes.cluster` with its defaults, which stand here alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Addresses,
    Data,
    Groups,
    PlatformError,
    Topology,
    host_port,
    section,
)

KUBEADM, EKS = "kubeadm", "eks"
API_PORT = 6443
KUBELET_PORT = 10250
ETCD_PORTS = (2379, 2380)
VXLAN_PORT = 8472
PODS, SERVICES = "10.244.0.0/16", "10.96.0.0/12"
REGISTRY = "registry.k8s.io"
FLANNEL, NONE = "flannel", "none"
RESOLVERS = "/etc/devops-platform/resolv-kubernetes.conf"


@dataclass(frozen=True)
class Snapshots:
    """Copies of etcd: where, when, and how many are kept."""

    directory: str
    version: str
    at: str = "hourly"
    keep: int = 48
    max_age: str = "2h"


@dataclass(frozen=True)
class Upgrade:
    """How many workers are away at the same time, and how long a pod may take to leave its node."""

    parallel: int | str = 1
    drain_timeout: int = 300


@dataclass(frozen=True)
class Cluster:
    """A cluster as it is wanted. `endpoint` is where everybody reaches the API server, HOST:PORT."""

    name: str
    version: str
    control_plane: str
    workers: str
    endpoint: str
    pods: str = PODS
    services: str = SERVICES
    images: str = REGISTRY
    mirrors: Mapping[str, str] = field(default_factory=dict)
    network: str = FLANNEL
    cni_plugins: str = ""
    kubelet: Data = field(default_factory=dict)
    kubelet_arguments: Data = field(default_factory=dict)
    proxy: Data = field(default_factory=dict)
    containerd: Data = field(default_factory=dict)
    certificate_names: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()  # findings of kubeadm's own preflight that are known and accepted
    cgroup_root: str = ""
    resolvers: tuple[str, ...] = ()
    helm: str = ""
    snapshots: Snapshots | None = None
    upgrade: Upgrade = field(default_factory=Upgrade)

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(group for group in (self.control_plane, self.workers) if group)


def provider(platform: Data) -> str:
    """Who makes the cluster: `kubeadm`, `eks`, or '' where platform.yml has none."""
    given = section(platform, "kubernetes", "cluster")
    return str(given.get("provider", KUBEADM)) if given else ""


def is_ours(platform: Data) -> bool:
    """Whether its nodes are ours to make; those of a provider are not."""
    return provider(platform) == KUBEADM


def groups_of(platform: Data) -> tuple[str, ...]:
    """The inventory groups of the nodes that are ours, the control plane first."""
    given = section(platform, "kubernetes", "cluster")
    names = (given.get("control_plane"), given.get("workers")) if is_ours(platform) else ()
    return tuple(str(name) for name in names if name)


def cluster(platform: Data, groups: Groups, addresses: Addresses) -> Cluster:
    """PlatformError where platform.yml has no cluster of ours, or its control plane has no host."""
    given = section(platform, "kubernetes", "cluster")
    if not is_ours(platform):
        raise PlatformError("platform.kubernetes.cluster names no cluster whose nodes are ours (provider: kubeadm)")
    control_plane = str(given["control_plane"])
    snapshots, upgrade = section(given, "snapshots"), section(given, "upgrade")
    topology = Topology(platform, groups, addresses)
    return Cluster(
        name=str(given.get("name") or platform.get("name") or "kubernetes"),
        version=str(given["version"]),
        control_plane=control_plane,
        workers=str(given.get("workers") or ""),
        endpoint=str(given.get("endpoint") or "") or _first(topology, control_plane),
        pods=str(given.get("pods", PODS)),
        services=str(given.get("services", SERVICES)),
        images=str(given.get("images", REGISTRY)),
        mirrors={str(name): str(url) for name, url in section(given, "mirrors").items()},
        network=str(given.get("network", FLANNEL)),
        cni_plugins=str(given.get("cni_plugins") or ""),
        kubelet=section(given, "kubelet"),
        kubelet_arguments=section(given, "kubelet_arguments"),
        proxy=section(given, "proxy"),
        containerd=section(given, "containerd"),
        certificate_names=tuple(str(name) for name in given.get("certificate_names") or ()),
        ignore=tuple(str(name) for name in given.get("ignore_preflight") or ()),
        cgroup_root=str(given.get("cgroup_root") or ""),
        resolvers=tuple(str(address) for address in given.get("resolvers") or ()),
        helm=str(given.get("helm") or ""),
        snapshots=Snapshots(**_known(Snapshots, snapshots)) if snapshots else None,
        upgrade=Upgrade(**_known(Upgrade, upgrade)),
    )


def _first(topology: Topology, group: str) -> str:
    hosts = topology.hosts(group)
    if not hosts:
        raise PlatformError(
            f"platform.kubernetes.cluster.control_plane is '{group}', a group without hosts; put one into it"
        )
    return host_port(topology.address(hosts[0]), API_PORT)


def _known(kind: Any, given: Data) -> dict[str, Any]:
    return {name: given[name] for name in kind.__dataclass_fields__ if given.get(name) is not None}
