"""What is said in several places is the same in all of them."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tools import REPOSITORY

COLLECTION = REPOSITORY / "collections" / "ansible_collections" / "devops" / "platform"
GALAXY = yaml.safe_load((COLLECTION / "galaxy.yml").read_text())
REQUIRED = {
    item["name"]: item["version"]
    for item in yaml.safe_load((REPOSITORY / "requirements.yml").read_text())["collections"]
}


def test_galaxy_and_requirements_name_the_same_collections():
    assert GALAXY["dependencies"] == REQUIRED


def test_every_collection_that_is_used_is_named():
    used = set()
    playbooks = [*REPOSITORY.glob("*.yml"), *REPOSITORY.glob("playbooks/*.yml"), *COLLECTION.glob("roles/**/*.yml")]
    for path in [*playbooks, *REPOSITORY.glob("inventories/*/*.yml")]:
        for name in re.findall(
            r"(?:^\s*|group/|^plugin: )((?:[a-z]+)\.(?:[a-z]+))\.\w+", path.read_text(), re.MULTILINE
        ):
            used.add(name)
    for path in COLLECTION.glob("plugins/**/*.py"):
        used |= set(re.findall(r"from ansible_collections\.([a-z]+\.[a-z]+)\.", path.read_text()))
    assert used - {"ansible.builtin", "devops.platform"} == set(REQUIRED)


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_the_locked_environment_brings_it_within_the_bounds(name):
    spec = find_spec("ansible_collections")
    assert spec is not None
    manifests = [Path(folder, *name.split("."), "MANIFEST.json") for folder in spec.submodule_search_locations or ()]
    [manifest] = (path for path in manifests if path.exists())
    version = json.loads(manifest.read_text())["collection_info"]["version"]
    low, high = re.findall(r"[\d.]+", REQUIRED[name])
    numbers = [tuple(map(int, each.split("."))) for each in (low, version, high)]
    assert numbers[0] <= numbers[1] < numbers[2]


def test_the_licence_is_one():
    assert "GNU GENERAL PUBLIC LICENSE" in (REPOSITORY / "LICENSE").read_text()
    roles = {
        yaml.safe_load(path.read_text())["galaxy_info"]["license"] for path in COLLECTION.glob("roles/*/meta/main.yml")
    }
    assert {*roles, *GALAXY["license"]} == {"GPL-3.0-or-later"}


def test_action_groups_name_what_there_is():
    groups = yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text())["action_groups"]
    there = {path.stem for kind in ("modules", "action") for path in (COLLECTION / "plugins" / kind).glob("*.py")}
    assert {name for names in groups.values() for name in names} - there == set()


def test_help_lists_every_target():
    text = (REPOSITORY / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    assert set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE)) == set(phony[1].split())


def test_ci_runs_what_everybody_runs():
    script = REPOSITORY / ".ci" / "run"
    assert script.read_text().splitlines()[-1] == "exec make test"
    assert script.stat().st_mode & 0o111
