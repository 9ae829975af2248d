"""What the hosts of the inventory need, and what would collide on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.listeners import Listener, listeners
from ansible_collections.devops.platform.plugins.module_utils.platform.model import is_ip, natural, service_ports
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath

from .context import Check, Context, Finding
from .names import parts

PORT_MAX = 65535
LOOPBACK = ("127.", "localhost:", "[::1]")


def presence(context: Context) -> Iterator[Finding]:
    if not context.inventory.groups.get("all"):
        yield Finding(None, "the inventory has no host; name one that has with -i, or add hosts")
    elif not context.inventory.known_groups:
        yield Finding(None, "the inventory has no group; platform.yml names groups, not hosts")


def ports(context: Context) -> Iterator[Finding]:
    """A port that two listeners want on one host."""
    owners: dict[tuple[str, int], Listener] = {}
    clashes: dict[tuple[KeyPath, int, str], set[str]] = {}
    for listener in listeners(context.platform):
        where = _hosts(context, listener.groups)
        if listener.shared or (listener.peers and len(where) == 1):
            continue
        for host in where:
            owner = owners.setdefault((host, listener.port), listener)
            if owner is not listener:
                line = context.line(owner.key)
                taken = f"{owner.name}'s" + (f" (line {line})" if line else "")
                clashes.setdefault((listener.key, listener.port, taken), set()).add(host)
    for (key, port, taken), hosts in clashes.items():
        shown = ", ".join(sorted(hosts, key=natural))
        yield Finding(key, f"port {port} is {taken} already on {shown}; give one of them another port")


def last_ports(context: Context) -> Iterator[Finding]:
    for app, kind, name, path in parts(context):
        service = context.section("apps", app, kind, name)
        published = service_ports(service) if kind == "services" else []
        if published and published[-1] > PORT_MAX:
            text = (
                f"{len(published)} replicas from port {published[0]} on end at {published[-1]}; the last port is 65535"
            )
            yield Finding((*path, "replicas"), text)


def docker(context: Context) -> Iterator[Finding]:
    if not context.trusted("docker", "groups"):
        return
    groups = [group for _number, group in context.items("docker", "groups")]
    if any(group not in context.inventory.groups for group in groups):
        return  # the one that was meant may be the one that is missing
    with_docker = set(_hosts(context, tuple(groups)))
    for app in context.section("apps"):
        group = context.section("apps", app).get("group")
        lacking = [host for host in _hosts(context, (str(group),)) if host not in with_docker]
        if lacking:
            text = f"its hosts need Docker, and {', '.join(lacking)} would get none; add '{group}' to docker.groups"
            yield Finding(("apps", str(app), "group"), text)


def addresses(context: Context) -> Iterator[Finding]:
    """Firewall rules need IPs of the hosts that may connect; two hosts at one address are one host."""
    told: set[str] = set()
    for listener in listeners(context.platform):
        for host in _hosts(context, listener.from_groups):
            address = str(context.inventory.addresses.get(host, ""))
            if host not in told and not is_ip(address):
                told.add(host)
                yield Finding(
                    None,
                    f"host {host} may connect to {listener.name}, but its address '{address}' is a name, and firewall "
                    f"rules need an IP; set platform_address for it",
                )
    seen: dict[str, str] = {}
    for host in sorted(context.inventory.groups.get("all", ()), key=natural):
        if host not in context.inventory.addresses:
            continue
        other = seen.setdefault(str(context.inventory.addresses[host]), host)
        if other != host:
            text = (
                f"hosts {other} and {host} have one address, {context.inventory.addresses[host]}; correct one, or set "
                f"platform_address to where the other hosts reach each of them"
            )
            yield Finding(None, text)


def logins(context: Context) -> Iterator[Finding]:
    """The user that Ansible logs in as must stay allowed, or this run is the last."""
    allowed = [user for _number, user in context.items("hosts", "ssh", "allow_users")]
    if not allowed or not context.trusted("hosts", "ssh", "allow_users"):
        return
    locked_out: dict[str, list[str]] = {}
    for host in sorted(context.inventory.users, key=natural):
        if context.inventory.users[host] not in allowed:
            locked_out.setdefault(context.inventory.users[host], []).append(host)
    for user, hosts in locked_out.items():
        text = f"Ansible logs in as '{user}' on {', '.join(hosts)}, and would be locked out; add '{user}'"
        yield Finding(("hosts", "ssh", "allow_users"), text)


def docker_metrics(context: Context) -> Iterator[Finding]:
    address = str(context.section("docker", "daemon").get("metrics-addr") or "")
    if address.startswith(LOOPBACK) and context.section("monitoring", "prometheus"):
        text = f"Prometheus cannot reach {address} from its own host; listen at 0.0.0.0 (the firewall lets only it in)"
        yield Finding(("docker", "daemon", "metrics-addr"), text)


def environment(context: Context) -> Iterator[Finding]:
    """An inventory that was copied, and still says what it was copied from."""
    known = ("lab", "dev", "staging", "prod")
    declared = context.platform.get("environment")
    folder = next((part for part in reversed(context.inventory.name.split("/")) if part in known), None)
    if declared is not None and folder is not None and declared != folder:
        text = f"is '{declared}', while the inventory is {context.inventory.name}; did you mean '{folder}'?"
        yield Finding(("environment",), text, severity="warning")


def override(context: Context) -> Iterator[Finding]:
    effective = context.inventory.effective
    if effective is None or not context.clean:
        return
    hosts = [host for host in _hosts(context, ("all",)) if not _same(effective(host), context.platform)]
    if hosts:
        shown = ", ".join(hosts[:5]) + (f" and {len(hosts) - 5} more" if len(hosts) > 5 else "")
        yield Finding(
            (),
            f"Ansible's variable 'platform' is another one than this file's for {shown}: -e, host_vars or another "
            f"file of group_vars sets it too; only this file may",
            at_key=True,
        )


def _same(first: Any, second: Any) -> bool:
    """Equal, whatever types of mappings and lists Ansible has made of them."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return set(first) == set(second) and all(_same(first[key], second[key]) for key in second)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(_same, first, second))
    return bool(first == second)


def _hosts(context: Context, groups: tuple[str, ...]) -> list[str]:
    """Hosts of those groups that exist, in natural order: unknown groups are another check's affair."""
    known = context.inventory.groups
    return sorted({str(host) for group in groups for host in known.get(group, ())}, key=natural)


CHECKS: tuple[Check, ...] = (
    presence,
    ports,
    last_ports,
    docker,
    addresses,
    logins,
    docker_metrics,
    environment,
    override,
)
