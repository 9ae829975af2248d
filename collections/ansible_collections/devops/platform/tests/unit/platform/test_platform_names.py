"""Names that are those of nothing, each with its whole message."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.tests.unit.platform import example


def case(title: str, edits: list[tuple[str, str]], expected: list[str], **more: Any) -> Any:
    return pytest.param(edits, expected, more, id=title)


CASES = [
    case(
        "group",
        [("group: data", "group: dta")],
        [("platform.yml:22:12: error: platform.data.group: the inventory has no group 'dta'; did you mean 'data'?")],
    ),
    case(
        "group of clients",
        [("clients: [app]", "clients: [web]")],
        [
            (
                "platform.yml:27:17: error: platform.data.postgresql.clients[0]: "
                "the inventory has no group 'web'; there is app, data, edge, monitoring"
            )
        ],
    ),
    case(
        "target group",
        [("groups: [data]", "groups: [all, dat]")],
        [
            (
                "platform.yml:38:44: error: platform.monitoring.targets.database.groups[1]: "
                "the inventory has no group 'dat'; did you mean 'data'?"
            )
        ],
    ),
    case(
        "empty group",
        [],
        [
            (
                "platform.yml:22:12: error: platform.data.group: "
                "the group 'data' of the inventory has no host; add one, or remove this part"
            ),
            (
                "platform.yml:52:24: error: platform.apps.chat.environment.DATABASE_HOST: "
                "@address(data): the group has no host"
            ),
            (
                "platform.yml:66:32: error: platform.apps.chat.services.websocket.environment.REDIS: "
                "@address(data): the group has no host"
            ),
        ],
        groups={**example.GROUPS, "data": []},
    ),
    case(
        "secret",
        [("password: chat_redis", "password: chat_redsi")],
        [
            (
                "platform.yml:29:17: error: platform.data.redis.password: "
                "no secret 'chat_redsi' is declared; did you mean 'chat_redis'?"
            )
        ],
    ),
    case(
        "secret new",
        [("password: chat_database", "password: postgres")],
        [
            (
                "platform.yml:26:32: error: platform.data.postgresql.users.chat.password: "
                "no secret 'postgres' is declared; declare it below platform.secrets.names"
            )
        ],
    ),
    case(
        "secret app",
        [("{DATABASE_PASSWORD: chat_database}", "{DATABASE_PASSWORD: chat_db, X: chat_redis}")],
        [
            (
                "platform.yml:62:40: error: platform.apps.chat.services.api.secrets.DATABASE_PASSWORD: "
                "no secret 'chat_db' is declared; did you mean 'chat_database'?"
            )
        ],
    ),
    case(
        "no secrets",
        [(example.TEXT[example.TEXT.index("  secrets:\n    backend") :], "")],
        [
            (
                "platform.yml:1:1: error: platform: "
                "lacks the key 'secrets', though secrets are used below: declare their names there"
            )
        ],
    ),
    case(
        "unused",
        [("      chat_redis:\n", "      chat_redis:\n      old:\n")],
        [
            (
                "platform.yml:81:7: warning: platform.secrets.names.old: "
                "nothing uses this secret; remove it, or the key that should name it is missing"
            )
        ],
    ),
    case(
        "owner",
        [("owner: chat", "owner: chatt")],
        [
            (
                "platform.yml:25:33: error: platform.data.postgresql.databases.chat.owner: "
                "there is no database user 'chatt'; did you mean 'chat'?"
            )
        ],
    ),
    case(
        "route app",
        [("app: chat, service: api", "app: chatt, service: api")],
        [("platform.yml:45:27: error: platform.edge.routes[1].app: there is no app 'chatt'; did you mean 'chat'?")],
    ),
    case(
        "secret smoke",
        [("user: verify, password: chat_redis", "user: verify, password: chat_verify")],
        [
            (
                "platform.yml:74:54: error: platform.apps.chat.smoke.password: "
                "no secret 'chat_verify' is declared; did you mean 'chat_redis'?"
            )
        ],
    ),
    case(
        "route off",
        [("image: chat-web, port: 3000", "image: chat-web, enabled: false, port: 3000")],
        [
            (
                "platform.yml:44:39: error: platform.edge.routes[0].service: "
                "'web' is switched off (line 55); remove the route, or set enabled: true"
            )
        ],
    ),
    case(
        "route service",
        [("service: api}", "service: apii}")],
        [
            (
                "platform.yml:45:42: error: platform.edge.routes[1].service: "
                "app 'chat' has no service 'apii'; did you mean 'api'?"
            )
        ],
    ),
    case(
        "route twice",
        [("path: /api", "path: /")],
        ["platform.yml:45:16: error: platform.edge.routes[1].path: '/' is routed in line 44 already"],
    ),
    case(
        "route portless",
        [("          port: 5001\n", "")],
        [
            (
                "platform.yml:46:41: error: platform.edge.routes[2].service: "
                "'websocket' (line 63) has no port, so no route can lead to it; give it one"
            )
        ],
    ),
    case(
        "upstream",
        [
            ("service: api}", "service: a-b}"),
            ("service: web}", "service: a_b}"),
            (
                "        web:",
                "        a-b: {image: chat-web, port: 3001}\n        a_b: {image: chat-web, port: 3002}\n        web:",
            ),
        ],
        [
            (
                "platform.yml:45:42: error: platform.edge.routes[1].service: "
                "chat/a-b and chat/a_b would share the name chat_a_b in the edge; rename one"
            )
        ],
    ),
    case(
        "before",
        [("before: [api, websocket]", "before: [api, sockets]")],
        [
            (
                "platform.yml:72:25: error: platform.apps.chat.tasks.migrate.before[1]: "
                "app 'chat' has no service 'sockets'; did you mean 'websocket'?"
            )
        ],
    ),
    case(
        "task like service",
        [("        migrate:", "        web:")],
        [
            (
                "platform.yml:69:9: error: platform.apps.chat.tasks.web: "
                "app 'chat' has a service of this name (line 55); rename the task"
            )
        ],
    ),
    case(
        "job",
        [("database: {port", "node: {port")],
        [
            (
                "platform.yml:38:7: error: platform.monitoring.targets.node: "
                "Prometheus has a scrape job of this name from other keys of platform.yml; choose another"
            )
        ],
    ),
]


@pytest.mark.parametrize(("edits", "expected", "more"), CASES)
def test_each_mistake_is_one_line_with_its_place(edits, expected, more, tmp_path):
    assert example.problems(tmp_path, *edits, **more) == expected
