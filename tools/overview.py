"""What runs where, and the addresses to open: ``python -m tools.overview``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import plan_hosts
from ansible_collections.devops.platform.plugins.module_utils.platform import exporters
from ansible_collections.devops.platform.plugins.module_utils.platform.model import service_ports, services_of
from lab.state import State
from tools import REPOSITORY
from tools.table import plain

PLATFORM = REPOSITORY / "inventories" / "lab" / "group_vars" / "all" / "platform.yml"


@dataclass(frozen=True)
class Host:
    """A host of the lab: ``groups`` as the inventory has them."""

    name: str
    address: str
    groups: tuple[str, ...]


# Parts of the platform's settings, the programs in them, and the ports that these answer on by default.
SERVERS = (
    ("data", (("postgresql", 5432), ("redis", 6379))),
    ("monitoring", (("prometheus", 9090), ("alertmanager", 9093), ("grafana", 3000))),
    ("logging", (("elasticsearch", 9200), ("kibana", 5601), ("loki", 3100))),
)


# What answers a browser with Debian's builds, which the lab runs: those leave the programs' own pages out.
READABLE = {
    "prometheus": ("api/v1/targets", "Prometheus: targets"),
    "alertmanager": ("api/v2/alerts", "Alertmanager: alerts"),
}


def on_host(platform: Mapping[str, Any], groups: Iterable[str]) -> list[str]:
    """What ``platform`` (the value of that key) puts on a host of these groups, with the ports that it answers on."""
    groups = set(groups)
    found = ["nginx :443"] if _part(platform, "edge").get("group") in groups else []
    for part, programs in SERVERS:
        settings = _part(platform, part)
        if settings.get("group") in groups:
            found += [_listens(settings, name, port) for name, port in programs if name in settings]
    if groups & set(_part(platform, "docker").get("groups", ())):
        found.append("docker")
    for app, described in _part(platform, "apps").items():
        if described.get("group") in groups:
            services = services_of(platform, app).items()
            found += [" :".join((f"{app}/{name}", *map(str, service_ports(service)[:1]))) for name, service in services]
    monitoring = _part(platform, "monitoring")
    if "node_exporter" in monitoring:
        found.append(_listens(monitoring, "node_exporter", 9100))
    return found + [
        f"{kind.name} :{exporters.port_of(kind, given)}"
        for kind, given in exporters.declared(platform)
        if groups & set(kind.groups(platform, given))
    ]


def _part(platform: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return platform.get(name) or {}


def _port(settings: Mapping[str, Any], name: str, default: int) -> int:
    return int((settings[name] or {}).get("port", default))


def _listens(settings: Mapping[str, Any], name: str, default_port: int) -> str:
    return f"{name} :{_port(settings, name, default_port)}"


def addresses(platform: Mapping[str, Any], hosts: Iterable[Host]) -> list[tuple[str, str]]:
    """What to open, and what it is: (address, text)."""
    found = []
    edge, monitoring = _part(platform, "edge"), _part(platform, "monitoring")
    for host in hosts:
        if edge.get("group") in host.groups:
            found.append(
                (f"https://{host.address}/", f"{platform.get('name', 'the application')} ({edge['server_name']})")
            )
        if monitoring.get("group") in host.groups:
            for name, port in dict(SERVERS)["monitoring"]:
                if name in monitoring:
                    path, title = READABLE[name]
                    found.append((f"http://{host.address}:{_port(monitoring, name, port)}/{path}", title))
    return found


def render(platform: Mapping[str, Any], hosts: list[Host]) -> str:
    rows = [(host.name, host.address, ", ".join(on_host(platform, host.groups))) for host in hosts]
    opened = "\n".join(f"  {address:<46}{title}" for address, title in addresses(platform, hosts))
    edge = _part(platform, "edge")
    gates = [host.address for host in hosts if edge.get("group") in host.groups]
    trust = (
        f"\nThe lab has a CA of its own. To check its certificate:\n"
        f"  curl --cacert lab/.state/pki/ca.crt --resolve {edge['server_name']}:443:{gates[0]} https://{edge['server_name']}/"
        if gates
        else ""
    )
    return f"{plain(('host', 'address', 'what runs there'), rows)}\n\nOpen:\n{opened}\n{trust}".rstrip()


def text() -> str:
    """The overview of the lab as it runs."""
    command = (sys.executable, "-m", "lab", "status", "--json")
    status = json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout)
    # Short-lived hosts of tests and benchmarks may stand beside the fleet.
    fleet = {host.name for host in plan_hosts(State().load_settings())}
    hosts = [
        Host(row["name"], row["address"], tuple(row["groups"].replace(",", " ").split()))
        for row in status["hosts"]
        if row["name"] in fleet
    ]
    return render(yaml.safe_load(PLATFORM.read_text())["platform"], hosts)


if __name__ == "__main__":
    print(text())
