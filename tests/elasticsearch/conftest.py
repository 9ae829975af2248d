"""One cluster for all tests: it takes half a minute to start."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import maven
from tests.elasticsearch.cluster import Cluster, java_home


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """One that the user of the nodes can enter."""
    with tempfile.TemporaryDirectory(prefix="devops-platform-elasticsearch-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="session")
def home(folder: Path) -> Path:
    """Elasticsearch's own files, as hosts have them: below a link that leads to the release in use."""
    if java_home() is None:
        pytest.skip("there is no java in PATH")
    current = folder / "current"
    current.symlink_to(maven.unpack(maven.ELASTICSEARCH, folder / "releases"))
    return current


@pytest.fixture(scope="session")
def cluster(home: Path, folder: Path) -> Iterator[Cluster]:
    """Three nodes that have formed a cluster: the first founds it, the others join."""
    made = Cluster(folder, home)
    try:
        made.prepare()
        made.start()
        yield made
    finally:
        made.stop()
