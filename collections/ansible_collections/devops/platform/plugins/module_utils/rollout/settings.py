# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What platform.yml says about rollouts, and what a rollout can be of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine.spec import KEEP
from ansible_collections.devops.platform.plugins.module_utils.platform import exporters
from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Data,
    Groups,
    PlatformError,
    Topology,
    natural,
    section,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .waves import Size

ALL_APPS = "apps"
# Roles whose every change goes through the engine, so that every one can be taken back. PostgreSQL's users and
# databases cannot; the edge is what rollouts steer by.
ROLES = ("alertmanager", "base", "docker", "exporters", "grafana", "node_exporter", "prometheus", "redis")


@dataclass(frozen=True)
class Settings:
    """``platform.rollout`` with its defaults.

    ``settle``: seconds between leaving the edge and being changed; ``keep``: states of a component that stay on a host,
    the present one included; ``window`` and ``interval`` of the gate as devops.platform.slo_gate takes them.
    """

    waves: tuple[Size, ...] = (1, "10%", "50%", "100%")
    parallel: Size = "25%"
    settle: float = 2.0
    directory: str = ".rollouts"
    keep: int = KEEP
    window: str = "60s"
    interval: float = 5.0
    gate: tuple[Mapping[str, Any], ...] = ()

    def objectives(self, target: str) -> list[dict[str, Any]]:
        """Those of the gate that are for a target: all without ``targets``, and those that name it."""
        return [
            {key: value for key, value in objective.items() if key != "targets"}
            for objective in self.gate
            if target in (objective.get("targets") or [target])
        ]


def settings_of(platform: Data) -> Settings:
    given, gate, usual = section(platform, "rollout"), section(platform, "rollout", "gate"), Settings()
    settle, interval = given.get("settle"), gate.get("interval")
    return Settings(
        waves=tuple(given.get("waves") or usual.waves),
        parallel=given.get("parallel") or usual.parallel,
        settle=usual.settle if settle is None else float(settle),
        directory=str(given.get("directory") or usual.directory),
        keep=int(given.get("keep") or usual.keep),
        window=str(gate.get("window") or usual.window),
        interval=usual.interval if interval is None else float(interval),
        gate=tuple(gate.get("objectives") or ()),
    )


@dataclass(frozen=True)
class Target:
    """What is rolled out: ``tasks`` is the file below playbooks/tasks, ``apps`` the applications where it is those."""

    name: str
    tasks: str
    hosts: tuple[str, ...]
    apps: tuple[str, ...] = ()


def targets_of(platform: Data, groups: Groups) -> list[str]:
    """Names of all that can be rolled out: all applications together first, then each, then roles."""
    apps = sorted(str(app) for app in section(platform, "apps"))
    topology = Topology(platform, groups, {})
    return [*([ALL_APPS] if apps else []), *apps, *(role for role in ROLES if _hosts_of_role(topology, role))]


def target_of(platform: Data, name: str, groups: Groups) -> Target:
    """An application, all of them (``apps``), or a role of ROLES; PlatformError that names what there is."""
    apps = sorted(str(app) for app in section(platform, "apps"))
    topology = Topology(platform, groups, {})
    if name == ALL_APPS or name in apps:
        chosen = apps if name == ALL_APPS else [name]
        members = topology.hosts_of([str(platform["apps"][app]["group"]) for app in chosen])
        return Target(name, "app", _in_order(members, groups), tuple(chosen))
    known = {role: hosts for role in ROLES if (hosts := _hosts_of_role(topology, role))}
    if name not in known:
        offered = did_you_mean(name, targets_of(platform, groups))
        raise PlatformError(f"'{name}' is nothing that can be rolled out here{offered}")
    return Target(name, name, _in_order(known[name], groups))


def _in_order(hosts: Sequence[str], groups: Groups) -> tuple[str, ...]:
    """As the inventory has them: its first host is changed first, which is where tasks with `once` are done."""
    return tuple(str(host) for host in groups["all"] if host in hosts)


def _hosts_of_role(topology: Topology, role: str) -> list[str]:
    platform = topology.platform
    if role == "base" or (role == "node_exporter" and section(platform, "monitoring", "node_exporter")):
        return topology.hosts("all")
    if role == "docker":
        return topology.hosts_of([str(group) for group in section(platform, "docker").get("groups") or ()])
    if role == "exporters":
        return topology.hosts_of([group for job in exporters.jobs(platform) for group in job.groups])
    part = {"alertmanager": "monitoring", "grafana": "monitoring", "prometheus": "monitoring", "redis": "data"}.get(
        role, ""
    )
    if part and section(platform, part, role):
        return topology.hosts(str(platform[part]["group"]))
    return []


def upstreams_of(platform: Data, groups: Groups) -> dict[str, list[str]]:
    """Name -> hosts that the edge sends requests to, for each service that a route leads to."""
    found: dict[str, list[str]] = {}
    for route in section(platform, "edge").get("routes") or ():
        app, service = str(route["app"]), str(route["service"])
        group = str(section(platform, "apps", app).get("group"))
        found[f"{app}_{service}"] = sorted((str(host) for host in groups.get(group, ())), key=natural)
    return found
