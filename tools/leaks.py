"""Secrets in what Git has: ``python -m tools.leaks``, of the whole history and of what stands in the folder.

The program is gitleaks, which the lab builds; GITLEAKS names another one. What it may find, and why, is .gitleaks.toml.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from lab import unpacked
from lab.errors import LabError
from tools import REPOSITORY

CONFIG = REPOSITORY / ".gitleaks.toml"
# `git` is every commit that led here, other branches aside; `dir` what stands here now, committed or not.
SCOPES: dict[str, tuple[str, ...]] = {"git": ("--log-opts=HEAD",), "dir": ()}


def program() -> str:
    named = os.environ.get("GITLEAKS", "")
    if not named:
        return str(unpacked.ensure("gitleaks") / "gitleaks")
    found = shutil.which(named)
    if found is None:
        raise LabError(f"GITLEAKS names {named}, which is no program", "without it the lab builds one")
    return found


def command(gitleaks: str, scope: str, folder: Path) -> list[str]:
    options = ["--config", str(CONFIG), "--no-banner", "--redact", "--verbose", *SCOPES[scope]]
    return [gitleaks, scope, *options, str(folder)]


def tracked(folder: Path, target: Path) -> None:
    """What Git has or would have, as links below `target`: nothing that it ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source = folder / name
        if source.is_file() and not source.is_symlink():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(source, target / name)


def main() -> int:
    """Both scopes, also where the first has found something; 1 where any has."""
    try:
        gitleaks = program()
    except LabError as error:
        print(f"leaks: {error}", file=sys.stderr)
        return 2
    copy = REPOSITORY / "build" / "leaks"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    tracked(REPOSITORY, copy)
    try:
        codes = [
            subprocess.run(command(gitleaks, scope, folder)).returncode
            for scope, folder in zip(SCOPES, (REPOSITORY, copy), strict=True)
        ]
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    if any(codes):
        print("leaks: see above. A value that was ever committed is known: replace it. No secret: .gitleaks.toml")
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
