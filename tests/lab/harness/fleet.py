"""The running lab as its end-to-end tests see it: hosts to look into, playbooks to run, the edge to call."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.journey.edge import Edge
from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import LabHost, plan_hosts
from lab import REPOSITORY
from lab.runtime import PREFIX
from lab.state import State

REACH = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3]))"
PATIENCE = 1.5  # seconds in which an open port answers on a busy machine; a closed one takes all of them


@dataclass(frozen=True)
class Play:
    """A run of ansible-playbook to its end. ``report`` is what the progress callback writes of it."""

    code: int
    output: str
    report: Mapping[str, Any]

    @property
    def changes(self) -> dict[str, int]:
        """Hosts on which something changed, or would have."""
        hosts: Mapping[str, Mapping[str, int]] = self.report["hosts"]
        return {host: counts["changed"] for host, counts in hosts.items() if counts["changed"]}

    def expect_ok(self) -> Play:
        assert self.code == 0, f"ansible-playbook ended with {self.code}:\n{self.output[-6000:]}"
        return self

    def expect_nothing_changed(self) -> Play:
        self.expect_ok()
        assert self.changes == {}, f"something changed:\n{self.output[-6000:]}"
        return self


class Fleet:
    """The hosts of the lab, by name. Nothing here starts or stops the lab itself."""

    def __init__(self, state: State, work: Path) -> None:
        self.state = state
        self.work = work
        self.hosts: dict[str, LabHost] = {host.name: host for host in plan_hosts(state.load_settings())}
        edge = self.of("edge")[0]
        self.edge = Edge(f"https://{self.address(edge)}", "chat.lab", str(state.pki / "ca.crt"))

    def of(self, group: str) -> list[str]:
        return [name for name, host in self.hosts.items() if group in host.groups]

    def address(self, host: str) -> str:
        return self.hosts[host].address

    def secrets(self) -> dict[str, str]:
        return secret_values(self.state.secrets)

    # On a host

    def attempt(self, host: str, *command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command as root, whatever comes of it."""
        words = ["docker", "exec", f"{PREFIX}-{host}", *command]
        return subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=seconds)

    def on(self, host: str, *command: str, seconds: float = 60) -> str:
        """What a command prints that must succeed."""
        done = self.attempt(host, *command, seconds=seconds)
        assert done.returncode == 0, f"{' '.join(command)} on {host} ended with {done.returncode}: {done.stderr}"
        return done.stdout

    def reaches(self, host: str, address: str, port: int) -> bool:
        """Whether a connection from `host` is accepted."""
        return self.attempt(host, "python3", "-c", REACH, address, str(port), str(PATIENCE)).returncode == 0

    # From outside

    def ansible(self, program: str, *arguments: str, seconds: float = 300) -> tuple[int, str]:
        done = subprocess.run(
            [str(Path(sys.executable).with_name(program)), *arguments],
            cwd=REPOSITORY,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
        )
        return done.returncode, done.stdout

    def play(self, *arguments: str, extra: Mapping[str, Any] | None = None) -> Play:
        """ansible-playbook on the lab's inventory, the default. `extra` are variables that win over all others."""
        report = self.work / "report.json"
        report.unlink(missing_ok=True)
        words = [*arguments, *(["--extra-vars", json.dumps(extra)] if extra else [])]
        code, output = self.ansible("ansible-playbook", *words)
        return Play(code, output, json.loads(report.read_text()) if report.exists() else {"hosts": {}})

    def verify(self, patience: int = 60) -> Play:
        return self.play("playbooks/groups.yml", "playbooks/verify.yml", extra={"verify_timeout": patience})

    def environment(self) -> dict[str, str]:
        programs = Path(sys.executable).parent
        return {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "DEVOPS_PLATFORM_REPORT": str(self.work / "report.json"),
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
        }

    def ssh(self, host: str, *options: str) -> subprocess.CompletedProcess[str]:
        """One attempt to log in as an OpenSSH client of its own, without the lab's key unless `options` give it."""
        words = ["ssh", "-v", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"]
        words += ["-o", f"UserKnownHostsFile={self.state.known_hosts}", "-o", "StrictHostKeyChecking=yes", *options]
        return subprocess.run([*words, self.address(host), "true"], capture_output=True, text=True, timeout=30)


def reachable_from_here(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=PATIENCE):
            return True
    except OSError:
        return False


def until(what: str, condition: Callable[[], bool], seconds: float = 60, interval: float = 0.5) -> None:
    """Wait for something that comes by itself."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(interval)


def pids(listing: str) -> dict[str, str]:
    """`{container: process}` of `docker inspect --format '{{.Name}} {{.State.Pid}}'` lines."""
    return dict(re.findall(r"^/?(\S+) (\d+)$", listing, re.MULTILINE))


def secret_values(folder: Path) -> dict[str, str]:
    """Values by name, as a secret store holds them below ``folder``; of a key its second line, in which all differ."""
    texts = {
        str(path.relative_to(folder)): path.read_text().strip()
        for path in folder.rglob("[!.]*")
        if path.is_file() and path.suffix != ".crt"
    }
    return {name: text.splitlines()[2] if name.endswith(".key") else text for name, text in texts.items()}
