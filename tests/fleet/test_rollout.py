"""A change to many hosts is one transaction: it reaches all of them, or none is other than before.

Twelve hosts: ten with the service, an edge, a Prometheus. Users ask through the edge all the time.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lab.runtime import PREFIX as CONTAINER_PREFIX
from tests.fleet.conftest import Starter
from tests.fleet.harness import rollouts, tick
from tests.fleet.harness.fleet import Fleet
from tests.fleet.harness.traffic import Traffic

ROLLOUT = ("playbooks/rollout.yml", "-e", "target=tick")
GROUPS = [*(["app"] for _ in range(10)), ["edge"], ["monitoring"]]


@pytest.fixture(scope="module")
def fleet(start_fleet: Starter, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """The first version everywhere."""
    folder = tmp_path_factory.mktemp("tick")
    fleet = start_fleet(12, tick.platform(folder, "tick-first"), GROUPS)
    tick.lock(folder)  # the hosts have brought up the registry that it needs
    fleet.play("site.yml", "--skip-tags", "verify").expect_ok()
    return fleet


@pytest.fixture
def first(fleet: Fleet) -> Iterator[Mapping[str, Any]]:
    """How the fleet is with the first version; what a test left otherwise is mended before and reported after."""
    described = dict(fleet.platform)
    in_one_wave = {**ungated(described), "waves": ["100%"], "parallel": "50%"}
    fleet.describe({**tick.with_image(described, "tick-first"), "rollout": in_one_wave})
    fleet.play(*ROLLOUT).expect_ok()
    fleet.describe(described)
    yield rollouts.look(fleet)
    fleet.describe(described)


def roll_out(fleet: Fleet, image: str, gate: bool = False) -> None:
    """Declare the service in another image; the gate is for tests that have users, without whom there is no data."""
    settings = fleet.platform["rollout"] if gate else ungated(fleet.platform)
    fleet.describe({**tick.with_image(fleet.platform, image), "rollout": settings})


def ungated(platform: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in platform["rollout"].items() if key != "gate"}


def lose(fleet: Fleet, host: str) -> None:
    subprocess.run(["docker", "kill", f"{CONTAINER_PREFIX}-{host}"], check=True, capture_output=True)


def bring_back(fleet: Fleet, host: str) -> None:
    subprocess.run(["docker", "start", f"{CONTAINER_PREFIX}-{host}"], check=True, capture_output=True)
    deadline = time.monotonic() + 120
    while not _serves(fleet, host):
        assert time.monotonic() < deadline, f"{host} does not come back"
        time.sleep(1)


def _serves(fleet: Fleet, host: str) -> bool:
    if host in fleet.of("edge"):
        return all(fleet.attempt(host, "systemctl", "is-active", unit)[0] == 0 for unit in ("nginx", "ssh"))
    port = f"http://{fleet.address(host)}:8000/readyz"
    return fleet.attempt(host, "curl", "--silent", "--fail", port)[0] == 0


def test_a_good_version_reaches_every_host_and_nobody_notices(fleet: Fleet, first: Mapping[str, Any]) -> None:
    roll_out(fleet, "tick-second", gate=True)
    with Traffic(rollouts.edge(fleet)).running() as traffic:
        began = time.monotonic()
        play = fleet.play(*ROLLOUT).expect_ok()
        seconds = time.monotonic() - began
        time.sleep(1)
    traffic.expect_none_failed()
    print(f"\ngood rollout of 10 hosts: {seconds:.0f} s, {traffic.asked} requests, none failed")
    state = rollouts.state(fleet)
    assert state.waves == [fleet.names[:1], fleet.names[1:2], fleet.names[2:5], fleet.names[5:10]]
    assert state.result == "done"
    assert state.proved == {1, 2, 3, 4}
    assert rollouts.in_turn(fleet)
    now = rollouts.look(fleet)
    assert {host for host in fleet.names if now[host] != first[host]} == set(fleet.of("app"))
    assert {"1", "2"} <= set(traffic.versions)
    assert rollouts.last(fleet).path.with_suffix(".html").exists()
    assert "failed=0" in play.output
    # What is as declared costs one look.
    again = fleet.play(*ROLLOUT).expect_ok()
    assert again.changes == {}
    assert rollouts.state(fleet).result == "unchanged"


def test_a_version_that_does_not_start_stops_at_the_first_host(fleet: Fleet, first: Mapping[str, Any]) -> None:
    roll_out(fleet, "tick-broken", gate=True)
    with Traffic(rollouts.edge(fleet)).running() as traffic:
        play = fleet.play(*ROLLOUT)
    assert play.code != 0
    traffic.expect_none_failed()
    state = rollouts.state(fleet)
    assert state.result == "reversed"
    assert [host for host in state.order if state.hosts[host].touched] == fleet.names[:1]
    assert "this version cannot start" in play.output
    assert rollouts.differences(first, rollouts.look(fleet)) == []


def test_a_version_that_starts_and_answers_wrongly_fails_its_smoke_test(fleet: Fleet, first: Mapping[str, Any]) -> None:
    """It is ready, and what users ask for now works; only somebody who uses all of it sees that it does not.

    The hosts of the wave's first batch are not those that the proof is made with; they are taken back with them.
    """
    roll_out(fleet, "tick-wrong")
    fleet.describe({**fleet.platform, "rollout": {**fleet.platform["rollout"], "waves": ["50%", "100%"]}})
    with Traffic(rollouts.edge(fleet)).running() as traffic:
        play = fleet.play(*ROLLOUT)
    assert play.code != 0
    traffic.expect_none_failed()
    state = rollouts.state(fleet)
    assert state.result == "reversed"
    assert state.proved == set()
    assert "the smoke test failed: GET" in state.reason
    assert "/greeting answered 500" in state.reason
    assert state.restored["passed"]
    assert state.changed() == fleet.names[:5]
    assert rollouts.differences(first, rollouts.look(fleet)) == []


def test_a_breach_in_the_third_wave_takes_every_host_back(fleet: Fleet, first: Mapping[str, Any]) -> None:
    roll_out(fleet, "tick-slow", gate=True)
    with Traffic(rollouts.edge(fleet)).running() as traffic:
        play = fleet.play(*ROLLOUT)
        time.sleep(1)
    assert play.code != 0
    traffic.expect_none_failed()
    assert traffic.versions["slow"]
    state = rollouts.state(fleet)
    assert state.proved == {1, 2}
    assert "slow answers" in state.reason
    assert state.result == "reversed"
    assert state.changed() == fleet.names[:5]
    assert state.restored["passed"]
    assert rollouts.in_turn(fleet)
    assert rollouts.differences(first, rollouts.look(fleet)) == []
    print(f"\nbreach in wave 3 and reversal: {traffic.asked} requests, none failed")


def test_a_host_that_is_lost_is_named_and_taken_back_once_it_is_there(fleet: Fleet, first: Mapping[str, Any]) -> None:
    lost = fleet.names[3]
    roll_out(fleet, "tick-second")
    with rollouts.running(fleet, *ROLLOUT) as run:
        run.until(lambda event: event["event"] == "change" and event.get("host") == lost)
        lose(fleet, lost)
        play = run.wait()
    try:
        assert play.code != 0
        assert f"NOT taken back: {lost}" in play.output
        assert "-e reverse=true" in play.output
        state = rollouts.state(fleet)
        assert state.result == "incomplete"
        assert out_of_service(fleet) == [lost]
        there = [host for host in fleet.of("app") if host != lost]
        assert (
            rollouts.differences(
                {host: first[host] for host in there}, {host: rollouts.look_at(fleet, host) for host in there}
            )
            == []
        )
        refused = fleet.play(*ROLLOUT)
        assert refused.code != 0
        assert f"resume={rollouts.last(fleet).rollout}" in refused.output
    finally:
        bring_back(fleet, lost)
    fleet.play("playbooks/rollout.yml", "-e", f"resume={rollouts.last(fleet).rollout}", "-e", "reverse=true")
    assert rollouts.state(fleet).result == "reversed"
    assert rollouts.differences(first, rollouts.look(fleet)) == []


def out_of_service(fleet: Fleet) -> list[str]:
    """Hosts that the edge sends nobody to."""
    lines = fleet.on(fleet.of("edge")[0], "cat", "/etc/nginx/nginx.conf").splitlines()
    return [line.rpartition("# ")[2] for line in lines if " down;" in line]


def test_an_edge_that_is_lost_stops_it_and_is_mended_once_it_is_there(fleet: Fleet, first: Mapping[str, Any]) -> None:
    """Hosts cannot leave it any more, so none may be changed: those that were are taken back."""
    [edge] = fleet.of("edge")
    hosts = fleet.of("app")
    roll_out(fleet, "tick-second")
    with rollouts.running(fleet, *ROLLOUT) as run:
        run.until(lambda event: event["event"] == "change" and event.get("host") == fleet.names[2])
        lose(fleet, edge)
        play = run.wait()
    try:
        assert play.code != 0
        state = rollouts.state(fleet)
        assert state.result == "incomplete"
        assert state.to_undo() == []
        assert f"NOT as before: {edge}, which the rollout steered by: not reachable" in play.output
        assert "-e reverse=true" in play.output
        assert [host for host in hosts if state.hosts[host].changed] != hosts
        looks = {host: rollouts.look_at(fleet, host) for host in hosts}
        assert rollouts.differences({host: first[host] for host in hosts}, looks) == []
    finally:
        bring_back(fleet, edge)
    fleet.play("playbooks/rollout.yml", "-e", f"resume={rollouts.last(fleet).rollout}", "-e", "reverse=true")
    assert rollouts.state(fleet).result == "reversed"
    assert rollouts.differences(first, rollouts.look(fleet)) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_whoever_stops_it_finds_everything_as_before(
    fleet: Fleet, first: Mapping[str, Any], number: signal.Signals
) -> None:
    roll_out(fleet, "tick-second")
    with rollouts.running(fleet, *ROLLOUT) as run:
        run.until(lambda event: event["event"] == "change" and event.get("host") == fleet.names[2])
        run.process.send_signal(number)
        play = run.wait()
    assert play.code != 0
    state = rollouts.state(fleet)
    assert state.reason == "interrupted"
    assert state.result == "reversed"
    assert rollouts.differences(first, rollouts.look(fleet)) == []


def test_any_earlier_rollout_can_be_gone_back_to(fleet: Fleet, first: Mapping[str, Any]) -> None:
    fleet.describe(_greeting(fleet, "one"))
    fleet.play(*ROLLOUT).expect_ok()
    one, then = rollouts.last(fleet).rollout, rollouts.look(fleet)
    fleet.describe(_greeting(fleet, "two"))
    fleet.play(*ROLLOUT).expect_ok()
    two, later = rollouts.last(fleet).rollout, rollouts.look(fleet)
    with Traffic(rollouts.edge(fleet)).running() as traffic:
        fleet.play("playbooks/rollback.yml", "-e", f"to={one}").expect_ok()
    traffic.expect_none_failed()
    assert rollouts.differences(then, rollouts.look(fleet)) == []
    fleet.play("playbooks/rollback.yml", "-e", f"to={two}").expect_ok()
    assert rollouts.differences(later, rollouts.look(fleet)) == []


def _greeting(fleet: Fleet, text: str) -> dict[str, Any]:
    apps = fleet.platform["apps"]
    return {
        **fleet.platform,
        "apps": {**apps, "tick": {**apps["tick"], "environment": {"GREETING": text}}},
        "rollout": ungated(fleet.platform),
    }
