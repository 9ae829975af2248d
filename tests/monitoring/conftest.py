"""Tests of the rules need promtool: they evaluate as Prometheus does."""

from __future__ import annotations

import pytest

from tests.monitoring.harness.programs import program


@pytest.fixture(scope="session")
def promtool() -> str:
    return str(program("promtool", "prometheus"))
