"""playbooks/uninstall.yml: afterwards a host is what it was before, by every path, unit, user and package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fleet.conftest import Starter
from tests.fleet.harness.fleet import PREFIX, Fleet

UNINSTALL = "playbooks/uninstall.yml"
WHOLE = (Path(__file__).parent / "harness" / "whole.py").read_text()
KEPT = "/etc/chrony/chrony.conf"


def whole(fleet: Fleet, host: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(fleet.on(host, "python3", "-B", "-", given=WHOLE, seconds=300))
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [
        f"{name}: {before.get(name, 'nothing')} -> {after.get(name, 'nothing')}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


@pytest.fixture(scope="module")
def fleet(start_fleet: Starter) -> Fleet:
    return start_fleet(1)


@pytest.fixture(scope="module")
def host(fleet: Fleet) -> str:
    return fleet.names[0]


@pytest.fixture(scope="module")
def before(fleet: Fleet, host: str) -> dict[str, str]:
    # A file that the installation takes over, and a package of ours that somebody had before.
    fleet.shell(
        host,
        """
        echo 'Acquire::http::Proxy "http://mirror:3142";' >/etc/apt/apt.conf.d/00test
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends jq >/dev/null
        mkdir -p /etc/prometheus
        echo theirs >/etc/prometheus/theirs.yml
        """,
    )
    return whole(fleet, host)


@pytest.fixture(scope="module")
def installed(fleet: Fleet, host: str, before: dict[str, str]) -> dict[str, str]:
    fleet.play("site.yml", "--skip-tags", "verify").expect_ok()
    return whole(fleet, host)


def test_it_is_installed(before: dict[str, str], installed: dict[str, str]) -> None:
    assert len(differences(before, installed)) > 1000


@pytest.mark.parametrize("said", [{}, {"uninstall": "yes"}, {"uninstall": "chat"}])
def test_nothing_goes_by_a_slip(fleet: Fleet, host: str, installed: dict[str, str], said: dict[str, str]) -> None:
    run = fleet.play(UNINSTALL, extra=said)
    assert run.code == 2
    assert f"-e uninstall={PREFIX}" in run.output
    assert "Remove what is ours" not in run.output


def test_check_mode_says_what_would_go(fleet: Fleet, host: str, installed: dict[str, str]) -> None:
    run = fleet.play(UNINSTALL, "--check", extra={"uninstall": PREFIX}).expect_ok()
    assert "prometheus: remove /etc/prometheus/prometheus.yml" in run.output
    assert "/var/lib/prometheus" in run.output
    assert fleet.on(host, "systemctl", "is-active", "prometheus").strip() == "active"
    assert differences(installed, whole(fleet, host)) == []


def test_the_record_has_dependencies_and_not_what_was_there(fleet: Fleet, host: str, installed: dict[str, str]) -> None:
    record = json.loads(fleet.on(host, "cat", "/var/lib/devops-platform/packages.json"))
    brought = {name for call in record["calls"] for name in call["packages"]}
    assert {"nginx", "nginx-common", "chrony", "docker.io", "containerd", "redis-server"} <= brought
    assert "jq" not in brought
    assert "pending" not in record


def test_afterwards_the_host_is_what_it_was(
    fleet: Fleet, host: str, before: dict[str, str], installed: dict[str, str]
) -> None:
    run = fleet.play(UNINSTALL, extra={"uninstall": PREFIX, "uninstall_data": True}).expect_ok()
    assert run.changes == {host: 1}
    assert differences(before, whole(fleet, host)) == []


def test_a_second_time_nothing_is_left_to_do(fleet: Fleet, installed: dict[str, str]) -> None:
    assert fleet.play(UNINSTALL, extra={"uninstall": PREFIX}).expect_ok().changes == {}


def test_data_stays_unless_it_is_to_go(fleet: Fleet, host: str, installed: dict[str, str]) -> None:
    fleet.play("site.yml", "--skip-tags", "verify").expect_ok()
    run = fleet.play(UNINSTALL, extra={"uninstall": PREFIX}).expect_ok()
    for path in ("/var/lib/postgresql/17/main/PG_VERSION", "/var/lib/redis", "/var/lib/prometheus"):
        assert fleet.attempt(host, "test", "-e", path)[0] == 0, path
        assert path.removesuffix("/main/PG_VERSION") in run.output
    assert fleet.attempt(host, "test", "-e", "/var/lib/devops-platform")[0] == 1
