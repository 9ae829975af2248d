"""Backups of Prometheus: a snapshot, asked for over its API, as one archive with a checksum beside it.

A program as well, which the role prometheus puts on hosts as it is: nothing but the standard library is used.

    DIRECTORY/prometheus-NAME-20260101T030000Z.tar.gz           the blocks of the snapshot
    DIRECTORY/prometheus-NAME-20260101T030000Z.tar.gz.sha256    as sha256sum writes it; there before the archive is

What ends in .unfinished is of a run that is under way, or has died; the next one clears it.
"""

from __future__ import annotations

import argparse
import calendar
import contextlib
import fcntl
import gzip
import hashlib
import http.client
import json
import os
import re
import shutil
import sys
import tarfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

STAMP = "%Y%m%dT%H%M%SZ"
SUFFIX = ".tar.gz"
CHECKSUM = ".sha256"
UNFINISHED = ".unfinished"
SNAPSHOT = re.compile(r"(?P<stamp>[0-9]{8}T[0-9]{6}Z)-[0-9a-f]{16}")
WINDOW = 60  # seconds within which Prometheus begins with a snapshot that it was asked for
ASKING = 600  # seconds that one may take: the newest hours are written out as a block first


class BackupError(Exception):
    """Why there is no backup, or no usable one; says what to do."""


@dataclass(frozen=True)
class Family:
    """What is backed up: the first word of its archives and of its metrics, and how its archives end."""

    word: str
    suffix: str

    def pattern(self, name: str) -> str:
        """Of the archives of one that is called `name`."""
        return rf"{self.word}-{re.escape(name)}-[0-9]{{8}}T[0-9]{{6}}Z{re.escape(self.suffix)}"


PROMETHEUS = Family("prometheus", SUFFIX)


def archive_name(name: str, at: float, family: Family = PROMETHEUS) -> str:
    """What the backup of the one called `name` is called."""
    return f"{family.word}-{name}-{time.strftime(STAMP, time.gmtime(at))}{family.suffix}"


def seconds_of(stamp: str) -> int:
    return calendar.timegm(time.strptime(stamp, STAMP))


def new_name(directory: Path, name: str, now: float | None = None, family: Family = PROMETHEUS) -> str:
    """What an archive that is begun now is called: two of one second do not share a name."""
    taken = set(os.listdir(directory))
    at = int(time.time() if now is None else now)
    while archive_name(name, at, family) in taken:
        at += 1
    return archive_name(name, at, family)


def moment_of(archive: str, family: Family = PROMETHEUS) -> int:
    """When an archive was begun, in seconds since 1970, as its name says."""
    return seconds_of(archive[: -len(family.suffix)].rpartition("-")[2])


def good_archives(names: Collection[str], name: str, family: Family = PROMETHEUS) -> list[str]:
    """Of the files in a directory: the archives of `name` that have a checksum, oldest first."""
    own = re.compile(family.pattern(name))
    return sorted(found for found in names if own.fullmatch(found) and f"{found}{CHECKSUM}" in names)


def leftovers(names: Collection[str], name: str, family: Family = PROMETHEUS) -> list[str]:
    """What runs that died have left. An archive without a checksum is none: somebody else's hand was there."""
    own = family.pattern(name)
    unfinished = re.compile(rf"{own}({re.escape(CHECKSUM)})?{re.escape(UNFINISHED)}")
    checksum = re.compile(rf"({own}){re.escape(CHECKSUM)}")
    found = []
    for each in sorted(names):
        alone = checksum.fullmatch(each)
        if unfinished.fullmatch(each) or (alone and alone[1] not in names):
            found.append(each)
    return found


def surplus(good: Sequence[str], made: str, keep: int) -> list[str]:
    """The archives that go once `made` is there: it stays whatever the names of the others say of their age."""
    others = [name for name in good if name != made]
    return others[: max(0, len(others) - (keep - 1))]


def left_behind(attempt: dict[str, Any], present: Collection[str]) -> list[str]:
    """The snapshots in `present` that an earlier run asked for and did not remove; never one that a person made.

    `attempt` is what that run wrote down: the `snapshot`, or where it died before it knew that, those that were there
    `before` and the time `since` which it asked.
    """
    if attempt.get("snapshot"):
        return [name for name in present if name == attempt["snapshot"]]
    found = []
    for name in sorted(set(present) - set(attempt.get("before") or ())):
        match = SNAPSHOT.fullmatch(name)
        if match and 0 <= seconds_of(match["stamp"]) - int(attempt.get("since") or 0) <= WINDOW:
            found.append(name)
    return found


def metrics(newest: str, size: int, took: float, family: Family = PROMETHEUS) -> str:
    """What node_exporter shows of it. `newest` is the last good archive, empty where there is none."""
    rows = (
        (
            "last_success_timestamp_seconds",
            "When the newest good archive was begun.",
            moment_of(newest, family) if newest else 0,
        ),
        ("size_bytes", "Size of the newest good archive.", size),
        ("duration_seconds", "How long the last run took, whether it succeeded or not.", round(took, 3)),
    )
    return exposed(rows, family)


def declared(max_age: float, family: Family = PROMETHEUS) -> str:
    """What node_exporter shows of backups that nobody has made yet: a file of the rollout's, which the program leaves
    alone. Alerts compare with it; when it was written says since when there should have been one."""
    return exposed([("max_age_seconds", "How old the newest good archive may become.", f"{max_age:g}")], family)


def exposed(rows: Iterable[tuple[str, str, object]], family: Family) -> str:
    """Gauges as node_exporter takes them from a file: of (end of the name, what it means, value)."""
    lines = []
    for name, text, value in rows:
        full = f"{family.word}_backup_{name}"
        lines += [f"# HELP {full} {text}", f"# TYPE {full} gauge", f"{full} {value}"]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Settings:
    """`data` is Prometheus' own directory, `directory` that of the archives, `metrics` a file of node_exporter's."""

    url: str
    data: Path
    directory: Path
    name: str
    keep: int = 7
    metrics: Path | None = None
    patience: float = 120  # seconds to wait for a Prometheus that is starting

    @property
    def attempt(self) -> Path:
        return self.directory / f".prometheus-{self.name}.attempt"


@dataclass
class Digested:
    """A file that is written, and its digest."""

    file: IO[bytes]
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()


def run(settings: Settings, now: float | None = None) -> str:
    """One backup; the name of the archive. BackupError or OSError where there is none: earlier ones are as before."""
    with _alone(settings):
        _clear(settings)
        made = new_name(settings.directory, settings.name, now)
        snapshot = _snapshot(settings)
        try:
            _pack(snapshot, settings.directory, made)
        finally:
            shutil.rmtree(snapshot)
            settings.attempt.unlink()
        for old in surplus(good_archives(os.listdir(settings.directory), settings.name), made, settings.keep):
            (settings.directory / old).unlink()  # first: a checksum alone is cleared by the next run
            (settings.directory / f"{old}{CHECKSUM}").unlink()
        return made


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    with (settings.directory / f".prometheus-{settings.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"another backup of {settings.name} is under way; wait for it") from None
        yield


def _snapshots(settings: Settings) -> Path:
    return settings.data / "snapshots"


def _present(settings: Settings) -> list[str]:
    folder = _snapshots(settings)
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def _clear(settings: Settings) -> None:
    """What a run that died has left: unfinished files, and a snapshot, which would keep deleted blocks on the disk."""
    for name in leftovers(os.listdir(settings.directory), settings.name):
        (settings.directory / name).unlink()
    try:
        attempt = json.loads(settings.attempt.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # cut off in the midst of the first one: it has not asked
        return
    for name in left_behind(attempt, _present(settings)):
        shutil.rmtree(_snapshots(settings) / name)
    settings.attempt.unlink()


def _note(settings: Settings, attempt: dict[str, Any]) -> None:
    write(settings.attempt, json.dumps(attempt))


def _snapshot(settings: Settings) -> Path:
    """Ask for a snapshot, having written down that it was asked for."""
    attempt = {"since": int(time.time()), "before": _present(settings), "snapshot": ""}
    _note(settings, attempt)
    deadline = time.monotonic() + settings.patience
    while True:
        try:
            status, answer = _post(f"{settings.url.rstrip('/')}/api/v1/admin/tsdb/snapshot")
        except ConnectionRefusedError:
            status, answer = 503, "nobody answers there"
        if status != 503 or time.monotonic() > deadline:
            break
        time.sleep(min(1.0, settings.patience))
        attempt["since"] = int(time.time())
        _note(settings, attempt)
    name = _name_in(settings.url, status, answer)
    _note(settings, {**attempt, "snapshot": name})
    folder = _snapshots(settings) / name
    if not folder.is_dir():
        raise BackupError(
            f"Prometheus at {settings.url} has made the snapshot {name}, but not in {folder.parent}; "
            "--data must be its --storage.tsdb.path"
        )
    return folder


def _name_in(url: str, status: int, answer: str) -> str:
    try:
        name = json.loads(answer)["data"]["name"] if status == 200 else ""
    except (ValueError, KeyError, TypeError):
        name = ""
    if isinstance(name, str) and SNAPSHOT.fullmatch(name):
        return name
    hint = "see its log"
    if "admin APIs disabled" in answer:
        hint = "start it with --web.enable-admin-api"
    elif status == 503:
        hint = "it does not run, or has not started yet: see its log"
    raise BackupError(f"Prometheus at {url} made no snapshot (status {status}: {answer.strip()[:200]}); {hint}")


def _post(url: str) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ASKING)
    try:
        connection.request("POST", parts.path)
        response = connection.getresponse()
        return response.status, response.read(1 << 20).decode("utf-8", "replace")
    finally:
        connection.close()


def _pack(snapshot: Path, directory: Path, made: str) -> None:
    """The archive appears whole, and after its checksum."""
    if not any(snapshot.iterdir()):
        raise BackupError(f"the snapshot {snapshot} is empty: Prometheus has no samples yet; run again when it has")
    unfinished = directory / f"{made}{UNFINISHED}"
    try:
        with unfinished.open("wb") as file:
            target = Digested(file)
            # Blocks are packed already, but for their indexes: more effort would not make them much smaller.
            with (
                gzip.GzipFile("", "wb", 1, target, 0) as zipped,
                tarfile.open(fileobj=zipped, mode="w|") as archive,
            ):
                for block in sorted(snapshot.iterdir()):
                    archive.add(block, block.name, filter=_nobodys)
            file.flush()
            os.fsync(file.fileno())
        write(directory / f"{made}{CHECKSUM}", f"{target.digest.hexdigest()}  {made}\n")
        unfinished.rename(directory / made)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        (directory / f"{made}{CHECKSUM}").unlink(missing_ok=True)
        raise
    sync(directory)


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def write(path: Path, text: str, mode: int = 0o640) -> None:
    """All of it or nothing."""
    unfinished = path.with_name(f"{path.name}{UNFINISHED}")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(directory: Path) -> None:
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Kept(Protocol):
    """Settings of whatever keeps archives of a family."""

    @property
    def directory(self) -> Path: ...

    @property
    def name(self) -> str: ...

    @property
    def metrics(self) -> Path | None: ...


def report(settings: Kept, took: float, family: Family = PROMETHEUS) -> None:
    """Tell node_exporter how things stand, whatever became of the run."""
    if settings.metrics is None:
        return
    good = good_archives(os.listdir(settings.directory), settings.name, family)
    size = (settings.directory / good[-1]).stat().st_size if good else 0
    # Its own user reads it.
    write(settings.metrics, metrics(good[-1] if good else "", size, took, family), 0o644)


def carried_out(settings: Kept, make: Callable[[], str], failed: str, family: Family = PROMETHEUS) -> int:
    """A run of the program: `make` gives the archive's name. What went wrong is put into `failed`."""
    began = time.monotonic()
    code = 0
    try:
        made = make()
        sys.stdout.write(f"{settings.directory / made} in {time.monotonic() - began:.1f} s\n")
    except (BackupError, OSError, http.client.HTTPException) as error:
        sys.stderr.write(failed.format(error))
        code = 1
    try:
        report(settings, time.monotonic() - began, family)
    except OSError as error:
        sys.stderr.write(f"how it stands cannot be told to node_exporter: {error}\n")
        code = 1
    return code


def parsed(arguments: Sequence[str] | None = None) -> Settings:
    parser = argparse.ArgumentParser(description="Back up Prometheus: one archive of a snapshot.")
    parser.add_argument("--url", required=True, help="where it answers, such as http://127.0.0.1:9090")
    parser.add_argument("--data", required=True, type=Path, help="its --storage.tsdb.path")
    parser.add_argument("--directory", required=True, type=Path, help="where archives are kept")
    parser.add_argument("--name", required=True, help="what it is called: several may share a directory")
    parser.add_argument("--keep", type=int, default=7, help="how many archives are kept")
    parser.add_argument("--metrics", type=Path, help="a *.prom file in node_exporter's textfile directory")
    parser.add_argument("--patience", type=float, default=120, help="seconds to wait while it starts")
    return Settings(**vars(parser.parse_args(arguments)))


def main(arguments: Sequence[str] | None = None) -> int:
    settings = parsed(arguments)
    return carried_out(settings, lambda: run(settings), "no backup: {}\nEarlier archives are as they were.\n")


if __name__ == "__main__":
    sys.exit(main())
