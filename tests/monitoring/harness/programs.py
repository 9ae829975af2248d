"""The programs that judge: the very ones that the lab's hosts run, or others that the environment names."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path

import pytest

from lab import unpacked


@cache
def program(name: str, artifact: str) -> Path:
    """The one that NAME in the environment names, such as PROMTOOL; without that, the artifact of the lab's mirror."""
    named = os.environ.get(name.upper(), "")
    if not named:
        return unpacked.ensure(artifact) / name
    found = shutil.which(named)
    if found is None:
        pytest.fail(f"{name.upper()} names {named}, which is no program; without it the lab's is taken", pytrace=False)
    return Path(found).resolve()
