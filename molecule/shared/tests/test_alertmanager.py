"""What the role alertmanager promises, asked of the host."""

from __future__ import annotations


def test_it_runs_with_the_declared_configuration(host, fetch_json):
    service = host.service("alertmanager")
    assert service.is_running
    assert service.is_enabled
    status = fetch_json("http://127.0.0.1:9093/api/v2/status")
    assert "receiver: default" in status["config"]["original"]


def test_its_tool_is_on_the_path(host):
    assert host.run("amtool check-config /etc/alertmanager/alertmanager.yml").succeeded
