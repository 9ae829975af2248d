"""What the engine remembers on a host: ledger, journal, contents of generations, and the lock.

/var/lib/devops-platform/          root only
    key                            for keyed digests; never leaves the host
    ledger/NAME.json               what is ours, at which digest, by which rollout
    journal/NAME.json              a change under way; gone when it is kept or taken back
    objects/DIGEST                 contents of the generations that can be rolled back to
    packages.json                  what installing packages brought (module_utils/uninstall/record.py)
    stage/NAME/                    the tree that validators see
    locks/NAME.lock
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import EngineError
from .host import Host
from .masking import keyed_digest

ROOT = "/var/lib/devops-platform"
FORMAT = 1
# Seconds for which a run waits for the lock that another one holds.
PATIENCE = 2.0


class Store:
    """Reads are plain; each write is write-to-temporary, fsync, rename through the Host."""

    def __init__(self, host: Host, root: str = ROOT) -> None:
        self.host = host
        self.root = root
        self._key: bytes | None = None
        self._fleeting = b""
        self._objects: int | None = None

    # Layout

    def _path(self, kind: str, name: str) -> str:
        return f"{self.root}/{kind}/{name}"

    def ledger_path(self, name: str) -> str:
        return self._path("ledger", f"{name}.json")

    def journal_path(self, name: str) -> str:
        return self._path("journal", f"{name}.json")

    def stage_path(self, name: str) -> str:
        return self._path("stage", name)

    def prepare(self) -> None:
        """Make the store; called before the first mutation, never in check mode."""
        if not self.host.exists(self.root):
            os.makedirs(os.path.dirname(self.root), exist_ok=True)
            self.host.mkdir(self.root, 0o700)
        for kind in ("ledger", "journal", "objects", "stage", "locks"):
            if not self.host.exists(f"{self.root}/{kind}"):
                self.host.mkdir(f"{self.root}/{kind}", 0o700)
        if not self.host.exists(f"{self.root}/key"):
            self._write(f"{self.root}/key", os.urandom(32))

    @property
    def key(self) -> bytes:
        """The host's own key. Before there is one (check mode on an empty host) any random key masks as well."""
        if self._key is None:
            found = self.host.look(f"{self.root}/key")
            if found.kind != "file":
                self._fleeting = self._fleeting or os.urandom(32)
                return self._fleeting
            self._key = found.content
        return self._key

    def digest(self, content: bytes) -> str:
        return keyed_digest(self.key, content)

    # Ledger and journal

    def _read(self, path: str, what: str) -> dict[str, Any] | None:
        found = self.host.look(path)
        if found.kind == "absent":
            return None
        try:
            data = json.loads(found.content)
        except ValueError as error:
            raise EngineError(
                f"{what} {path} cannot be read: {error}",
                "observe",
                "Restore it from a backup of the host; nothing was changed",
            ) from error
        if data.get("format") != FORMAT:
            raise EngineError(
                f"{what} {path} has format {data.get('format')}, this version knows {FORMAT}",
                "observe",
                "Run the version of the collection that wrote it, or a newer one",
            )
        result: dict[str, Any] = data
        return result

    def ledger(self, name: str) -> dict[str, Any] | None:
        return self._read(self.ledger_path(name), "the ledger")

    def journal(self, name: str) -> dict[str, Any] | None:
        return self._read(self.journal_path(name), "the journal")

    def packages(self) -> dict[str, Any] | None:
        return self._read(f"{self.root}/packages.json", "the record of packages")

    def write_packages(self, record: dict[str, Any]) -> None:
        self._write(f"{self.root}/packages.json", encode(record))

    def _write(self, path: str, content: bytes) -> None:
        try:
            self.host.write_new(f"{path}.new", content, 0o600)
            self.host.rename(f"{path}.new", path)
        except OSError:
            self.host.unlink(f"{path}.new")
            raise

    def write_journal(self, name: str, journal: dict[str, Any]) -> None:
        self._write(self.journal_path(name), encode(journal))

    def end_journal(self, name: str) -> None:
        # The journal goes last: until then, a run that dies is followed by one that comes here again.
        self.prune_objects()
        # A run that died while it wrote the next phase of its journal leaves that beside it.
        self.sweep(name)
        self.host.unlink(self.journal_path(name))

    def sweep(self, name: str) -> None:
        """Drop a journal that was never finished being written: nothing had been touched by then."""
        unfinished = f"{self.journal_path(name)}.new"
        if self.host.exists(unfinished):
            self.host.unlink(unfinished)

    def stage_ledger(self, name: str, ledger: dict[str, Any]) -> str:
        """Write the next ledger beside the present one, so that keeping a change takes no disk space."""
        path = f"{self.ledger_path(name)}.next"
        self.host.write_new(path, encode(ledger), 0o600)
        return path

    def components(self) -> list[str]:
        """The names of all components that this host has a ledger of."""
        return sorted(self._names("ledger"))

    def _names(self, kind: str) -> list[str]:
        found = os.listdir(f"{self.root}/{kind}") if os.path.isdir(f"{self.root}/{kind}") else []
        return [name[: -len(".json")] for name in found if name.endswith(".json")]

    def known(self) -> list[str]:
        """The names of all components that this host has a ledger of, or a change under way."""
        return sorted({*self._names("ledger"), *self._names("journal")})

    def last_change(self, name: str) -> tuple[float, float]:
        """When a component's last change was, as numbers to sort by: as its ledger says, then as its file's time."""
        path = next((path for path in (self.ledger_path(name), self.journal_path(name)) if os.path.exists(path)), "")
        written = os.stat(path).st_mtime if path else 0.0
        try:
            changed_by = (self.ledger(name) or {}).get("changed_by") or {}
        except EngineError:
            # Whoever runs the component says what is wrong with its ledger.
            changed_by = {}
        return float(changed_by.get("at") or int(written)), written

    def owners(self, paths: set[str], but: str) -> dict[str, str]:
        """Path -> the other component that owns it."""
        owned = {}
        for name in self.components():
            generation = (self.ledger(name) or {}).get("generation") or {} if name != but else {}
            owned.update(dict.fromkeys(paths & set(generation.get("entries") or {}), name))
        return owned

    # Contents of generations

    def object(self, digest: str) -> bytes:
        found = self.host.look(self._path("objects", digest))
        if found.kind != "file" or self.digest(found.content) != digest:
            raise EngineError(
                f"the kept content {digest[:12]} is gone or damaged", "plan", "That generation cannot be gone back to"
            )
        return found.content

    def keep_object(self, content: bytes) -> str:
        digest = self.digest(content)
        path = self._path("objects", digest)
        if not self.host.exists(path):
            self._write(path, content)
        return digest

    def prune_objects(self) -> None:
        """Drop contents that no ledger names; not while another component's change may have kept some for its next."""
        if self._objects is None or not self._alone(self._objects):
            return
        try:
            self._prune_objects()
        finally:
            fcntl.flock(self._objects, fcntl.LOCK_SH)

    @staticmethod
    def _alone(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # The failed conversion has let go of the shared lock.
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            return False
        return True

    def _prune_objects(self) -> None:
        wanted: set[str] = set()
        try:
            for name in self.components():
                wanted |= referenced(self.ledger(name) or {})
        except EngineError:
            # Another component's ledger cannot be read: what it needs is not known, so everything stays.
            return
        for entry in os.listdir(f"{self.root}/objects"):
            if entry not in wanted:
                self.host.unlink(self._path("objects", entry))

    # Lock

    @contextmanager
    def lock(self, name: str, patience: float = PATIENCE) -> Iterator[None]:
        """One change of a component at a time. Raises EngineError when another run holds it."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path("locks", f"{name}.lock"), flags, 0o600)
        # Shared by the changes of all components, so that none prunes the contents that another is about to name.
        self._objects = os.open(self._path("locks", "objects"), flags, 0o600)
        try:
            fcntl.flock(self._objects, fcntl.LOCK_SH)
            deadline = time.monotonic() + patience
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
                        raise EngineError(
                            f"another run is changing {name} on this host ({holder or 'unknown process'})",
                            "lock",
                            "Let it end, then run again",
                        ) from None
                    time.sleep(0.1)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()}".encode(), 0)
            self.host.held = (descriptor, self._objects)
            yield
        finally:
            self.host.held = ()
            os.close(self._objects)
            self._objects = None
            os.close(descriptor)


def encode(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()


def referenced(ledger: dict[str, Any]) -> set[str]:
    """The objects that a ledger's generations and kept originals name."""
    found: set[str] = set()
    generations = [ledger.get("generation") or {}, *(ledger.get("previous") or [])]
    for generation in generations:
        found |= {entry["digest"] for entry in (generation.get("entries") or {}).values() if entry.get("digest")}
    found |= {entry["digest"] for entry in (ledger.get("taken_over") or {}).values() if entry.get("digest")}
    return found
