"""playbooks/drift.yml: nothing on an untouched fleet, each of many drifts by itself, and never a secret."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.conftest import Starter
from tests.fleet.harness.drifts import DRIFTS, Drift
from tests.fleet.harness.fleet import Fleet
from tests.fleet.harness.states import LIVING, differences, whole
from tests.lab.harness.fleet import Play, secret_values

DRIFT = "playbooks/drift.yml"
IMAGE = {"image": "chat-web"}
# A second application, of containers that nobody needs.
OVER = {"apps": {"tools": {"group": "app", "services": dict.fromkeys(("gone", "ended", "policy"), IMAGE)}}}
Found = tuple[str, str, str, str]
# Their database is stopped and their commands are others: sooner or later their health checks notice.
AILING = {("app", "chat", "container-state", f"chat-{service}-1") for service in ("api", "web", "websocket")}


@dataclass(frozen=True)
class Run:
    play: Play
    report: dict[str, Any]

    def found(self, fleet: Fleet) -> list[Found]:
        """(what the host is for, component, kind, subject); files of a release by their last name."""
        parts = {host: fleet.hosts[host].groups[0] for host in fleet.names}
        return [
            (parts[item["host"]], item["component"], item["kind"], subject(item)) for item in self.report["findings"]
        ]


def subject(item: dict[str, str]) -> str:
    return item["subject"].rpartition("/")[2] if item["kind"] == "release" else item["subject"]


def drift(fleet: Fleet, *arguments: str, **extra: Any) -> Run:
    path = fleet.folder / "drift.json"
    path.unlink(missing_ok=True)
    play = fleet.play(DRIFT, *arguments, extra={"drift_report": str(path), **extra})
    assert path.exists(), play.output[-4000:]
    return Run(play, json.loads(path.read_text()))


@pytest.fixture(scope="module")
def fleet(start_fleet: Starter) -> Fleet:
    started = start_fleet(3, OVER)
    started.play("site.yml", "--skip-tags", "verify").expect_ok()
    return started


@pytest.fixture(scope="module")
def untouched(fleet: Fleet) -> Run:
    return drift(fleet)


@pytest.fixture(scope="module")
def drifted(fleet: Fleet, untouched: Run) -> Run:
    for group in ("app", "data", "monitoring"):
        lines = "\n".join(
            f"( {item.shell or ':'}\n) || echo FAILED: {shlex.quote(item.name)}"
            for item in DRIFTS
            if item.host == group
        )
        output = fleet.on(fleet.of(group)[0], "sh", "-u", given=lines, seconds=300)
        assert "FAILED" not in output, output
    return drift(fleet)


def test_nothing_on_an_untouched_fleet(untouched: Run) -> None:
    untouched.play.expect_ok()
    assert untouched.report["findings"] == []
    assert not untouched.report["drift"]
    assert untouched.report["complete"]
    assert "no drift on 3 hosts" in untouched.play.output
    assert [host["notes"] for host in untouched.report["hosts"].values()] == [[], [], []]
    assert all(host["components"] >= 7 for host in untouched.report["hosts"].values())


def test_one_round_trip_a_host(untouched: Run) -> None:
    tasks = {task["name"]: task for task in untouched.play.report["task_list"]}
    asked = tasks.pop("Compare declared, recorded and actual")
    assert asked["round_trips"] == 3
    assert untouched.play.changes == {}


def test_check_mode_is_the_same(fleet: Fleet, untouched: Run) -> None:
    run = drift(fleet, "--check", "--diff")
    run.play.expect_ok()
    assert run.report["findings"] == []


def test_it_writes_nothing_on_a_host(fleet: Fleet, untouched: Run) -> None:
    [host] = fleet.of("monitoring")
    before = whole(fleet, host)
    drift(fleet, "--limit", host)
    assert [line for line in differences(before, whole(fleet, host)) if not line.startswith(LIVING)] == []


def test_sixty_at_least() -> None:
    assert len({item.name for item in DRIFTS}) == len(DRIFTS) >= 60


@pytest.mark.parametrize("injected", DRIFTS, ids=lambda item: item.name)
def test_each_is_found_where_it_is(fleet: Fleet, drifted: Run, injected: Drift) -> None:
    found = drifted.found(fleet)
    assert injected.expected <= set(found), [item for item in found if item[:2] == (injected.host, injected.component)]


def test_and_nothing_else_is(fleet: Fleet, drifted: Run) -> None:
    expected = {finding for item in DRIFTS for finding in item.expected} | AILING
    assert [item for item in drifted.found(fleet) if item not in expected] == []


def test_drift_fails_the_run_and_says_so(drifted: Run) -> None:
    assert drifted.play.code == 2
    count = len(drifted.report["findings"])
    assert f"drift: {count} differences on 3 of 3 hosts" in drifted.play.output
    assert drifted.report["drift"]
    assert drifted.report["format"] == 1


def test_the_table_names_what_to_do(drifted: Run) -> None:
    lines = [line for line in drifted.play.output.splitlines() if " base_chrony " in line]
    found = r"base_chrony +content changed +/etc/chrony/chrony.conf +#\w{8} -> #\w{8}$"
    assert any(re.search(found, line) for line in lines), lines
    assert any(
        re.search(r"base_chrony +ansible-playbook site.yml --limit \S+ puts it back$", line) for line in lines
    ), lines


def test_no_secret_is_shown(fleet: Fleet, drifted: Run) -> None:
    shown = drifted.play.output + json.dumps(drifted.report)
    values = secret_values(fleet.folder / "state" / "secrets").values()
    assert len(values) >= 3
    assert [value for value in [*values, "hunter2", "not the password"] if value in shown] == []


def test_report_only(fleet: Fleet, drifted: Run) -> None:
    host = fleet.of("data")[0]
    run = drift(fleet, "--limit", host, drift_fail=False)
    run.play.expect_ok()
    assert run.report["drift"]
    assert {item["host"] for item in run.report["findings"]} == {host}


@pytest.fixture
def declared_otherwise(fleet: Fleet) -> Iterator[None]:
    before = fleet.platform
    changed = json.loads(json.dumps(before))
    changed["monitoring"]["prometheus"]["scrape_interval"] = "30s"
    del changed["monitoring"]["alertmanager"]
    changed["apps"]["later"] = {"group": "app", "services": {"page": IMAGE}}
    fleet.describe(changed)
    yield
    fleet.describe(before)


@pytest.mark.usefixtures("declared_otherwise")
def test_declared_and_recorded_differ(fleet: Fleet, drifted: Run) -> None:
    new = set(drift(fleet).found(fleet)) - set(drifted.found(fleet)) - AILING
    assert new == {
        ("app", "later", "not-installed", "later"),
        ("monitoring", "alertmanager", "undeclared", "alertmanager"),
        ("monitoring", "base_firewall", "pending", "/etc/devops-platform/firewall.nft"),
        ("monitoring", "prometheus", "pending", "/etc/prometheus/prometheus.yml"),
        ("monitoring", "prometheus", "pending", "/etc/prometheus/rules/no_data.yml"),
    }


def test_a_host_that_does_not_answer_is_named(fleet: Fleet, untouched: Run) -> None:
    extra = fleet.inventory / "away.yml"
    extra.write_text("all: {hosts: {away1: {ansible_host: 127.0.0.1, ansible_port: 9, ansible_user: admin}}}\n")
    try:
        run = drift(fleet, "--limit", "away1", drift_fail=False)
    finally:
        extra.unlink()
    assert run.play.code == 2
    assert "not examined: away1" in run.play.output
    assert not run.report["complete"]
    assert run.report["hosts"]["away1"]["trouble"].startswith("unreachable")


def test_nothing_is_left_on_the_controller(fleet: Fleet, untouched: Run) -> None:
    began = (fleet.inventory / "hosts.yml").stat().st_mtime  # what others were killed with before is not ours
    left = (Path.home() / ".ansible" / "tmp").glob("*/devops-platform-*")
    assert [path for path in left if path.stat().st_mtime > began] == []
