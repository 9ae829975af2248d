"""What hosts lack and what collides on them, each with its whole message."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.tests.unit.platform import example


def case(title: str, edits: list[tuple[str, str]], expected: list[str], **more: Any) -> Any:
    return pytest.param(edits, expected, more, id=title)


CASES = [
    case(
        "no host",
        [],
        ["inventory: error: the inventory has no host; name one that has with -i, or add hosts"],
        groups={"all": [], "ungrouped": []},
        addresses={},
        users={},
    ),
    case(
        "port",
        [("port: 5001", "port: 5000")],
        [
            (
                "platform.yml:65:17: error: platform.apps.chat.services.websocket.port: "
                "port 5000 is chat/api's (line 58) already on app1, app2; give one of them another port"
            )
        ],
    ),
    case(
        "port replicas",
        [("replicas: 1", "replicas: 2")],
        [
            (
                "platform.yml:65:17: error: platform.apps.chat.services.websocket.port: "
                "port 5001 is chat/api's (line 58) already on app1, app2; give one of them another port"
            )
        ],
    ),
    case(
        "port ssh",
        [("port: 3000", "port: 3000, host_port: 22")],
        [
            (
                "platform.yml:55:55: error: platform.apps.chat.services.web.host_port: "
                "port 22 is ssh's (line 9) already on app1, app2; give one of them another port"
            )
        ],
    ),
    case(
        "last port",
        [("replicas: 1", "replicas: 3"), ("port: 5000", "port: 65534")],
        [
            (
                "platform.yml:61:21: error: platform.apps.chat.services.api.replicas: "
                "3 replicas from port 65534 on end at 65536; the last port is 65535"
            )
        ],
    ),
    case(
        "docker",
        [("  docker:\n    groups: [app]", "  docker:\n    groups: [edge]")],
        [
            (
                "platform.yml:49:14: error: platform.apps.chat.group: "
                "its hosts need Docker, and app1, app2 would get none; add 'app' to docker.groups"
            )
        ],
    ),
    case(
        "no docker",
        [(example.TEXT[example.TEXT.index("  docker:") : example.TEXT.index("  data:")], "")],
        [
            (
                "platform.yml:45:14: error: platform.apps.chat.group: "
                "its hosts need Docker, and app1, app2 would get none; add 'app' to docker.groups"
            )
        ],
    ),
    case(
        "name address",
        [],
        [
            (
                "inventory: error: "
                "host app2 may connect to postgresql, but its address 'app2.example' is a name, and firewall "
                "rules need an IP; set platform_address for it"
            )
        ],
        addresses={**example.ADDRESSES, "app2": "app2.example"},
    ),
    case(
        "same address",
        [],
        [
            (
                "inventory: error: "
                "hosts app1 and app2 have one address, 192.0.2.101; correct one, or set platform_address to "
                "where the other hosts reach each of them"
            )
        ],
        addresses={**example.ADDRESSES, "app2": "192.0.2.101"},
    ),
    case(
        "login",
        [],
        [
            (
                "platform.yml:9:24: error: platform.hosts.ssh.allow_users: "
                "Ansible logs in as 'root' on data1, mon1, and would be locked out; add 'root'"
            )
        ],
        users={**example.INVENTORY.users, "mon1": "root", "data1": "root"},
    ),
    case(
        "metrics",
        [("0.0.0.0:9323", "127.0.0.1:9323")],
        [
            (
                "platform.yml:20:48: error: platform.docker.daemon.metrics-addr: "
                "Prometheus cannot reach 127.0.0.1:9323 from its own host; listen at 0.0.0.0 (the firewall "
                "lets only it in)"
            )
        ],
    ),
    case(
        "environment",
        [("environment: lab", "environment: staging")],
        [
            (
                "platform.yml:3:16: warning: platform.environment: "
                "is 'staging', while the inventory is inventories/prod; did you mean 'prod'?"
            )
        ],
        name="inventories/prod",
    ),
    case(
        "override",
        [],
        [
            (
                "platform.yml:1:1: error: platform: "
                "Ansible's variable 'platform' is another one than this file's for app1: -e, host_vars or "
                "another file of group_vars sets it too; only this file may"
            )
        ],
        effective=lambda h: {} if h == "app1" else example.data(),
    ),
    case(
        "a further scrape of a port that is known",
        [("{port: 9187, groups: [data]}", "{port: 9100, groups: [data]}")],
        [],
    ),
    case(
        "override of a file with mistakes says nothing new",
        [("Etc/UTC", "7")],
        ["platform.yml:5:15: error: platform.hosts.timezone: is a number; it must be text: put quotes around it"],
        effective=lambda _host: {},
    ),
]


@pytest.mark.parametrize(("edits", "expected", "more"), CASES)
def test_each_mistake_is_one_line_with_its_place(edits, expected, more, tmp_path):
    assert example.problems(tmp_path, *edits, **more) == expected
