"""playbooks/uninstall.yml: afterwards a host is what it was before, by every path, unit, user and package."""

from __future__ import annotations

import json

import pytest

from tests.fleet.conftest import Starter
from tests.fleet.harness.fleet import PREFIX, Fleet
from tests.fleet.harness.states import LIVING, differences, whole

UNINSTALL = "playbooks/uninstall.yml"
STORE = "/var/lib/devops-platform"
States = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def fleet(start_fleet: Starter) -> Fleet:
    return start_fleet(2)


@pytest.fixture(scope="module")
def before(fleet: Fleet) -> States:
    # A package that we ask for as well, and a directory with something in it, from before.
    for host in fleet.names:
        fleet.shell(
            host,
            """
            echo 'Acquire::http::Proxy "http://mirror:3142";' >/etc/apt/apt.conf.d/00test
            apt-get -qq update
            DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends jq >/dev/null 2>&1
            mkdir -p /etc/prometheus
            echo theirs >/etc/prometheus/theirs.yml
            """,
        )
    return {host: whole(fleet, host) for host in fleet.names}


@pytest.fixture(scope="module")
def installed(fleet: Fleet, before: States) -> States:
    fleet.play("site.yml", "--skip-tags", "verify").expect_ok()
    return {host: whole(fleet, host) for host in fleet.names}


def test_it_is_installed(fleet: Fleet, before: States, installed: States) -> None:
    assert all(len(differences(before[host], installed[host])) > 500 for host in fleet.names)


@pytest.mark.parametrize("said", [{}, {"uninstall": "yes"}, {"uninstall": "chat"}])
def test_nothing_goes_by_a_slip(fleet: Fleet, installed: States, said: dict[str, str]) -> None:
    run = fleet.play(UNINSTALL, extra=said)
    assert run.code == 2
    assert f"-e uninstall={PREFIX}" in run.output
    assert "Remove what is ours" not in run.output


def test_check_mode_says_what_would_go_and_touches_nothing(fleet: Fleet, installed: States) -> None:
    [host] = fleet.of("data")
    run = fleet.play(UNINSTALL, "--check", "--limit", host, extra={"uninstall": PREFIX}).expect_ok()
    assert "prometheus: remove /etc/prometheus/prometheus.yml" in run.output
    assert "/var/lib/prometheus" in run.output
    changed = differences(installed[host], whole(fleet, host))
    assert [line for line in changed if not line.startswith(LIVING)] == []


def test_the_record_has_dependencies_and_not_what_was_there(fleet: Fleet, installed: States) -> None:
    brought = set()
    for host in fleet.names:
        record = json.loads(fleet.on(host, "cat", f"{STORE}/packages.json"))
        brought |= {name for call in record["calls"] for name in call["packages"]}
        assert "pending" not in record
    assert {"nginx", "nginx-common", "chrony", "docker.io", "containerd", "redis-server", "redis-tools"} <= brought
    assert "jq" not in brought


def test_data_stays_unless_it_is_to_go(fleet: Fleet, installed: States) -> None:
    [host] = fleet.of("data")
    run = fleet.play(UNINSTALL, "--limit", host, extra={"uninstall": PREFIX}).expect_ok()
    for path in ("/var/lib/postgresql/17/main/PG_VERSION", "/var/lib/redis", "/var/lib/prometheus"):
        assert fleet.attempt(host, "test", "-e", path)[0] == 0, path
        assert path.removesuffix("/main/PG_VERSION") in run.output
    for path in ("/etc/nginx", "/opt/devops-platform", "/usr/sbin/nginx", "/etc/prometheus/prometheus.yml"):
        assert fleet.attempt(host, "test", "-e", path)[0] == 1, path


def test_a_second_time_nothing_is_left_to_do(fleet: Fleet, installed: States) -> None:
    run = fleet.play(UNINSTALL, "--limit", fleet.of("data")[0], extra={"uninstall": PREFIX}).expect_ok()
    assert run.changes == {}


def test_afterwards_the_hosts_are_what_they_were(fleet: Fleet, before: States, installed: States) -> None:
    run = fleet.play(UNINSTALL, extra={"uninstall": PREFIX, "uninstall_data": True}).expect_ok()
    assert sorted(run.changes) == fleet.names
    left = {host: differences(before[host], whole(fleet, host)) for host in fleet.names}
    assert [f"{host}: {line}" for host, lines in left.items() for line in lines] == []
