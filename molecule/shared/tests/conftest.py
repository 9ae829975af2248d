"""Takes the tests of the roles that the scenario runs: test_<role>.py for each of them."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Fetch = Callable[..., str]

# Asks from the host itself; with the status first, also where that is an error.
ASK = """
import ssl, sys, urllib.error, urllib.request
unverified = ssl._create_unverified_context()
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=10, context=unverified)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read().decode(errors="replace"))
"""


def scenario_variables() -> dict[str, Any]:
    scenario = yaml.safe_load(Path(os.environ["MOLECULE_FILE"]).read_text())
    found: dict[str, Any] = scenario["provisioner"]["inventory"]["group_vars"]["all"]
    return found


def scenario_roles() -> list[str]:
    return list(scenario_variables()["molecule_roles"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    roles = scenario_roles()
    others = [item for item in items if item.path.stem.removeprefix("test_") not in roles]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


@pytest.fixture
def variables() -> dict[str, Any]:
    return scenario_variables()


@pytest.fixture
def roles() -> list[str]:
    return scenario_roles()


@pytest.fixture
def fetch(host) -> Fetch:
    """What a URL answers on the host: ``200 text``."""

    def ask(url: str) -> str:
        return str(host.check_output("python3 -c %s %s", ASK, url))

    return ask


@pytest.fixture
def fetch_json(fetch):
    def ask(url: str):
        status, _, text = fetch(url).partition(" ")
        assert status == "200", text
        return json.loads(text)

    return ask


@pytest.fixture
def address(host) -> str:
    """Where the host is reached from outside."""
    return str(host.ansible.get_variables()["ansible_host"])


@pytest.fixture
def reachable(address) -> Callable[[int], bool]:
    """Whether a port answers to the operator's machine."""

    def connect(port: int) -> bool:
        try:
            socket.create_connection((address, port), timeout=2).close()
        except OSError:
            return False
        return True

    return connect
