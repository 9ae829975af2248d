"""An application's own lint, types and tests, in its own locked environment: ``python -m tools.apptests NAME``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools import REPOSITORY

UV = REPOSITORY / ".tools" / "uv" / "bin" / "uv"
STEPS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("python", "-m", "pytest"))
POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Server:
    """A program that an application's tests start for themselves, and the package that has it."""

    program: str
    package: str
    unit: str
    folders: str = ""  # a pattern below / for programs that are not on PATH


SERVERS = {
    "chat": (
        Server("postgres", "postgresql", "postgresql.service", "usr/lib/postgresql/*/bin"),
        Server("redis-server", "redis-server", "redis-server.service"),
    )
}


class MissingError(Exception):
    """Servers are missing and cannot be installed; the message says which, why not, and what to do."""


def missing(wanted: Sequence[Server], root: Path = Path("/"), path: str | None = None) -> list[Server]:
    """Those that are neither on PATH nor in their folders."""
    return [
        server
        for server in wanted
        if shutil.which(server.program, path=path) is None
        and not any(
            (folder / server.program).exists() for folder in (root.glob(server.folders) if server.folders else ())
        )
    ]


def ensure_servers(wanted: Sequence[Server]) -> None:
    """Install what is missing, without leaving a service behind: the tests start servers of their own."""
    absent = missing(wanted)
    if not absent:
        return
    names = ", ".join(f"{server.program} (package {server.package})" for server in absent)
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
            ("apt-get", "install", "-q", "-y", "--no-install-recommends", *(server.package for server in absent)),
        ):
            done = subprocess.run([*become, *command], env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                output = (done.stdout + done.stderr).strip()[-2000:]
                raise MissingError(f"the tests need {names}; `{' '.join(command)}` failed:\n{output}")
    if Path("/run/systemd/system").is_dir():  # what was not started now shall not start with the machine either
        subprocess.run([*become, "systemctl", "disable", "--quiet", *(server.unit for server in absent)], check=False)


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


def main(arguments: list[str]) -> int:
    """Run every step, also after one that failed; 1 where any did."""
    name = arguments[0]
    try:
        ensure_servers(SERVERS.get(name, ()))
    except MissingError as error:
        print(f"apps/{name}: {error}", file=sys.stderr)
        return 1
    project = REPOSITORY / "apps" / name
    # The platform's environment is no business of the application's.
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment.update(UV_PYTHON_DOWNLOADS="never", UV_PYTHON=f"{sys.version_info.major}.{sys.version_info.minor}")
    if os.path.exists("/etc/ssl/certs/ca-certificates.crt"):
        environment.setdefault("UV_SYSTEM_CERTS", "1")
    failed = []
    for step in STEPS:
        print(f"$ {' '.join(step)}", flush=True)
        done = subprocess.run([str(UV), "run", "--frozen", "--quiet", *step], cwd=project, env=environment, check=False)
        if done.returncode:
            failed.append(" ".join(step))
    if failed:
        print(f"apps/{name}: failed: {'; '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
