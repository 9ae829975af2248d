"""The chat as people use it: real browsers, through the edge of the running lab (`make up`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from lab import REPOSITORY
from lab.runtime import connect
from tests.chat.harness.alone import Alone, started
from tests.chat.harness.browser import chromium
from tests.lab.conftest import fleet as fleet  # noqa: PLC0414 - the same lab
from tests.lab.harness.fleet import Fleet
from tools import programs

HERE = Path(__file__).parent
SCREENSHOTS = REPOSITORY / "build" / "chat" / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def browser(fleet: Fleet) -> Iterator[Browser]:
    programs.ensure([programs.CHROMIUM])
    with chromium(fleet) as started:
        yield started


@pytest.fixture
def screenshots(request: pytest.FixtureRequest) -> Path:
    """Kept with the run, a folder a test."""
    folder = SCREENSHOTS / request.node.name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    return folder


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """The application without a lab, as a developer starts it with Docker Compose."""
    with started(connect(), tmp_path_factory.mktemp("alone")) as running:
        yield running
