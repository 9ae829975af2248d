"""Probes from outside, by blackbox_exporter: what is asked, how, and the scrape jobs that ask for it.

A probe is one of platform.monitoring.probes; the edge is one without being named there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .model import Data, Topology, host_port, section

PORT = 9115
# Kind of a probe in platform.yml -> the job that it belongs to.
JOBS = {"http": "blackbox_http", "tcp": "blackbox_tcp", "tls": "blackbox_tls"}


@dataclass(frozen=True)
class Probe:
    """``target``: a URL, or host:port; ``server_name``: what to ask for there; ``ca``: the file that vouches for it."""

    name: str
    kind: str
    target: str
    server_name: str = ""
    ca: str = ""
    timeout: str = "5s"


def probes(platform: Data, topology: Topology) -> list[Probe]:
    """The edge at each of its addresses, databases that are endpoints, then the declared ones by name."""
    return [*_edge(platform, topology), *_endpoints(platform, topology), *_declared(platform)]


def _edge(platform: Data, topology: Topology) -> list[Probe]:
    edge = section(platform, "edge")
    if not edge:
        return []
    if edge.get("endpoint"):
        # By the name that users have: its certificate is for that, and is one that everybody trusts.
        return [Probe(f"edge_{edge['endpoint']}", "http", f"https://{edge['server_name']}/")]
    scheme = "https" if section(edge, "tls") else "http"
    found = []
    for host in topology.hosts(str(edge["group"])):
        address = topology.address(host)
        url = f"{scheme}://[{address}]/" if ":" in address else f"{scheme}://{address}/"
        ca = "edge.crt" if scheme == "https" else ""
        found.append(Probe(f"edge_{host}", "http", url, str(edge.get("server_name") or ""), ca))
    return found


def _endpoints(platform: Data, topology: Topology) -> list[Probe]:
    """Whether a database accepts connections that no exporter stands beside."""
    names = (section(platform, "data", server).get("endpoint") for server in ("postgresql", "redis"))
    found = [str(name) for name in names if name]
    return [Probe(f"endpoint_{name}", "tcp", host_port(*topology.endpoint(name))) for name in found]


def _declared(platform: Data) -> list[Probe]:
    found = []
    given = section(platform, "monitoring", "probes")
    for name in sorted(given):
        probe = section(given, name)
        kind = next((kind for kind in JOBS if probe.get(kind)), "")
        if kind:
            server_name, timeout = str(probe.get("server_name") or ""), str(probe.get("timeout") or "5s")
            found.append(Probe(str(name), kind, str(probe[kind]), server_name, timeout=timeout))
    return found


def config(found: list[Probe], directory: str) -> dict[str, Any]:
    """blackbox.yml: a module for each probe, called like it. Source: blackbox_exporter's CONFIGURATION.md."""
    return {"modules": {probe.name: _module(probe, directory) for probe in found}}


def _module(probe: Probe, directory: str) -> dict[str, Any]:
    tls: dict[str, Any] = {"server_name": probe.server_name} if probe.server_name else {}
    if probe.ca:
        tls["ca_file"] = f"{directory}/{probe.ca}"
    if probe.kind == "http":
        host = {"headers": {"Host": probe.server_name}} if probe.server_name else {}
        options: dict[str, Any] = {"follow_redirects": False, **host, **({"tls_config": tls} if tls else {})}
        # An https target that answers without TLS would be a mistake of the server, not of the probe.
        if probe.target.startswith("https:"):
            options["fail_if_not_ssl"] = True
        return {"prober": "http", "timeout": probe.timeout, "http": options}
    options = {"tls": True, **({"tls_config": tls} if tls else {})} if probe.kind == "tls" else {}
    return {"prober": "tcp", "timeout": probe.timeout, **({"tcp": options} if options else {})}


def jobs(platform: Data, topology: Topology, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Scrape jobs, one for each kind of probe: every blackbox_exporter is asked for every probe of it.

    The label `target` is the probe's name, `instance` what it asks. ``asked`` is how exporters want to be asked.
    """
    settings = section(platform, "monitoring", "exporters", "blackbox")
    if not settings:
        return []
    group = str(section(platform, "monitoring")["group"])
    at = [(host, host_port(topology.address(host), int(settings.get("port", PORT)))) for host in topology.hosts(group)]
    known = probes(platform, topology)
    found = []
    for kind, job in JOBS.items():
        configs = [
            {
                "targets": [address],
                "labels": {
                    "host": host,
                    "instance": probe.target,
                    "target": probe.name,
                    "__param_target": probe.target,
                    "__param_module": probe.name,
                },
            }
            for host, address in at
            for probe in known
            if probe.kind == kind
        ]
        if configs:
            found.append({"job_name": job, "metrics_path": "/probe", "static_configs": configs, **asked})
    return found
