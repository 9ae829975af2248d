"""What a platform means for one host's firewall, for Prometheus and for the edge. Each result has one stable order."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from . import blackbox, exporters, kubernetes
from .listeners import Listener, cluster_port, listeners, metrics_port
from .model import (
    ANYWHERE,
    HTTPS,
    Addresses,
    Data,
    Groups,
    PlatformError,
    Topology,
    host_port,
    natural,
    section,
    service_ports,
    services_of,
)
from .remote import asked as remotely
from .remote import authority_of

SCHEMES = {"http": 80, "https": HTTPS}


def networks(names: Sequence[str], groups: Groups, addresses: Addresses) -> list[str]:
    """The hosts of the groups `names` as CIDRs of one address each, in natural host order."""
    return Topology({}, groups, addresses).networks(names)


def ip_family(cidrs: Sequence[str], version: int) -> list[str]:
    """Those of `cidrs` that are IPv4 (`version` 4) or IPv6 (6); nftables has a keyword for each."""
    return [str(cidr) for cidr in cidrs if ipaddress.ip_network(str(cidr), strict=False).version == version]


def firewall_rules(platform: Data, host: str, groups: Groups, addresses: Addresses) -> list[dict[str, Any]]:
    """What `host` accepts: `[{port, protocol, sources: [cidr], comment, published}]`, one a port and protocol,
    ordered by these.

    `published` marks ports that Docker publishes: those packets are forwarded and must be filtered by their original
    destination port. A port that nobody may reach has no rule.
    """
    topology = Topology(platform, groups, addresses)
    rules: dict[tuple[int, bool, str], dict[str, Any]] = {}
    owned: dict[int, bool] = {}
    for listener in listeners(platform):
        hosts = topology.hosts_of(listener.groups)
        if host not in hosts or (listener.peers and len(hosts) == 1):
            continue
        # An extra scrape of a port that is published already belongs to that port's rule.
        published = owned.get(listener.port, listener.published) if listener.shared else listener.published
        owned.setdefault(listener.port, published)
        for protocol in listener.protocols:
            rule = rules.setdefault(
                (listener.port, published, protocol),
                {"port": listener.port, "protocol": protocol, "sources": [], "comment": "", "published": published},
            )
            rule["sources"] = _merge(rule["sources"], _sources(topology, listener))
            rule["comment"] = ", ".join(filter(None, (rule["comment"], listener.name)))
    return [rules[key] for key in sorted(rules) if rules[key]["sources"]]


def _sources(topology: Topology, listener: Listener) -> list[str]:
    if listener.anywhere:
        return list(ANYWHERE)
    return [*listener.networks, *topology.networks(listener.from_groups)]


def _merge(first: list[str], second: list[str]) -> list[str]:
    """Both lists' networks, each once, ordered by family and address."""
    parsed = {ipaddress.ip_network(cidr, strict=False) for cidr in (*first, *second)}
    return [str(network) for network in sorted(parsed, key=lambda n: (n.version, int(n.network_address), n.prefixlen))]


def scrape_jobs(platform: Data, groups: Groups, addresses: Addresses) -> list[dict[str, Any]]:
    """Prometheus `scrape_configs`, ready to be written out: `[{job_name, metrics_path, static_configs}]`; some have
    `scheme`, `tls_config`, `basic_auth` and the like as well, and those of Kubernetes find their targets themselves.

    Each static config is one target with the label `host`; an application's also have `app` and `service`.
    """
    topology = Topology(platform, groups, addresses)
    monitoring = section(platform, "monitoring")
    if not monitoring:
        return []
    jobs: list[dict[str, Any]] = []
    asked = exporters.scrape(platform)
    for name, default in (("prometheus", 9090), ("alertmanager", 9093), ("grafana", 3000)):
        server = section(monitoring, name)
        if server:
            ports = [int(server.get("port", default))]
            jobs.append(_job(topology, name, "/metrics", [str(monitoring["group"])], ports))
    jobs += _loki(topology)
    exporter = section(monitoring, "node_exporter")
    if exporter:
        jobs.append({**_job(topology, "node", "/metrics", ["all"], [int(exporter.get("port", 9100))]), **asked})
    jobs += [
        {**_job(topology, job.name, "/metrics", job.groups, [job.port]), **job.asked}
        for job in exporters.jobs(platform)
    ]
    jobs += blackbox.jobs(platform, topology, asked)
    docker = section(platform, "docker")
    port = metrics_port(section(docker, "daemon"))
    if port:
        jobs.append(_job(topology, "docker", "/metrics", list(docker.get("groups") or ()), [port]))
    apps = section(platform, "apps")
    for app in sorted(apps):
        for name, service in services_of(topology.platform, str(app)).items():
            if service.get("metrics") and service.get("port") is not None:
                labels = {"app": str(app), "service": str(name)}
                group = [str(section(apps, app)["group"])]
                ports = service_ports(service)
                jobs.append(_job(topology, f"{app}-{name}", str(service["metrics"]), group, ports, labels))
    targets = section(monitoring, "targets")
    jobs += [_target(topology, str(name), section(targets, name)) for name in sorted(targets)]
    jobs += kubernetes.jobs(platform)
    return jobs


def _loki(topology: Topology) -> list[dict[str, Any]]:
    """Loki answers who shows a certificate of its authority; Prometheus has one of its host's."""
    logging = section(topology.platform, "logging")
    loki = section(logging, "loki")
    if not loki:
        return []
    group = str(loki.get("group") or logging.get("group"))
    tls = {"ca_file": "loki/ca.crt", "cert_file": "loki/tls.crt", "key_file": "loki/tls.key"}
    job = _job(topology, "loki", "/metrics", [group], [int(loki.get("port") or 3100)])
    return [{**job, "scheme": "https", "tls_config": tls}]


def _target(topology: Topology, name: str, target: Data) -> dict[str, Any]:
    """A job of platform.monitoring.targets: hosts of groups, and servers that the inventory does not know."""
    port = int(target["port"])
    job = _job(topology, name, str(target.get("path", "/metrics")), list(target.get("groups") or ()), [port])
    others = section(target, "addresses")
    job["static_configs"] += [
        {"targets": [host_port(str(others[host]), port)], "labels": {"host": str(host)}}
        for host in sorted(others, key=natural)
    ]
    if target.get("scheme"):
        job["scheme"] = str(target["scheme"])
    params = section(target, "params")
    if params:
        job["params"] = {str(key): [str(value) for value in params[key]] for key in params}
    return {**job, **remotely(target, authority_of("targets", name))}


def _job(
    topology: Topology,
    name: str,
    path: str,
    groups: Sequence[str],
    ports: Sequence[int],
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    configs = [
        {"targets": [host_port(topology.address(host), port)], "labels": {"host": host, **(labels or {})}}
        for host in topology.hosts_of([str(group) for group in groups])
        for port in ports
    ]
    return {"job_name": name, "metrics_path": path, "static_configs": configs}


def alertmanagers(platform: Data, groups: Groups, addresses: Addresses) -> list[str]:
    """`address:port` of every Alertmanager, for Prometheus' `alerting` block."""
    topology = Topology(platform, groups, addresses)
    server = section(platform, "monitoring", "alertmanager")
    if not server:
        return []
    port = int(server.get("port", 9093))
    return [host_port(topology.address(host), port) for host in topology.hosts(str(platform["monitoring"]["group"]))]


def alertmanager_cluster(platform: Data, host: str, groups: Groups, addresses: Addresses) -> list[str]:
    """The flags by which the Alertmanager of `host` finds those of the other monitoring hosts; where there is none,
    the one that keeps it from looking for others."""
    topology = Topology(platform, groups, addresses)
    port = cluster_port(section(platform, "monitoring", "alertmanager"))
    own = topology.address(host)
    others = [name for name in topology.hosts(str(section(platform, "monitoring").get("group"))) if name != host]
    if not others:
        return ["--cluster.listen-address="]
    return [
        f"--cluster.listen-address={host_port('::' if ':' in own else '0.0.0.0', port)}",  # noqa: S104 - firewalled
        f"--cluster.advertise-address={host_port(own, port)}",
        *(f"--cluster.peer={host_port(topology.address(name), port)}" for name in others),
    ]


def edge_urls(platform: Data, groups: Groups, addresses: Addresses) -> dict[str, str]:
    """`{name: URL}` of every way in: the edge at each of its hosts, or the load balancer that is an endpoint. Empty
    without an edge."""
    topology = Topology(platform, groups, addresses)
    edge = section(platform, "edge")
    if edge.get("endpoint"):
        name = str(edge["endpoint"])
        return {name: _url("https", *topology.endpoint(name))}
    if not edge.get("group"):
        return {}
    scheme = "https" if section(edge, "tls") else "http"
    return {host: _url(scheme, topology.address(host), SCHEMES[scheme]) for host in topology.hosts(str(edge["group"]))}


def _url(scheme: str, address: str, port: int) -> str:
    """Without the port that follows from the scheme."""
    found = host_port(address, port)
    return f"{scheme}://{found.removesuffix(f':{port}') if port == SCHEMES[scheme] else found}"


def data_endpoints(platform: Data, addresses: Addresses) -> list[dict[str, Any]]:
    """`[{name, host, port}]` of the servers below platform.data that are endpoints, not ours to run."""
    topology = Topology(platform, {}, addresses)
    found = []
    for name in ("postgresql", "redis"):
        endpoint = section(platform, "data", name).get("endpoint")
        if endpoint:
            host, port = topology.endpoint(str(endpoint))
            found.append({"name": name, "host": host, "port": port})
    return found


def edge_routes(platform: Data, groups: Groups, addresses: Addresses) -> dict[str, list[dict[str, Any]]]:
    """What the reverse proxy serves: `{upstreams, locations}`.

    upstreams: `[{name, app, service, health, sticky, servers: [{host, address, port}]}]` ordered by name; `sticky` is
    true where a route to it is a WebSocket (Socket.IO needs all requests of a client at one server).
    locations: `[{path, upstream, websocket}]`, longest path first.
    PlatformError if a route names an app or service that doesn't exist or has no port.
    """
    topology = Topology(platform, groups, addresses)
    upstreams: dict[str, dict[str, Any]] = {}
    locations: list[dict[str, Any]] = []
    for route in section(platform, "edge").get("routes") or ():
        app, service = str(route["app"]), str(route["service"])
        name = f"{app}_{service}".replace("-", "_")
        websocket = bool(route.get("websocket", False))
        upstream = upstreams.setdefault(name, _upstream(topology, name, app, service))
        upstream["sticky"] = upstream["sticky"] or websocket
        locations.append({"path": str(route["path"]), "upstream": name, "websocket": websocket})
    locations.sort(key=lambda location: (-len(location["path"]), location["path"]))
    return {"upstreams": [upstreams[name] for name in sorted(upstreams, key=natural)], "locations": locations}


def _upstream(topology: Topology, name: str, app: str, service: str) -> dict[str, Any]:
    declared = section(topology.platform, "apps", app, "services", service)
    ports = service_ports(declared)
    if not ports:
        raise PlatformError(f"a route of platform.edge leads to {app}/{service}, which is no service with a port")
    servers = [
        {"host": host, "address": topology.address(host), "port": port}
        for host in topology.hosts(str(topology.platform["apps"][app]["group"]))
        for port in ports
    ]
    health = str(declared.get("health") or "/")
    return {"name": name, "app": app, "service": service, "health": health, "sticky": False, "servers": servers}
