# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which containers of a host are not as they should be, and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .patience import Patience

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
LIST = ("docker", "ps", "--all", "--no-trunc", "--format", "{{json .}}")


class NoAnswerError(Exception):
    """Docker could not be asked; the message says why."""


@dataclass(frozen=True)
class Container:
    """One line of `docker ps`. `status` is for people: 'Up 2 minutes (healthy)', 'Exited (137) 5 seconds ago'."""

    name: str
    state: str
    status: str
    project: str = ""
    service: str = ""

    @property
    def well(self) -> bool:
        """Runs, and is not said to be unwell: an image without a health check says nothing."""
        return self.state == "running" and "(unhealthy)" not in self.status and "(health: starting)" not in self.status

    @property
    def ill(self) -> bool:
        """Certainly not as anybody meant it to be; a container that ended may have been made to end."""
        return self.state in ("restarting", "dead") or (self.state == "running" and "(unhealthy)" in self.status)


def parse(output: str) -> list[Container]:
    """The lines that LIST prints, as containers."""
    return [_container(json.loads(line)) for line in output.splitlines() if line.startswith("{")]


def _container(row: Mapping[str, Any]) -> Container:
    labels = dict(item.split("=", 1) for item in str(row.get("Labels", "")).split(",") if "=" in item)
    return Container(
        name=str(row.get("Names", "")),
        state=str(row.get("State", "")),
        status=str(row.get("Status", "")),
        project=labels.get(PROJECT, ""),
        service=labels.get(SERVICE, ""),
    )


def failures(projects: Mapping[str, Mapping[str, int]], found: Sequence[Container]) -> list[str]:
    """One line for each declared service that is not well, then for each other container that is ill.

    `projects`: `{project: {service: number of containers}}`.
    """
    lines: list[str] = []
    declared: set[str] = set()
    for project, services in sorted(projects.items()):
        for service, count in sorted(services.items()):
            own = [container for container in found if (container.project, container.service) == (project, service)]
            declared |= {container.name for container in own}
            lines += _service_failures(f"{project}/{service}", count, own)
    lines += [f"{item.name}: {item.status}" for item in found if item.ill and item.name not in declared]
    return lines


def _service_failures(name: str, count: int, own: Sequence[Container]) -> Iterator[str]:
    unwell = [container for container in own if not container.well]
    for container in unwell:
        yield f"{name}: {container.name}: {container.status or container.state}"
    if len(own) < count:
        yield f"{name}: {len(own)} of {count} containers" if own else f"{name}: no container"


def wait_until_well(
    projects: Mapping[str, Mapping[str, int]],
    ask: Callable[[], str],
    patience: Patience,
) -> list[str]:
    """Ask until nothing fails; returns what still fails when the time is over. `ask` gives what LIST prints."""

    def look() -> list[str]:
        try:
            return failures(projects, parse(ask()))
        except NoAnswerError as error:
            return [f"Docker itself does not answer: {error}"]

    return patience.until_empty(look)
