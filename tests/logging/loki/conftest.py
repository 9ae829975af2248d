"""One Loki for all tests; they are skipped where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.logging.loki.server import Loki

REASON = "LOKI names no program; it is built from its Go module, or had from its makers: docs/logging.md"


@pytest.fixture(scope="session")
def program() -> Path:
    named = os.environ.get("LOKI", "")
    if not named:
        pytest.skip(REASON)
    found = shutil.which(named)
    if found is None:
        pytest.fail(f"LOKI names {named}, which is no program", pytrace=False)
    return Path(found).resolve()


@pytest.fixture(scope="session")
def loki(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loki]:
    made = Loki(program, tmp_path_factory.mktemp("loki"))
    try:
        made.start()
        yield made
    finally:
        made.kill()
