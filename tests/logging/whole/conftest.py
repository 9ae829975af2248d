"""One cluster of three nodes and one host that ships to it, for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.elasticsearch.cluster import Cluster
from tests.elasticsearch.conftest import cluster, folder, home
from tests.logging.shipper import programs
from tests.logging.whole.host import Host, describe, prepare

__all__ = ("cluster", "folder", "home")


@pytest.fixture(scope="session")
def host(cluster: Cluster, folder: Path) -> Iterator[Host]:
    programs.root()  # skips where there is no rsyslog
    place = folder / "app1"
    place.mkdir()
    made = Host(place, describe(cluster, place), cluster)
    prepare(cluster)
    try:
        made.start()
        yield made
    finally:
        made.stop()
