"""Short-lived hosts beside the fleet, for tests and measurements: same images, same network, own names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import (
    LabHost,
    LabSettingsError,
    inventory_data,
    plan_ephemeral,
)
from lab import fleet, host_image, mirror, prerequisites
from lab.errors import LabError
from lab.hosts import ADDRESS_LABEL, Launcher, start_hosts
from lab.progress import step
from lab.state import State

PREFIX_PATTERN = re.compile(r"[a-z][a-z-]{0,30}[a-z]")
RESERVED = frozenset({"edge", "app", "data", "mon", "mirror", "all", "ungrouped"})


def hosts_up(
    prefix: str,
    count: int,
    debian: str = "13",
    docker: bool = False,
    state: State | None = None,
    kubernetes: bool = False,
) -> list[LabHost]:
    """Start hosts ``<prefix>1`` to ``<prefix><count>``; hosts of that prefix that exist already are replaced.

    The lab's network and mirror are started where they do not run. ``docker`` gives each host the volume that nested
    Docker needs, ``kubernetes`` those of a node. Blocks until SSH answers on all of them.
    """
    if not PREFIX_PATTERN.fullmatch(prefix) or prefix in RESERVED:
        raise LabError(f"{prefix!r} cannot be a prefix", "use lower-case letters and '-', and none of the lab's names")
    state = state or State()
    with state.locked():
        settings = state.load_settings()
        client = prerequisites.ensure_docker(state)
        launcher = Launcher(client, settings)
        image = host_image.ensure(client, debian)
        mirror.ensure_image(client)
        launcher.ensure_network()
        _remove(launcher, state, prefix)
        mirror.start(launcher)
        taken = [container.labels.get(ADDRESS_LABEL, "") for container in launcher.containers()]
        try:
            hosts = plan_ephemeral(settings, prefix, count, taken, debian, docker, kubernetes)
        except LabSettingsError as error:
            raise LabError(str(error)) from error
        with step(f"{count} hosts {prefix}1…{prefix}{count}"):
            start_hosts(launcher, state, hosts, {debian: image}, "ephemeral", prefix)
        mirror.wait_ready(launcher)
    return hosts


def hosts_down(prefix: str, state: State | None = None) -> int:
    """Remove the hosts of a prefix; returns how many. The last host of all takes mirror and network with it."""
    state = state or State()
    with state.locked():
        launcher = Launcher(prerequisites.ensure_docker(state), state.load_settings())
        count = _remove(launcher, state, prefix)
        if not launcher.containers("fleet") and not launcher.containers("ephemeral"):
            launcher.remove(launcher.containers())
            fleet.remove_network(launcher.client)
    return count


def _remove(launcher: Launcher, state: State, prefix: str) -> int:
    found = launcher.containers("ephemeral", prefix)
    launcher.remove(found)
    fleet.forget(state, found)
    return len(found)


def write_inventory(path: Path, hosts: list[LabHost], state: State | None = None) -> None:
    """Write a plain YAML inventory of the hosts."""
    data = inventory_data(hosts, str((state or State()).root))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, sort_keys=False, explicit_start=True, width=1000))


@contextmanager
def ephemeral_hosts(
    prefix: str,
    count: int,
    debian: str = "13",
    docker: bool = False,
    state: State | None = None,
    kubernetes: bool = False,
) -> Iterator[list[LabHost]]:
    """Hosts for the length of a ``with`` block; they are removed whatever happens inside."""
    try:
        yield hosts_up(prefix, count, debian, docker, state, kubernetes)
    finally:
        hosts_down(prefix, state)
