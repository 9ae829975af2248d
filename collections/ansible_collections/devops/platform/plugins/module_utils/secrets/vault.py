"""The backend `vault`: a key-value engine of version 2 of HashiCorp Vault or OpenBao, through hvac.

hvac and not the lookups of community.hashi_vault, which stand on it as well: those cannot stage a value. All stages
of a secret are fields of one document, so that each step is one write, and that write names the version which it was
decided on.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data

from .backend import Answer, Backend, BackendError, Record, Stage

MOUNT = "secret"
FIELDS = {Stage.CURRENT: "value", Stage.PENDING: "pending", Stage.PREVIOUS: "previous"}
SINCE = "changed"
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def client(settings: Data, root: Path) -> Any:
    """A client that has signed in. `root` is where a relative path of `ca` starts. The secret half of a sign-in comes
    from the environment, never from platform.yml."""
    try:
        import hvac
    except ImportError as error:
        raise BackendError("the library hvac is missing on this machine; run `make env`") from error
    with explained(settings):
        connection = hvac.Client(
            url=settings.get("address"),
            namespace=settings.get("namespace") or None,
            verify=str(root / str(settings["ca"])) if settings.get("ca") else True,
            timeout=15,
        )
        _sign_in(connection, settings)
    return connection


def _sign_in(connection: Any, settings: Data) -> None:
    auth = settings.get("auth") or {}
    method = str(auth.get("method", "token"))
    mount = {"mount_point": auth["mount"]} if auth.get("mount") else {}
    if method == "approle":
        secret = os.environ.get("VAULT_SECRET_ID")
        if not secret:
            raise BackendError(f"{label(settings)}: signing in by approle needs VAULT_SECRET_ID in the environment")
        connection.auth.approle.login(auth.get("role"), secret, **mount)
    elif method == "kubernetes":
        if not SERVICE_ACCOUNT.is_file():
            raise BackendError(f"{label(settings)}: signing in by kubernetes needs {SERVICE_ACCOUNT}; run it in a pod")
        connection.auth.kubernetes.login(auth.get("role"), SERVICE_ACCOUNT.read_text(encoding="utf-8"), **mount)
    else:
        stored = Path.home() / ".vault-token"
        connection.token = os.environ.get("VAULT_TOKEN") or (stored.read_text("utf-8") if stored.is_file() else "")
        connection.token = connection.token.strip()
        if not connection.token:
            raise BackendError(f"{label(settings)}: no token; run `vault login`, or set VAULT_TOKEN")


def label(settings: Data) -> str:
    return f"Vault at {settings.get('address')}"


@contextlib.contextmanager
def explained(settings: Data) -> Iterator[None]:
    from hvac.exceptions import Forbidden, VaultDown, VaultError
    from requests import RequestException

    try:
        yield
    except Forbidden as error:
        text = "sign in again (vault login), or give the policy the rights read, create and update"
        raise BackendError(f"{label(settings)}: permission denied; {text}") from error
    except VaultDown as error:
        raise BackendError(f"{label(settings)} is sealed or stands by; unseal it, or name the active server") from error
    except VaultError as error:
        raise BackendError(f"{label(settings)}: {error}; is platform.secrets.vault right?") from error
    except RequestException as error:
        text = f"{type(error).__name__}; is platform.secrets.vault.address right, and ca?"
        raise BackendError(f"{label(settings)} does not answer: {text}") from error


class Vault(Backend):
    batch = False
    makes = False
    advice = "write it (`vault kv put`), or correct platform.secrets.names.{name}.id"

    def __init__(self, settings: Data, root: Path, connection: Any = None) -> None:
        self.settings = settings
        self.client = connection or client(settings, root)
        self.label = label(settings)
        self.mount = str(settings.get("mount") or MOUNT)

    def read(self, identifiers: Sequence[str], stage: Stage) -> Answer:
        answer = Answer()
        with explained(self.settings):
            for identifier in identifiers:
                data, _version, created = self._document(identifier)
                text = _text(data, stage)
                if text is not None:
                    since = data.get(SINCE) if stage is Stage.CURRENT else None
                    answer.records[identifier] = Record(text, float(since) if since else created)
        return answer

    def stage(self, identifier: str, text: str) -> None:
        self._change(identifier, lambda data: {**data, FIELDS[Stage.PENDING]: text})

    def promote(self, identifier: str) -> None:
        def move(data: dict[str, Any]) -> dict[str, Any]:
            pending, current = data.get(FIELDS[Stage.PENDING]), _text(data, Stage.CURRENT)
            if pending is None:
                return data
            # The fields of a document that somebody else wrote are in its new text, if they are wanted there.
            moved = {FIELDS[Stage.CURRENT]: pending, SINCE: str(int(time.time()))}
            same = current is None or pending == current
            return moved if same else {**moved, FIELDS[Stage.PREVIOUS]: str(current)}

        self._change(identifier, move)

    def retire(self, identifier: str) -> None:
        previous = FIELDS[Stage.PREVIOUS]
        self._change(identifier, lambda data: {key: value for key, value in data.items() if key != previous})

    def _change(self, identifier: str, decide: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        with explained(self.settings):
            data, version, _created = self._document(identifier)
            wanted = decide(data)
            if wanted != data:
                self.client.secrets.kv.v2.create_or_update_secret(
                    identifier, wanted, cas=version, mount_point=self.mount
                )

    def _document(self, identifier: str) -> tuple[dict[str, Any], int, float | None]:
        """Fields, version and age; without fields and 0 where there is none."""
        from hvac.exceptions import InvalidPath

        try:
            found = self.client.secrets.kv.v2.read_secret_version(
                identifier, mount_point=self.mount, raise_on_deleted_version=True
            )["data"]
        except InvalidPath:
            return {}, 0, None
        return found["data"] or {}, int(found["metadata"]["version"]), _seconds(found["metadata"].get("created_time"))


def _text(data: dict[str, Any], stage: Stage) -> str | None:
    """A document with the field `value` is that value; another one is its fields, as JSON."""
    if not data:
        return None
    if stage is not Stage.CURRENT or FIELDS[stage] in data:
        value = data.get(FIELDS[stage])
        return None if value is None else str(value)
    fields = {key: value for key, value in data.items() if key not in (*FIELDS.values(), SINCE)}
    return json.dumps(fields) if fields else None


def _seconds(text: str | None) -> float | None:
    """`2026-01-02T03:04:05.123456789Z`: more digits than Python's reader takes."""
    if not text:
        return None
    return datetime.fromisoformat(f"{text[:19]}+00:00").timestamp()
