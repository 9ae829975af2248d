"""Fleets of short-lived hosts on which whole operations are tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.fleet.harness import fleet
from tests.fleet.harness.fleet import PREFIX, Fleet

HERE = Path(__file__).parent


class Starter(Protocol):
    def __call__(
        self,
        count: int,
        over: Mapping[str, Any] | None = None,
        groups: Sequence[Sequence[str]] | None = None,
        prefix: str = PREFIX,
    ) -> Fleet: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and not item.get_closest_marker("timeout"):
            # A fresh machine builds the host image first.
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture(scope="session")
def start_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starter]:
    """Starts N hosts with a platform.yml of their own; the next call replaces those of the same prefix. See
    harness/fleet.py, `start`."""
    prefixes = set()

    def start(
        count: int,
        over: Mapping[str, Any] | None = None,
        groups: Sequence[Sequence[str]] | None = None,
        prefix: str = PREFIX,
    ) -> Fleet:
        prefixes.add(prefix)
        return fleet.start(count, tmp_path_factory.mktemp("fleet"), over, groups, prefix)

    yield start
    for prefix in prefixes:
        fleet.stop(prefix)
