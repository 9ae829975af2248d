"""What the role exporters promises, asked of the host."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("name", "port", "metric"),
    [("redis_exporter", 9121, "redis_up 1"), ("nginx_exporter", 9113, "nginx_up 1")],
)
def test_each_serves_what_it_watches_under_its_own_user(host, fetch, name, port, metric):
    service = host.service(name)
    assert service.is_running
    assert service.is_enabled
    assert host.check_output(f"systemctl show {name} --property=User --value") == name
    assert metric in fetch(f"http://127.0.0.1:{port}/metrics")


def test_others_cannot_read_their_passwords(host):
    assert host.file("/etc/redis_exporter/redis.json").contains("molecule-redis")
    assert host.run("runuser -u nobody -- cat /etc/redis_exporter/redis.json").failed
