"""Three short-lived hosts of the lab, a server and two workers, with a platform.yml of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import REPOSITORY, cli, ephemeral
from lab.ephemeral import write_inventory
from tests.fleet.harness.platform import merged

PREFIX = "t-kube"
LAB = REPOSITORY / "inventories/lab-kubernetes/group_vars/all/platform.yml"
FOLDER = REPOSITORY / "build" / PREFIX
PATIENCE = 180.0
SERVER, WORKERS = f"{PREFIX}1", (f"{PREFIX}2", f"{PREFIX}3")


@dataclass(frozen=True)
class Run:
    """What a play said, and how long it took."""

    text: str
    seconds: float

    @property
    def changed(self) -> int:
        return sum(int(number) for number in re.findall(r"changed=(\d+)", self.text))


class Cluster:
    """The hosts, and how they are asked."""

    def __init__(self) -> None:
        self.inventory = FOLDER / "inventory"
        self.kubeconfig = FOLDER / "admin.conf"

    def describe(self, over: Mapping[str, Any] | None = None) -> None:
        own: dict[str, Any] = {
            "name": PREFIX,
            "hosts": {"upgrades": "none"},
            "kubernetes": {"cluster": {"kubeconfig": str(self.kubeconfig), "cgroup_root": PREFIX}},
        }
        platform = merged(merged(yaml.safe_load(LAB.read_text())["platform"], own), over or {})
        path = self.inventory / "group_vars/all/platform.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({"platform": platform}, sort_keys=False, explicit_start=True))

    def play(self, *words: str, fails: bool = False) -> Run:
        began = time.monotonic()
        environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(self.inventory), *words]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        run = Run(done.stdout + done.stderr, time.monotonic() - began)
        assert (done.returncode != 0) == fails, run.text[-6000:]
        return run

    def on(self, host: str, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = ["docker", "exec", "-i", f"devops-lab-{host}", *words]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False)

    def kubectl(self, *words: str, given: str = "") -> str:
        """The server's own; nothing where it fails, as it does while the API server is away."""
        done = self.on(SERVER, "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", *words, given=given)
        return done.stdout if done.returncode == 0 else ""

    def apply(self, text: str) -> None:
        assert self.kubectl("apply", "-f", "-", given=text)

    def until(self, fits: Any, what: str) -> float:
        began = time.monotonic()
        while not fits():
            if time.monotonic() - began > PATIENCE:
                pytest.fail(f"not seen: {what}; {self.kubectl('get', 'pods,nodes', '-A', '-o', 'wide')}")
            time.sleep(1)
        return time.monotonic() - began

    def ready(self) -> list[str]:
        """Nodes that are."""
        rows = [line.split() for line in self.kubectl("get", "nodes", "--no-headers").splitlines()]
        return sorted(row[0] for row in rows if row[1] == "Ready")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    made = Cluster()
    try:
        hosts = ephemeral.hosts_up(PREFIX, 3, kubernetes=True)
        assert cli.main(["cluster"]) == 0
        write_inventory(made.inventory / "hosts.yml", hosts)
        data = yaml.safe_load((made.inventory / "hosts.yml").read_text())
        data["all"]["children"] = {
            "kubernetes_servers": {"hosts": {SERVER: {}}},
            "kubernetes_workers": {"hosts": {name: {} for name in WORKERS}},
        }
        (made.inventory / "hosts.yml").write_text(yaml.safe_dump(data))
        made.describe()
        yield made
    finally:
        ephemeral.hosts_down(PREFIX)


@pytest.hookimpl
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(5400))  # the first one builds what a cluster is made of
