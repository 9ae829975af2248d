"""One Loki for all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import unpacked
from tests.logging.loki.server import Loki

PROGRAM = "LOKI"  # one of one's own instead of the lab's


@pytest.fixture(scope="session")
def program() -> Path:
    named = os.environ.get(PROGRAM, "")
    if not named:
        return unpacked.ensure("loki") / "loki"  # built where it is not in the mirror
    found = shutil.which(named)
    if found is None:
        pytest.fail(f"{PROGRAM} names {named}, which is no program", pytrace=False)
    return Path(found).resolve()


@pytest.fixture(scope="session")
def loki(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loki]:
    made = Loki(program, tmp_path_factory.mktemp("loki"))
    try:
        made.start()
        yield made
    finally:
        made.kill()
