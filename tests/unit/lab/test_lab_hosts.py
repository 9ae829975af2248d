"""When is a container kept, started or replaced? The Docker daemon is a fake that remembers what it was asked."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import LabSettings
from lab import cgroups, hosts
from lab.hosts import SPEC_LABEL, Container, Launcher

WANTED = Container("app1", "172.30.0.101", "image:1", "fleet")
FILES = b"this checkout's keys"


class FakeContainer(SimpleNamespace):
    def start(self) -> None:
        self.status = "running"


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> Launcher:
    """A launcher without a daemon: `made` holds the containers, `removed` those that went."""
    launcher: Any = object.__new__(Launcher)
    launcher.made, launcher.removed, launcher.lacking = {}, [], []
    launcher.settings = LabSettings()
    launcher.mode = cgroups.detect("1", "cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n")
    launcher.client = SimpleNamespace(
        api=SimpleNamespace(put_archive=lambda *_: True, start=lambda name: launcher.made[name].start())
    )

    def create(wanted: Container, _flags: object, spec: str) -> str:
        launcher.made[wanted.container] = FakeContainer(labels={SPEC_LABEL: spec}, status="created")
        return wanted.container

    launcher._create = create
    launcher.remove = launcher.removed.extend
    monkeypatch.setattr(hosts, "find_container", lambda _client, name: launcher.made.get(name))
    return launcher


@pytest.mark.parametrize(
    ("wanted", "files", "status", "outcome"),
    [
        (WANTED, FILES, "running", "running"),
        (WANTED, FILES, "exited", "started"),
        (replace(WANTED, image="image:2"), FILES, "running", "running"),  # what is installed on it is kept
        (replace(WANTED, address="172.30.0.150"), FILES, "running", "created"),
        (WANTED, b"another checkout's keys", "running", "created"),
        (WANTED, b"another checkout's keys", "exited", "created"),
    ],
)
def test_a_container_is_kept_unless_it_is_of_another_make(launcher, wanted, files, status, outcome):
    assert launcher.ensure(WANTED, FILES) == "created"
    before = launcher.made[WANTED.container]
    before.status = status
    assert launcher.ensure(wanted, files) == outcome
    assert launcher.removed == ([before] if outcome == "created" else [])
    assert launcher.made[WANTED.container].status == "running"
