"""Programs that tests start for themselves: found, installed from Debian's packages, or named."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Program:
    """``package`` has it. ``unit``: what that would start by itself. ``folders``: a pattern below / for where it is, if
    that is not on PATH."""

    name: str
    package: str
    unit: str = ""
    folders: str = ""


POSTGRES = Program("postgres", "postgresql", "postgresql.service", "usr/lib/postgresql/*/bin")
REDIS = Program("redis-server", "redis-server", "redis-server.service")
NODE = Program("node", "nodejs")
NPM = Program("npm", "npm")
CHROMIUM = Program("chromium", "chromium")


class MissingError(Exception):
    """Programs are missing and cannot be installed; the message says which, why not, and what to do."""


def missing(wanted: Sequence[Program], root: Path = Path("/"), path: str | None = None) -> list[Program]:
    """Those that are neither on PATH nor in their folders."""
    return [
        program
        for program in wanted
        if shutil.which(program.name, path=path) is None
        and not any(
            (folder / program.name).exists() for folder in (root.glob(program.folders) if program.folders else ())
        )
    ]


def ensure(wanted: Sequence[Program]) -> None:
    """Install what is missing, without leaving a service behind: the tests start servers of their own."""
    absent = missing(wanted)
    if not absent:
        return
    names = ", ".join(f"{program.name} (package {program.package})" for program in absent)
    if shutil.which("apt-get") is None:
        raise MissingError(f"the tests need {names}, and there is no apt-get here: install them and try again")
    become = _become()
    if become is None:
        raise MissingError(f"the tests need {names}; installing them needs root: run it as root once, or install them")
    print(f"installing {names} with apt-get", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _services_stay_off(become):
        for command in (
            ("apt-get", "update", "-q"),
            ("apt-get", "install", "-q", "-y", "--no-install-recommends", *(program.package for program in absent)),
        ):
            done = subprocess.run([*become, *command], env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                output = (done.stdout + done.stderr).strip()[-2000:]
                raise MissingError(f"the tests need {names}; `{' '.join(command)}` failed:\n{output}")
    units = [program.unit for program in absent if program.unit]
    if units and Path("/run/systemd/system").is_dir():
        # What was not started now shall not start with the machine either.
        subprocess.run([*become, "systemctl", "disable", "--quiet", *units], check=False)


def _become() -> list[str] | None:
    """What makes a command root's: nothing for root, sudo where it asks no password, None where there is no way."""
    if os.geteuid() == 0:
        return []
    asked = ["sudo", "-n", "true"]
    usable = shutil.which("sudo") and subprocess.run(asked, capture_output=True, check=False).returncode == 0
    return ["sudo", "-n"] if usable else None


@contextmanager
def _services_stay_off(become: list[str]) -> Iterator[None]:
    """Packages start no services in here. A policy that is there already is left alone: it is somebody's decision."""
    if POLICY.exists():
        yield
        return
    write = [*become, "install", "-m", "0755", "/dev/stdin", str(POLICY)]
    subprocess.run(write, input="#!/bin/sh\nexit 101\n", text=True, check=True)
    try:
        yield
    finally:
        subprocess.run([*become, "rm", "-f", str(POLICY)], check=True)
