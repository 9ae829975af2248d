"""Putting a backup in the place of what Prometheus has: proved before anything is switched, and taken back where the
proof fails afterwards.

Blocks are switched by renames within Prometheus' own directory, which may be the mount point of a volume. What is under
way stands in `.restore` there, which Prometheus passes by:

    new/        the unpacked archive
    old.part/   what was live, while it is being moved away, or back
    old/        all of what was live: from here on, what is live came from the archive
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tarfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine.release import leaves, sha256_of

from .backup import CHECKSUM, STAMP, BackupError, good_archives

LATEST = "latest"
BLOCK = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
# What Prometheus makes of its own; snapshots stay where they are, as does what is nobody's, such as lost+found.
OWN = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}(\.tmp-for-(creation|deletion))?|wal|wbl|chunks_head|chunk_snapshot\..*")
WORK = ".restore"
BEFORE = ".before-restore-"
# Members were looked at already; newer Pythons want to be told how far they are trusted.
FILTER: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
ROOM = 1.05  # file systems need a little more than the files hold


def own_entries(names: Collection[str]) -> list[str]:
    """What of a directory is Prometheus' database."""
    return sorted(name for name in names if OWN.fullmatch(name))


def chosen(archive: str, directory: Path, name: str) -> Path:
    """The archive that is meant: the newest good one of `name`, a name in `directory`, or a path."""
    if archive != LATEST:
        return directory / archive  # an absolute path stays one
    good = good_archives(os.listdir(directory), name) if directory.is_dir() else []
    if not good:
        raise BackupError(f"there is no archive of {name} with a checksum in {directory}; give one: -e archive=PATH")
    return directory / good[-1]


def digest_in(text: str, archive: str) -> str:
    """The digest that a checksum file has for an archive; '' where it has none."""
    for line in text.splitlines():
        digest, _, name = line.partition(" ")
        if name.lstrip(" *") == archive and re.fullmatch(r"[0-9a-f]{64}", digest):
            return digest
    return ""


def problem_of(member: tarfile.TarInfo) -> str:
    """Why a member is no part of a block; '' where it is one."""
    if not (member.isfile() or member.isdir()) or leaves(member.name) or member.name.startswith("/"):
        return f"holds {member.name!r}, which is no plain file within it"
    if not BLOCK.fullmatch(member.name.split("/")[0]):
        return f"holds {member.name!r}, which is no part of a block"
    return ""


def verified(archive: Path) -> int:
    """The size of what the archive holds, having read all of it. BackupError where it is not what was backed up."""
    beside = archive.with_name(f"{archive.name}{CHECKSUM}")
    for path in (archive, beside):
        if not path.is_file():
            raise BackupError(f"there is no file {path}; name another archive")
    expected = digest_in(beside.read_text(encoding="utf-8", errors="replace"), archive.name)
    if not expected:
        raise BackupError(f"{beside} has no line for {archive.name}; it must be as sha256sum writes it")
    found = sha256_of(str(archive))
    if found != expected:
        raise BackupError(f"{archive} is damaged: its sha256 is {found}, {beside.name} says {expected}; name another")
    size = 0
    try:
        with tarfile.open(archive, "r:gz") as opened:
            for member in opened:
                problem = problem_of(member)
                if problem:
                    raise BackupError(f"{archive} {problem}; it is no backup of Prometheus")
                size += member.size
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BackupError(f"{archive} cannot be read: {error}; name another") from error
    return size


@dataclass(frozen=True)
class Blocks:
    """What was unpacked: how many blocks and samples, and from when to when, in seconds since 1970."""

    count: int
    samples: int
    begin: float
    end: float

    @classmethod
    def of(cls, metas: Sequence[dict[str, Any]]) -> Blocks:
        return cls(
            len(metas),
            sum(int(meta.get("stats", {}).get("numSamples", 0)) for meta in metas),
            min(meta["minTime"] for meta in metas) / 1000,
            (max(meta["maxTime"] for meta in metas) - 1) / 1000,  # the end of a block is no part of it
        )

    @classmethod
    def read(cls, folder: Path) -> Blocks:
        try:
            metas = [
                json.loads((folder / name / "meta.json").read_text(encoding="utf-8"))
                for name in own_entries(os.listdir(folder))
            ]
            return cls.of(metas)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackupError(f"the archive holds no whole block: {error}; name another") from error


@dataclass(frozen=True)
class Tools:
    """What acts on the host. `check` and `prove` answer with what is wrong, '' where nothing is."""

    running: Callable[[], bool]
    stop: Callable[[], None]
    start: Callable[[], None]
    check: Callable[[Path], str]  # a folder with blocks, before they are switched
    prove: Callable[[Blocks], str]  # the Prometheus that was started with them


@dataclass(frozen=True)
class Place:
    """Prometheus' directory."""

    data: Path

    @property
    def work(self) -> Path:
        return self.data / WORK

    @property
    def new(self) -> Path:
        return self.work / "new"

    @property
    def part(self) -> Path:
        return self.work / "old.part"

    @property
    def old(self) -> Path:
        return self.work / "old"

    @property
    def away(self) -> Path:
        """What is live where it should not be: it goes with the folder of work."""
        return self.work / "away"

    def switch(self) -> None:
        self.part.mkdir()
        _move(self.data, self.part)
        self.part.rename(self.old)
        _move(self.new, self.data)

    def put_back(self) -> bool:
        """What was live before an attempt, wherever that ended; False where it had not begun to switch."""
        if self.old.exists():
            for name in own_entries(os.listdir(self.data)):
                self._aside(name)
            self.old.rename(self.part)
        if not self.part.exists():
            return False
        for name in own_entries(os.listdir(self.part)):
            if (self.data / name).exists():  # of a Prometheus that was started in between
                self._aside(name)
            (self.part / name).rename(self.data / name)
        self.part.rmdir()
        return True

    def _aside(self, name: str) -> None:
        self.away.mkdir(exist_ok=True)
        (self.data / name).rename(self.away / f"{name}.{time.time_ns()}")

    def commit(self, now: float) -> str:
        """Keep what was live before beside it, and nothing older; '' where there was nothing."""
        for name in sorted(os.listdir(self.data)):
            if name.startswith(BEFORE):
                shutil.rmtree(self.data / name)
        kept = ""
        if any(self.old.iterdir()):
            kept = str(self.data / f"{BEFORE}{time.strftime(STAMP, time.gmtime(now))}")
            self.old.rename(kept)
        shutil.rmtree(self.work)
        return kept


def _move(source: Path, target: Path) -> None:
    for name in own_entries(os.listdir(source)):
        (source / name).rename(target / name)


@contextlib.contextmanager
def as_owner(folder: Path) -> Iterator[None]:
    """As the user that the folder is of, where we may: who owns it could put a link where something is to be written,
    and would have root follow it."""
    if os.geteuid() != 0:
        yield
        return
    owner, group = folder.stat(), os.getegid()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)


def unpack(archive: Path, place: Place, size: int) -> Blocks:
    """The archive's blocks below `place.new`, which are of the owner of Prometheus' directory."""
    system = os.statvfs(place.data)
    free = system.f_bavail * system.f_frsize
    if size * ROOM > free:
        text = f"{archive} needs {size >> 20} MiB beside the live data, and {place.data} has {free >> 20} MiB left"
        raise BackupError(f"{text}; make room, and do it again")
    with archive.open("rb") as file, as_owner(place.data), tarfile.open(fileobj=file, mode="r:gz") as opened:
        place.work.mkdir(0o750)
        place.new.mkdir(0o750)
        for member in opened:
            member.mode = 0o750 if member.isdir() else 0o640
            opened.extract(member, place.new, **FILTER)
        for path in _tree(place.new):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return Blocks.read(place.new)


def _tree(folder: Path) -> Iterator[str]:
    for path, _folders, names in os.walk(folder):
        yield path
        yield from (os.path.join(path, name) for name in names)


@dataclass(frozen=True)
class Restored:
    """`kept` is where the data from before are; `said` is what was done, in order."""

    blocks: Blocks
    kept: str
    said: list[str]


def restore(archive: Path, place: Place, tools: Tools, now: float) -> Restored:
    """All of it. BackupError says what stands: as before, wherever it fails."""
    size = verified(archive)
    said = [f"{archive} is what was backed up"]
    said += recover(place, tools)
    try:
        blocks = unpack(archive, place, size)
        problem = tools.check(place.new)
        if problem:
            raise BackupError(f"promtool refuses what is in {archive}: {problem}")
    except (BackupError, OSError, tarfile.TarError) as error:
        with as_owner(place.data):
            shutil.rmtree(place.work, ignore_errors=True)
        raise BackupError(f"{error}. Nothing was switched; Prometheus was not touched") from error
    said.append(f"promtool reads its {blocks.count} blocks, {blocks.samples} samples")
    ran = tools.running()
    try:
        tools.stop()
        with as_owner(place.data):
            place.switch()
        tools.start()
        problem = tools.prove(blocks)
        if problem:
            raise BackupError(problem)
    except (BackupError, OSError) as error:
        stands = _back(place, tools, ran)
        raise BackupError(f"with the archive's data Prometheus did not prove itself: {error}. {stands}") from error
    said.append("Prometheus runs with them, is ready, and answers a query about them")
    with as_owner(place.data):
        return Restored(blocks, place.commit(now), said)


def recover(place: Place, tools: Tools) -> list[str]:
    """End what a restore that was killed has left: the data from before it, and no trace of it."""
    if not place.work.exists():
        return []
    said = ["removed what an earlier restore that died had unpacked"]
    if place.part.exists() or place.old.exists():
        tools.stop()
        with as_owner(place.data):
            place.put_back()
        tools.start()
        said = ["put back the data from before an earlier restore that died"]
    with as_owner(place.data):
        shutil.rmtree(place.work)
    return said


def _back(place: Place, tools: Tools, ran: bool) -> str:
    """How it stands after the way back, in a sentence."""
    try:
        tools.stop()
        with as_owner(place.data):
            place.put_back()
            shutil.rmtree(place.work)
        if ran:
            tools.start()
    except (BackupError, OSError) as error:
        return f"Going back failed as well: {error}. The next run begins with that; the data are in {place.work}"
    return "The data from before are back" + (", and Prometheus runs with them" if ran else "; it did not run before")
