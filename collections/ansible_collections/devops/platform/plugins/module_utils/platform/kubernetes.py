"""What Prometheus asks of Kubernetes clusters: scrape jobs that find their targets at the API server. Pure.

Jobs are called `<cluster>-<part>`. Their labels are those that rules and dashboards know: `host` is the node's name,
beside `cluster`, `namespace`, `pod`, `container` and `app`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from .model import Data, host_port, section
from .remote import asked, authority_of

META = "__meta_kubernetes"
Relabel = dict[str, Any]


def _take(source: str, target: str, regex: str = "(.+)") -> Relabel:
    """A label that is what another one is, where that is there."""
    return {"source_labels": [f"{META}_{source}"], "regex": regex, "target_label": target}


def _only(action: str, **sources: str) -> Relabel:
    """Keep or drop targets whose labels match all of these expressions."""
    return {
        "source_labels": [f"{META}_{name}" for name in sources],
        "regex": ";".join(sources.values()),
        "action": action,
    }


def _fixed(target: str, value: str) -> Relabel:
    return {"target_label": target, "replacement": value}


def _announced(role: str) -> list[Relabel]:
    """Targets that announce themselves: by prometheus.io/scrape, and /scheme, /path and /port where these are not as
    usual."""
    said = f"{role}_annotation_prometheus_io"
    return [
        _only("keep", **{f"{said}_scrape": "true"}),
        _take(f"{said}_scheme", "__scheme__", "(https?)"),
        _take(f"{said}_path", "__metrics_path__"),
        {
            "source_labels": ["__address__", f"{META}_{said}_port"],
            "regex": r"(\[.+\]|[^:]+)(?::\d+)?;(\d+)",
            "replacement": "$1:$2",
            "target_label": "__address__",
        },
        # Each port of a container is a target. One that is asked at another port is the pod's: all of them are one.
        {
            "source_labels": [f"{META}_{said}_port", f"{META}_pod_container_name"],
            "regex": ";(.+)",
            "target_label": "container",
        },
    ]


# The recommended label, and where that is missing the old one.
APP = [_take("pod_label_app", "app"), _take("pod_label_app_kubernetes_io_name", "app")]
POD = [
    _only("drop", pod_phase="Pending|Succeeded|Failed"),
    _only("drop", pod_container_init="true"),
    _take("namespace", "namespace"),
    _take("pod_name", "pod"),
    _take("pod_node_name", "host"),
    *APP,
]


def _nodes(cluster: Data, path: str) -> list[Relabel]:
    """Kubelets at `path`, asked themselves or through the API server."""
    if section(cluster, "kubelets").get("through", "node") == "node":
        return [_take("node_name", "host"), _fixed("__metrics_path__", path)]
    server = urlsplit(str(cluster["api_server"]))
    return [
        _take("node_name", "host"),
        _take("node_name", "instance"),
        _fixed("__address__", host_port(server.hostname or "", server.port or 443)),
        {**_take("node_name", "__metrics_path__"), "replacement": f"/api/v1/nodes/$1/proxy{path}"},
    ]


def _apiserver(_cluster: Data) -> list[Relabel]:
    own = {"namespace": "default", "service_name": "kubernetes", "endpointslice_port_name": "https"}
    return [_only("keep", **own), _take("namespace", "namespace")]


def _kubelet(cluster: Data) -> list[Relabel]:
    return _nodes(cluster, "/metrics")


def _cadvisor(cluster: Data) -> list[Relabel]:
    return _nodes(cluster, "/metrics/cadvisor")


def _kube_state_metrics(_cluster: Data) -> list[Relabel]:
    # Not its namespace and pod: those are labels of what it tells.
    named = {"service_label_app_kubernetes_io_name": "kube-state-metrics", "endpointslice_port_name": "http(-metrics)?"}
    return [_only("keep", **named), _take("pod_node_name", "host")]


def _pods(_cluster: Data) -> list[Relabel]:
    # What a service is called on hosts as well; a pod does not know which Services lead to it.
    return [*_announced("pod"), *POD, _take("pod_label_app_kubernetes_io_component", "service")]


def _services(_cluster: Data) -> list[Relabel]:
    return [*_announced("service"), _take("service_name", "service"), *POD]


# Part -> what is discovered, and how it is sorted.
PARTS: dict[str, tuple[str, Callable[[Data], list[Relabel]]]] = {
    "apiserver": ("endpointslice", _apiserver),
    "kubelet": ("node", _kubelet),
    "cadvisor": ("node", _cadvisor),
    "kube-state-metrics": ("endpointslice", _kube_state_metrics),
    "pods": ("pod", _pods),
    "services": ("endpointslice", _services),
}
# What rules and dashboards call a container is `name`, which is a long number here.
NAMES = [
    {
        "source_labels": ["namespace", "pod", "container"],
        "regex": "(.+);(.+);(.+)",
        "replacement": "$1/$2/$3",
        "target_label": "name",
    }
]
TRUSTED = ("apiserver", "kubelet", "cadvisor")  # parts of Kubernetes itself: only they are shown the token
BY_NAMESPACE = ("pods", "services")


def clusters(platform: Data) -> dict[str, Data]:
    """Name -> what platform.yml says of a cluster, sorted."""
    declared = section(platform, "monitoring", "kubernetes")
    return {str(name): section(declared, name) for name in sorted(declared)}


def job_names(name: str, cluster: Data) -> dict[str, str]:
    """Part -> name of its job, of the parts that are asked."""
    wanted = cluster.get("jobs") or PARTS
    return {part: f"{name}-{part}" for part in PARTS if part in wanted}


def jobs(platform: Data) -> list[dict[str, Any]]:
    """Prometheus' own `scrape_configs` for all clusters."""
    return [
        _job(name, cluster, part, job)
        for name, cluster in clusters(platform).items()
        for part, job in job_names(name, cluster).items()
    ]


def _job(name: str, cluster: Data, part: str, job: str) -> dict[str, Any]:
    role, relabel = PARTS[part]
    shown = asked(cluster, authority_of("kubernetes", name))
    discovery: dict[str, Any] = {"role": role, "api_server": str(cluster["api_server"]), **shown}
    if cluster.get("namespaces") and part in BY_NAMESPACE:
        discovery["namespaces"] = {"names": [str(each) for each in cluster["namespaces"]]}
    return {
        "job_name": job,
        **({"scheme": "https", **shown, **_unverified(cluster, part)} if part in TRUSTED else {}),
        "kubernetes_sd_configs": [discovery],
        "relabel_configs": [*relabel(cluster), _fixed("cluster", name)],
        **({"metric_relabel_configs": NAMES} if part == "cadvisor" else {}),
    }


def _unverified(cluster: Data, part: str) -> dict[str, Any]:
    """Kubelets whose certificates nobody vouches for, where platform.yml puts up with that."""
    kubelets = section(cluster, "kubelets")
    direct = part != "apiserver" and kubelets.get("through", "node") == "node"
    return {"tls_config": {"insecure_skip_verify": True}} if direct and kubelets.get("verify") is False else {}
