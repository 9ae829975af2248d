"""An application as a Compose project."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform import compose
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.tests.unit.platform import example
from ansible_collections.devops.platform.tests.unit.platform.example import ADDRESSES, DIGEST, GROUPS, IMAGES


def project(*edits: tuple[str, str], addresses: Any = ADDRESSES, images: Any = IMAGES["images"]) -> dict[str, Any]:
    return compose.compose_project(example.data(*edits), "chat", "app1", GROUPS, addresses, images)


def test_the_whole_project():
    common = {
        "init": True,
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "stop_grace_period": "30s",
        "logging": {"driver": "local", "options": {"max-size": "10m", "max-file": "3"}},
    }
    shared = {"DATABASE_HOST": "192.0.2.20", "DATABASE_PORT": "5432", "LOG_LEVEL": "info"}
    after = {"migrate": {"condition": "service_completed_successfully"}}
    password = {"DATABASE_PASSWORD_FILE": "/run/secrets/chat_database"}

    def image(name: str) -> str:
        return f"mirror:5000/{name}:1.0.0-abc@sha256:{DIGEST}"

    assert project() == {
        "name": "chat",
        "services": {
            "api": {
                **common,
                "image": image("chat-api"),
                "environment": {**shared, **password},
                "secrets": ["chat_database"],
                "restart": "unless-stopped",
                "ports": ["192.0.2.101:5000:5000"],
                "depends_on": after,
            },
            "web": {
                **common,
                "image": image("chat-web"),
                "environment": shared,
                "restart": "unless-stopped",
                "ports": ["192.0.2.101:3000:3000"],
            },
            "websocket": {
                **common,
                "image": image("chat-websocket"),
                "environment": {
                    **shared,
                    "REDIS": "192.0.2.20:6379",
                    "REDIS_PASSWORD_FILE": "/run/secrets/chat_redis",
                },
                "secrets": ["chat_redis"],
                "restart": "unless-stopped",
                "ports": ["192.0.2.101:5001:5001"],
                "depends_on": after,
            },
            "migrate": {
                **common,
                "image": image("chat-api"),
                "command": ["chat-migrate"],
                "environment": {**shared, **password},
                "secrets": ["chat_database"],
                "restart": "no",
            },
        },
        "secrets": {name: {"file": f"./secrets/{name}"} for name in ("chat_database", "chat_redis")},
    }


def test_replicas_take_a_range_of_ports():
    api = project(("replicas: 1", "replicas: 3\n          host_port: 6000"))["services"]["api"]
    assert api["ports"] == ["192.0.2.101:6000-6002:5000"]
    assert api["deploy"] == {"replicas": 3}


@pytest.mark.parametrize(
    ("address", "port"), [("2001:db8::1", "[2001:db8::1]:3000:3000"), ("app1.example", "3000:3000")]
)
def test_ports_are_bound_to_the_hosts_own_address(address, port):
    assert project(addresses={**ADDRESSES, "app1": address})["services"]["web"]["ports"] == [port]


def test_a_task_without_before_runs_only_when_it_is_asked_for():
    services = project(("          before: [api, websocket]\n", ""))["services"]
    assert services["migrate"]["profiles"] == ["task"]
    assert "depends_on" not in services["api"]


@pytest.mark.parametrize(("value", "text"), [("true", "true"), ("7", "7"), ("'a$b'", "a$$b"), ("''", "")])
def test_environment_values_are_plain_text(value, text):
    assert project(("LOG_LEVEL: info", f"LOG_LEVEL: {value}"))["services"]["web"]["environment"]["LOG_LEVEL"] == text


def test_dollars_of_a_command_are_the_containers_own():
    assert project(("[chat-migrate]", "['a$b']"))["services"]["migrate"]["command"] == ["a$$b"]


@pytest.mark.parametrize(
    ("edits", "images", "message"),
    [
        ([], {}, "image 'chat-api' is not in the image lock (it holds nothing); build and push it first"),
        ([], {"chat-api": {"ref": "r", "tag": "t"}}, "image 'chat-api' in the image lock lacks digest"),
        (
            [("[api, websocket]", "[apii]")],
            IMAGES["images"],
            "task 'migrate' of app 'chat' is before 'apii', which is no service of it",
        ),
        (
            [("        migrate:", "        web:"), ("[api, websocket]", "[api]")],
            IMAGES["images"],
            "app 'chat' has a service and a task named 'web'",
        ),
        (
            [("    chat:\n      group", "    talk:\n      group")],
            IMAGES["images"],
            "platform.apps has no app 'chat' (it has: talk)",
        ),
        (
            [("@port(postgresql)", "@port(mysql)")],
            IMAGES["images"],
            "@port(mysql): no such server; it may be postgresql or redis",
        ),
    ],
)
def test_what_is_impossible_is_said(edits, images, message):
    with pytest.raises(PlatformError) as error:
        project(*edits, images=images)
    assert str(error.value) == message


def test_probes_ask_each_replica_at_the_hosts_address():
    platform = example.data(("replicas: 1", "replicas: 2"))
    assert compose.app_probes(platform, "chat", "app2", ADDRESSES) == [
        {"http": f"http://192.0.2.102:{port}", "status": 200} for port in ("5000/readyz", "5001/readyz", "3000/healthz")
    ]
    assert compose.app_probes(platform, "chat", "app2", {"app2": "name"})[0]["http"] == "http://127.0.0.1:5000/readyz"


ONCE = ("          before: [api, websocket]\n", "          before: [api, websocket]\n          once: true\n")


def placed(hosts: list[str], order: list[str]) -> dict[str, tuple[bool, bool]]:
    """`{host: (has the task, the API waits for it)}` of the hosts of the group, where `all` has this order."""
    groups = {**GROUPS, "all": order, "app": hosts}
    found = {}
    for host in hosts:
        services = compose.compose_project(example.data(ONCE), "chat", host, groups, ADDRESSES, IMAGES["images"])[
            "services"
        ]
        found[host] = ("migrate" in services, "migrate" in services["api"].get("depends_on", {}))
    return found


@pytest.mark.parametrize(
    ("hosts", "order", "first"),
    [
        (["app1"], ["edge1", "app1", "data1"], "app1"),
        (["app1", "app2"], ["edge1", "app1", "app2", "data1"], "app1"),
        # Hosts are changed in the order of all, whatever that of the group is.
        (["app1", "app2", "mon1"], ["mon1", "app2", "app1"], "mon1"),
    ],
)
def test_a_task_with_once_is_on_the_host_that_is_changed_first(hosts, order, first):
    assert placed(hosts, order) == {host: (host == first, host == first) for host in hosts}


def test_a_task_without_once_is_on_every_host():
    services = compose.compose_project(example.data(), "chat", "app2", GROUPS, ADDRESSES, IMAGES["images"])["services"]
    assert "migrate" in services
    assert "migrate" in services["api"]["depends_on"]


def test_what_waits_for_a_task_with_once_is_checked_on_every_host():
    wrong = example.data(("[api, websocket]\n", "[apii]\n          once: true\n"))
    with pytest.raises(PlatformError, match="is before 'apii'"):
        compose.compose_project(wrong, "chat", "app2", GROUPS, ADDRESSES, IMAGES["images"])


def test_secrets_of_a_task_with_once_are_on_its_host_only():
    platform = example.data(ONCE)
    platform["apps"]["chat"]["tasks"]["migrate"]["secrets"] = {"DATABASE_PASSWORD": "owner"}
    assert compose.app_secrets(platform, "chat", "app1", GROUPS) == ["chat_database", "chat_redis", "owner"]
    assert compose.app_secrets(platform, "chat", "app2", GROUPS) == ["chat_database", "chat_redis"]
    assert compose.app_secrets(platform, "chat") == ["chat_database", "chat_redis", "owner"]
    other = compose.compose_project(platform, "chat", "app2", GROUPS, ADDRESSES, IMAGES["images"])
    assert sorted(other["secrets"]) == ["chat_database", "chat_redis"]


def test_secrets_of_services_and_tasks_each_once():
    assert compose.app_secrets(example.data(), "chat") == ["chat_database", "chat_redis"]
