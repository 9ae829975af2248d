"""What the schema refuses, each rule with its whole message."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.tests.unit.platform import example


def case(title: str, edits: list[tuple[str, str]], expected: list[str], **more: Any) -> Any:
    return pytest.param(edits, expected, more, id=title)


CASES = [
    case("right", [], []),
    case(
        "misspelt key",
        [("timezone:", "timezne:")],
        ["platform.yml:5:5: error: platform.hosts.timezne: unknown key; did you mean 'timezone'?"],
    ),
    case(
        "misspelt required",
        [("owner: chat", "ownr: chat")],
        [
            (
                "platform.yml:25:26: error: platform.data.postgresql.databases.chat.ownr: "
                "unknown key; did you mean 'owner'?"
            )
        ],
    ),
    case(
        "unknown no hint",
        [("  name: chat", "  zzz: 1\n  name: chat")],
        ["platform.yml:2:3: error: platform.zzz: unknown key; there is awx, kubernetes, logging, rollout, slos"],
    ),
    case("missing", [("  name: chat\n", "")], ["platform.yml:1:1: error: platform: lacks the key 'name': its name"]),
    case(
        "missing beside",
        [("port: 3000, ", "")],
        [
            (
                "platform.yml:44:39: error: platform.edge.routes[0].service: "
                "'web' (line 55) has no port, so no route can lead to it; give it one"
            ),
            ("platform.yml:55:32: error: platform.apps.chat.services.web.health: needs the key 'port' beside it"),
        ],
    ),
    case(
        "type number",
        [("port: 5432", 'port: "5432"')],
        [
            (
                "platform.yml:24:13: error: platform.data.postgresql.port: "
                "is text; it must be a whole number: remove the quotes around 5432"
            )
        ],
    ),
    case(
        "type text",
        [('version: "1.9.0"', "version: 1.9")],
        [
            (
                "platform.yml:34:30: error: platform.monitoring.node_exporter.version: "
                "is a number; it must be text: put quotes around it"
            )
        ],
    ),
    case(
        "type list",
        [("groups: [app]", "groups: app")],
        ["platform.yml:18:13: error: platform.docker.groups: is text; it must be a list"],
    ),
    case(
        "type mapping",
        [("sysctl: {net.core.somaxconn: 4096}", "sysctl: []")],
        ["platform.yml:10:13: error: platform.hosts.sysctl: is a list; it must be a mapping"],
    ),
    case(
        "type bool",
        [("websocket: true", 'websocket: "yes"')],
        ["platform.yml:46:63: error: platform.edge.routes[2].websocket: is text; it must be true or false"],
    ),
    case(
        "empty value",
        [("timezone: Etc/UTC", "timezone:")],
        ["platform.yml:5:14: error: platform.hosts.timezone: is empty; it must be text"],
    ),
    case(
        "plain",
        [("LOG_LEVEL: info", "LOG_LEVEL: [a]")],
        [("platform.yml:51:20: error: platform.apps.chat.environment.LOG_LEVEL: is a list; it must be a plain value")],
    ),
    case(
        "enum",
        [("upgrades: security", "upgrades: securty")],
        [
            (
                "platform.yml:8:15: error: platform.hosts.upgrades: "
                "'securty' is not one of none, security, all; did you mean 'security'?"
            )
        ],
    ),
    case(
        "enum far",
        [("upgrades: security", "upgrades: weekly")],
        ["platform.yml:8:15: error: platform.hosts.upgrades: 'weekly' is not one of none, security, all"],
    ),
    case(
        "pattern",
        [("scrape_interval: 15s", "scrape_interval: 15 s")],
        [
            (
                "platform.yml:35:66: error: platform.monitoring.prometheus.scrape_interval: "
                "'15 s' is not a duration, such as 15s, 1h30m or 15d"
            )
        ],
    ),
    case(
        "name",
        [("    chat:\n      group", "    Chat:\n      group")],
        [
            (
                "platform.yml:48:5: error: platform.apps.Chat: "
                "'Chat' is not a name of small letters, digits, - and _, such as chat-api"
            )
        ],
    ),
    case(
        "env name",
        [("LOG_LEVEL: info", "LOG-LEVEL: info")],
        [
            (
                "platform.yml:51:9: error: platform.apps.chat.environment.LOG-LEVEL: "
                "'LOG-LEVEL' is not the name of an environment variable, such as LOG_LEVEL"
            )
        ],
    ),
    case(
        "range",
        [("port: 9090", "port: 90900")],
        [
            (
                "platform.yml:35:43: error: platform.monitoring.prometheus.port: "
                "90900 is out of range; it must be between 1 and 65535"
            )
        ],
    ),
    case(
        "range low",
        [("replicas: 1", "replicas: 0")],
        [
            (
                "platform.yml:61:21: error: platform.apps.chat.services.api.replicas: "
                "0 is out of range; it must be between 1 and 100"
            )
        ],
    ),
    case(
        "length",
        [("length: 32", "length: 8")],
        [
            (
                "platform.yml:79:31: error: platform.secrets.names.chat_database.length: "
                "8 is out of range; it must be between 16 and 512"
            )
        ],
    ),
    case(
        "empty list",
        [("admin_networks: [192.0.2.1/32]", "admin_networks: []")],
        ["platform.yml:11:21: error: platform.hosts.admin_networks: must not be empty"],
    ),
    case(
        "empty text",
        [("timezone: Etc/UTC", 'timezone: ""')],
        ["platform.yml:5:15: error: platform.hosts.timezone: must not be empty"],
    ),
    case(
        "twice",
        [("packages: [curl]", "packages: [curl, jq, curl]")],
        ["platform.yml:7:26: error: platform.hosts.packages[2]: 'curl' is listed twice"],
    ),
    case(
        "cidr bits",
        [("192.0.2.1/32", "192.0.2.1/24")],
        [
            (
                "platform.yml:11:22: error: platform.hosts.admin_networks[0]: "
                "'192.0.2.1/24' has bits set beyond its prefix; did you mean '192.0.2.0/24'?"
            )
        ],
    ),
    case(
        "cidr",
        [("192.0.2.1/32", "mon1")],
        [
            (
                "platform.yml:11:22: error: platform.hosts.admin_networks[0]: "
                "'mon1' is not a network; write it as 10.0.0.0/16, or 192.0.2.7/32 for one host"
            )
        ],
    ),
    case(
        "url",
        [("http://mirror:8080/artifacts", "mirror:8080")],
        [
            (
                "platform.yml:14:15: error: platform.artifacts.sources[0]: "
                "'mirror:8080' is neither 'upstream', a URL, nor the absolute path of a bundle"
            )
        ],
    ),
    case(
        "host port",
        [("0.0.0.0:9323", "9323")],
        [
            (
                "platform.yml:20:48: error: platform.docker.daemon.metrics-addr: "
                "is a number; it must be text: put quotes around it"
            )
        ],
    ),
    case(
        "timezone",
        [("Etc/UTC", "Etc UTC")],
        [
            (
                "platform.yml:5:15: error: platform.hosts.timezone: "
                "'Etc UTC' is not a time zone, such as Etc/UTC or Europe/Rome"
            )
        ],
    ),
    case(
        "proxy",
        [("upgrades: security", "apt_proxy: mirror")],
        [
            (
                "platform.yml:8:16: error: platform.hosts.apt_proxy: "
                "'mirror' is not a URL; it begins with http:// or https:// and a host"
            )
        ],
    ),
    case(
        "daemon",
        [("live-restore", "live_restore")],
        [("platform.yml:20:14: error: platform.docker.daemon.live_restore: unknown key; did you mean 'live-restore'?")],
    ),
    case(
        "log opts",
        [('max-file: "3"', "max-file: 3")],
        [
            (
                "platform.yml:20:83: error: platform.docker.daemon.log-opts.max-file: "
                "is a number; it must be text: put quotes around it"
            )
        ],
    ),
    case(
        "platform list",
        [(example.TEXT, "platform: []")],
        ["platform.yml:1:11: error: platform: is a list; it must be a mapping"],
    ),
    case(
        "no platform",
        [(example.TEXT, "plattform: {}")],
        ["platform.yml:1:1: error: plattform: unknown key; did you mean 'platform'?"],
    ),
    case("empty file", [(example.TEXT, "")], ["platform.yml:1:1: error: is empty; it must be a mapping"]),
    case("list", [(example.TEXT, "- a")], ["platform.yml:1:1: error: is a list; it must be a mapping"]),
    case(
        "name",
        [("    chat:\n      group", "    Chat:\n      group")],
        [
            (
                "platform.yml:48:5: error: platform.apps.Chat: "
                "'Chat' is not a name of small letters, digits, - and _, such as chat-api"
            )
        ],
    ),
    case(
        "services typo",
        [("      services:", "      servces:")],
        ["platform.yml:54:7: error: platform.apps.chat.servces: unknown key; did you mean 'services'?"],
    ),
    case("missing", [("  name: chat\n", "")], ["platform.yml:1:1: error: platform: lacks the key 'name': its name"]),
    case(
        "several at once",
        [
            ("timezone: Etc/UTC", "timezone: 1"),
            ("upgrades: security", "upgrades: no"),
            ("service: web}", "service: wbe}"),
            ("port: 9090", "port: 9093"),
        ],
        [
            ("platform.yml:5:15: error: platform.hosts.timezone: is a number; it must be text: put quotes around it"),
            "platform.yml:8:15: error: platform.hosts.upgrades: 'False' is not one of none, security, all",
            (
                "platform.yml:36:45: error: platform.monitoring.alertmanager.port: "
                "port 9093 is prometheus's (line 35) already on mon1; give one of them another port"
            ),
            (
                "platform.yml:44:39: error: platform.edge.routes[0].service: "
                "app 'chat' has no service 'wbe'; did you mean 'websocket'?"
            ),
        ],
    ),
    case(
        "empty and of no pattern is one mistake",
        [("owner: chat", 'owner: ""'), ("password: chat_redis", 'password: ""')],
        [
            "platform.yml:25:33: error: platform.data.postgresql.databases.chat.owner: must not be empty",
            "platform.yml:29:17: error: platform.data.redis.password: must not be empty",
        ],
    ),
]


@pytest.mark.parametrize(("edits", "expected", "more"), CASES)
def test_each_mistake_is_one_line_with_its_place(edits, expected, more, tmp_path):
    assert example.problems(tmp_path, *edits, **more) == expected
