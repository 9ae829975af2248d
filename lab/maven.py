"""Programs that Debian lacks and Maven Central has: fetched once, pinned here, packed as upstream packs them.

Elasticsearch's archive for integration tests is the real server with security, without ILM, SLM, data streams and
ingest, and without a Java of its own.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.artifacts import pack
from lab.errors import LabError
from lab.runtime import digest_of, stable_json
from lab.state import State

CENTRAL = "https://repo.maven.apache.org/maven2"
SOURCE = "LAB_MAVEN"  # another repository of the same layout
TIMEOUT = 60  # seconds without a byte
ARCHITECTURES = ("amd64", "arm64")  # bytecode: one archive for all


@dataclass(frozen=True)
class MavenArtifact:
    """``programs``: folders in the archive whose files can be run; ``binaries``: those that a release must hold."""

    name: str
    version: str
    group: str
    sha256: str
    programs: tuple[str, ...] = ("bin/",)
    binaries: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}.zip"

    @property
    def path(self) -> str:
        """Below a repository."""
        return f"{self.group.replace('.', '/')}/{self.name}/{self.version}/{self.file}"


ELASTICSEARCH = MavenArtifact(
    "elasticsearch",
    "8.15.0",
    "org.elasticsearch.distribution.integ-test-zip",
    "c473366cf9e27bf6af9a9981a5e57dc206c04217439dbdf58df60e3683dff08b",
    binaries=("bin/elasticsearch", "bin/elasticsearch-keystore"),
)
ARTIFACTS = (ELASTICSEARCH,)


def recipe_digest(artifact: MavenArtifact) -> str:
    """Stands for everything that decides what hosts get; a change makes it anew."""
    return digest_of(stable_json(asdict(artifact)), "pack 1")


def fetch(artifact: MavenArtifact, state: State) -> Path:
    """The archive in the lab's state, fetched where it is not there, and what the digest says in any case."""
    path = state.root / "downloads" / artifact.file
    if path.is_file() and _digest(path) == artifact.sha256:
        return path
    state.create()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".unfinished-") as folder:
        found = Path(folder) / artifact.file
        url = f"{os.environ.get(SOURCE) or CENTRAL}/{artifact.path}"
        _download(url, found, path)
        if _digest(found) != artifact.sha256:
            raise LabError(
                f"{url} has sha256 {_digest(found)}, the pinned one is {artifact.sha256}",
                "do not use it; the release may have been replaced",
            )
        found.rename(path)
    return path


def _download(url: str, path: Path, kept: Path) -> None:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, path.open("wb") as handle:  # noqa: S310
            shutil.copyfileobj(answer, handle)
    except (OSError, urllib.error.URLError) as error:
        raise LabError(
            f"{url} is not to be had: {error}",
            f"name another repository of Maven's layout in {SOURCE}, or put the archive at {kept}",
        ) from error


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def tarball(artifact: MavenArtifact, content: bytes) -> bytes:
    """The same files in a tarball, byte for byte the same each time. Folders stay where they are empty, too:
    Elasticsearch wants to make the one of plugins where it is missing, and may not."""
    root = f"{artifact.name}-{artifact.version}"
    binaries: dict[str, bytes] = {}
    data: dict[str, bytes] = {}
    folders: list[str] = []
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        for member in source.infolist():
            name = member.filename.partition("/")[2]
            if name and member.is_dir():
                folders.append(name.rstrip("/"))
            elif name:
                (binaries if name.startswith(artifact.programs) else data)[name] = source.read(member)
    return pack(root, binaries, data, folders)


def unpack(artifact: MavenArtifact, folder: Path, state: State | None = None) -> Path:
    """What hosts get, unpacked below ``folder`` for tests that start it; the folder of the program."""
    content = tarball(artifact, fetch(artifact, state or State()).read_bytes())
    with tarfile.open(fileobj=io.BytesIO(content)) as source:
        source.extractall(folder, filter="data")
    return folder / f"{artifact.name}-{artifact.version}"


def lock_entry(artifact: MavenArtifact, sha256: str) -> dict[str, Any]:
    return {
        artifact.version: {
            "path": f"{artifact.name}/{artifact.name}-{{version}}.tar.gz",
            "sha256": dict.fromkeys(ARCHITECTURES, sha256),
            "strip": 1,
            "binaries": list(artifact.binaries),
        }
    }
