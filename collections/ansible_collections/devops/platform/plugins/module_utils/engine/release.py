"""Releases: downloaded once, checked against the pinned digest before anything is unpacked, kept side by side."""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from .errors import EngineError
from .host import Host, naming
from .spec import Release

if TYPE_CHECKING:
    import tarfile

CHUNK = 1 << 20
LIMIT = 2 << 30


def sha256_of(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while chunk := handle.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def stamp(path: str) -> list[int]:
    """What changes whenever somebody writes to a file: size, mtime, ctime (ns) and inode."""
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def inventory(directory: str) -> dict[str, dict[str, Any]]:
    """Every file of an unpacked release with its digest and stamp; kept in the ledger."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found[os.path.relpath(path, directory)] = {"sha256": sha256_of(path), "stamp": stamp(path)}
    return found


def intact(directory: str, files: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether an installed release is still what was unpacked. A file is hashed only where its stamp moved."""
    if not files or not os.path.isdir(directory):
        return False
    for name, known in files.items():
        path = os.path.join(directory, name)
        try:
            if stamp(path) != known["stamp"] and sha256_of(path) != known["sha256"]:
                return False
        except OSError:
            return False
    return True


def _open(url: str) -> IO[bytes]:
    from urllib.parse import urlsplit

    if urlsplit(url).scheme not in ("http", "https", "file"):
        raise EngineError(f"{url}: only http, https and file addresses are fetched", "stage")
    # Imported where they are used, here and below: a run that changes nothing, which is most of them, needs none of it.
    from urllib.request import urlopen

    stream: IO[bytes] = urlopen(url, timeout=30)  # noqa: S310 - the scheme is one of three, and the bytes are pinned
    return stream


def download(urls: tuple[str, ...], expected: str, path: str) -> None:
    """The first source that serves the pinned bytes. Raises EngineError that names every source and its failure."""
    from http.client import HTTPException
    from urllib.error import URLError

    failures = []
    for url in urls:
        digest = hashlib.sha256()
        size = 0
        try:
            with naming(path), _open(url) as source, open(path, "wb") as target:
                while chunk := source.read(CHUNK):
                    size += len(chunk)
                    if size > LIMIT:
                        raise EngineError(f"{url} is larger than {LIMIT >> 30} GiB", "stage")
                    digest.update(chunk)
                    target.write(chunk)
        except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
            failures.append(f"{url}: {getattr(error, 'reason', error)}")
            continue
        if digest.hexdigest() == expected:
            return
        failures.append(f"{url}: sha256 is {digest.hexdigest()}, the pinned one is {expected}")
    what = "; ".join(failures) or "no source is configured"
    raise EngineError(
        f"the release could not be fetched: {what}",
        "stage",
        "Nothing was switched; check the sources and the lock file",
    )


def _stripped(name: str, strip: int) -> str:
    return "/".join([part for part in name.split("/") if part not in ("", ".")][strip:])


def leaves(name: str, link: str = "") -> bool:
    """Whether a member, or what its symbolic link leads to, lies outside the folder."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link)) if link else name
    return ".." in name.split("/") or link.startswith("/") or target.split("/")[0] == ".."


def _members(archive: tarfile.TarFile, strip: int) -> list[tarfile.TarInfo]:
    """Members with `strip` leading parts removed; anything that would leave the folder is refused."""
    chosen = []
    for member in archive.getmembers():
        name = _stripped(member.name, strip)
        if not name:
            continue
        if member.isdev() or leaves(name, member.linkname if member.issym() else ""):
            raise EngineError(f"the archive holds {member.name!r}, which would leave its folder", "stage")
        member.name = name
        if member.islnk():
            # A hard link names another member, which is stripped as well.
            member.linkname = _stripped(member.linkname, strip)
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        chosen.append(member)
    return chosen


def _is_zip(path: str) -> bool:
    """By how it begins: a program may have a zip at its end, which zipfile would take for one."""
    with open(path, "rb") as handle:
        return handle.read(4) == b"PK\x03\x04"


def _unzip(release: Release, archive_path: str, folder: str) -> None:
    """A zip of one file is a program whose makers named it after system and architecture: it gets the name that the
    lock has. Other zips know no owners and no modes; nobody has needed one yet."""
    import shutil
    import zipfile

    with zipfile.ZipFile(archive_path) as archive:
        files = [member for member in archive.infolist() if not member.is_dir()]
        if len(files) != 1 or len(release.binaries) != 1:
            said = f"the zip holds {len(files)} files, and the lock names {len(release.binaries)} binaries"
            raise EngineError(said, "stage", "Only a zip of one program can be unpacked; take a tar archive")
        try:
            with archive.open(files[0]) as source, open(f"{folder}/{release.binaries[0]}", "wb") as target:
                shutil.copyfileobj(source, target, CHUNK)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise EngineError(f"the archive cannot be unpacked: {error}", "stage") from error


def _unpack(release: Release, archive_path: str, folder: str) -> None:
    import tarfile

    if tarfile.is_tarfile(archive_path):
        try:
            with tarfile.open(archive_path) as archive:
                archive.extractall(folder, members=_members(archive, release.strip))  # noqa: S202 - see _members
        except (tarfile.TarError, EOFError) as error:
            raise EngineError(f"the archive cannot be unpacked: {error}", "stage") from error
    elif _is_zip(archive_path):
        _unzip(release, archive_path, folder)
    else:
        name = release.binaries[0] if release.binaries else "binary"
        os.link(archive_path, f"{folder}/{name}")
    for binary in release.binaries:
        if not os.path.isfile(f"{folder}/{binary}"):
            raise EngineError(f"the archive has no {binary!r}", "stage", "Check strip and binaries in the lock file")
        os.chmod(f"{folder}/{binary}", 0o755)  # noqa: S103 - programs are for everybody


def _flush(directory: str) -> None:
    """The unpacked files reach the disk before a link can lead to them."""
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)


def install(host: Host, release: Release, directory: str) -> dict[str, dict[str, Any]]:
    """Fetch, check and unpack beside the running release; the folder appears complete or not at all."""
    partial = f"{directory}.partial"
    archive_path = f"{directory}.download"
    host.rmtree(partial)
    try:
        download(release.urls, release.sha256, archive_path)
        host.mkdir(partial, 0o755)
        with naming(partial):
            _unpack(release, archive_path, partial)
        _flush(partial)
        host.rename(partial, directory)
    finally:
        host.unlink(archive_path)
        host.rmtree(partial)
    return inventory(directory)
