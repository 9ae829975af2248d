"""What the machine needs before the lab can start: checked all at once, installed where that is allowed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.progress import say
from lab.runtime import Client, connect
from lab.state import State

DOCKER_SOCKET = Path("/var/run/docker.sock")
DOCKER_PID = Path("/var/run/docker.pid")
DOCKERD_TIMEOUT = 60
COMPANIONS = ("docker-cli", "iptables")  # parts of docker.io in some releases, packages of their own in others


@dataclass(frozen=True)
class Machine:
    """What was found on the machine; the input of every decision here."""

    root: bool
    apt: bool
    systemd: bool
    docker_host: str
    socket_usable: bool
    programs: frozenset[str]


@dataclass(frozen=True)
class Need:
    """A program, the Debian package that has it, and why the lab needs it."""

    program: str
    package: str
    why: str


DOCKERD = Need("dockerd", "docker.io", "runs the lab's hosts")
SSH = Need("ssh", "openssh-client", "Ansible reaches the hosts over SSH")
DEBOOTSTRAP = Need("debootstrap", "debootstrap", "makes the hosts' image where no image registry answers")
GO = Need("go", "golang-go", "builds the programs that no Debian package has")
GCC = Need("gcc", "build-essential", "translates what a few of these have in C")


def search_path() -> str:
    """PATH, with where programs are that it often lacks: those for root, and Go where its makers say to put it."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/go/bin"


def inspect_machine() -> Machine:
    programs = (DOCKERD.program, SSH.program, DEBOOTSTRAP.program, GO.program, GCC.program)
    return Machine(
        root=os.geteuid() == 0,
        apt=shutil.which("apt-get") is not None,
        systemd=Path("/run/systemd/system").is_dir(),
        docker_host=os.environ.get("DOCKER_HOST", ""),
        socket_usable=answers(DOCKER_SOCKET),
        programs=frozenset(name for name in programs if shutil.which(name, path=search_path())),
    )


def answers(path: Path) -> bool:
    """Whether a process listens behind a Unix socket. The file alone proves nothing: it outlives a power cut."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def forget_dead_daemon(pid_file: Path = DOCKER_PID) -> None:
    """Remove a process id that dockerd left behind and that another program has by now: dockerd would not start."""
    try:
        name = Path(f"/proc/{int(pid_file.read_text())}/comm").read_text().strip()
    except (OSError, ValueError):
        name = ""
    if name != DOCKERD.program:
        pid_file.unlink(missing_ok=True)


def needs(machine: Machine, debootstrap: bool) -> list[Need]:
    """What is missing. ``debootstrap``: whether an image has to be made without a registry."""
    wanted = [SSH]
    if not machine.docker_host and not machine.socket_usable:
        wanted.insert(0, DOCKERD)
    if debootstrap:
        wanted.append(DEBOOTSTRAP)
    return [need for need in wanted if need.program not in machine.programs]


def complaints(machine: Machine, missing: list[Need], debootstrap: bool) -> list[str]:
    """Everything that the operator has to put right, empty where the lab can do it by itself."""
    found = []
    if missing and not (machine.root and machine.apt):
        rows = "; ".join(f"{need.program} (package {need.package}: {need.why})" for need in missing)
        found.append(f"missing programs: {rows}")
    if not machine.docker_host and not machine.socket_usable and not machine.root:
        found.append(
            f"no access to Docker: nobody answers behind {DOCKER_SOCKET}, or it is closed to this user; "
            "start Docker and join the group docker, or run as root"
        )
    if debootstrap and not machine.root:
        found.append("debootstrap needs root: run `sudo .venv/bin/python -m lab build` once, then go on as this user")
    return found


def _check(debootstrap: bool) -> Machine:
    """Install what is missing and may be installed; LabError that lists the rest."""
    machine = inspect_machine()
    missing = needs(machine, debootstrap)
    problems = complaints(machine, missing, debootstrap)
    if problems:
        raise LabError(
            "this machine cannot run the lab yet:\n" + "\n".join(f"  - {problem}" for problem in problems),
            "put that right and run the command again",
        )
    if missing:
        _install([need.package for need in missing])
        machine = inspect_machine()
    return machine


def ensure_docker(state: State) -> Client:
    """A client of a running daemon; starts the daemon where nothing else on the machine would."""
    machine = _check(debootstrap=False)
    if not machine.docker_host and not answers(DOCKER_SOCKET):
        _start_daemon(state, machine)
    return connect()


def ensure_debootstrap() -> None:
    """Called only when an image has to be made without a registry."""
    _check(debootstrap=True)


def ensure(need: Need) -> None:
    """Called only when something has to be built: most machines need none of this."""
    machine = inspect_machine()
    if need.program in machine.programs:
        return
    if not (machine.root and machine.apt):
        raise LabError(
            f"missing program: {need.program} (package {need.package}: {need.why})",
            "install it, or run this once as root, and run the command again",
        )
    _install([need.package])


def _install(packages: list[str]) -> None:
    say(f"installing {' '.join(packages)} with apt-get …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}

    def run(*command: str) -> None:
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            output = (result.stdout + result.stderr).strip()[-2000:]
            raise LabError(f"`{' '.join(command)}` failed:\n{output}", "install the packages by hand")

    run("apt-get", "update", "-q")
    extra = [package for package in COMPANIONS if DOCKERD.package in packages and _exists(package)]
    run("apt-get", "install", "-q", "-y", "--no-install-recommends", *packages, *extra)


def _exists(package: str) -> bool:
    command = ["apt-cache", "show", "--quiet", package]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _start_daemon(state: State, machine: Machine) -> None:
    """Start Docker: as a service under systemd, else by hand with its log and process id in the state directory."""
    if machine.systemd:
        say("starting docker.service")
        subprocess.run(["systemctl", "enable", "--now", "docker.service"], check=False)
        return
    say(f"no systemd runs here: starting dockerd by hand, log in {state.dockerd_log}")
    state.create()
    forget_dead_daemon()
    path = search_path()
    with state.dockerd_log.open("ab") as log:
        process = subprocess.Popen(
            [shutil.which("dockerd", path=path) or "dockerd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": path},
            start_new_session=True,
        )
    state.write(state.dockerd_pid, f"{process.pid}\n")
    deadline = time.monotonic() + DOCKERD_TIMEOUT
    while not answers(DOCKER_SOCKET):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = state.dockerd_log.read_text(errors="replace").splitlines()[-8:]
            raise LabError("dockerd did not come up:\n" + "\n".join(f"    {line}" for line in tail))
        time.sleep(0.2)


def daemon_status() -> str:
    """The text of the daemon's /proc/PID/status, empty where it cannot be seen (a remote or a hidden daemon)."""
    try:
        pid = DOCKER_PID.read_text().strip()
        return Path(f"/proc/{int(pid)}/status").read_text()
    except (OSError, ValueError):
        return ""
