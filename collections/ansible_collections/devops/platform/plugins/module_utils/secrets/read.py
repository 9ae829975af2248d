"""The one way to a secret: from a name of platform.yml to its value, whatever keeps it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import (
    ANSIBLE_VAULT,
    AWS_SECRETS_MANAGER,
    AWS_SSM,
    BACKENDS,
    FILES,
    UNSET,
    VAULT,
    Declaration,
    Find,
    Store,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .backend import Answer, Backend, Record, Stage
from .cache import Cache
from .files import Files
from .variables import Variables

VALUE, USERNAME, OTHERS, LOGINS = PARTS = ("value", "username", "others", "logins")
POSTGRESQL, REDIS, SIGNING = ROTATED = ("postgresql", "redis", "signing")


def backend_of(declared: Declaration, find: Find) -> Backend:
    """What keeps the values. Libraries are loaded where they are needed."""
    if declared.backend == FILES:
        return Files(Store(declared.directory))
    if declared.backend == ANSIBLE_VAULT:
        return Variables(find)
    if declared.backend == AWS_SECRETS_MANAGER:
        from .aws import SecretsManager

        return SecretsManager(declared.aws)
    if declared.backend == AWS_SSM:
        from .aws import ParameterStore

        return ParameterStore(declared.aws)
    if declared.backend == VAULT:
        from .vault import Vault

        return Vault(declared.vault, declared.root)
    raise PlatformError(f"platform.secrets.backend is '{declared.backend}'; it may be {', '.join(BACKENDS)}")


@dataclass(frozen=True)
class Reader:
    """Reads secrets in a run. `check`: make nothing. `retiring` are secrets whose previous value counts no more."""

    declared: Declaration
    find: Find
    check: bool = False
    retiring: Collection[str] = ()
    cache: Cache | None = None
    connect: Any = field(default=backend_of, repr=False)

    def values(self, names: Sequence[str], part: str | None = None) -> list[Any]:
        """The values of `names`, in their order; with `part` another part of them than what platform.yml says.
        PlatformError names every secret that is not to be had, its backend, why, and what to do."""
        self._known(names)
        bases = list(dict.fromkeys(self.declared.base(name) for name in names))
        wanted = {name: part or str(self.declared.names[name].get("part") or VALUE) for name in names}
        staged = {self.declared.base(name) for name in names if wanted[name] in (OTHERS, LOGINS)}
        # In this order: whatever is promoted meanwhile is still found, as the one or as the other.
        pending = self._records(sorted(staged), Stage.PENDING, needed=False) if staged else {}
        records = self._records(bases, Stage.CURRENT, needed=True)
        previous = self._records(sorted(staged), Stage.PREVIOUS, needed=False) if staged else {}
        others = {Stage.PENDING: pending, Stage.PREVIOUS: previous}
        return [self._part(self.declared.base(name), wanted[name], records, others) for name in names]

    def stages(self, name: str) -> dict[Stage, Record]:
        """Those of the stages that a secret has, as the backend has them now."""
        self._known([name])
        found = {stage: self._records([name], stage, needed=False).get(name) for stage in Stage}
        return {stage: record for stage, record in found.items() if record is not None}

    def _known(self, names: Sequence[str]) -> None:
        unknown = sorted({missing for name in names if (missing := self.declared.undeclared(name)) is not None})
        if unknown:
            listed = "; ".join(f"'{name}' is not declared{did_you_mean(name, self.declared.names)}" for name in unknown)
            raise PlatformError(f"secret {listed}. Secrets are declared below platform.secrets.names in platform.yml")

    def _records(self, names: Sequence[str], stage: Stage, *, needed: bool) -> dict[str, Record]:
        """Of what is there. With `needed`, everything is there or made, or it is an error."""
        if self.cache is None:
            return self._asked(names, stage, needed, {})
        with self.cache.opened() as known:
            return self._asked(names, stage, needed, known)

    def _asked(self, names: Sequence[str], stage: Stage, needed: bool, known: dict[Any, Record]) -> dict[str, Record]:
        called = {name: self.identifier(name) for name in names}
        place = self._place()
        absent = [name for name in names if (place, called[name], stage.value) not in known]
        if absent:
            self._fetch(absent, stage, needed, known, place)
        found = {name: known.get((place, called[name], stage.value)) for name in names}
        return {name: record for name, record in found.items() if record is not None and record.text}

    def _fetch(self, names: Sequence[str], stage: Stage, needed: bool, known: dict[Any, Record], place: str) -> None:
        backend: Backend = self.connect(self.declared, self.find)
        asked = list(dict.fromkeys(self.identifier(name) for name in names))
        # Where one request brings many, the first who asks brings them for everybody after it.
        more: list[str] = []
        if backend.batch and needed and self.cache is not None:
            every = (self.identifier(self.declared.base(name)) for name in self.declared.names)
            more = [found for found in dict.fromkeys(every) if found not in asked]
        answer = backend.read([*asked, *more], stage)
        for identifier, record in answer.records.items():
            if record.text:
                known[place, identifier, stage.value] = record
        for name in names:
            identifier = self.identifier(name)
            makes = needed and not self.check and identifier not in answer.refused
            if makes and isinstance(backend, Files) and (place, identifier, stage.value) not in known:
                known[place, identifier, stage.value] = backend.make(identifier, self.declared.length(name))
        if needed:
            self._complain([n for n in names if (place, self.identifier(n), stage.value) not in known], answer, backend)
            return
        self._complain([n for n in names if self.identifier(n) in answer.refused], answer, backend)
        for identifier in asked:  # most secrets have no other stage: that is asked once, too
            known.setdefault((place, identifier, stage.value), Record(""))

    def _complain(self, names: Sequence[str], answer: Answer, backend: Backend) -> None:
        said = []
        for name in names:
            identifier = self.identifier(name)
            if identifier in answer.refused:
                said.append(f"secret '{name}': {answer.refused[identifier]} ({backend.label})")
            elif identifier in answer.records:
                said.append(f"secret '{name}': {identifier} is empty in {backend.label}; give it a value")
            elif not backend.makes:
                advice = backend.advice.format(name=name)
                said.append(f"secret '{name}': {backend.label} has no '{identifier}'; {advice}")
        if said:
            raise PlatformError("\n".join(said))

    def identifier(self, name: str) -> str:
        """What the backend calls it."""
        if self.declared.backend == ANSIBLE_VAULT:
            return self.declared.variable(name)
        given = self.find("platform_secret_ids")
        if isinstance(given, dict) and name in given and not self.declared.names[name].get("id"):
            return str(given[name])
        return self.declared.identifier(name)

    def _place(self) -> str:
        """What tells one backend from another in the cache."""
        settings = json.dumps([dict(self.declared.aws), dict(self.declared.vault)], sort_keys=True, default=str)
        return f"{self.declared.backend} {self.declared.directory} {settings}"

    def _part(self, name: str, part: str, records: dict[str, Record], others: dict[Stage, dict[str, Record]]) -> Any:
        if name not in records:
            login = {"username": self.declared.login(name), "password": UNSET}
            return {OTHERS: "", LOGINS: [login]}.get(part, UNSET)
        if part == VALUE:
            return self.value(name, records[name])
        if part == USERNAME:
            return login_of(name, records[name].text, self.declared.login(name))["username"]
        stages = [Stage.PENDING] if name in self.retiring else [Stage.PENDING, Stage.PREVIOUS]
        more = [others[stage][name] for stage in stages if name in others[stage]]
        if part == OTHERS:
            return "\n".join(dict.fromkeys(self.value(name, record) for record in more))
        logins = [login_of(name, record.text, self.declared.login(name)) for record in (records[name], *more)]
        return [login for number, login in enumerate(logins) if login not in logins[:number]]

    def value(self, name: str, record: Record) -> str:
        settings = self.declared.names[name]
        if settings.get("rotate") == POSTGRESQL:
            return login_of(name, record.text, self.declared.login(name))["password"]
        key = settings.get("key")
        if not key:
            return record.text
        fields = _fields(name, record.text)
        if not isinstance(fields.get(str(key)), (str, int)):
            text = f"its document has no field '{key}'{did_you_mean(key, fields)}"
            raise PlatformError(f"secret '{name}': {text}; correct platform.secrets.names.{name}.key")
        return str(fields[str(key)])


def _fields(name: str, text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise PlatformError(f"secret '{name}': it is no JSON object, so nothing can be taken out of it; remove the key")
    return fields


def login_of(name: str, text: str, user: str) -> dict[str, str]:
    """`{username, password}` of a database's secret: a JSON object as AWS writes them, or the password of `user`."""
    if not text.startswith("{"):
        return {"username": user, "password": text}
    fields = _fields(name, text)
    if not fields.get("password"):
        raise PlatformError(f"secret '{name}': its document has no field 'password'; write one")
    return {"username": str(fields.get("username") or user), "password": str(fields["password"])}


def read_secrets(names: Sequence[str], declared: Declaration, find: Find, *, check: bool = False) -> list[Any]:
    """The values of `names`, in their order, without a cache."""
    return Reader(declared, find, check).values(names)
