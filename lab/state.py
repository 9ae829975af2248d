"""What the lab remembers between commands: one private directory, written atomically, guarded by one lock."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import (
    LabSettings,
    LabSettingsError,
    resolve_settings,
)
from lab import REPOSITORY
from lab.errors import LabError
from lab.progress import say

LOCK_TIMEOUT = 1200  # seconds; a cold `up` takes minutes, so a second command waits instead of failing


class State:
    """Paths below ``lab/.state`` (mode 0700) and the few ways in which they are read and written."""

    def __init__(self, root: Path = REPOSITORY / "lab" / ".state") -> None:
        self.root = root
        self.settings = root / "settings.json"
        self.key = root / "id_ed25519"
        self.known_hosts = root / "known_hosts"
        self.host_keys = root / "host_keys"
        self.artifacts_lock = root / "artifacts.lock.yml"
        self.images_lock = root / "images.lock.yml"
        self.pki = root / "pki"
        self.secrets = root / "secrets"
        self.rollouts = root / "rollouts"
        self.go = root / "go"  # caches of programs built from Go modules
        self.dockerd_log = root / "dockerd.log"
        self.dockerd_pid = root / "dockerd.pid"

    def create(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)

    def write(self, path: Path, content: str | bytes, mode: int = 0o600) -> None:
        """Replace a file as a whole: a reader sees the old or the new content, never a part."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                os.fchmod(stream.fileno(), mode)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def load_settings(self, environment: Mapping[str, str] = os.environ) -> LabSettings:
        saved: dict[str, Any] = {}
        if self.settings.exists():
            try:
                saved = json.loads(self.settings.read_text())
            except ValueError as error:
                raise LabError(f"{self.settings}: {error}", "remove the file and run `up` again") from error
        try:
            return resolve_settings(saved, environment)
        except LabSettingsError as error:
            raise LabError(str(error)) from error

    def save_settings(self, settings: LabSettings) -> None:
        self.write(self.settings, json.dumps(settings.to_dict(), indent=2) + "\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lab's lock. Another command that holds it is named and waited for."""
        self.create()
        with exclusively(self.root / "lock", "another lab command", LOCK_TIMEOUT):
            yield


@contextmanager
def exclusively(path: Path, what: str, timeout: float) -> Iterator[None]:
    """Hold a lock. A process that holds it is named as ``what`` and waited for, ``timeout`` seconds at most."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+") as stream:
        _acquire(stream, what, timeout)
        stream.seek(0)
        stream.truncate()
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        yield


def _acquire(stream: Any, what: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    told = False
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "unknown"
            if not told:
                say(f"{what} is at work (process {holder}); waiting for it")
                told = True
            if time.monotonic() > deadline:
                raise LabError(
                    f"{what} (process {holder}) has held {stream.name} for {timeout:.0f} s",
                    "see what that process is doing, end it, and run this again",
                ) from None
            time.sleep(0.2)
