"""The whole lab: bring it up, take it down, say how it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import (
    LabHost,
    LabSettings,
    plan_cluster,
    plan_hosts,
)
from lab import cluster, host_image, images, keys, mirror, prerequisites, programs
from lab.errors import LabError
from lab.gobuild import remove_tree
from lab.hosts import ADDRESS_LABEL, NAME_LABEL, PREFIX_LABEL, Launcher, start_hosts
from lab.progress import say, step
from lab.runtime import IMAGE_LABEL, NETWORK, PREFIX, APIError, Client, NotFound, connect
from lab.state import State

SERVER_NAMES = ("chat.lab", "edge1")


@dataclass(frozen=True)
class HostStatus:
    """A row of the status table. ``state`` is Docker's word for a container, or ``absent``."""

    name: str
    groups: str
    address: str
    state: str
    image: str


def surplus(wanted: list[LabHost], present: list[str]) -> list[str]:
    """Hosts that run and are not wanted any more."""
    names = {host.name for host in wanted}
    return sorted(name for name in present if name not in names)


def wanted_hosts(settings: LabSettings) -> list[LabHost]:
    """The fleet, and the hosts of a cluster where one is wanted."""
    return [*plan_hosts(settings), *(plan_cluster(settings) if settings.kubernetes else ())]


def up(state: State) -> None:
    """Bring the lab to what the settings say. Safe to repeat: what is right already is left alone."""
    with state.locked():
        settings = state.load_settings()
        client = prerequisites.ensure_docker(state)
        launcher = Launcher(client, settings)
        say(f"host flags: {launcher.describe()}")
        images_by_release = {"13": host_image.ensure(client, "13")}
        mirror.ensure_image(client)
        launcher.ensure_network()
        state.save_settings(settings)
        hosts = wanted_hosts(settings)
        _remove_surplus(launcher, state, hosts)
        with step("mirror") as notes:
            notes.append(mirror.start(launcher))
        edge = next(host for host in hosts if "edge" in host.groups)
        with ThreadPoolExecutor(max_workers=3) as pool:
            # Three chains that meet only at the end: hosts boot while the mirror is filled.
            jobs = [
                pool.submit(_step_hosts, launcher, state, hosts, images_by_release),
                pool.submit(_step, "artifacts", lambda: programs.ensure(launcher, state, _programs(hosts))),
                pool.submit(_step, "application images", lambda: images.ensure(launcher, state)),
            ]
            issued = keys.ensure_pki(state, list(SERVER_NAMES), [edge.address])
            say(f"certificates: {'issued' if issued else 'unchanged'}")
            for job in jobs:
                job.result()
        if settings.kubernetes:
            _step("what a cluster is made of", lambda: cluster.ensure(launcher, state))


def _programs(hosts: list[LabHost]) -> list[str]:
    """What these hosts need and Debian has not."""
    return ["elasticsearch"] if any("logging" in host.groups for host in hosts) else []


def _step(name: str, work: Callable[[], str]) -> None:
    with step(name) as notes:
        notes.append(work())


def _step_hosts(launcher: Launcher, state: State, hosts: list[LabHost], tags: dict[str, str]) -> None:
    with step(f"{len(hosts)} hosts") as notes:
        outcomes = start_hosts(launcher, state, hosts, tags, "fleet")
        for outcome in ("created", "started", "running"):
            count = sum(1 for value in outcomes.values() if value.startswith(outcome))
            if count:
                notes.append(f"{count} {outcome}")


def _remove_surplus(launcher: Launcher, state: State, hosts: list[LabHost]) -> None:
    present = {container.labels[NAME_LABEL]: container for container in launcher.containers("fleet")}
    names = surplus(hosts, list(present))
    if names:
        with step(f"remove {', '.join(names)}"):
            launcher.remove([present[name] for name in names])
            forget(state, [present[name] for name in names])


def forget(state: State, containers: list[Any]) -> None:
    labels = [container.labels for container in containers]
    for label in labels:
        keys.forget_host_key(state, label.get(NAME_LABEL, ""))
    keys.update_known_hosts(state, {}, removed=[label.get(ADDRESS_LABEL, "") for label in labels])


def down(state: State, purge: bool = False) -> None:
    """Remove all containers and the network. The mirror's volume and the images stay unless ``purge``."""
    with state.locked():
        client = connect()
        launcher = Launcher(client, state.load_settings())
        with step("remove containers") as notes:
            found = launcher.containers()
            launcher.remove(found)
            forget(state, found)
            notes.append(f"{len(found)} removed")
        # One that was not finished would be in the way of every other, and its hosts are gone.
        shutil.rmtree(state.rollouts, ignore_errors=True)
        remove_network(client)
        if purge:
            _purge(client, state)


def remove_network(client: Client) -> None:
    try:
        client.networks.get(NETWORK).remove()
    except NotFound:
        return
    except APIError as error:
        raise LabError(
            f"the network {NETWORK} cannot be removed: {error.explanation}",
            "containers that the lab did not start still use it; remove them and run `down` again",
        ) from error


def _purge(client: Client, state: State) -> None:
    with step("purge the mirror's volume, images and state") as notes:
        try:
            client.volumes.get(mirror.VOLUME).remove()
        except NotFound:
            notes.append("no volume")
        tags = {tag for image in client.images.list(filters={"label": IMAGE_LABEL}) for tag in image.tags}
        tags |= {tag for image in client.images.list(f"{PREFIX}/*") for tag in image.tags}
        # A tag goes before what it stands on; anything outside of the lab that uses an image keeps it.
        for tag in sorted(tags, reverse=True):
            try:
                client.images.remove(tag)
            except APIError as error:
                say(f"{tag} is kept: {error.explanation}")
        client.images.prune(filters={"label": [IMAGE_LABEL], "dangling": True})
        kept = {"lock", state.dockerd_log.name, state.dockerd_pid.name}
        for path in state.root.iterdir():
            if path.name not in kept:
                remove_tree(path) if path.is_dir() else path.unlink()
        notes.append(f"{len(tags)} image tags removed")


def status(state: State) -> tuple[LabSettings, list[HostStatus]]:
    """The settings, and a row for the mirror, each wanted host and each further container of the lab."""
    settings = state.load_settings()
    launcher = Launcher(connect(timeout=20), settings)
    containers = {container.labels.get(NAME_LABEL, container.name): container for container in launcher.containers()}
    current = {}
    for debian in host_image.SUITES:
        try:
            current[launcher.client.images.get(host_image.host_tag(debian)).id] = f"debian {debian}"
        except NotFound:
            continue
    rows = []
    wanted = [LabHost(mirror.NAME, settings.mirror), *wanted_hosts(settings)]
    for host in wanted:
        container = containers.pop(host.name, None)
        groups = ", ".join(host.groups) or "-"
        if container is None:
            rows.append(HostStatus(host.name, groups, host.address, "absent", "-"))
        else:
            rows.append(_row(container, groups, current, host.name == mirror.NAME))
    rows += [_row(container, container.labels.get(PREFIX_LABEL) or "-", current) for container in containers.values()]
    return settings, rows


def _row(container: Any, groups: str, current: dict[str, str], is_mirror: bool = False) -> HostStatus:
    attributes = container.attrs
    labels = container.labels
    image = "mirror" if is_mirror else current.get(attributes["Image"], "an older image")
    state = container.status
    return HostStatus(labels.get(NAME_LABEL, "?"), groups, labels.get(ADDRESS_LABEL, "?"), state, image)


def table(rows: list[HostStatus]) -> str:
    """The rows as text with aligned columns."""
    cells = [("HOST", "GROUP", "ADDRESS", "STATE", "IMAGE"), *(tuple(asdict(row).values()) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )
