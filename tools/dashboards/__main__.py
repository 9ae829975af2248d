"""Writes the dashboards that the role grafana installs: ``python -m tools.dashboards [--check]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import REPOSITORY

from .build import files
from .definitions import ALL

FOLDER = REPOSITORY / "collections/ansible_collections/devops/platform/roles/grafana/files/dashboards"


def differences(wanted: dict[str, str], folder: Path) -> list[str]:
    """What is not as the definitions say: a line for each file."""
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    lines = []
    for name in sorted({*wanted, *present}):
        if name not in present:
            lines.append(f"{name} is missing")
        elif name not in wanted:
            lines.append(f"{name} has no definition")
        elif present[name] != wanted[name]:
            lines.append(f"{name} differs")
    return lines


def write(wanted: dict[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.dashboards", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--check", action="store_true", help="only say whether the files are as the definitions")
    options = parser.parse_args(arguments)
    wanted = files(ALL)
    found = differences(wanted, FOLDER)
    if options.check:
        for line in found:
            print(f"{line}; run: make dashboards", file=sys.stderr)
        return 1 if found else 0
    write(wanted, FOLDER)
    print("\n".join(found) if found else f"{len(wanted)} dashboards, all as defined")
    return 0


if __name__ == "__main__":
    sys.exit(main())
