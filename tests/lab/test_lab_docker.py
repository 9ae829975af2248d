"""Docker's settings change under running containers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab import REPOSITORY
from tests.lab.harness.fleet import Fleet, pids

PART = ("playbooks/groups.yml", "playbooks/hosts.yml", "--tags", "always,docker", "--limit", "app1")


def containers(fleet: Fleet) -> dict[str, str]:
    names = fleet.on("app1", "docker", "ps", "--format", "{{.Names}}").split()
    return pids(fleet.on("app1", "docker", "inspect", "--format", "{{.Name}} {{.State.Pid}}", *names))


def daemon(fleet: Fleet) -> str:
    return fleet.on("app1", "systemctl", "show", "docker", "--property=MainPID", "--value").strip()


@pytest.fixture
def declared(fleet: Fleet) -> Iterator[dict[str, Any]]:
    """`daemon` of platform.yml; whatever a test makes of it, it holds again afterwards."""
    path = REPOSITORY / "inventories" / "lab" / "group_vars" / "all" / "platform.yml"
    yield yaml.safe_load(path.read_text())["platform"]["docker"]["daemon"]
    fleet.play(*PART).expect_ok()


def test_a_key_that_docker_can_reload_is_reloaded(fleet: Fleet, declared: dict[str, Any]) -> None:
    running, process = containers(fleet), daemon(fleet)
    assert len(running) >= 3
    play = fleet.play(*PART, extra={"docker_daemon": {**declared, "labels": ["tier=test"]}}).expect_ok()
    assert play.changes == {"app1": 1}
    assert json.loads(fleet.on("app1", "docker", "info", "--format", "{{json .Labels}}")) == ["tier=test"]
    assert (containers(fleet), daemon(fleet)) == (running, process)


def test_containers_outlive_a_restart_of_the_daemon(fleet: Fleet, declared: dict[str, Any]) -> None:
    running, process = containers(fleet), daemon(fleet)
    fleet.play(*PART, extra={"docker_daemon": {**declared, "log-level": "warn"}}).expect_ok()
    assert daemon(fleet) != process
    assert containers(fleet) == running


def test_a_file_that_dockerd_refuses_never_arrives(fleet: Fleet) -> None:
    process = daemon(fleet)
    play = fleet.play(*PART, extra={"docker_daemon": {"no-such-key": True}})
    assert play.code != 0
    assert "/etc/docker/daemon.json was refused" in play.output
    fleet.play(*PART, "--check").expect_nothing_changed()
    assert daemon(fleet) == process
