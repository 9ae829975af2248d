"""Prometheus follows the description: what is declared is there, what is not goes away."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.lab.harness.fleet import Fleet, until

RULES = {"of_a_test": {"groups": [{"name": "of_a_test", "rules": [{"record": "of:a_test", "expr": "vector(1)"}]}]}}
BROKEN = {"of_a_test": {"groups": [{"name": "of_a_test", "rules": [{"record": "of:a_test", "expr": "vector("}]}]}}
PART = ("playbooks/groups.yml", "playbooks/monitoring.yml", "--tags", "always,prometheus")


def ask(fleet: Fleet, path: str) -> Any:
    """The operator's machine is one of the admin networks: it may ask Prometheus itself."""
    with urllib.request.urlopen(f"http://{fleet.address('mon1')}:9090{path}", timeout=5) as answer:
        return json.load(answer)["data"]


def rule_groups(fleet: Fleet) -> set[str]:
    return {group["name"] for group in ask(fleet, "/api/v1/rules")["groups"]}


def started(fleet: Fleet) -> str:
    """When Prometheus was started, as systemd knows it."""
    return fleet.on("mon1", "systemctl", "show", "prometheus", "--property=ActiveEnterTimestampMonotonic")


def test_rules_come_and_go_by_a_reload(fleet: Fleet) -> None:
    usual, before = rule_groups(fleet), started(fleet)
    assert usual >= {"platform", "hosts", "no-data", "slo-chat-availability", "slo-chat-latency"}
    try:
        fleet.play(*PART, extra={"prometheus_rules": RULES}).expect_ok()
        assert rule_groups(fleet) == usual | {"of_a_test"}
    finally:
        play = fleet.play(*PART).expect_ok()
    assert play.changes == {"mon1": 1}
    assert rule_groups(fleet) == usual
    assert fleet.attempt("mon1", "ls", "/etc/prometheus/rules/of_a_test.yml").returncode != 0
    assert started(fleet) == before


def test_a_rule_that_promtool_refuses_never_arrives(fleet: Fleet) -> None:
    play = fleet.play(*PART, extra={"prometheus_rules": BROKEN})
    assert play.code != 0
    assert "/etc/prometheus/rules/of_a_test.yml was refused" in play.output
    fleet.play(*PART, "--check").expect_nothing_changed()


def test_retention_and_interval_are_the_declared_ones(fleet: Fleet) -> None:
    flags = ask(fleet, "/api/v1/status/flags")
    assert flags["storage.tsdb.retention.time"] in ("31d", "4w3d")
    assert flags["storage.tsdb.retention.size"] in ("5GB", "5GiB")
    assert "scrape_interval: 15s" in ask(fleet, "/api/v1/status/config")["yaml"]


def test_alerts_reach_the_alertmanager(fleet: Fleet) -> None:
    def firing() -> bool:
        with urllib.request.urlopen(f"http://{fleet.address('mon1')}:9093/api/v2/alerts", timeout=5) as answer:
            return "Watchdog" in {alert["labels"]["alertname"] for alert in json.load(answer)}

    until("the alert that always fires", firing, seconds=90)


@pytest.mark.parametrize("host", ["app1"])
def test_verify_names_a_target_that_is_down(fleet: Fleet, host: str) -> None:
    instance = f"{fleet.address(host)}:9100"

    def health() -> str:
        targets = ask(fleet, "/api/v1/targets?state=active")["activeTargets"]
        return next(target["health"] for target in targets if target["labels"]["instance"] == instance)

    fleet.on(host, "systemctl", "stop", "node_exporter")
    try:
        until("the failed scrape", lambda: health() == "down")
        play = fleet.verify(patience=1)
    finally:
        fleet.on(host, "systemctl", "start", "node_exporter")
    assert play.code != 0
    assert f"node on {host} ({instance})" in play.output
    until("the next scrape", lambda: health() == "up")
