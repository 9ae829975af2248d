"""Tests of the rules need promtool: they evaluate as Prometheus does."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def promtool() -> str:
    named = os.environ.get("PROMTOOL", "")
    found = shutil.which(named or "promtool")
    if found is None:
        where = f"PROMTOOL names {named}, which is no program" if named else "there is none on PATH"
        pytest.fail(f"promtool is needed, and {where}: set PROMTOOL=/path/to/promtool; Prometheus' releases bring it")
    return found
