"""Short-lived hosts of the lab, for Molecule and the bench: ``python -m tools.hosts up | down --hosts JSON``.

JSON is the list ``platforms`` of a molecule.yml: ``name`` ends in a number, ``debian`` is the release ("13"),
``docker`` says whether Docker is to run inside, ``images`` whether the lab's application images are wanted, ``groups``
are the inventory's.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import LabHost
from lab import artifacts, ephemeral, images, prerequisites
from lab.errors import LabError
from lab.hosts import Launcher
from lab.state import State

NAME = re.compile(r"(?P<prefix>.*?)(?P<number>\d+)")


@dataclass(frozen=True)
class Batch:
    """Hosts that are started together: ``names`` are ``<prefix>1`` to ``<prefix>N``."""

    prefix: str
    names: tuple[str, ...]
    debian: str
    docker: bool


def batches(platforms: Iterable[Mapping[str, Any]]) -> list[Batch]:
    """Sort hosts by prefix; LabError names a host that has no number, or is not alike its siblings."""
    found: dict[str, Batch] = {}
    for platform in platforms:
        name = str(platform["name"])
        parts = NAME.fullmatch(name)
        before = found.get(parts["prefix"]) if parts else None
        expected = len(before.names) + 1 if before else 1
        if parts is None or int(parts["number"]) != expected:
            raise LabError(f"the host name {name!r} must end in {expected}", "number hosts of one prefix 1, 2, …")
        batch = Batch(parts["prefix"], (name,), str(platform.get("debian", "13")), bool(platform.get("docker")))
        if before:
            if (batch.debian, batch.docker) != (before.debian, before.docker):
                raise LabError(
                    f"{name} differs from {before.names[0]} in debian or docker", "give the two other prefixes"
                )
            batch = replace(before, names=(*before.names, name))
        found[batch.prefix] = batch
    return list(found.values())


def fill_mirror(state: State, with_images: bool) -> None:
    """What hosts install from: the lab's `up` does this as well, and neither depends on the other."""
    with state.locked():
        launcher = Launcher(prerequisites.ensure_docker(state), state.load_settings())
        artifacts.ensure(launcher, state)
        if with_images:
            images.ensure(launcher, state)


def up(platforms: list[Mapping[str, Any]], state: State | None = None) -> list[LabHost]:
    """Start the hosts, and see to it that the mirror has what they install. Hosts of the same names are replaced."""
    state = state or State()
    groups = {str(platform["name"]): tuple(platform.get("groups") or ()) for platform in platforms}
    hosts: list[LabHost] = []
    for batch in batches(platforms):
        started = ephemeral.hosts_up(batch.prefix, len(batch.names), batch.debian, batch.docker, state)
        hosts += [replace(host, groups=groups[host.name]) for host in started]
    fill_mirror(state, any(platform.get("images") for platform in platforms))
    return hosts


def down(platforms: list[Mapping[str, Any]], state: State | None = None) -> int:
    """Remove the hosts; returns how many there were."""
    return sum(ephemeral.hosts_down(batch.prefix, state) for batch in batches(platforms))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.hosts", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", choices=("up", "down"))
    parser.add_argument("--hosts", type=json.loads, required=True, help="list of hosts as JSON")
    parser.add_argument("--inventory", type=Path, help="write a YAML inventory of the hosts to this file")
    options = parser.parse_args(arguments)
    try:
        if options.action == "down":
            down(options.hosts)
            return 0
        hosts = up(options.hosts)
        if options.inventory:
            ephemeral.write_inventory(options.inventory, hosts)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
