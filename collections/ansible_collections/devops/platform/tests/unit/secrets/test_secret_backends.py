"""What every backend must do, and what each says when it cannot: files, moto's AWS and a fake of Vault."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration
from ansible_collections.devops.platform.plugins.module_utils.secrets import aws as aws_backends
from ansible_collections.devops.platform.plugins.module_utils.secrets.backend import BackendError, Stage
from ansible_collections.devops.platform.plugins.module_utils.secrets.read import Reader, backend_of
from ansible_collections.devops.platform.plugins.module_utils.secrets.vault import client as sign_in
from ansible_collections.devops.platform.tests.unit.secrets.fake_vault import ROLE, SECRET_ID
from ansible_collections.devops.platform.tests.unit.secrets.places import REGION, WRITABLE, Place, reset

WHERE = pytest.mark.parametrize("place", WRITABLE, indirect=True)
AWS = pytest.mark.parametrize("place", ["aws_secrets_manager", "aws_ssm"], indirect=True)


def nothing(_name: str) -> None:
    return None


def at(place: Place, name: str = "chat_redis") -> tuple[Any, str]:
    """The backend, and what it calls the secret, which holds `one`."""
    declared = place.declared({name: None})
    identifier = declared.identifier(name)
    place.write(identifier, "one")
    return backend_of(declared, nothing), identifier


def texts(backend: Any, identifier: str) -> dict[str, str]:
    found = {stage.name: backend.read([identifier], stage).records.get(identifier) for stage in Stage}
    return {stage: record.text for stage, record in found.items() if record is not None}


@WHERE
def test_a_value_goes_through_its_stages(place):
    backend, identifier = at(place)
    assert texts(backend, identifier) == {"CURRENT": "one"}
    backend.stage(identifier, "two")
    assert texts(backend, identifier) == {"CURRENT": "one", "PENDING": "two"}
    backend.promote(identifier)
    assert texts(backend, identifier) == {"CURRENT": "two", "PREVIOUS": "one"}
    backend.retire(identifier)
    assert texts(backend, identifier) == {"CURRENT": "two"}


@WHERE
def test_each_step_may_be_repeated(place):
    backend, identifier = at(place)
    backend.promote(identifier)  # nothing is pending
    backend.retire(identifier)
    assert texts(backend, identifier) == {"CURRENT": "one"}
    for text in ("two", "three"):
        backend.stage(identifier, text)
    for _again in range(2):
        backend.promote(identifier)
        assert texts(backend, identifier) == {"CURRENT": "three", "PREVIOUS": "one"}
    for _again in range(2):
        backend.retire(identifier)
        assert texts(backend, identifier) == {"CURRENT": "three"}


WRITES = (
    "write",
    "remove",
    "put_secret_value",
    "update_secret_version_stage",
    "put_parameter",
    "delete_parameters",
    "create_or_update_secret",
)


@pytest.mark.parametrize("place", ["files", "aws_ssm", "vault"], indirect=True)
def test_a_first_value(place):
    declared = place.declared({"new": None})
    backend, identifier = backend_of(declared, nothing), declared.identifier("new")
    backend.stage(identifier, "one")
    backend.promote(identifier)
    assert texts(backend, identifier) == {"CURRENT": "one"}


def test_a_first_value_of_an_entry_that_terraform_has_made(aws, credentials, tmp_path):
    import boto3

    client = boto3.client("secretsmanager", region_name=REGION, endpoint_url=aws)
    client.create_secret(Name="chat/new")
    settings = {"region": REGION, "endpoint": aws}
    backend = aws_backends.SecretsManager(settings)
    assert texts(backend, "chat/new") == {}
    backend.stage("chat/new", "one")
    backend.promote("chat/new")
    assert texts(backend, "chat/new") == {"CURRENT": "one"}
    reset(aws)


class DeathError(Exception):
    pass


def dies_at(backend: Any, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writing request or file number `number` of the backend never happens, nor what follows it."""
    left = [number]

    def deadly(call: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise DeathError
            return call(*args, **kwargs)

        return counted

    target = getattr(backend, "store", None) or (backend.client if hasattr(backend.client, "meta") else None)
    target = target or backend.client.secrets.kv.v2
    for name in WRITES:
        if hasattr(target, name):
            monkeypatch.setattr(target, name, deadly(getattr(target, name)))


@WHERE
@pytest.mark.parametrize("number", range(4))
def test_a_promotion_that_dies_is_never_between_two_values_and_is_finished_by_the_next(place, number, monkeypatch):
    backend, identifier = at(place)
    backend.stage(identifier, "two")
    with monkeypatch.context() as patched:
        dies_at(backend, number, patched)
        with contextlib.suppress(DeathError):
            backend.promote(identifier)
    found = texts(backend, identifier)
    assert found["CURRENT"] in ("one", "two")
    assert "one" in found.values()  # who holds the old value is let in still
    backend.promote(identifier)
    assert texts(backend, identifier) == {"CURRENT": "two", "PREVIOUS": "one"}


@WHERE
def test_what_is_missing_is_said_with_its_place_and_what_to_do(place):
    declared = place.declared({"chat_redis": None})
    if place.backend == "files":
        return  # makes it
    with pytest.raises(PlatformError) as error:
        Reader(declared, nothing).values(["chat_redis"])
    assert str(error.value).startswith("secret 'chat_redis': ")
    assert f"has no '{declared.identifier('chat_redis')}'" in str(error.value)
    assert "platform.secrets.names.chat_redis.id" in str(error.value)


@AWS
def test_many_are_one_request_for_each_page(place, monkeypatch):
    names = {f"name{number}": None for number in range(23)}
    declared = place.declared(names)
    for name in names:
        place.write(declared.identifier(name), f"value of {name}")
    backend: Any = backend_of(declared, nothing)
    asked: list[int] = []
    call = "batch_get_secret_value" if place.backend == "aws_secrets_manager" else "get_parameters"
    original = getattr(backend.client, call)
    key = "SecretIdList" if place.backend == "aws_secrets_manager" else "Names"

    def counted(**given: Any) -> Any:
        asked.append(len(given[key]))
        return original(**given)

    monkeypatch.setattr(backend.client, call, counted)
    values = Reader(declared, nothing, connect=lambda *_: backend).values(list(names))
    assert values == [f"value of {name}" for name in names]
    assert asked == ([20, 3] if place.backend == "aws_secrets_manager" else [10, 10, 3])


@AWS
def test_names_are_the_prefix_and_the_name_unless_something_else_is_said(place):
    declared = place.declared({"a": None, "b": {"id": "/else/where"}, "c": None})
    slash = "/" if place.backend == "aws_ssm" else ""
    assert declared.identifier("a") == f"{slash}chat/prod/a"
    assert declared.identifier("b") == "/else/where"
    place.write("/terraform/made/c", "three")
    given = {"platform_secret_ids": {"c": "/terraform/made/c"}}
    assert Reader(declared, given.get).values(["c"]) == ["three"]


def test_a_secret_may_be_named_by_its_arn(aws, credentials, tmp_path):
    import boto3

    client = boto3.client("secretsmanager", region_name=REGION, endpoint_url=aws)
    arn = client.create_secret(Name="made/elsewhere", SecretString='{"password": "p", "port": 5432}')["ARN"]
    secrets = {"backend": "aws_secrets_manager", "aws": {"region": REGION, "endpoint": aws}}
    names = {"password": {"id": arn, "key": "password"}, "port": {"id": arn, "key": "port"}}
    declared = Declaration.of({"secrets": {**secrets, "names": names}}, tmp_path)
    assert Reader(declared, nothing).values(["password", "port"]) == ["p", "5432"]
    names["password"] = {"id": arn, "key": "pasword"}
    with pytest.raises(PlatformError, match=r"has no field 'pasword'; did you mean 'password'\?; correct platform"):
        Reader(Declaration.of({"secrets": {**secrets, "names": names}}, tmp_path), nothing).values(["password"])
    reset(aws)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            {"ErrorCode": "AccessDeniedException", "Message": "not authorized"},
            "the role that Ansible runs with needs secretsmanager:BatchGetSecretValue and secretsmanager:Get",
        ),
        ({"ErrorCode": "DecryptionFailure", "Message": "no"}, "allow the role that Ansible runs with kms:Decrypt"),
        ({"ErrorCode": "InvalidRequestException", "Message": "no"}, "it may be marked for deletion: restore it"),
        ({"ErrorCode": "ResourceNotFoundException", "Message": "no"}, "has no 'chat/prod/a'; create it (terraform"),
    ],
)
def test_what_aws_says_of_one_secret_is_said_with_its_name(error, said, tmp_path):
    class Client:
        def batch_get_secret_value(self, **_given: Any) -> dict[str, Any]:
            return {"SecretValues": [], "Errors": [{"SecretId": "chat/prod/a", **error}]}

    platform = {"name": "chat", "environment": "prod"}
    secrets = {"backend": "aws_secrets_manager", "aws": {"region": REGION}, "names": {"a": None}}
    declared = Declaration.of({**platform, "secrets": secrets}, tmp_path)
    backend = aws_backends.SecretsManager({"region": REGION}, Client())
    with pytest.raises(PlatformError) as raised:
        Reader(declared, nothing, connect=lambda *_: backend).values(["a"])
    assert str(raised.value).startswith("secret 'a': ")
    assert said in str(raised.value)


@AWS
def test_an_address_that_does_not_answer(place):
    platform = {**place.platform, "secrets": {**place.platform["secrets"], "names": {"a": None}}}
    platform["secrets"]["aws"] = {"region": REGION, "endpoint": "http://127.0.0.1:9"}
    with pytest.raises(BackendError, match=r"in eu-central-1 does not answer.*is platform.secrets.aws right\?"):
        Reader(Declaration.of(platform, place.root), nothing).values(["a"])


def test_no_credentials_and_a_profile_that_is_not_there(aws, credentials, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    secrets = {"backend": "aws_ssm", "aws": {"region": REGION, "endpoint": aws}, "names": {"a": None}}
    with pytest.raises(BackendError, match=r"no credentials of AWS were found; sign in \(aws sso login, AWS_PROFILE"):
        Reader(Declaration.of({"secrets": secrets}, tmp_path), nothing).values(["a"])
    secrets["aws"] = {"region": REGION, "profile": "nobody"}
    with pytest.raises(BackendError, match=r"\(nobody\) could not be found; correct platform.secrets.aws.profile"):
        Reader(Declaration.of({"secrets": secrets}, tmp_path), nothing).values(["a"])


def test_vault_signs_in_by_approle_with_the_secret_of_the_environment(vault, monkeypatch):
    monkeypatch.delenv("VAULT_TOKEN")
    settings = {"address": vault.address, "auth": {"method": "approle", "role": ROLE}}
    with pytest.raises(BackendError, match=r"signing in by approle needs VAULT_SECRET_ID in the environment"):
        sign_in(settings, Path())
    monkeypatch.setenv("VAULT_SECRET_ID", "wrong")
    with pytest.raises(BackendError, match=r"invalid role.*is platform.secrets.vault right"):
        sign_in(settings, Path())
    monkeypatch.setenv("VAULT_SECRET_ID", SECRET_ID)
    assert sign_in(settings, Path()).token == "t0ken"


@pytest.mark.parametrize("place", ["vault"], indirect=True)
@pytest.mark.parametrize(
    ("token", "sealed", "said"),
    [
        ("wrong", False, "permission denied; sign in again"),
        ("t0ken", True, "is sealed or stands by; unseal it"),
    ],
)
def test_what_vault_refuses(place, vault, token, sealed, said, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", token)
    vault.sealed = sealed
    with pytest.raises(BackendError, match=said):
        Reader(place.declared({"a": None}), nothing).values(["a"])


@pytest.mark.parametrize("place", ["vault"], indirect=True)
def test_who_changed_a_document_meanwhile_is_not_overwritten(place, vault, monkeypatch):
    backend, identifier = at(place)
    original = backend._document

    def late(name: str) -> Any:
        found = original(name)
        vault.write(identifier, {"value": "somebody's"})
        return found

    monkeypatch.setattr(backend, "_document", late)
    with pytest.raises(BackendError, match="check-and-set parameter did not match"):
        backend.stage(identifier, "two")
    assert vault.documents[identifier][-1] == {"value": "somebody's"}


@pytest.mark.parametrize("place", ["vault"], indirect=True)
def test_a_document_of_several_fields_is_their_json(place, vault):
    vault.write("chat/prod/db", {"username": "u", "password": "p"})
    declared = place.declared({"db": {"key": "password"}})
    assert Reader(declared, nothing).values(["db"]) == ["p"]


def test_variables_cannot_be_rotated(tmp_path):
    declared = Declaration.of({"secrets": {"backend": "ansible_vault", "names": {"a": None}}}, tmp_path)
    values = {"vault_a": "one", "vault_a_previous": "nil"}
    assert Reader(declared, values.get).values(["a"], "others") == ["nil"]
    with pytest.raises(BackendError, match=r"is an Ansible variable, which only its owner can change"):
        backend_of(declared, values.get).stage("vault_a", "two")
