"""What platform.yml says about rollouts, and what can be rolled out."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.rollout.settings import (
    Settings,
    settings_of,
    target_of,
    targets_of,
    upstreams_of,
)

GROUPS = {
    "all": ["app10", "app2", "app1", "data1", "mon1"],
    "app": ["app1", "app2", "app10"],
    "data": ["data1"],
    "monitoring": ["mon1"],
}
PLATFORM = {
    "docker": {"groups": ["app"]},
    "data": {"group": "data", "redis": {"port": 6379}, "postgresql": {}},
    "monitoring": {"group": "monitoring", "node_exporter": {"version": "1"}, "prometheus": {"version": "1"}},
    "edge": {
        "routes": [{"path": "/", "app": "chat", "service": "web"}, {"path": "/api", "app": "chat", "service": "api"}]
    },
    "apps": {"chat": {"group": "app"}, "tick": {"group": "app"}},
}


@pytest.mark.parametrize(
    ("name", "tasks", "hosts", "apps"),
    [
        ("chat", "app", ("app10", "app2", "app1"), ("chat",)),
        ("apps", "app", ("app10", "app2", "app1"), ("chat", "tick")),
        ("docker", "docker", ("app10", "app2", "app1"), ()),
        ("base", "base", ("app10", "app2", "app1", "data1", "mon1"), ()),
        ("node_exporter", "node_exporter", ("app10", "app2", "app1", "data1", "mon1"), ()),
        ("prometheus", "prometheus", ("mon1",), ()),
        ("redis", "redis", ("data1",), ()),
    ],
)
def test_a_target_has_its_hosts_in_the_inventorys_order(name, tasks, hosts, apps):
    found = target_of(PLATFORM, name, GROUPS)
    assert (found.tasks, found.hosts, found.apps) == (tasks, hosts, apps)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("chatt", "did you mean 'chat'"),
        ("postgresql", "'postgresql' is nothing that can be rolled out here"),  # users cannot be taken back
        ("alertmanager", "nothing that can be rolled out here"),  # not declared
        ("", "there is apps, base, chat, docker"),
    ],
)
def test_what_cannot_be_rolled_out_is_told(name, words):
    with pytest.raises(PlatformError, match=words):
        target_of(PLATFORM, name, GROUPS)


def test_everything_that_is_offered_can_be_rolled_out():
    names = targets_of(PLATFORM, GROUPS)
    assert names[0] == "apps"
    assert [target_of(PLATFORM, name, GROUPS).name for name in names] == names
    assert targets_of({}, {"all": ["a"]}) == ["base"]


def test_without_settings_there_are_defaults():
    assert settings_of({}) == Settings()
    assert settings_of({"rollout": {"waves": [1], "parallel": None}}) == Settings(waves=(1,))


def test_objectives_are_for_the_targets_that_they_name():
    both, chat = {"name": "both", "query": "1"}, {"name": "chat", "query": "1", "targets": ["chat"]}
    settings = settings_of({"rollout": {"gate": {"objectives": [both, chat]}}})
    assert [objective["name"] for objective in settings.objectives("chat")] == ["both", "chat"]
    assert settings.objectives("docker") == [both]
    assert "targets" not in settings.objectives("chat")[1]


def test_upstreams_are_what_routes_lead_to():
    hosts = ["app1", "app2", "app10"]
    assert upstreams_of(PLATFORM, GROUPS) == {"chat_web": hosts, "chat_api": hosts}
