"""Putting a snapshot in the place of what etcd has: proved before anything is switched, and taken back where the proof
fails afterwards.

etcd and the API server are run by the kubelet from files; they stop when these are moved away. Data are switched by
renames within etcd's own directory, which may be the mount point of a volume:

    .restore/        what etcdutl has made of the snapshot
    .restore-old/    what was live: while it is there, what is live came from the snapshot, and is not proved yet
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.devops.platform.plugins.module_utils.monitoring.backup import (
    CHECKSUM,
    STAMP,
    BackupError,
    good_archives,
)
from ansible_collections.devops.platform.plugins.module_utils.monitoring.restore import BEFORE, LATEST, digest_in

from .snapshots import FAMILY, digest

MANIFESTS = ("etcd.yaml", "kube-apiserver.yaml")
# Clients remember how far they have read. What they have read must not come again with other contents.
BUMP = 1_000_000_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


@dataclass(frozen=True)
class Place:
    """`data` is etcd's directory, `manifests` that which the kubelet runs pods from."""

    data: Path = Path("/var/lib/etcd")
    manifests: Path = Path("/etc/kubernetes/manifests")

    @property
    def new(self) -> Path:
        return self.data / ".restore"

    @property
    def old(self) -> Path:
        return self.data / ".restore-old"

    @property
    def parked(self) -> Path:
        """Beside the kubelet's directory, which it reads no other one of."""
        return self.manifests.with_name(".parked-manifests")

    def park(self) -> None:
        self.parked.mkdir(mode=0o700, exist_ok=True)
        for name in MANIFESTS:
            if (self.manifests / name).exists():
                (self.manifests / name).rename(self.parked / name)

    def unpark(self) -> None:
        if self.parked.is_dir():
            for name in MANIFESTS:
                if (self.parked / name).exists():
                    (self.parked / name).rename(self.manifests / name)
            self.parked.rmdir()

    def switch(self) -> None:
        self.old.mkdir(mode=0o700)
        if (self.data / "member").exists():
            (self.data / "member").rename(self.old / "member")
        (self.new / "member").rename(self.data / "member")

    def put_back(self) -> None:
        """What was live before an attempt, wherever that ended."""
        if (self.old / "member").exists():
            if (self.data / "member").exists():
                self.new.mkdir(mode=0o700, exist_ok=True)
                (self.data / "member").rename(self.new / f"member.{time.time_ns()}")
            (self.old / "member").rename(self.data / "member")
        if self.old.exists():
            self.old.rmdir()
        shutil.rmtree(self.new, ignore_errors=True)

    def commit(self, now: float) -> str:
        """Keep what was live before beside it, and nothing older."""
        for name in sorted(os.listdir(self.data)):
            if name.startswith(BEFORE):
                shutil.rmtree(self.data / name)
        kept = self.data / f"{BEFORE}{time.strftime(STAMP, time.gmtime(now))}"
        self.old.rename(kept)
        shutil.rmtree(self.new, ignore_errors=True)
        return str(kept)


@dataclass(frozen=True)
class Tools:
    """What acts on the node. `unpack`, `stopped` and `prove` answer with what is wrong, '' where nothing is."""

    unpack: Callable[[Path, Path], str]  # a snapshot, and the directory that etcd shall find it in
    stopped: Callable[[], str]
    prove: Callable[[], str]
    sleep: Callable[[float], None] = time.sleep


def chosen(archive: str, directory: Path, name: str) -> Path:
    """The snapshot that is meant: the newest good one of `name`, a name in `directory`, or a path."""
    if archive != LATEST:
        return directory / archive  # an absolute path stays one
    good = good_archives(os.listdir(directory), name, FAMILY) if directory.is_dir() else []
    if not good:
        raise BackupError(f"there is no snapshot of {name} with a checksum in {directory}; give one: -e archive=PATH")
    return directory / good[-1]


def verified(archive: Path) -> None:
    """BackupError where it is not what was written."""
    beside = archive.with_name(f"{archive.name}{CHECKSUM}")
    for path in (archive, beside):
        if not path.is_file():
            raise BackupError(f"there is no file {path}; name another snapshot")
    expected = digest_in(beside.read_text(encoding="utf-8", errors="replace"), archive.name)
    found = digest(archive)
    if found != expected:
        raise BackupError(f"{archive} is damaged: its sha256 is {found}, {beside.name} says {expected or 'none'}")


def arguments(etcdutl: str, archive: Path, target: Path, name: str, members: Mapping[str, str]) -> list[str]:
    """How etcdutl makes a member's data of a snapshot. `members`: name -> where the others reach it."""
    if name not in members:
        raise BackupError(f"{name} is no member of etcd; these are: {', '.join(sorted(members))}")
    for member in members:
        if not NAME.fullmatch(member):
            raise BackupError(f"'{member}' is no name of a member")
    return [
        etcdutl,
        "snapshot",
        "restore",
        str(archive),
        f"--data-dir={target}",
        f"--name={name}",
        f"--initial-cluster={','.join(f'{member}={members[member]}' for member in sorted(members))}",
        f"--initial-advertise-peer-urls={members[name]}",
        # The same on all members, and of this snapshot alone: members of before are not let in.
        f"--initial-cluster-token={archive.name}",
        f"--bump-revision={BUMP}",
        "--mark-compacted",
    ]


def restore(archive: Path, place: Place, tools: Tools, now: float, timeout: float) -> tuple[str, list[str]]:
    """(where the data from before are, what was done). BackupError says what stands: as before, wherever it fails."""
    verified(archive)
    said = [f"{archive} is what was written"]
    said += recover(place, tools, timeout)
    try:
        problem = tools.unpack(archive, place.new)
        if not problem and not (place.new / "member").is_dir():
            problem = f"etcdutl has left no data in {place.new}"
        if problem:
            raise BackupError(problem)
    except (BackupError, OSError) as error:
        shutil.rmtree(place.new, ignore_errors=True)
        raise BackupError(f"{error}. Nothing was switched; etcd was not touched") from error
    said.append("etcdutl has read it")
    try:
        _halt(place, tools, timeout)
        place.switch()
        place.unpark()
        _wait(tools.prove, tools, timeout)
    except (BackupError, OSError) as error:
        raise BackupError(f"with the snapshot's data: {error}. {_back(place, tools, timeout)}") from error
    said.append("etcd and the API server run with it")
    return place.commit(now), said


def recover(place: Place, tools: Tools, timeout: float) -> list[str]:
    """End what a restore that was killed has left: the data from before it, and no trace of it."""
    if not (place.old.exists() or place.new.exists() or place.parked.exists()):
        return []
    if place.old.exists():
        _halt(place, tools, timeout)
    place.put_back()
    place.unpark()
    return ["put back what was there before an earlier restore that died"]


def _halt(place: Place, tools: Tools, timeout: float) -> None:
    place.park()
    _wait(tools.stopped, tools, timeout)


def _wait(fits: Callable[[], str], tools: Tools, timeout: float) -> None:
    left = timeout
    while True:
        problem = fits()
        if not problem:
            return
        if left <= 0:
            raise BackupError(f"after {timeout:g} s: {problem}")
        tools.sleep(1.0)
        left -= 1.0


def _back(place: Place, tools: Tools, timeout: float) -> str:
    """How it stands after the way back, in a sentence."""
    try:
        _halt(place, tools, timeout)
        place.put_back()
        place.unpark()
        _wait(tools.prove, tools, timeout)
    except (BackupError, OSError) as error:
        return f"The data from before could not be brought back: {error}; run this again"
    return "The data from before are back, and etcd runs with them"
