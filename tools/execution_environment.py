"""AWX's image, as ansible-builder builds it: ``python -m tools.execution_environment`` writes its definition anew.

Which collections are in it says requirements.yml, in which versions the Python package ``ansible`` that uv.lock pins,
which is what the tests run with; all Python packages are those of uv.lock. A test compares the file with this.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from packaging.markers import Marker

from tools import REPOSITORY

FILE = REPOSITORY / "execution-environment.yml"
BASE = "quay.io/centos/centos:stream9"
PYTHON = "3.12"
# Programs that the platform's own tasks start on the controller, or that AWX needs to reach hosts and repositories.
SYSTEM = ("git-core [platform:rpm]", "openssh-clients [platform:rpm]", "tar [platform:rpm]")
# `ansible` is the collections again, 600 MB of them; those that are used come from Galaxy, at the same versions.
LEFT_OUT = ("ansible",)
HEADER = """\
---
# The image that AWX runs the platform's playbooks in: docs/awx.md.
#   ansible-builder build --tag registry.example.com/devops-platform:1.0.0
# Written by `python -m tools.execution_environment` from requirements.yml and uv.lock: change those, and run it again.
"""


def collections(requirements: Path = REPOSITORY / "requirements.yml") -> list[dict[str, str]]:
    """What requirements.yml names, each at the version that the locked environment has."""
    named = yaml.safe_load(requirements.read_text(encoding="utf-8"))["collections"]
    return [{"name": str(one["name"]), "version": f"=={installed(str(one['name']))}"} for one in named]


def installed(collection: str) -> str:
    spec = find_spec("ansible_collections")
    folders = (spec.submodule_search_locations if spec else None) or ()
    for folder in folders:
        manifest = Path(folder, *collection.split("."), "MANIFEST.json")
        if manifest.exists():
            found = json.loads(manifest.read_text(encoding="utf-8"))
            return str(found["collection_info"]["version"])
    raise SystemExit(f"requirements.yml: {collection} is not in the Python package ansible that uv.lock pins")


def locked(lock: Path = REPOSITORY / "uv.lock") -> Mapping[str, Mapping[str, Any]]:
    """Name -> entry of uv.lock."""
    packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    return {str(package["name"]): package for package in packages}


def needed(packages: Mapping[str, Mapping[str, Any]], name: str) -> Iterator[str]:
    """Names of all packages that ``name`` brings on Linux, itself not among them; some more than once."""
    environment = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "sys_platform": "linux"}
    for dependency in packages[name].get("dependencies", ()):
        marker = dependency.get("marker")
        if marker and not Marker(marker).evaluate(environment):
            continue
        yield str(dependency["name"])
        yield from needed(packages, str(dependency["name"]))


def python_packages(packages: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Pins of all but ansible-core and ansible-runner, which ansible-builder wants to be told by themselves."""
    roots = ("devops-platform", "ansible-runner")
    names = {name for root in roots for name in needed(packages, root)} - {*LEFT_OUT, "ansible-core"}
    return [pin(packages, name) for name in sorted(names)]


def pin(packages: Mapping[str, Mapping[str, Any]], name: str) -> str:
    return f"{name}=={packages[name]['version']}"


def definition() -> dict[str, Any]:
    """The definition, as version 3 of its schema has it. Source: ansible-builder's docs/definition.rst."""
    packages = locked()
    return {
        "version": 3,
        "images": {"base_image": {"name": BASE}},
        "dependencies": {
            "python_interpreter": {"package_system": f"python{PYTHON}", "python_path": f"/usr/bin/python{PYTHON}"},
            "ansible_core": {"package_pip": pin(packages, "ansible-core")},
            "ansible_runner": {"package_pip": pin(packages, "ansible-runner")},
            "galaxy": {"collections": collections()},
            "python": python_packages(packages),
            "system": list(SYSTEM),
        },
    }


class Dumper(yaml.SafeDumper):
    """Lists begin two columns further in, as the repository's other files have them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (PyYAML's)
        super().increase_indent(flow, False)


def text() -> str:
    return HEADER + yaml.dump(definition(), Dumper=Dumper, sort_keys=False)


def main() -> int:
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE.relative_to(REPOSITORY)}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
