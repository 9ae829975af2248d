"""Where the relative paths of platform.yml start: at the repository's root, whatever the working directory is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARKER = "ansible.cfg"


def find_root(start: Path) -> Path:
    """The nearest directory at or above `start` that holds an ansible.cfg; the working directory if none does."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / MARKER).is_file():
            return folder
    return Path.cwd()


def root_of(variables: Mapping[str, Any]) -> Path:
    """The root as a running play knows it: by its inventory's place, otherwise by its configuration file's."""
    for name in ("inventory_dir", "ansible_config_file", "playbook_dir"):
        value = variables.get(name)
        if value:
            root = find_root(Path(str(value)))
            if (root / MARKER).is_file():
                return root
    return Path.cwd()


def made_by(path: str) -> str:
    """What makes a missing file, as the end of a sentence."""
    if path.startswith("lab/.state/"):
        return "the lab makes it: run 'make up'"
    return "make it, or correct the path (relative ones start at the directory of ansible.cfg)"


def inventory_directories(variables: Mapping[str, Any]) -> list[Path]:
    """The directories of the inventories that a run was given, each once; variable files stand below these.

    Known before any host is, and to a play without hosts: `inventory_dir` is a variable of hosts.
    """
    sources = [Path(str(source)) for source in variables.get("ansible_inventory_sources") or ()]
    found = [source if source.is_dir() else source.parent for source in sources if source.exists()]
    return list(dict.fromkeys(found))


def shown(path: Path) -> str:
    """A path as messages call it: relative to the working directory where it is below that."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
