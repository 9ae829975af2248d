"""What the role exporters promises, asked of the host; and what servers say that have metrics of their own."""

from __future__ import annotations

import pytest

# By kind: program, port, what its metrics must hold, a file with its password.
OWN = {
    "redis": ("redis_exporter", 9121, ["redis_up 1"], "/etc/redis_exporter/redis.json", "molecule-redis"),
    "nginx": ("nginx_exporter", 9113, ["nginx_up 1"], "", ""),
}
OTHERS = {
    "mysql": (
        "mysqld_exporter",
        9104,
        ["mysql_up 1", "mysql_global_status_threads_connected ", "mysql_global_status_slow_queries "],
        "/etc/mysqld_exporter/client.cnf",
        "molecule-exporter",
    ),
}


@pytest.fixture
def others(variables):
    """Whether the scenario watches servers of others, and not those of the platform's roles."""
    return "molecule_watched" in variables


@pytest.fixture
def expected(others):
    return (OTHERS if others else OWN).values()


def test_each_serves_what_it_watches_under_its_own_user(host, fetch, expected):
    for name, port, metrics, *_ in expected:
        service = host.service(name)
        assert service.is_running, name
        assert service.is_enabled, name
        assert host.check_output(f"systemctl show {name} --property=User --value") == name
        served = fetch(f"http://127.0.0.1:{port}/metrics")
        assert [metric for metric in metrics if metric not in served] == []


def test_others_cannot_read_their_passwords(host, expected):
    for *_, path, word in expected:
        if path:
            assert host.file(path).contains(word)
            assert host.run("runuser -u nobody -- cat %s", path).failed


def test_rabbitmq_has_what_rules_ask_for(host, fetch, others):
    """It needs no exporter, but its plugin: `monitoring.targets` names it."""
    if not others:
        assert not host.package("rabbitmq-server").is_installed, "the servers of others are in the scenario exporters"
        return
    served = fetch("http://127.0.0.1:15692/metrics")
    for metric in ("rabbitmq_queue_messages_ready", "rabbitmq_alarms_memory_used_watermark"):
        assert f"\n{metric} " in served
    assert "rabbitmq_alarms_free_disk_space_watermark" in served
