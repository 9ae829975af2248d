# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which hosts the lab has, as pure functions.

Shared by the ``lab`` package, which starts the hosts, and by the inventory plugin, which names them: addresses follow
from the settings alone, so the inventory is right before the first host runs.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

GROUPS = ("edge", "app", "data", "monitoring", "logging")
MIRROR_OFFSET = 2
# A cluster of its own beside the fleet: inventories/lab-kubernetes.
CLUSTER_GROUPS = ("kubernetes_servers", "kubernetes_workers")
CLUSTER_HOSTS = (("kube-server1", 0, 40), ("kube-worker1", 1, 41), ("kube-worker2", 1, 42))
FIXED_HOSTS = (("edge1", "edge", 10), ("data1", "data", 20), ("mon1", "monitoring", 30))
LOG_OFFSET = 40
MAX_LOG_HOSTS = 5
APP_OFFSET = 100
MAX_APP_HOSTS = 80
EPHEMERAL_FIRST = 181
EPHEMERAL_LAST = 239
DYNAMIC_PREFIX = 28  # Docker's own choices come from the top 16 addresses of the /24, away from ours
ADMIN_USER = "admin"


class LabSettingsError(ValueError):
    """A setting that cannot work; the message names the setting, its value and what would do."""


@dataclass(frozen=True)
class LabSettings:
    """What can be chosen about the lab.

    ``subnet`` is a private /24; ``app_hosts`` counts the application hosts, ``log_hosts`` the nodes of Elasticsearch,
    none of which is needed; ``registry_port`` is where the mirror's image registry is published on the machine
    (127.0.0.1 only), for the machine's own Docker to push to. ``kubernetes`` adds the hosts of a cluster.
    """

    subnet: str = "172.30.0.0/24"
    app_hosts: int = 2
    log_hosts: int = 0
    registry_port: int = 5000
    kubernetes: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def network(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(self.subnet)

    def address(self, offset: int) -> str:
        return str(self.network.network_address + offset)

    @property
    def gateway(self) -> str:
        return self.address(1)

    @property
    def mirror(self) -> str:
        return self.address(MIRROR_OFFSET)

    @property
    def dynamic_range(self) -> str:
        return f"{self.address(240)}/{DYNAMIC_PREFIX}"


@dataclass(frozen=True)
class LabHost:
    """One host: ``name`` is its inventory and host name, ``docker`` whether it gets a volume for nested Docker, and
    ``kubernetes`` whether it gets those of a node."""

    name: str
    address: str
    groups: tuple[str, ...] = ()
    debian: str = "13"
    docker: bool = False
    kubernetes: bool = False


def _switch(name: str, value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in ("0", "1", "true", "false"):
        raise LabSettingsError(f"{name} is {value!r}; 1 or 0 is needed")
    return text in ("1", "true")


def _integer(name: str, value: Any, low: int, high: int) -> int:
    try:
        number = int(str(value).strip())
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise LabSettingsError(f"{name} is {value!r}; a whole number from {low} to {high} is needed")
    return number


def _subnet(name: str, value: Any) -> str:
    try:
        network = ipaddress.IPv4Network(str(value).strip())
    except ValueError as error:
        raise LabSettingsError(f"{name} is {value!r}: {error}; give a private /24 such as 172.30.0.0/24") from error
    if network.prefixlen != 24 or not network.is_private:
        raise LabSettingsError(f"{name} is {value!r}; give a private /24 such as 172.30.0.0/24")
    return str(network)


def resolve_settings(saved: Mapping[str, Any], environment: Mapping[str, str]) -> LabSettings:
    """The settings in force: the environment over what the last ``up`` saved, over the defaults.

    Raises LabSettingsError for a value that cannot work.
    """

    def pick(key: str, variable: str, default: Any) -> tuple[str, Any]:
        if environment.get(variable, "").strip():
            return variable, environment[variable]
        return (f"{key} in the saved settings", saved[key]) if key in saved else (key, default)

    default = LabSettings()
    name, value = pick("subnet", "LAB_SUBNET", default.subnet)
    subnet = _subnet(name, value)
    name, value = pick("app_hosts", "LAB_APP_HOSTS", default.app_hosts)
    app_hosts = _integer(name, value, 1, MAX_APP_HOSTS)
    name, value = pick("log_hosts", "LAB_LOG_HOSTS", default.log_hosts)
    log_hosts = _integer(name, value, 0, MAX_LOG_HOSTS)
    name, value = pick("registry_port", "LAB_REGISTRY_PORT", default.registry_port)
    registry_port = _integer(name, value, 1, 65535)
    kubernetes = _switch(*pick("kubernetes", "LAB_KUBERNETES", default.kubernetes))
    return LabSettings(subnet, app_hosts, log_hosts, registry_port, kubernetes)


def plan_hosts(settings: LabSettings) -> list[LabHost]:
    """The inventory's hosts in a fixed order. Raising a number only adds hosts; none moves."""
    fixed = {
        group: LabHost(name, settings.address(offset), groups=(group,), docker=False)
        for name, group, offset in FIXED_HOSTS
    }
    apps = [
        LabHost(f"app{number}", settings.address(APP_OFFSET + number), groups=("app",), docker=True)
        for number in range(1, settings.app_hosts + 1)
    ]
    logs = [
        LabHost(f"log{number}", settings.address(LOG_OFFSET + number), groups=("logging",))
        for number in range(1, settings.log_hosts + 1)
    ]
    return [fixed["edge"], *apps, fixed["data"], fixed["monitoring"], *logs]


def plan_cluster(settings: LabSettings) -> list[LabHost]:
    """The hosts of the cluster, whether the settings want it or not: their addresses follow from the subnet alone."""
    return [
        LabHost(name, settings.address(offset), groups=(CLUSTER_GROUPS[group],), kubernetes=True)
        for name, group, offset in CLUSTER_HOSTS
    ]


def plan_ephemeral(
    settings: LabSettings,
    prefix: str,
    count: int,
    taken: Iterable[str],
    debian: str = "13",
    docker: bool = False,
    kubernetes: bool = False,
) -> list[LabHost]:
    """``count`` hosts ``<prefix>1…`` on free addresses of the range kept for short-lived hosts."""
    used = set(taken)
    free = [
        address
        for address in (settings.address(offset) for offset in range(EPHEMERAL_FIRST, EPHEMERAL_LAST + 1))
        if address not in used
    ]
    if count > len(free):
        raise LabSettingsError(
            f"{count} short-lived hosts are asked for, {len(free)} addresses are free; remove some hosts first"
        )
    return [
        LabHost(f"{prefix}{number}", free[number - 1], (prefix.replace("-", "_"),), debian, docker, kubernetes)
        for number in range(1, count + 1)
    ]


def host_variables(host: LabHost, state: str) -> dict[str, Any]:
    """How Ansible reaches a host. ``state`` is the lab's state directory (absolute)."""
    options = (
        f"UserKnownHostsFile={state}/known_hosts",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        "IdentitiesOnly=yes",
    )
    return {
        "ansible_host": host.address,
        "ansible_user": ADMIN_USER,
        "ansible_ssh_private_key_file": f"{state}/id_ed25519",
        "ansible_ssh_common_args": " ".join(f"-o {shlex.quote(option)}" for option in options),
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def inventory_data(hosts: Iterable[LabHost], state: str) -> dict[str, Any]:
    """A plain YAML inventory of the hosts, with their groups."""
    hosts = list(hosts)
    groups: dict[str, dict[str, Any]] = {}
    for host in hosts:
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    return {"all": {"hosts": {host.name: host_variables(host, state) for host in hosts}, "children": groups}}
