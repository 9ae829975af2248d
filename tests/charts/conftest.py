"""Schemas of what Kubernetes knows, and of what charts use of others' kinds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.charts.harness import SCHEMAS
from tools import kubernetes_schemas


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    kubernetes_schemas.write(folder)
    for path in SCHEMAS.glob("*.json"):
        shutil.copy(path, folder)
    return folder
