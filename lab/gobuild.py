"""Building programs from Go modules on this machine: nothing but the recipe decides what comes out.

Modules, compilers and compiled packages are kept in a folder of the lab's state, away from the caches of whoever works
here. A build has the lowest priority, an end in time and the folder to itself; until it is done there is no result.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from lab import prerequisites
from lab.errors import LabError
from lab.gomod import GoMod
from lab.recipes import FOLDER, Recipe, linker_flags, read_mod, version_of
from lab.state import State, exclusively

OLDEST = (1, 21)  # fetches the compiler that a go.mod names
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
TOOLCHAIN = "LAB_GO_TOOLCHAIN"
# Where modules come from, and what vouches for them, is the machine's affair; all else that Go reads is the recipe's.
SOURCES = ("GOPROXY", "GOSUMDB", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOAUTH", "GOVCS")
TAIL = 12  # lines of a failed build that are shown

# What Go says, and what is to be done about it; {0} is what the pattern caught. The first that fits holds.
REASONS = (
    (r"no space left on device", "the disk is full: make room; `make down PURGE=1` frees all that the lab has"),
    (
        r"verifying (\S+?): checksum mismatch",
        "{0} is not what go.sum pins: a proxy or its authors changed it; do not build it before you know which",
    ),
    (r"missing go\.sum entry", "go.sum lacks a digest: run `go mod tidy` in the recipe's folder"),
    (r"updates to go\.mod needed", "go.mod is not complete: run `go mod tidy` in the recipe's folder"),
    (
        r"download (go1\.[0-9a-z.]+)(?: |:)",
        f"the compiler {{0}} is not to be had: see `go env GOPROXY`, or build with another: {TOOLCHAIN}=local",
    ),
    (r"requires go >= (\S+)", f"install Go {{0}} or newer, or unset {TOOLCHAIN}: the compiler is then fetched"),
    (r"lookup disabled by GOPROXY=off", "Go may fetch nothing here: set GOPROXY (`go env GOPROXY`)"),
    (
        r"(\S+@v\S+?): (?:Get|Head|reading|invalid version|unrecognized import path) ",
        "{0} is not to be had: see `go env GOPROXY`, and run this again; what was downloaded is kept",
    ),
)


def build(recipe: Recipe, state: State, folder: Path = FOLDER) -> tuple[str, str, dict[str, bytes]]:
    """(version, architecture, program → content). Raises LabError that says which module or package failed, and why."""
    mod = read_mod(recipe, folder)
    version = version_of(recipe, mod)
    arch = architecture()
    go = find_go()
    if recipe.c:
        prerequisites.ensure(prerequisites.GCC)
    with exclusively(state.go / "lock", "another build", recipe.minutes * 120):
        work = state.go / "work"
        remove_tree(work)  # of a build that was killed
        work.mkdir(parents=True)
        try:
            settings = environment(dict(os.environ), sources(go), state.go, compiler(mod, dict(os.environ)), arch)
            settings["CGO_ENABLED"] = "1" if recipe.c else "0"
            deadline = time.monotonic() + recipe.minutes * 60
            for name, package in recipe.programs.items():
                command = arguments(recipe, version, str(work / name), package)
                _run([go, *command], folder / recipe.folder, settings, recipe, deadline)
            return version, arch, {name: (work / name).read_bytes() for name in recipe.programs}
        finally:
            remove_tree(work)


def architecture(machine: str = "") -> str:
    """This machine's, as Go and Debian call it."""
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        raise LabError(f"programs from Go modules are built for {' and '.join(ARCHITECTURES)}, this is {machine}")
    return ARCHITECTURES[machine]


def find_go() -> str:
    """A `go` that can fetch the compiler of a recipe; Debian's is installed where there is none."""
    prerequisites.ensure(prerequisites.GO)
    go = shutil.which(prerequisites.GO.program, path=prerequisites.search_path()) or prerequisites.GO.program
    # Of its own accord it would switch to another compiler, and say that one's version.
    given = {**os.environ, "GOTOOLCHAIN": "local"}
    said = subprocess.run([go, "version"], env=given, capture_output=True, text=True, check=False)
    found = re.search(r"go(\d+)\.(\d+)", said.stdout)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < OLDEST:
        shown = said.stdout.strip() or said.stderr.strip()[-500:]
        raise LabError(
            f"{go} cannot build for the lab ({shown}): Go {OLDEST[0]}.{OLDEST[1]} is the first that fetches the "
            "compiler that a go.mod names",
            "install a newer one, such as golang-go of Debian 13, and put it first on PATH",
        )
    return go


def sources(go: str) -> dict[str, str]:
    """Where this machine's Go gets modules from, be it set in the environment or with `go env -w`."""
    said = subprocess.run([go, "env", "-json", *SOURCES], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        raise LabError(f"`{go} env` failed: {said.stderr.strip()[-500:]}", "look at Go's configuration: `go env`")
    return {name: value for name, value in json.loads(said.stdout).items() if value}


def compiler(mod: GoMod, base: Mapping[str, str]) -> str:
    """The compiler that go.mod names, wherever it is built: another one gives other bytes."""
    return base.get(TOOLCHAIN) or mod.toolchain


def environment(
    base: Mapping[str, str], fetched_from: Mapping[str, str], root: Path, toolchain: str, arch: str
) -> dict[str, str]:
    """Of ``base`` nothing that Go reads but how many processors to take; its caches are below ``root``."""
    kept = {name: value for name, value in base.items() if not name.startswith(("GO", "CGO_")) or name == "GOMAXPROCS"}
    return {
        **kept,
        **fetched_from,
        "GOENV": "off",
        "GOPATH": str(root / "path"),
        "GOMODCACHE": str(root / "modules"),
        "GOCACHE": str(root / "compiled"),
        "GOTMPDIR": str(root / "work"),  # linking wants more room than a small /tmp has
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOTOOLCHAIN": toolchain,
        "GOWORK": "off",
        "GO111MODULE": "on",
        "GOOS": "linux",
        "GOARCH": arch,
        "GOAMD64": "v1",
        "GOARM64": "v8.0",
        "LC_ALL": "C.UTF-8",
    }


def arguments(recipe: Recipe, version: str, output: str, package: str) -> list[str]:
    """What makes equal sources equal programs: no paths of this machine, nothing about its version control."""
    chosen = (*recipe.tags, "netgo", "osusergo") if recipe.c else recipe.tags
    tags = ["-tags", ",".join(chosen)] if chosen else []
    linker = linker_flags(recipe, version) + (" -linkmode external -extldflags -static" if recipe.c else "")
    flags = ["-trimpath", "-buildvcs=false", *tags, "-ldflags", linker]
    return ["build", *flags, "-o", output, package]


def _run(command: list[str], folder: Path, settings: dict[str, str], recipe: Recipe, deadline: float) -> None:
    """Others who need the machine come first; what the compiler started ends with it."""
    with subprocess.Popen(
        ["nice", "-n", "19", *command],
        cwd=folder,
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=max(0.0, deadline - time.monotonic()))
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise LabError(
                    f"building {recipe.name} took more than {recipe.minutes:g} minutes, and was ended",
                    "run this again: it goes on from what was downloaded and compiled",
                ) from None
            raise
    if process.returncode != 0:
        raise failure(recipe, command[-1], output)


def failure(recipe: Recipe, package: str, output: str) -> LabError:
    """What Go's output means."""
    lines = [line for line in output.splitlines() if not line.startswith("go: downloading ")]
    tail = "\n".join(f"    {line}" for line in lines[-TAIL:])
    remedy = f"correct the recipe: lab/go/{recipe.folder} and lab/recipes.py"
    for pattern, text in REASONS:
        found = re.search(pattern, "\n".join(lines))
        if found:
            remedy = text.format(next((group for group in found.groups() if group), ""))
            break
    what = recipe.name if package == "." else f"{recipe.name} ({package})"
    return LabError(f"building {what} from Go modules failed:\n{tail}", remedy)


def remove_tree(path: Path) -> None:
    """Also what Go made read-only, as it does with compilers."""
    for folder, _, _ in os.walk(path):
        Path(folder).chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)
