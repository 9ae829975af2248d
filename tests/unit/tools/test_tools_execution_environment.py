"""AWX's image: its definition is that of the locked environment, and ansible-builder makes a build context of it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tools import REPOSITORY, execution_environment

REQUIRED = yaml.safe_load((REPOSITORY / "requirements.yml").read_text())["collections"]
DECLARED = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """What `ansible-builder create` makes. An image is not built: that needs a registry."""
    folder = tmp_path_factory.mktemp("builder")
    program = Path(sys.executable).parent / "ansible-builder"
    command = [program, "create", "--file", execution_environment.FILE, "--context", folder, "-v3"]
    done = subprocess.run(
        [*command, "--output-filename", "Containerfile"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_file_is_what_the_tool_writes():
    assert execution_environment.FILE.read_text() == execution_environment.text(), (
        "run: python -m tools.execution_environment"
    )


def test_every_named_collection_is_in_it_at_one_version(context):
    asked = yaml.safe_load((context / "_build" / "requirements.yml").read_text())["collections"]
    assert [one["name"] for one in asked] == [one["name"] for one in REQUIRED]
    assert all(one["version"].startswith("==") for one in asked)


def test_every_python_package_is_in_it_at_the_locked_version(context):
    lines = (context / "_build" / "requirements.txt").read_text().split()
    pins = dict(line.split("==") for line in lines)
    locked = execution_environment.locked()
    assert {name: locked[name]["version"] for name in pins} == pins
    wanted = {line.split(">")[0].split("=")[0] for line in DECLARED} - set(execution_environment.LEFT_OUT)
    assert wanted - set(pins) == set()
    assert not {"ansible", "pytest", "ansible-core"} & set(pins)


def test_a_package_for_other_systems_is_left_out():
    locked = {
        "a": {"dependencies": [{"name": "b", "marker": "sys_platform == 'win32'"}, {"name": "c"}]},
        "b": {},
        "c": {"dependencies": [{"name": "d", "marker": "python_full_version < '3.12'"}]},
        "d": {},
    }
    assert list(execution_environment.needed(locked, "a")) == ["c"]


def test_the_image_has_the_programs_and_ansible_itself(context):
    text = (context / "Containerfile").read_text()
    locked = execution_environment.locked()
    assert "FROM $EE_BASE_IMAGE AS base" in text
    assert f'EE_BASE_IMAGE="{execution_environment.BASE}"' in text
    for name in ("ansible-core", "ansible-runner"):
        assert f"{name}=={locked[name]['version']}" in text
    bindep = (context / "_build" / "bindep.txt").read_text()
    assert bindep.split("\n") == [*execution_environment.SYSTEM]


def test_a_collection_that_is_not_there_is_named(tmp_path):
    (tmp_path / "requirements.yml").write_text("collections: [{name: no.such}]\n")
    with pytest.raises(SystemExit, match=r"requirements.yml: no.such is not in the Python package"):
        execution_environment.collections(tmp_path / "requirements.yml")
