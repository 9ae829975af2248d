"""Tests of the rules need promtool: they evaluate as Prometheus does."""

from __future__ import annotations

import os

import pytest

from tests.monitoring.harness.programs import program


def pytest_configure() -> None:
    """The collection's own tests that want a real Prometheus look for it here, when they run together with these."""
    os.environ.setdefault("PROMETHEUS", str(program("prometheus", "prometheus")))


@pytest.fixture(scope="session")
def promtool() -> str:
    return str(program("promtool", "prometheus"))
