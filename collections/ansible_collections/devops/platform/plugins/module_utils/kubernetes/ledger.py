# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is remembered of an application: a ConfigMap in its namespace. Pure.

It holds the revisions that can be gone back to, whole, and the rollout under way, written before anything is done.
Values of Secrets are never in it: only their digests, keyed with a key that lies in a Secret. The values of each
revision stay in Secrets of their own, as long as a revision names them.
"""

from __future__ import annotations

import base64
import gzip
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .objects import OWNER, Manifest, Object, Ref, canonical, metadata, ref

PENDING = "revision.pending"  # no key of a ConfigMap may stand in both of its parts
FORMAT = "1"
PREFIX = "devops.platform."
VERSION_OF = "devops.platform/version-of"
LARGEST = 950_000  # bytes; etcd takes no object of more than 1 MiB
SEALED = "sealed:"


class LedgerError(Exception):
    """The ledger cannot be read or written as it is."""


@dataclass(frozen=True)
class Revision:
    """What one rollout was asked for, and what it left."""

    rollout: str
    declared: tuple[Manifest, ...] = ()
    strategies: Mapping[str, Any] = field(default_factory=dict)
    concrete: Mapping[Ref, Manifest] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)
    at: int = 0

    def document(self) -> dict[str, Any]:
        return {
            "rollout": self.rollout,
            "declared": list(self.declared),
            "strategies": dict(self.strategies),
            "concrete": list(self.concrete.values()),
            "colours": dict(self.colours),
            "at": self.at,
        }


@dataclass(frozen=True)
class Pending:
    """A rollout under way. `phase`: forward, back, or keep when nothing is taken back any more."""

    revision: Revision
    phase: str
    positions: Mapping[str, int] = field(default_factory=dict)  # workload -> its stage, in this phase
    came: tuple[Ref, ...] = ()  # what was not there before
    transient: tuple[Ref, ...] = ()
    before: Mapping[Ref, Manifest] = field(default_factory=dict)  # what was there and was not ours


@dataclass(frozen=True)
class Ledger:
    application: str
    namespace: str
    revisions: tuple[Revision, ...] = ()  # the newest last
    pending: Pending | None = None
    version: str = ""  # resourceVersion: who writes another one than was read is refused

    @property
    def head(self) -> Revision | None:
        return self.revisions[-1] if self.revisions else None

    def find(self, rollout: str) -> Revision:
        for revision in reversed(self.revisions):
            if revision.rollout == rollout:
                return revision
        known = ", ".join(item.rollout for item in self.revisions) or "none"
        raise LedgerError(f"{self.application} has no rollout {rollout!r} to go back to; it has: {known}")

    def kept(self, revision: Revision, history: int) -> Ledger:
        """With one more revision, and as many as are to be kept."""
        return replace(self, revisions=(*self.revisions, revision)[-max(1, history) :], pending=None)


def place(application: str, namespace: str) -> Ref:
    return Ref("ConfigMap", namespace, PREFIX + application)


def key_place(application: str, namespace: str) -> Ref:
    return Ref("Secret", namespace, f"{PREFIX}{application}.key")


def key_secret(application: str, namespace: str, key: bytes) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{PREFIX}{application}.key", "namespace": namespace, "labels": {OWNER: application}},
        "data": {"key": base64.b64encode(key).decode()},
    }


def _ref_text(which: Ref) -> list[str]:
    return [which.kind, which.namespace, which.name, which.group]


def _packed(value: Any) -> str:
    # Without the time, the same ledger is the same bytes.
    return base64.b64encode(gzip.compress(canonical(value), 9, mtime=0)).decode()


def _unpacked(text: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(text)))


def sealed(item: Manifest, key: bytes) -> Manifest:
    """A Secret with keyed digests for values; anything else as it is."""
    if item.get("kind") != "Secret" or not item.get("data"):
        return item
    data = {
        name: value
        if str(value).startswith(SEALED)
        else SEALED + hmac.new(key, str(value).encode(), "sha256").hexdigest()
        for name, value in item["data"].items()
    }
    return {**item, "data": data}


def is_sealed(item: Object) -> bool:
    return item.get("kind") == "Secret" and any(
        str(one).startswith(SEALED) for one in (item.get("data") or {}).values()
    )


def version_name(item: Manifest, key: bytes) -> str:
    """The name of the Secret that keeps this Secret's values."""
    tag = hmac.new(key, canonical(sealed(item, key).get("data") or {}), "sha256").hexdigest()[:10]
    return f"{metadata(item)['name']}.{tag}"


def version_secret(item: Manifest, key: bytes, application: str) -> Manifest:
    about = metadata(item)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": version_name(item, key),
            "namespace": about["namespace"],
            "labels": {OWNER: application, VERSION_OF: "secret"},
            "annotations": {VERSION_OF: about["name"]},
        },
        "type": item.get("type", "Opaque"),
        "immutable": True,
        "data": dict(item.get("data") or {}),
    }


def opened(item: Manifest, key: bytes, versions: Mapping[tuple[str, str], Object]) -> Manifest:
    """A sealed Secret with its values, where they are still kept."""
    if not is_sealed(item):
        return item
    found = versions.get((str(metadata(item)["namespace"]), version_name(item, key)))
    return {**item, "data": dict(found.get("data") or {})} if found else item


def secrets_of(ledger: Ledger) -> list[Manifest]:
    """Each Secret of each revision."""
    revisions = [*ledger.revisions, *([ledger.pending.revision] if ledger.pending else [])]
    return [item for one in revisions for item in one.concrete.values() if item.get("kind") == "Secret"]


def _revision(raw: Mapping[str, Any]) -> Revision:
    return Revision(
        str(raw["rollout"]),
        tuple(raw["declared"]),
        raw["strategies"],
        {ref(item): item for item in raw["concrete"]},
        raw["colours"],
        int(raw["at"]),
    )


def read(item: Object | None, application: str, namespace: str) -> Ledger:
    """The ledger that a ConfigMap is, Secrets sealed."""
    if item is None:
        return Ledger(application, namespace)
    which = ref(item)
    data, packed = item.get("data") or {}, item.get("binaryData") or {}
    if data.get("format") != FORMAT:
        raise LedgerError(
            f"{which} has format {data.get('format')!r}, and this version knows {FORMAT}; use the version of "
            "devops.platform that wrote it, or a newer one"
        )
    try:
        names = json.loads(data["revisions"])
        revisions = tuple(_revision(_unpacked(packed[f"revision.{number}"])) for number in range(len(names)))
        pending = _pending(_unpacked(packed[PENDING])) if PENDING in packed else None
    except (KeyError, ValueError, TypeError, OSError, EOFError) as error:
        raise LedgerError(f"{which} is damaged ({type(error).__name__}: {error}); restore it from a backup") from error
    return Ledger(application, namespace, revisions, pending, str(metadata(item).get("resourceVersion", "")))


def _pending(raw: Mapping[str, Any]) -> Pending:
    return Pending(
        _revision(raw["revision"]),
        str(raw["phase"]),
        raw["positions"],
        tuple(Ref(*one) for one in raw["came"]),
        tuple(Ref(*one) for one in raw["transient"]),
        {ref(item): item for item in raw["before"]},
    )


def write(ledger: Ledger, key: bytes) -> Manifest:
    """The ConfigMap of a ledger. Revisions that do not fit are forgotten, the oldest first."""
    revisions = list(ledger.revisions)
    while True:
        item = _config_map(ledger, revisions, key)
        size = len(canonical(item))
        if size <= LARGEST:
            return item
        if len(revisions) <= 1:
            raise LedgerError(
                f"the ledger of {ledger.application} would need {size} bytes, and a ConfigMap holds {LARGEST}; "
                "divide the application into several, each with a name of its own"
            )
        revisions = revisions[1:]


def _config_map(ledger: Ledger, revisions: list[Revision], key: bytes) -> Manifest:
    packed = {f"revision.{number}": _packed(_document(one, key)) for number, one in enumerate(revisions)}
    pending = ledger.pending
    if pending:
        packed[PENDING] = _packed(
            {
                "revision": _document(pending.revision, key),
                "phase": pending.phase,
                "positions": dict(pending.positions),
                "came": [_ref_text(one) for one in pending.came],
                "transient": [_ref_text(one) for one in pending.transient],
                "before": [sealed(one, key) for one in pending.before.values()],
            }
        )
    about: dict[str, Any] = {
        "name": PREFIX + ledger.application,
        "namespace": ledger.namespace,
        "labels": {OWNER: ledger.application},
    }
    if ledger.version:
        about["resourceVersion"] = ledger.version
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": about,
        "data": {
            "format": FORMAT,
            "application": ledger.application,
            # For people; what is read is the packed revision.
            "revisions": json.dumps([{"rollout": one.rollout, "at": one.at} for one in revisions]),
            "pending": json.dumps({"rollout": pending.revision.rollout, "phase": pending.phase} if pending else None),
        },
        "binaryData": packed,
    }


def _document(revision: Revision, key: bytes) -> dict[str, Any]:
    document = revision.document()
    for part in ("declared", "concrete"):
        document[part] = [sealed(item, key) for item in document[part]]
    return document


def with_secrets(ledger: Ledger, key: bytes, versions: Iterable[Object]) -> Ledger:
    """The ledger with the values of its Secrets, as far as they are still kept."""
    known = {(str(metadata(one).get("namespace")), str(metadata(one).get("name"))): one for one in versions}

    def full(revision: Revision) -> Revision:
        return replace(
            revision,
            declared=tuple(opened(item, key, known) for item in revision.declared),
            concrete={which: opened(item, key, known) for which, item in revision.concrete.items()},
        )

    pending = ledger.pending
    return replace(
        ledger,
        revisions=tuple(full(one) for one in ledger.revisions),
        pending=replace(pending, revision=full(pending.revision)) if pending else None,
    )
