"""What kubeadm is told, as documents of kubeadm.k8s.io/v1beta4. Pure.

Secrets (tokens, the key of the certificates) are filled in on the node that uses them, by `invited` and `with_token`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Addresses,
    Data,
    Groups,
    PlatformError,
    host_port,
)

from .membership import CONTROL_PLANE, INIT, JOIN
from .settings import API_PORT, RESOLVERS, Cluster, cluster

Document = dict[str, Any]

API = "kubeadm.k8s.io/v1beta4"
SOCKET = "unix:///run/containerd/containerd.sock"
LIFETIME = 900  # seconds that an invitation is good for
TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
CERTIFICATE_KEY = re.compile(r"[0-9a-f]{64}")
# What a kubelet is told where platform.yml says nothing else.
KUBELET: dict[str, Any] = {
    "cgroupDriver": "systemd",
    # Pods are told when their node is shut down, and the important ones last.
    "shutdownGracePeriod": "30s",
    "shutdownGracePeriodCriticalPods": "10s",
    "serializeImagePulls": False,
    "maxParallelImagePulls": 3,
}


def kubeadm_config(
    platform: Data, host: str, action: str, role: str, groups: Groups, addresses: Addresses
) -> list[Document]:
    """Documents for `kubeadm init` or `kubeadm join` on `host`, without secrets."""
    wanted = cluster(platform, groups, addresses)
    address = addresses.get(host)
    if not address:
        raise PlatformError(f"host '{host}' has no address; set ansible_host or platform_address")
    if action == INIT:
        return init_documents(wanted, host, address)
    if action == JOIN:
        return [join_document(wanted, host, address, role)]
    raise PlatformError(f"there is no configuration for '{action}', only for {INIT} and {JOIN}")


def init_documents(wanted: Cluster, host: str, address: str) -> list[Document]:
    return [
        {
            "apiVersion": API,
            "kind": "InitConfiguration",
            "nodeRegistration": _registration(wanted, host, address),
            "localAPIEndpoint": _local(address),
        },
        cluster_document(wanted),
        kubelet_document(wanted),
        {"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", **_plain(wanted.proxy)},
    ]


def cluster_document(wanted: Cluster) -> Document:
    names = sorted({*wanted.certificate_names, _host_of(wanted.endpoint)})
    quiet = _arguments({"profiling": "false"})
    return {
        "apiVersion": API,
        "kind": "ClusterConfiguration",
        "clusterName": wanted.name,
        "kubernetesVersion": f"v{wanted.version}",
        "controlPlaneEndpoint": wanted.endpoint,
        "imageRepository": wanted.images,
        "networking": {"podSubnet": wanted.pods, "serviceSubnet": wanted.services},
        "apiServer": {"certSANs": names, "extraArgs": quiet},
        "controllerManager": {"extraArgs": quiet},
        "scheduler": {"extraArgs": quiet},
    }


def kubelet_document(wanted: Cluster) -> Document:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        **KUBELET,
        **({"resolvConf": RESOLVERS} if wanted.resolvers else {}),
        **_plain(wanted.kubelet),
    }


def join_document(wanted: Cluster, host: str, address: str, role: str) -> Document:
    return {
        "apiVersion": API,
        "kind": "JoinConfiguration",
        "discovery": {"bootstrapToken": {"apiServerEndpoint": wanted.endpoint}},
        "nodeRegistration": _registration(wanted, host, address),
        **({"controlPlane": {"localAPIEndpoint": _local(address)}} if role == CONTROL_PLANE else {}),
    }


def with_token(documents: Sequence[Mapping[str, Any]], token: str, certificate_key: str = "") -> list[Document]:
    """Documents whose InitConfiguration has a token of short life, and the key that certificates are uploaded under."""
    secrets = {
        "bootstrapTokens": [
            {
                "token": token,
                "ttl": f"{LIFETIME}s",
                "usages": ["signing", "authentication"],
                "groups": ["system:bootstrappers:kubeadm:default-node-token"],
            }
        ],
        **({"certificateKey": certificate_key} if certificate_key else {}),
    }
    return [{**document, **(secrets if document.get("kind") == "InitConfiguration" else {})} for document in documents]


def invited(documents: Sequence[Mapping[str, Any]], invitation: Mapping[str, Any]) -> list[Document]:
    """Documents whose JoinConfiguration proves itself by an invitation, and knows the cluster by its authority.

    ValueError where the invitation lacks what the node needs.
    """
    return [
        _with_invitation(document, invitation) if document.get("kind") == "JoinConfiguration" else dict(document)
        for document in documents
    ]


def _with_invitation(document: Mapping[str, Any], invitation: Mapping[str, Any]) -> Document:
    token, authority = str(invitation.get("token") or ""), str(invitation.get("authority") or "")
    if not TOKEN.fullmatch(token) or not authority:
        raise ValueError("the invitation has no token, or no digest of the cluster's authority")
    given = document["discovery"]["bootstrapToken"]
    made = {
        **document,
        "discovery": {"bootstrapToken": {**given, "token": token, "caCertHashes": [f"sha256:{authority}"]}},
    }
    if "controlPlane" in document:
        key = str(invitation.get("certificate_key") or "")
        if not CERTIFICATE_KEY.fullmatch(key):
            raise ValueError("the invitation has no key of the certificates, which a control plane node needs")
        made["controlPlane"] = {**document["controlPlane"], "certificateKey": key}
    return made


def _registration(wanted: Cluster, host: str, address: str) -> Document:
    given = {"node-ip": address}
    given.update({str(name): str(value).replace("{node}", host) for name, value in wanted.kubelet_arguments.items()})
    if wanted.cgroup_root:
        given["cgroup-root"] = f"/{cgroup_root(wanted, host)}"
    return {
        "name": host,
        "criSocket": SOCKET,
        "kubeletExtraArgs": _arguments(given),
        **({"ignorePreflightErrors": list(wanted.ignore)} if wanted.ignore else {}),
    }


def cgroup_root(wanted: Cluster, host: str) -> str:
    """The group that all pods of a node are in, where nodes share one tree of groups; '' elsewhere."""
    return f"{wanted.cgroup_root}-{host}" if wanted.cgroup_root else ""


def _arguments(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": values[name]} for name in sorted(values)]


def _local(address: str) -> Document:
    return {"advertiseAddress": address, "bindPort": API_PORT}


def _host_of(endpoint: str) -> str:
    """The name or address in HOST:PORT; of IPv6 without its brackets."""
    return endpoint.rpartition(":")[0].strip("[]")


def api_server(wanted: Cluster) -> str:
    """Where the cluster answers, for clients."""
    host = _host_of(wanted.endpoint)
    return f"https://{host_port(host, int(wanted.endpoint.rpartition(':')[2]))}"


def _plain(value: Any) -> Any:
    """Built-in types, which Ansible's are subclasses of."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
