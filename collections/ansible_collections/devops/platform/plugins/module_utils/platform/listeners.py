"""Every port that a platform opens, once: firewalls follow from this list, and so does the 'port used twice' check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import settings as nodes

from . import exporters
from .model import Data, section, service_ports, services_of

Path = tuple[str, ...]

SSH_PORT = 22


@dataclass(frozen=True)
class Listener:
    """One port on every host of `groups`. Who may reach it: the hosts of `from_groups`, the CIDRs of `networks`."""

    name: str
    groups: tuple[str, ...]
    port: int
    key: Path  # where platform.yml says so, for messages
    from_groups: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    anywhere: bool = False
    published: bool = False  # Docker publishes it: packets are forwarded, and never pass the input chain
    shared: bool = field(default=False)  # a scrape of a port that another listener may own
    protocols: tuple[str, ...] = ("tcp",)
    peers: bool = False  # hosts of `groups` talk to each other there; nobody does where there is one


def metrics_port(daemon: Data) -> int | None:
    """The port of dockerd's `metrics-addr` (`0.0.0.0:9323`), or None."""
    text = str(daemon.get("metrics-addr") or "").rpartition(":")[2]
    return int(text) if text.isdigit() else None


def cluster_port(alertmanager: Data) -> int:
    """Where Alertmanagers talk to each other."""
    return int(alertmanager.get("cluster_port", 9094))


def listeners(platform: Data) -> list[Listener]:
    """All listeners of a platform, in the order of the phases."""
    return [
        *_hosts(platform),
        *_docker(platform),
        *_data(platform),
        *_monitoring(platform),
        *_exporters(platform),
        *_logging(platform),
        *_edge(platform),
        *_apps(platform),
        *_kubernetes(platform),
        *_targets(platform),
    ]


def _monitoring_groups(platform: Data) -> tuple[str, ...]:
    group = section(platform, "monitoring").get("group")
    return (str(group),) if group else ()


def _admin(platform: Data) -> tuple[str, ...]:
    return tuple(str(network) for network in section(platform, "hosts").get("admin_networks") or ())


def _hosts(platform: Data) -> Iterator[Listener]:
    extra = tuple(str(network) for network in section(platform, "hosts", "ssh").get("from") or ())
    yield Listener("ssh", ("all",), SSH_PORT, ("hosts", "ssh"), networks=_admin(platform) + extra)
    exporter = section(platform, "monitoring", "node_exporter")
    if exporter:
        key = ("monitoring", "node_exporter", "port")
        port = int(exporter.get("port", 9100))
        yield Listener("node_exporter", ("all",), port, key, from_groups=_monitoring_groups(platform))


def _docker(platform: Data) -> Iterator[Listener]:
    docker = section(platform, "docker")
    port = metrics_port(section(docker, "daemon"))
    if port:
        groups = tuple(str(group) for group in docker.get("groups") or ())
        key = ("docker", "daemon", "metrics-addr")
        yield Listener("docker metrics", groups, port, key, from_groups=_monitoring_groups(platform))


def _data(platform: Data) -> Iterator[Listener]:
    data = section(platform, "data")
    for name, default in (("postgresql", 5432), ("redis", 6379)):
        server = section(data, name)
        if server and not server.get("endpoint"):
            clients = tuple(str(group) for group in server.get("clients") or ())
            port = int(server.get("port", default))
            yield Listener(name, (str(data.get("group")),), port, ("data", name, "port"), from_groups=clients)


def _monitoring(platform: Data) -> Iterator[Listener]:
    groups = _monitoring_groups(platform)
    for name, default in (("prometheus", 9090), ("alertmanager", 9093), ("grafana", 3000)):
        server = section(platform, "monitoring", name)
        if server:
            key = ("monitoring", name, "port")
            port = int(server.get("port", default))
            yield Listener(name, groups, port, key, from_groups=groups, networks=_admin(platform))
    alertmanager = section(platform, "monitoring", "alertmanager")
    if alertmanager:
        yield Listener(
            "alertmanager cluster",
            groups,
            cluster_port(alertmanager),
            ("monitoring", "alertmanager", "cluster_port"),
            from_groups=groups,
            protocols=("tcp", "udp"),  # changes by gossip, whole states by connections
            peers=True,
        )


def _exporters(platform: Data) -> Iterator[Listener]:
    for job in exporters.jobs(platform):
        key = ("monitoring", "exporters", job.name, "port")
        yield Listener(f"{job.name} exporter", job.groups, job.port, key, from_groups=_monitoring_groups(platform))


def _logging(platform: Data) -> Iterator[Listener]:
    """Everything that ships lines may be on any host; readers and the cluster itself are on the log servers."""
    logging = section(platform, "logging")
    server = section(logging, "elasticsearch")
    if server:
        groups = (str(logging.get("group")),)
        key = ("logging", "elasticsearch", "port")
        port = int(server.get("port", 9200))
        yield Listener("elasticsearch", groups, port, key, from_groups=("all",), networks=_admin(platform))
        yield Listener(
            "elasticsearch transport",
            groups,
            int(server.get("transport_port", 9300)),
            ("logging", "elasticsearch", "transport_port"),
            from_groups=groups,  # no `peers`: a node that is alone listens there as well
        )
    kibana = section(logging, "kibana")
    if kibana:
        groups = (str(kibana.get("group") or logging.get("group")),)
        key = ("logging", "kibana", "port")
        yield Listener("kibana", groups, int(kibana.get("port") or 5601), key, groups, networks=_admin(platform))
    loki = section(logging, "loki")
    if loki:
        # Grafana and Prometheus are hosts as well. People ask Grafana: Loki knows no users.
        groups = (str(loki.get("group") or logging.get("group")),)
        yield Listener("loki", groups, int(loki.get("port") or 3100), ("logging", "loki", "port"), from_groups=("all",))


def _edge(platform: Data) -> Iterator[Listener]:
    edge = section(platform, "edge")
    if edge.get("group"):
        groups = (str(edge.get("group")),)
        yield Listener("edge http", groups, 80, ("edge",), anywhere=True)
        if section(edge, "tls"):
            yield Listener("edge https", groups, 443, ("edge", "tls"), anywhere=True)


def _apps(platform: Data) -> Iterator[Listener]:
    edge = section(platform, "edge").get("group")
    # A load balancer that is no host of ours asks from its own networks.
    balancer = tuple(str(network) for network in section(platform, "edge").get("networks") or ())
    apps = section(platform, "apps")
    for app in apps:
        for name, service in services_of(platform, str(app)).items():
            sources: tuple[str, ...] = (str(edge),) if edge else ()
            if service.get("metrics"):
                sources += _monitoring_groups(platform)
            key = ("apps", str(app), "services", name, "host_port" if service.get("host_port") else "port")
            group = (str(section(apps, app).get("group")),)
            for port in service_ports(service):
                yield Listener(
                    f"{app}/{name}", group, port, key, from_groups=sources, networks=balancer, published=True
                )


def _kubernetes(platform: Data) -> Iterator[Listener]:
    """Nodes that are ours, among each other; pods reach the API server and kubelets from addresses of their own."""
    groups = nodes.groups_of(platform)
    if not groups:
        return
    given = section(platform, "kubernetes", "cluster")
    servers, key = groups[:1], ("kubernetes", "cluster")
    pods = (str(given.get("pods", nodes.PODS)),)
    monitoring = _monitoring_groups(platform)
    yield Listener(
        "kubernetes API",
        servers,
        nodes.API_PORT,
        (*key, "endpoint"),
        (*groups, *monitoring),
        (*_admin(platform), *pods),
    )
    yield Listener("kubelet", groups, nodes.KUBELET_PORT, key, (*servers, *monitoring), pods)
    for port in nodes.ETCD_PORTS:
        yield Listener("etcd", servers, port, key, servers, peers=True)
    if given.get("network", nodes.FLANNEL) == nodes.FLANNEL:
        yield Listener(
            "pod network", groups, nodes.VXLAN_PORT, (*key, "network"), groups, protocols=("udp",), peers=True
        )
    if "traefik" in section(given, "addons"):
        for port in (80, 443):
            yield Listener("ingress", groups[1:], port, (*key, "addons", "traefik"), anywhere=True, published=True)


def _targets(platform: Data) -> Iterator[Listener]:
    targets = section(platform, "monitoring", "targets")
    for name in targets:
        target = section(targets, name)
        if target.get("port") is None:
            continue
        groups = tuple(str(group) for group in target.get("groups") or ())
        key = ("monitoring", "targets", str(name), "port")
        sources = _monitoring_groups(platform)
        yield Listener(f"scrape {name}", groups, int(target["port"]), key, from_groups=sources, shared=True)
