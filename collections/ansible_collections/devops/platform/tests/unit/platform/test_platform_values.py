"""Templates, placeholders, variables and files, each with its whole message."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.tests.unit.platform import example


def case(title: str, edits: list[tuple[str, str]], expected: list[str], **more: Any) -> Any:
    return pytest.param(edits, expected, more, id=title)


CASES = [
    case(
        "jinja",
        [("LOG_LEVEL: info", 'LOG_LEVEL: "{{ x }}"')],
        [
            (
                "platform.yml:51:20: error: platform.apps.chat.environment.LOG_LEVEL: "
                "holds '{{', but platform.yml is plain data without templates; write the value itself (in an "
                "environment also @address(GROUP) and the like), or !unsafe before it where braces are meant"
            )
        ],
    ),
    case(
        "jinja port",
        [("port: 5432", 'port: "{% if x %}1{% endif %}"')],
        [
            (
                "platform.yml:24:13: error: platform.data.postgresql.port: "
                "holds '{%', but platform.yml is plain data without templates; write the value itself (in an "
                "environment also @address(GROUP) and the like), or !unsafe before it where braces are meant"
            )
        ],
    ),
    case("jinja ok", [("LOG_LEVEL: info", 'LOG_LEVEL: !unsafe "{{ x }}"')], []),
    case(
        "placeholder name",
        [('"@address(data)"', '"@adress(data)"')],
        [
            (
                "platform.yml:52:24: error: platform.apps.chat.environment.DATABASE_HOST: "
                "@adress(data): unknown placeholder; did you mean '@address'?"
            )
        ],
    ),
    case(
        "placeholder group",
        [('"@address(data)"', '"@address(dat)"')],
        [
            (
                "platform.yml:52:24: error: platform.apps.chat.environment.DATABASE_HOST: "
                "@address(dat): the inventory has no group 'dat'; did you mean 'data'?"
            )
        ],
    ),
    case(
        "placeholder many",
        [('"@address(data)"', '"@address(app)"')],
        [
            (
                "platform.yml:52:24: error: platform.apps.chat.environment.DATABASE_HOST: "
                "@address(app): the group has 2 hosts, not one; @addresses(app) gives all of them"
            )
        ],
    ),
    case(
        "placeholder server",
        [("@port(postgresql)", "@port(postgres)")],
        [
            (
                "platform.yml:53:24: error: platform.apps.chat.environment.DATABASE_PORT: "
                "@port(postgres): no such server; did you mean 'postgresql'?"
            )
        ],
    ),
    case(
        "placeholder none",
        [("    redis:\n      password: chat_redis\n      clients: [app]\n      maxmemory: 128mb\n", "")],
        [
            (
                "platform.yml:62:32: error: platform.apps.chat.services.websocket.environment.REDIS: "
                "@port(redis): there is no platform.data.redis to ask for its port"
            )
        ],
    ),
    case(
        "placeholder stray",
        [("command: [chat-migrate]", 'command: [chat-migrate, "@address(data)"]')],
        [
            (
                "platform.yml:71:35: error: platform.apps.chat.tasks.migrate.command[1]: "
                "@address(data) is understood in an environment only; write the value here"
            )
        ],
    ),
    case(
        "env twice",
        [("LOG_LEVEL: info", "DATABASE_PASSWORD_FILE: x")],
        [
            (
                "platform.yml:51:9: error: platform.apps.chat.environment.DATABASE_PASSWORD_FILE: "
                "the secret DATABASE_PASSWORD (line 62) gives it to api already, as a file; remove one of "
                "them"
            )
        ],
    ),
    case(
        "env same",
        [('REDIS: "@address', 'REDIS_PASSWORD: "@address')],
        [
            (
                "platform.yml:66:25: error: platform.apps.chat.services.websocket.environment.REDIS_PASSWORD: "
                "the secret REDIS_PASSWORD (line 67) gives it to websocket already, as a file; remove one of "
                "them"
            )
        ],
    ),
    case(
        "file",
        [("edge.crt", "other.crt")],
        [
            (
                "platform.yml:42:24: error: platform.edge.tls.certificate: "
                "no such file other.crt: make it, or correct the path (relative ones start at the directory "
                "of ansible.cfg)"
            )
        ],
    ),
    case(
        "lab file",
        [("edge.crt", "lab/.state/pki/edge.crt")],
        [
            (
                "platform.yml:42:24: error: platform.edge.tls.certificate: "
                "no such file lab/.state/pki/edge.crt: the lab makes it: run 'make up'"
            )
        ],
    ),
    case(
        "vault var",
        [("backend: generated", "backend: variables")],
        [
            (
                "platform.yml:79:7: error: platform.secrets.names.chat_database: "
                "no host has the variable vault_chat_database; did you mean 'vault_chat_databas'?"
            )
        ],
        variables=frozenset({"vault_chat_databas", "vault_chat_redis"}),
    ),
    case(
        "vault ok",
        [("backend: generated", "backend: variables")],
        [],
        variables=frozenset({"vault_chat_database", "vault_chat_redis"}),
    ),
    case(
        "vault value",
        [("password: chat_redis", "password: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6162")],
        [
            (
                "platform.yml:29:17: error: platform.data.redis.password: "
                "is an encrypted value; write the name of a secret, declare that below "
                "platform.secrets.names, and with backend 'ansible_vault' keep the value in the variable "
                "vault_NAME"
            )
        ],
    ),
]


@pytest.mark.parametrize(("edits", "expected", "more"), CASES)
def test_each_mistake_is_one_line_with_its_place(edits, expected, more, tmp_path):
    assert example.problems(tmp_path, *edits, **more) == expected
