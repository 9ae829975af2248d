"""What preflight says of platform.secrets, without asking a backend."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.tests.unit.platform import example

BACKEND = "backend: generated\n    directory: secrets"
REGION = "aws: {region: eu-central-1}"


def case(title: str, edits: list[tuple[str, str]], *expected: str) -> Any:
    return pytest.param(edits, expected, id=title)


def backend(name: str, *lines: str) -> tuple[str, str]:
    return BACKEND, "\n    ".join([f"backend: {name}", *lines])


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        case("files", [backend("files", "directory: secrets")]),
        case("secrets manager", [backend("aws_secrets_manager", REGION)]),
        case("parameter store", [backend("aws_ssm", REGION, "prefix: chat/prod")]),
        case("vault", [backend("vault", "vault: {address: 'https://vault.example:8200'}")]),
        case(
            "no region",
            [backend("aws_ssm")],
            "76:14: error: platform.secrets.backend: the backend 'aws_ssm' needs platform.secrets.aws.region; write it",
        ),
        case(
            "no address",
            [backend("vault", "vault: {mount: kv}")],
            "77:12: error: platform.secrets.vault: the backend 'vault' needs platform.secrets.vault.address; write it",
        ),
        case(
            "settings of another",
            [backend("files", REGION)],
            "77:5: warning: platform.secrets.aws: the backend is 'files', which does not read this; remove it, or "
            "change the backend",
        ),
        case(
            "no role",
            [backend("vault", "vault: {address: 'https://v', auth: {method: approle}}")],
            "77:41: error: platform.secrets.vault.auth: signing in by approle needs a role (with approle, the role's "
            "id); write it",
        ),
        case(
            "region",
            [backend("aws_ssm", "aws: {region: Frankfurt}")],
            "77:19: error: platform.secrets.aws.region: 'Frankfurt' is not a region of AWS, such as eu-central-1",
        ),
        case(
            "a name that the parameter store would not take",
            [backend("aws_ssm", REGION), ("chat_redis:\n", "chat_redis: {id: chat/redis}\n")],
            "80:24: error: platform.secrets.names.chat_redis.id: 'chat/redis' cannot be a secret's name there: it "
            "wants /PATH/NAME of letters, digits and _.-",
        ),
        case(
            "half of a part",
            [("chat_redis:\n", "chat_redis: {of: chat_database}\n")],
            "80:7: error: platform.secrets.names.chat_redis: lacks the key part, which of its parts this is; write "
            "both or none",
        ),
        case(
            "a part of nothing",
            [("chat_redis:\n", "chat_redis: {of: chat_dtabase, part: others}\n")],
            "80:24: error: platform.secrets.names.chat_redis.of: no secret 'chat_dtabase' is declared; did you mean "
            "'chat_database'?",
        ),
        case(
            "the user of what lets nobody in",
            [("chat_database: {length: 32}", "chat_database: {of: chat_redis, part: username}")],
            "79:27: error: platform.secrets.names.chat_database.of: 'chat_redis' is the password of no user of "
            "platform.data.postgresql.users",
        ),
        case(
            "a part with a length",
            [("chat_redis:\n", "chat_redis: {of: chat_database, part: others, length: 20}\n")],
            "80:53: error: platform.secrets.names.chat_redis.length: is not asked of a part of another secret; "
            "remove it",
        ),
        case(
            "rotation of another thing",
            [("chat_redis:\n", "chat_redis: {rotate: postgresql}\n")],
            "80:28: error: platform.secrets.names.chat_redis.rotate: is the password of no user of "
            "platform.data.postgresql.users, so there is nothing to rotate there",
        ),
        case(
            "rotation of another server",
            [("chat_database: {length: 32}", "chat_database: {rotate: redis}")],
            "79:31: error: platform.secrets.names.chat_database.rotate: is not platform.data.redis.password, so there "
            "is nothing to rotate there",
        ),
        case(
            "rotation of a field",
            [("chat_redis:\n", "chat_redis: {rotate: redis, key: password}\n")],
            "80:35: error: platform.secrets.names.chat_redis.key: rotation writes whole values, so it cannot keep the "
            "other fields of a document; remove one of the two",
        ),
        case("rotation", [("chat_redis:\n", "chat_redis: {rotate: redis}\n")]),
    ],
)
def test_settings(edits, expected, tmp_path):
    assert example.problems(tmp_path, *edits) == [f"platform.yml:{line}" for line in expected]
