"""The hosts on which the engine's promises are tried: systemd containers of the lab's own make."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import LabHost
from lab.ephemeral import hosts_down, hosts_up, write_inventory
from lab.state import State
from tests.engine.harness.machine import Machine

PREFIX = "t-engine"
COUNT = 2  # the long matrices are divided among them; every other test runs on the first
# Set while working on the tests: hosts that are up are used as they are, and stay.
KEEP = os.environ.get("ENGINE_TEST_KEEP_HOSTS") == "1"
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            # A fresh machine builds the host image first.
            item.add_marker(pytest.mark.timeout(1200))


def _running(state: State) -> list[LabHost]:
    from lab.hosts import ADDRESS_LABEL, NAME_LABEL, Launcher
    from lab.prerequisites import ensure_docker

    launcher = Launcher(ensure_docker(state), state.load_settings())
    found = [container for container in launcher.containers("ephemeral", PREFIX) if container.status == "running"]
    return [LabHost(container.labels[NAME_LABEL], container.labels[ADDRESS_LABEL]) for container in found]


@pytest.fixture(scope="session")
def state() -> State:
    return State()


@pytest.fixture(scope="session")
def hosts(state: State) -> Iterator[list[LabHost]]:
    found = _running(state) if KEEP else []
    yield found if len(found) == COUNT else hosts_up(PREFIX, COUNT, state=state)
    if not KEEP:
        hosts_down(PREFIX, state)


@pytest.fixture(scope="session")
def machines(hosts: list[LabHost], state: State) -> Iterator[list[Machine]]:
    made = [Machine(host, state) for host in hosts]
    yield made
    for machine in made:
        machine.close()


@pytest.fixture
def machine(machines: list[Machine]) -> Machine:
    """A host that the engine has never seen."""
    machines[0].wipe_everything()
    return machines[0]


@pytest.fixture(scope="session")
def inventory(hosts: list[LabHost], state: State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inventory") / "hosts.yml"
    write_inventory(path, hosts[:1], state)
    return path
