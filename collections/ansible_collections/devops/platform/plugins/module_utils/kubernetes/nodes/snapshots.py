"""Snapshots of etcd: one file each with a checksum beside it, read back by etcdutl before it counts.

A program as well, which is put on nodes of the control plane beside monitoring/backup.py, whose rules for archives are
these as well: nothing but the standard library is used.

    DIRECTORY/etcd-NAME-20260101T030000Z.db           the snapshot
    DIRECTORY/etcd-NAME-20260101T030000Z.db.sha256    as sha256sum writes it; there before the snapshot is
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __package__:
    from ansible_collections.devops.platform.plugins.module_utils.monitoring import backup
else:
    import backup  # type: ignore[import-not-found,no-redef]  # beside it on nodes

FAMILY = backup.Family("etcd", ".db")
ASKING = 600  # seconds that a snapshot may take


@dataclass(frozen=True)
class Settings:
    """`authority`, `certificate` and `key` are files that etcd knows its clients by; none where it asks for none."""

    endpoint: str
    directory: Path
    name: str
    etcdctl: str
    etcdutl: str
    authority: str = ""
    certificate: str = ""
    key: str = ""
    keep: int = 48
    metrics: Path | None = None


def run(settings: Settings, now: float | None = None) -> str:
    """One snapshot; its name. BackupError or OSError where there is none: earlier ones are as before."""
    folder = settings.directory
    for name in backup.leftovers(os.listdir(folder), settings.name, FAMILY):
        (folder / name).unlink()
    made = backup.new_name(folder, settings.name, now, FAMILY)
    unfinished = folder / f"{made}{backup.UNFINISHED}"
    try:
        _save(settings, unfinished)
        status(settings.etcdutl, unfinished)
        backup.write(folder / f"{made}{backup.CHECKSUM}", f"{digest(unfinished)}  {made}\n", 0o600)
        unfinished.rename(folder / made)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        (folder / f"{made}{backup.CHECKSUM}").unlink(missing_ok=True)
        raise
    backup.sync(folder)
    for old in backup.surplus(backup.good_archives(os.listdir(folder), settings.name, FAMILY), made, settings.keep):
        (folder / old).unlink()  # first: a checksum alone is cleared by the next run
        (folder / f"{old}{backup.CHECKSUM}").unlink()
    return made


def _save(settings: Settings, target: Path) -> None:
    flags = {
        "endpoints": settings.endpoint,
        "cacert": settings.authority,
        "cert": settings.certificate,
        "key": settings.key,
        "command-timeout": f"{ASKING}s",
    }
    given = [f"--{name}={value}" for name, value in flags.items() if value]
    _said([settings.etcdctl, *given, "snapshot", "save", str(target)], "etcd gave no snapshot")
    target.chmod(0o600)  # all Secrets of the cluster are in it
    with target.open("rb") as file:
        os.fsync(file.fileno())


def status(etcdutl: str, snapshot: Path) -> dict[str, Any]:
    """`{hash, revision, totalKey, totalSize}`, of a snapshot that is whole; else BackupError."""
    said = _said([etcdutl, "snapshot", "status", str(snapshot), "--write-out=json"], f"{snapshot} cannot be read")
    try:
        found = json.loads(said)
        if int(found["totalKey"]) < 1:
            raise backup.BackupError(f"{snapshot} holds no keys; the cluster it is of is empty, or it is of none")
    except (ValueError, KeyError, TypeError) as error:
        raise backup.BackupError(f"etcdutl says of {snapshot} what is not understood: {said.strip()[:200]}") from error
    return dict(found)


def _said(command: Sequence[str], problem: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASKING + 30, check=False)
    except subprocess.TimeoutExpired:
        raise backup.BackupError(f"{problem} within {ASKING + 30} s; see whether etcd is well") from None
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines() or [f"exit {done.returncode}"]
        raise backup.BackupError(f"{problem}: {lines[-1][:400]}")
    return done.stdout


def digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            found.update(part)
    return found.hexdigest()


def parsed(arguments: Sequence[str] | None = None) -> Settings:
    parser = argparse.ArgumentParser(description="A snapshot of etcd, with a checksum.")
    parser.add_argument("--endpoint", required=True, help="where this node's etcd answers")
    parser.add_argument("--directory", required=True, type=Path, help="where snapshots are kept")
    parser.add_argument("--name", required=True, help="what the node is called: several may share a directory")
    parser.add_argument("--etcdctl", default="/usr/local/bin/etcdctl", help="the program that asks for it")
    parser.add_argument("--etcdutl", default="/usr/local/bin/etcdutl", help="the program that reads it")
    parser.add_argument("--authority", default="", help="file with the authority of etcd's certificates")
    parser.add_argument("--certificate", default="", help="file with a client's certificate")
    parser.add_argument("--key", default="", help="file with its key")
    parser.add_argument("--keep", type=int, default=48, help="how many snapshots are kept")
    parser.add_argument("--metrics", type=Path, help="a *.prom file in node_exporter's textfile directory")
    return Settings(**vars(parser.parse_args(arguments)))


def main(arguments: Sequence[str] | None = None) -> int:
    settings = parsed(arguments)
    failed = "no snapshot: {}\nEarlier ones are as they were.\n"
    return backup.carried_out(settings, lambda: run(settings), failed, FAMILY)


if __name__ == "__main__":
    sys.exit(main())
