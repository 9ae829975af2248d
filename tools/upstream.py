"""Molecule scenarios of programs that only their makers offer: ``python -m tools.upstream grafana``.

Neither Debian nor the lab's mirror has these. Where the makers' site answers, the scenario installs the real thing;
where it does not, this says ``skipped`` and why. Looking changes nothing.
"""

from __future__ import annotations

import argparse
import hashlib
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
DIGESTS = {"sha256": re.compile(r"\b([0-9a-f]{64})\b"), "sha512": re.compile(r"\b([0-9a-f]{128})\b")}
CHUNK = 1 << 20
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}

Fetch = Callable[[str], str]
Weigh = Callable[[str, str], str]


class AwayError(Exception):
    """Why there is nothing to install from."""


@dataclass(frozen=True)
class Program:
    """``url``: the archive, with ``{version}``, and ``{arch}`` or ``{machine}``, which is the kernel's word for it; its
    digest is in a file beside it, which ends like ``published``."""

    version: str
    url: str
    binaries: tuple[str, ...]
    strip: int = 1
    published: str = "sha256"


ELASTIC = "https://artifacts.elastic.co/downloads"
PROGRAMS: Mapping[str, Program] = {
    "grafana": Program(
        "11.6.1", "https://dl.grafana.com/oss/release/grafana-{version}.linux-{arch}.tar.gz", ("bin/grafana",)
    ),
    "elasticsearch": Program(
        "8.15.0", f"{ELASTIC}/elasticsearch/elasticsearch-{{version}}-linux-{{machine}}.tar.gz",
        ("bin/elasticsearch",), published="sha512",
    ),
    "kibana": Program(
        "8.15.0", f"{ELASTIC}/kibana/kibana-{{version}}-linux-{{machine}}.tar.gz", ("bin/kibana",), published="sha512"
    ),
}  # fmt: skip
# What each scenario installs.
SCENARIOS: Mapping[str, tuple[str, ...]] = {"grafana": ("grafana",), "kibana": ("elasticsearch", "kibana")}


def fetch(url: str) -> str:
    """AwayError where the site does not answer soon, or with something else."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - PROGRAMS has https only
            return str(answer.read(LONGEST).decode("utf-8", "replace"))
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        raise AwayError(f"{url} does not answer: {getattr(error, 'reason', error)}") from error


def weigh(url: str, expected: str) -> str:
    """The sha256, by which the engine pins, of an archive whose sha512 is known. AwayError where that is another."""
    sums = hashlib.sha256(), hashlib.sha512()
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - PROGRAMS has https only
            while chunk := answer.read(CHUNK):
                for each in sums:
                    each.update(chunk)
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        raise AwayError(f"{url} does not answer: {getattr(error, 'reason', error)}") from error
    if sums[1].hexdigest() != expected:
        raise AwayError(f"{url} is something else than what its makers' sha512 is of")
    return sums[0].hexdigest()


def lock(name: str, program: Program, arch: str, get: Fetch, measure: Weigh = weigh) -> dict[str, Any]:
    """An artifact lock for this test alone: a platform's own holds digests that somebody has checked. Here, what the
    makers say at the same moment has to do, for a host that lives for minutes and holds nothing."""
    url = program.url.replace("{machine}", MACHINES.get(arch, arch))
    address = url.format(version=program.version, arch=arch)
    said = DIGESTS[program.published].search(get(f"{address}.{program.published}"))
    if not said:
        raise AwayError(f"{address}.{program.published} answers with something that is no {program.published}")
    release = {
        "url": url,
        "sha256": {arch: said[1] if program.published == "sha256" else measure(address, said[1])},
        "strip": program.strip,
        "binaries": list(program.binaries),
    }
    return {"format": 1, "artifacts": {name: {program.version: release}}}


def architecture(machine: str) -> str:
    return {theirs: ours for ours, theirs in MACHINES.items()}.get(machine, machine)


def prepare(name: str, folder: Path, machine: str, get: Fetch, measure: Weigh = weigh) -> Path:
    """Write the scenario's lock, which molecule/shared/group_vars/all.yml names."""
    content: dict[str, Any] = {"format": 1, "artifacts": {}}
    for each in SCENARIOS[name]:
        content["artifacts"] |= lock(each, PROGRAMS[each], architecture(machine), get, measure)["artifacts"]
    path = folder / f"{name}.lock.yml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, explicit_start=True), encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None, get: Fetch = fetch) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.upstream", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", choices=sorted(SCENARIOS))
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
