"""A backup of Prometheus is made under systemd as declared, and a restore brings back what it holds."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest

from tests.lab.harness.fleet import Fleet, until

DIRECTORY = "/var/backups/prometheus"
RESTORE = "playbooks/restore_prometheus.yml"


def value(fleet: Fleet, query: str, at: float | None = None) -> float | None:
    """What Prometheus answers; None where it knows nothing, or does not answer."""
    asked = urllib.parse.urlencode({"query": query, **({"time": f"{at:.3f}"} if at else {})})
    try:
        with urllib.request.urlopen(f"http://{fleet.address('mon1')}:9090/api/v1/query?{asked}", timeout=5) as answer:
            result = json.load(answer)["data"]["result"]
    except OSError:
        return None
    return float(result[0]["value"][1]) if result else None


def archives(fleet: Fleet) -> list[str]:
    return fleet.on("mon1", "sh", "-c", f"ls {DIRECTORY}/*.tar.gz 2>/dev/null || true").split()


@pytest.fixture(scope="module")
def backed_up(fleet: Fleet) -> Iterator[tuple[float, float]]:
    """(time, the scraped targets then) of a backup that was just made; it is removed afterwards."""
    before = archives(fleet)
    until("scraped targets", lambda: bool(value(fleet, "count(up)")))
    at = time.time()
    known = value(fleet, "count(up)", at)
    assert known is not None
    time.sleep(1)  # archives are named by the second
    fleet.on("mon1", "systemctl", "start", "prometheus_backup", seconds=120)
    made = [path for path in archives(fleet) if path not in before]
    assert len(made) == 1
    yield at, known
    fleet.on("mon1", "sh", "-c", f"rm -f {made[0]} {made[0]}.sha256; rm -rf /var/lib/prometheus/.before-restore-*")


def test_the_timer_waits_for_its_time(fleet: Fleet) -> None:
    assert fleet.on("mon1", "systemctl", "is-enabled", "prometheus_backup.timer").strip() == "enabled"
    assert "prometheus_backup.timer" in fleet.on("mon1", "systemctl", "list-timers", "--no-pager")


def test_an_archive_is_whole_and_not_everybodys(fleet: Fleet, backed_up: tuple[float, float]) -> None:
    archive = archives(fleet)[-1]
    assert "OK" in fleet.on("mon1", "sh", "-c", f"cd {DIRECTORY} && sha256sum -c {archive}.sha256")
    assert fleet.attempt("mon1", "runuser", "-u", "admin", "--", "cat", archive).returncode != 0
    assert fleet.on("mon1", "sh", "-c", "ls /var/lib/prometheus/snapshots 2>/dev/null || true").strip() == ""
    until(
        "the time of the backup among the metrics",
        lambda: (value(fleet, "prometheus_backup_last_success_timestamp_seconds") or 0) >= backed_up[0] - 2,
    )


def test_a_damaged_archive_touches_nothing(fleet: Fleet, backed_up: tuple[float, float]) -> None:
    good, damaged = archives(fleet)[-1], f"{DIRECTORY}/prometheus-mon1-20260101T000000Z.tar.gz"
    started = fleet.on("mon1", "systemctl", "show", "prometheus", "--property=ActiveEnterTimestampMonotonic")
    fleet.on("mon1", "sh", "-c", f"head -c 1000 {good} > {damaged}; cp {good}.sha256 {damaged}.sha256")
    try:
        play = fleet.play(RESTORE, extra={"archive": damaged})
    finally:
        fleet.on("mon1", "rm", "-f", damaged, f"{damaged}.sha256")
    assert play.code != 0
    assert damaged in play.output
    assert fleet.on("mon1", "systemctl", "show", "prometheus", "--property=ActiveEnterTimestampMonotonic") == started


def test_a_restore_brings_back_what_was_lost(fleet: Fleet, backed_up: tuple[float, float]) -> None:
    at, known = backed_up
    fleet.on("mon1", "systemctl", "stop", "prometheus")
    fleet.on("mon1", "find", "/var/lib/prometheus", "-mindepth", "1", "-delete")
    fleet.on("mon1", "systemctl", "start", "prometheus")
    until("Prometheus after its loss", lambda: value(fleet, "vector(1)") == 1)
    assert value(fleet, "count(up)", at) is None
    play = fleet.play(RESTORE).expect_ok()
    assert play.changes == {"mon1": 1}
    assert value(fleet, "count(up)", at) == known
    fleet.verify().expect_nothing_changed()
