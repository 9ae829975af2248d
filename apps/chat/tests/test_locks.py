"""The images install what the tests ran with: requirements.lock holds the same pins as uv.lock."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def locked() -> dict[str, str]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return {package["name"]: package["version"] for package in packages}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock"])
def test_same_pins(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = dict(PIN.findall(text))
    assert pins, "run ./lock.sh"
    known = locked()
    assert pins == {package: known.get(package) for package in pins}, "run ./lock.sh"
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = dict(PIN.findall((ROOT / "requirements.lock").read_text()))
    wanted = {re.split(r"[^a-z0-9-]", dependency)[0] for dependency in project["dependencies"]}
    assert wanted <= set(pins), "run ./lock.sh"
