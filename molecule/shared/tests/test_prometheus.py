"""What the role prometheus promises, asked of the host."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from ansible_collections.devops.platform.plugins.module_utils.monitoring import rulefiles

API = "http://127.0.0.1:9090/api/v1"


def test_it_runs_with_bounded_retention(host, fetch_json):
    service = host.service("prometheus")
    assert service.is_running
    assert service.is_enabled
    flags = fetch_json(f"{API}/status/flags")["data"]
    assert flags["storage.tsdb.retention.time"] == "15d"
    assert flags["storage.tsdb.retention.size"] == "5GiB" or flags["storage.tsdb.retention.size"] == "5GB"


def test_every_target_comes_up(fetch_json):
    """Prometheus names none in the first seconds after its start, and scrapes within an interval after that."""
    wanted = dict.fromkeys(("prometheus", "alertmanager", "node"), "up")
    deadline = time.monotonic() + 45
    while True:
        targets = fetch_json(f"{API}/targets")["data"]["activeTargets"]
        health = {target["scrapePool"]: target["health"] for target in targets}
        if health == wanted or time.monotonic() > deadline:
            break
        time.sleep(1)
    assert health == wanted


def test_its_own_and_declared_rules_are_loaded(fetch_json):
    groups = fetch_json(f"{API}/rules")["data"]["groups"]
    assert "molecule" in {group["name"] for group in groups}
    named = {*rulefiles.RULE_SETS, "molecule", "no_data"}
    assert {group["file"] for group in groups} == {f"/etc/prometheus/rules/{name}.yml" for name in named}


def test_it_knows_the_alertmanager(fetch_json):
    active = fetch_json(f"{API}/alertmanagers")["data"]["activeAlertmanagers"]
    assert [each["url"] for each in active] == ["http://127.0.0.1:9093/api/v2/alerts"]


def test_samples_can_be_queried(fetch_json):
    query = urlencode({"query": "count(up)"})
    assert fetch_json(f"{API}/query?{query}")["status"] == "success"


def test_its_tool_is_on_the_path(host):
    assert host.run("promtool check config /etc/prometheus/prometheus.yml").succeeded


def test_a_backup_is_made_at_its_time_and_by_hand(host, fetch):
    assert host.service("prometheus_backup.timer").is_running
    assert host.service("prometheus_backup.timer").is_enabled
    assert host.check_output("systemctl is-enabled prometheus_backup") == "static", "it is the timer's alone"
    host.check_output("systemctl start prometheus_backup")
    made = host.check_output("cd /var/backups/prometheus && sha256sum --check *.sha256")
    assert made.endswith(".tar.gz: OK")
    assert host.check_output("ls /var/lib/prometheus/snapshots") == ""
    metrics = fetch("http://127.0.0.1:9100/metrics")
    assert "prometheus_backup_last_success_timestamp_seconds" in metrics
    assert "\nprometheus_backup_max_age_seconds 93600\n" in metrics
    assert "node_textfile_scrape_error 0" in metrics
