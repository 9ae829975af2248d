"""The simulated cluster, one for all tests; each has a namespace of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.kubernetes.simulated.cluster import PROGRAMS, Simulated, programs

NUMBERS = count()


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    folder = programs()
    if folder is None:
        pytest.skip(f"KUBERNETES_BIN names no folder with {', '.join(PROGRAMS)}")
    made = Simulated(folder, tmp_path_factory.mktemp("kubernetes"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def space(simulated: Simulated) -> str:
    name = f"test-{next(NUMBERS)}"
    status, _answer = simulated.ask(
        "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    )
    assert status == 201
    return name
