"""Rigs that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import programs
from .rig import Rig

Make = Callable[..., Rig]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Make]:
    """Makes a rig of a `platform.logging`."""
    programs.root()
    made: list[Rig] = []

    def make(logging: dict[str, Any], spool: Path | None = None) -> Rig:
        made.append(Rig(tmp_path, logging, spool))
        return made[-1]

    yield make
    for one in made:
        one.close()
