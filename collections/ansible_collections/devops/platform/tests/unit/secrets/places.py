"""Every place that can keep secrets, with a value in it: files, moto's AWS, a fake of Vault, variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.secretsmanager.models import SecretsManagerBackend
from moto.server import ThreadedMotoServer

from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration, Store
from ansible_collections.devops.platform.tests.unit.secrets import fake_vault

REGION = "eu-central-1"
WRITABLE = ("files", "aws_secrets_manager", "aws_ssm", "vault")


@dataclass
class Place:
    """`platform` is the part of platform.yml that leads there; `write` makes a secret, `requests` counts what was
    asked."""

    backend: str
    platform: dict[str, Any]
    root: Path
    write: Callable[[str, str], None]

    def declared(self, names: dict[str, Any], **more: Any) -> Declaration:
        secrets = {**self.platform["secrets"], "names": names}
        return Declaration.of({**self.platform, **more, "secrets": secrets}, self.root)


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """The address of moto's server."""
    kind: Any = SecretsManagerBackend
    moved = kind.update_secret_version_stage

    def moving(self: Any, secret_id: str, *args: Any, **kwargs: Any) -> Any:
        # Moto gives the version that came last where nobody names a stage; AWS gives the one that is AWSCURRENT.
        answer = moved(self, secret_id, *args, **kwargs)
        secret = self.secrets[secret_id]
        current = [name for name, version in secret.versions.items() if "AWSCURRENT" in version["version_stages"]]
        secret.default_version_id = current[0]
        return answer

    kind.update_secret_version_stage = moving
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
    kind.update_secret_version_stage = moved


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's: what is meant for AWS must not reach it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_vault.FakeVault]:
    monkeypatch.setenv("VAULT_TOKEN", fake_vault.TOKEN)
    with fake_vault.running() as server:
        yield server


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The place that the parameter names."""
    backend = request.param
    platform: dict[str, Any] = {"name": "chat", "environment": "prod", "secrets": {"backend": backend}}
    if backend == "files":
        platform["secrets"]["directory"] = "secrets"
        store = Store(tmp_path / "secrets")

        def keep(name: str, text: str) -> None:
            with store.locked():
                store.write(name, text)

        yield Place(backend, platform, tmp_path, keep)
    elif backend == "ansible_vault":

        def define(name: str, text: str) -> None:
            folder = tmp_path / "group_vars" / "all"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.yml").write_text(f"vault_{name}: {text}\n", encoding="utf-8")

        yield Place(backend, platform, tmp_path, define)
    elif backend == "vault":
        server = request.getfixturevalue("vault")
        platform["secrets"]["vault"] = {"address": server.address}
        yield Place(backend, platform, tmp_path, lambda name, text: server.write(name, {"value": text}))
    else:
        request.getfixturevalue("credentials")
        address = request.getfixturevalue("aws")
        platform["secrets"]["aws"] = {"region": REGION, "endpoint": address}
        service = "secretsmanager" if backend == "aws_secrets_manager" else "ssm"
        client = boto3.client(service, region_name=REGION, endpoint_url=address)

        def make(name: str, text: str) -> None:
            if service == "ssm":
                client.put_parameter(Name=name, Value=text, Type="SecureString", Overwrite=True)
            else:
                client.create_secret(Name=name, SecretString=text)

        yield Place(backend, platform, tmp_path, make)
        reset(address)


def reset(address: str) -> None:
    """Moto forgets what it holds: names are the same in each test."""
    import urllib.request

    request = urllib.request.Request(f"{address}/moto-api/reset", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
