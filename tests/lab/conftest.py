"""These tests look at the lab as `make up` leaves it, and mend what they break."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.state import State
from tests.lab.harness.fleet import Fleet

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    state = State()
    if not state.known_hosts.exists():
        pytest.exit("the lab is not there: `make up` first", returncode=2)
    found = Fleet(state, tmp_path_factory.mktemp("fleet"))
    quiet = [host for host in found.hosts if found.attempt(host, "true").returncode]
    if quiet:
        pytest.exit(f"hosts of the lab do not run ({', '.join(quiet)}): `make up` first", returncode=2)
    return found
