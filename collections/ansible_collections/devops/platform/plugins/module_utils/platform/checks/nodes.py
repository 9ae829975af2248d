"""A cluster whose nodes are ours: can kubeadm make it?"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import yaml

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import settings
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.configuration import KUBELET
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.upgrade import parsed

from .context import Check, Context, Finding

CLUSTER = ("kubernetes", "cluster")
NODE = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
NEEDED = {"version": "a version of Kubernetes", "control_plane": "the group of the hosts that run its control plane"}
# What AWS does itself.
OURS = (
    *NEEDED,
    *("workers", "endpoint", "pods", "services", "images", "mirrors", "network", "cni_plugins", "helm", "kubelet"),
    *(
        "kubelet_arguments",
        "proxy",
        "containerd",
        "certificate_names",
        "ignore_preflight",
        "cgroup_root",
        "resolvers",
        "snapshots",
    ),
)


def _ours(context: Context) -> bool:
    return settings.is_ours(context.platform) and context.trusted(*CLUSTER)


def complete(context: Context) -> Iterator[Finding]:
    """What must be said, and what a provider would ignore."""
    given = context.section(*CLUSTER)
    if settings.provider(context.platform) == settings.EKS:
        for key in OURS:
            if key in given:
                yield Finding(
                    (*CLUSTER, key), "AWS makes the nodes of EKS, and would not see this; remove it", at_key=True
                )
    elif _ours(context):
        for key, what in NEEDED.items():
            if key not in given:
                yield Finding(CLUSTER, f"lacks the key '{key}': {what}", at_key=True)


def version(context: Context) -> Iterator[Finding]:
    given = context.section(*CLUSTER).get("version")
    if _ours(context) and given is not None:
        try:
            parsed(str(given))
        except ValueError as error:
            yield Finding((*CLUSTER, "version"), str(error))


def networks(context: Context) -> Iterator[Finding]:
    """Pods, services and hosts have addresses of their own each."""
    if not _ours(context) or not context.intact(*CLUSTER, "pods") or not context.intact(*CLUSTER, "services"):
        return
    given = context.section(*CLUSTER)
    pods = ipaddress.ip_network(str(given.get("pods", settings.PODS)))
    services = ipaddress.ip_network(str(given.get("services", settings.SERVICES)))
    if pods.version == services.version and pods.overlaps(services):
        where = (*CLUSTER, "services" if "services" in given else "pods")
        yield Finding(where, f"pods ({pods}) and services ({services}) overlap; give them networks apart")
    for host in sorted(context.inventory.addresses):
        try:
            address = ipaddress.ip_address(context.inventory.addresses[host])
        except ValueError:
            continue  # a name, which other checks speak of
        for key, network in (("pods", pods), ("services", services)):
            if address in network:
                path = (*CLUSTER, key) if key in given else CLUSTER
                text = f"{network} holds {address}, the address of {host}; what is meant for that would go to a pod"
                yield Finding(path, text, at_key=key not in given)


def control_plane(context: Context) -> Iterator[Finding]:
    """As many as agree with each other when one is away, behind one address, and nowhere else."""
    given = context.section(*CLUSTER)
    if not _ours(context) or given.get("control_plane") is None:
        return
    servers = [str(host) for host in context.inventory.groups.get(str(given["control_plane"]), ())]
    if len(servers) > 1 and "endpoint" not in given:
        text = (
            f"{len(servers)} hosts, and no endpoint: all would reach the API server at the first of them, and nobody "
            "while that is away; set endpoint to the address of a load balancer"
        )
        yield Finding((*CLUSTER, "control_plane"), text)
    if len(servers) > 1 and len(servers) % 2 == 0:
        text = f"{len(servers)} hosts: etcd stands still when half of them are away, so {len(servers) - 1} are as good"
        yield Finding((*CLUSTER, "control_plane"), text, severity="warning")
    both = sorted(set(servers) & {str(host) for host in context.inventory.groups.get(str(given.get("workers")), ())})
    if both:
        text = f"{both[0]} is in the control plane's group as well; a node is of one of them"
        yield Finding((*CLUSTER, "workers"), text)


def node_names(context: Context) -> Iterator[Finding]:
    """A node is called like its host, and Kubernetes knows small letters only."""
    if not _ours(context):
        return
    for key in ("control_plane", "workers"):
        for host in context.inventory.groups.get(str(context.section(*CLUSTER).get(key)), ()):
            if not NODE.fullmatch(str(host)) or len(str(host)) > 253:
                text = f"the host '{host}' cannot be a node: its name needs to be of a-z, 0-9, '-' and '.'"
                yield Finding((*CLUSTER, key), text)


def drivers(context: Context) -> Iterator[Finding]:
    """containerd and the kubelet have to make control groups the same way; they fail far from here otherwise."""
    if not _ours(context) or not context.intact(*CLUSTER, "containerd") or not context.intact(*CLUSTER, "kubelet"):
        return
    systemd = context.section(*CLUSTER, "containerd").get("systemd_cgroup", True)
    driver = str(context.section(*CLUSTER, "kubelet").get("cgroupDriver", KUBELET["cgroupDriver"]))
    if (driver == "systemd") != bool(systemd):
        wanted = "systemd" if systemd else "cgroupfs"
        where = "kubelet" if "cgroupDriver" in context.section(*CLUSTER, "kubelet") else "containerd"
        text = (
            f"containerd has systemd_cgroup: {str(bool(systemd)).lower()}, the kubelet has cgroupDriver: {driver}; "
            f"set kubelet.cgroupDriver to {wanted}, or containerd.systemd_cgroup to the other"
        )
        yield Finding((*CLUSTER, where), text, at_key=True)


def manifests(context: Context) -> Iterator[Finding]:
    """Files that are there, and hold objects."""
    for number, name in context.items(*CLUSTER, "manifests"):
        path = (*CLUSTER, "manifests", number)
        try:
            documents = list(yaml.safe_load_all((context.root / name).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            yield Finding(path, f"{name} cannot be read: {error.strerror if isinstance(error, OSError) else error}")
            continue
        except yaml.YAMLError as error:
            yield Finding(path, f"{name} is no YAML: {' '.join(str(error).split())}")
            continue
        found = [one for one in documents if one is not None]
        if not found or not all(isinstance(one, dict) and one.get("kind") and one.get("apiVersion") for one in found):
            yield Finding(path, f"{name} holds what is no object with apiVersion and kind")


CHECKS: tuple[Check, ...] = (complete, version, networks, control_plane, node_names, drivers, manifests)
