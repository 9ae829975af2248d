"""The view of a platform that every decision shares: which host is in which group, and where it answers.

Only inventory data goes in (never facts), so a run with `--limit` or `--tags` decides the same as a full run.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The lookups below accept what Ansible hands over as well: lazily templated dicts are Mappings.
Data = Mapping[str, Any]
Groups = Mapping[str, Sequence[str]]
Addresses = Mapping[str, str]

ANYWHERE = ("0.0.0.0/0", "::/0")
HTTPS = 443


class PlatformError(ValueError):
    """A decision that platform.yml, the inventory or a lock file makes impossible; says what to change."""


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key that puts app2 before app10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text) if part]


def section(data: Data, *keys: str) -> Data:
    """The mapping below `keys`, or an empty one where any of them is absent or null."""
    current: Any = data
    for key in keys:
        current = current.get(key) if isinstance(current, Mapping) else None
    return current if isinstance(current, Mapping) else {}


ENDPOINT = "@"  # before the name of an endpoint among addresses; no host's name begins so


def host_addresses(hostvars: Mapping[str, Data]) -> dict[str, str]:
    """`{host: address}` for every host: `platform_address` (where the other hosts reach it), else `ansible_host`,
    else its inventory name. EC2 hosts that are managed through a public address set `platform_address`.

    What is no host of ours has an address as well: `platform_endpoints` of the inventory, `{name: {host, port, …}}`, as
    `@NAME`, which is address:port.
    """
    addresses: dict[str, str] = {}
    for host in hostvars:
        variables = hostvars[host]
        addresses[str(host)] = str(variables.get("platform_address") or variables.get("ansible_host") or host)
        endpoints = section(variables, "platform_endpoints")
        for name in endpoints:
            given = section(endpoints, name)
            addresses[f"{ENDPOINT}{name}"] = host_port(str(given.get("host")), int(given.get("port") or HTTPS))
    return addresses


def endpoint_names(addresses: Addresses) -> list[str]:
    return sorted(str(name).removeprefix(ENDPOINT) for name in addresses if str(name).startswith(ENDPOINT))


def is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def host_port(address: str, port: int) -> str:
    """`address:port`, with the brackets that IPv6 needs."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass(frozen=True)
class Topology:
    """A platform on an inventory. `platform` is the value of the key `platform`; `groups` is Ansible's `groups`."""

    platform: Data
    groups: Groups
    addresses: Addresses

    def hosts(self, group: str) -> list[str]:
        """Hosts of a group in natural order; PlatformError if the inventory lacks the group."""
        if group not in self.groups:
            known = ", ".join(sorted(name for name in self.groups if name not in ("all", "ungrouped")))
            raise PlatformError(f"the inventory has no group '{group}' (it has: {known or 'none'})")
        return sorted((str(host) for host in self.groups[group]), key=natural)

    def hosts_of(self, groups: Sequence[str]) -> list[str]:
        """Hosts of several groups, each once, in natural order."""
        return sorted({host for group in groups for host in self.hosts(group)}, key=natural)

    def address(self, host: str) -> str:
        """The address at which other hosts reach `host`."""
        try:
            return str(self.addresses[host])
        except KeyError:
            raise PlatformError(f"host '{host}' has no address; set ansible_host or platform_address") from None

    def endpoint(self, name: str) -> tuple[str, int]:
        """Address and port of what is no host of ours."""
        found = self.addresses.get(f"{ENDPOINT}{name}")
        if found is None:
            known = ", ".join(endpoint_names(self.addresses))
            raise PlatformError(f"the inventory has no endpoint '{name}' (it has: {known or 'none'})")
        address, _, port = str(found).rpartition(":")
        return address.strip("[]"), int(port)

    def networks(self, groups: Sequence[str]) -> list[str]:
        """The hosts of `groups` as single-address CIDRs, for firewalls and pg_hba."""
        return [self._network(host) for host in self.hosts_of(groups)]

    def _network(self, host: str) -> str:
        address = self.address(host)
        if not is_ip(address):
            raise PlatformError(
                f"host '{host}' has the address '{address}', which is a name; firewall rules need an IP: "
                f"set platform_address for it in the inventory"
            )
        parsed = ipaddress.ip_address(address)
        return f"{parsed}/{parsed.max_prefixlen}"


def services_of(platform: Data, app: str) -> dict[str, Data]:
    """Name -> service of an application, sorted, without those that are switched off (`enabled: false`)."""
    declared = section(platform, "apps", app, "services")
    found = {str(name): section(declared, name) for name in sorted(declared)}
    return {name: service for name, service in found.items() if service.get("enabled", True)}


def service_ports(service: Data) -> list[int]:
    """The ports on the host that a service's replicas are published at: `host_port` (default `port`) and the next
    ones, one a replica; empty for a service without a port."""
    if service.get("port") is None:
        return []
    first = int(service.get("host_port") or service["port"])
    return [first + number for number in range(int(service.get("replicas", 1)))]
