"""A short-lived fleet: N hosts beside the lab with a generated platform.yml."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import LabHost
from lab import REPOSITORY, keys
from lab.ephemeral import hosts_down, hosts_up, write_inventory
from lab.runtime import PREFIX as CONTAINER_PREFIX
from lab.state import State
from tests.fleet.harness.platform import generated, roles_of
from tests.lab.harness.fleet import Play
from tools.hosts import fill_mirror

PREFIX = "t-fleet"


@dataclass
class Fleet:
    """Hosts by name, in order. ``platform`` is written beside the inventory, which ``describe`` does again.

    Below ``folder``: ``inventory``, of which Ansible reads every file; ``state`` with secrets and certificates.
    """

    hosts: dict[str, LabHost]
    folder: Path
    platform: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return list(self.hosts)

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory"

    def of(self, group: str) -> list[str]:
        return [name for name, host in self.hosts.items() if group in host.groups]

    def address(self, host: str) -> str:
        return self.hosts[host].address

    def describe(self, platform: Mapping[str, Any]) -> None:
        """Write platform.yml: what the next run rolls out."""
        self.platform = dict(platform)
        path = self.inventory / "group_vars" / "all" / "platform.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({"platform": self.platform}, sort_keys=False, explicit_start=True, width=1000))

    def play(self, *arguments: str, extra: Mapping[str, Any] | None = None, seconds: float = 900) -> Play:
        """ansible-playbook on the fleet's inventory. `extra` are variables that win over all others."""
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        more = ["--extra-vars", json.dumps(extra)] if extra else []
        with self.start(*arguments, *more) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        known = json.loads(report.read_text()) if report.exists() else {"hosts": {}}
        return Play(process.returncode, output, known)

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """ansible-playbook, under way: in a session of its own, so that a test's signal reaches nobody else."""
        programs = Path(sys.executable).parent
        return subprocess.Popen(
            [str(programs / "ansible-playbook"), "-i", str(self.inventory), *arguments],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
                "DEVOPS_PLATFORM_REPORT": str(self.folder / "report.json"),
                "LC_ALL": "C.UTF-8",
                "NO_COLOR": "1",
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def attempt(self, host: str, *command: str, given: str = "", seconds: float = 120) -> tuple[int, str]:
        """(exit code, output) of a command that runs as root on a host; `given` is its standard input."""
        words = ["docker", "exec", "-i", f"{CONTAINER_PREFIX}-{host}", *command]
        done = subprocess.run(words, input=given.encode(), capture_output=True, timeout=seconds)
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def on(self, host: str, *command: str, given: str = "", seconds: float = 120) -> str:
        """What a command prints that must succeed."""
        code, output = self.attempt(host, *command, given=given, seconds=seconds)
        assert code == 0, f"{' '.join(command)} on {host} ended with {code}: {output}"
        return output

    def shell(self, host: str, lines: str) -> str:
        """The same for lines of a shell script that ends at the first failure."""
        return self.on(host, "sh", "-eu", given=lines)


def start(
    count: int,
    folder: Path,
    over: Mapping[str, Any] | None = None,
    groups: Sequence[Sequence[str]] | None = None,
    prefix: str = PREFIX,
) -> Fleet:
    """Start hosts ``<prefix>1`` to ``<prefix>N``, and describe them. Hosts of the prefix that exist are replaced.

    ``over`` is laid over the lab's platform.yml; ``groups`` of each host, in order, if not those of `roles_of`.
    """
    state = State()
    hosts = hosts_up(prefix, count, docker=True, state=state)
    fill_mirror(state, with_images=True)
    chosen = groups or roles_of(count)
    named = [replace(host, groups=tuple(chosen[number])) for number, host in enumerate(hosts)]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_inventory(folder / "inventory" / "hosts.yml", named, state)
    # Certificates and secrets of its own: the lab's are those of a lab that may be running.
    own = State(folder / "state")
    keys.ensure_pki(own, ["chat.lab"], [])
    fleet = Fleet({host.name: host for host in named}, folder)
    fleet.describe(generated(prefix, own, over))
    return fleet


def stop(prefix: str = PREFIX) -> None:
    hosts_down(prefix)
