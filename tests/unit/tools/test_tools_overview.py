"""What `make up` says at its end."""

from __future__ import annotations

from typing import Any

import pytest

from tools.overview import Host, addresses, on_host, render

OTHERS = {"worker": {}, "admin": {"port": 5050, "enabled": False}}  # without a port; switched off
PLATFORM: dict[str, Any] = {
    "name": "chat",
    "docker": {"groups": ["app"]},
    "data": {"group": "data", "postgresql": {"port": 5433}, "redis": None},
    "monitoring": {"group": "monitoring", "node_exporter": {}, "prometheus": {"port": 9091}, "alertmanager": {}},
    "edge": {"group": "edge", "server_name": "chat.lab"},
    "apps": {"chat": {"group": "app", "services": {"web": {"port": 3000}, "api": {"port": 5000}, **OTHERS}}},
}
HOSTS = [
    Host("edge1", "172.30.0.10", ("edge",)),
    Host("app1", "172.30.0.101", ("app",)),
    Host("mon1", "172.30.0.30", ("monitoring",)),
]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (("edge",), ["nginx :443", "node_exporter :9100"]),
        (("data",), ["postgresql :5433", "redis :6379", "node_exporter :9100"]),
        (("monitoring",), ["prometheus :9091", "alertmanager :9093", "node_exporter :9100"]),
        (("app",), ["docker", "chat/api :5000", "chat/web :3000", "chat/worker", "node_exporter :9100"]),
        ((), ["node_exporter :9100"]),
    ],
)
def test_what_runs_on_a_host_follows_from_its_groups(groups, expected):
    assert on_host(PLATFORM, groups) == expected


def test_exporters_stand_where_what_they_watch_runs():
    exporters = {"redis": {"version": "1"}, "nginx": {"version": "1", "port": 9999}}
    platform = {**PLATFORM, "monitoring": {**PLATFORM["monitoring"], "exporters": exporters}}
    assert on_host(platform, ("edge",)) == ["nginx :443", "node_exporter :9100", "nginx_exporter :9999"]
    assert on_host(platform, ("data",))[-1] == "redis_exporter :9121"


def test_a_platform_may_lack_everything():
    assert on_host({}, ["edge", "app"]) == []
    assert addresses({}, HOSTS) == []
    assert "curl" not in render({}, HOSTS)


def test_what_to_open():
    assert addresses(PLATFORM, HOSTS) == [
        ("https://172.30.0.10/", "chat (chat.lab)"),
        ("http://172.30.0.30:9091/api/v1/targets", "Prometheus: targets"),
        ("http://172.30.0.30:9093/api/v2/alerts", "Alertmanager: alerts"),
    ]


def test_the_text_has_a_row_a_host_and_a_command_that_trusts_the_ca():
    text = render(PLATFORM, HOSTS)
    assert text.splitlines()[1].split(maxsplit=2) == ["edge1", "172.30.0.10", "nginx :443, node_exporter :9100"]
    assert "curl --cacert lab/.state/pki/ca.crt --resolve chat.lab:443:172.30.0.10 https://chat.lab/" in text
