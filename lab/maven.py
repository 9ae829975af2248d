"""Programs that Debian lacks and Maven Central has: fetched by Maven, pinned here, packed as upstream packs them.

Elasticsearch's archive for integration tests is the real server with security, without ILM, SLM, data streams and
ingest, and without a Java of its own.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import mirror
from lab.artifacts import FORMAT, STORE, pack
from lab.errors import LabError
from lab.hosts import Launcher
from lab.runtime import FileEntry, archive
from lab.state import State

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
TIMEOUT = 600
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
    def coordinates(self) -> str:
        return f"{self.group}:{self.name}:{self.version}:zip"

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}.zip"


ELASTICSEARCH = MavenArtifact(
    "elasticsearch",
    "8.15.0",
    "org.elasticsearch.distribution.integ-test-zip",
    "c473366cf9e27bf6af9a9981a5e57dc206c04217439dbdf58df60e3683dff08b",
    binaries=("bin/elasticsearch", "bin/elasticsearch-keystore"),
)


def lock_of(state: State) -> Path:
    return state.root / "maven.lock.yml"


def fetch(artifact: MavenArtifact, state: State) -> Path:
    """The archive in the lab's state, fetched where it is not there, and what the digest says in any case."""
    path = state.root / "downloads" / artifact.file
    if path.is_file() and _digest(path) == artifact.sha256:
        return path
    if shutil.which("mvn") is None:
        raise LabError(
            f"{artifact.coordinates} comes from Maven Central, and there is no Maven",
            f"install the package maven, or put the archive at {path}",
        )
    state.create()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".unfinished-") as folder:
        command = ["mvn", "-q", "-B", PLUGIN, f"-Dartifact={artifact.coordinates}", f"-DoutputDirectory={folder}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
        found = Path(folder) / artifact.file
        if done.returncode or not found.is_file():
            raise LabError(f"Maven gave no {artifact.coordinates}: {(done.stdout + done.stderr).strip()[-500:]}")
        if _digest(found) != artifact.sha256:
            raise LabError(
                f"{artifact.coordinates} has sha256 {_digest(found)}, the pinned one is {artifact.sha256}",
                "do not use it; the release may have been replaced",
            )
        found.rename(path)
    return path


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


def publish(launcher: Launcher, state: State, artifact: MavenArtifact = ELASTICSEARCH) -> str:
    """Put it into the mirror's store and write its lock, a file of its own: what is made of Debian's packages need not
    wait for it. Returns the outcome."""
    container = mirror.wait_ready(launcher)
    known = lock_of(state)
    mark = f"# {artifact.coordinates} {artifact.sha256}\n"
    path = f"{artifact.name}/{artifact.name}-{artifact.version}.tar.gz"
    if known.is_file() and known.read_text().startswith(mark) and _served(launcher, path):
        return "unchanged"
    content = tarball(artifact, fetch(artifact, state).read_bytes())
    container.put_archive(STORE, archive({path: FileEntry(content)}, {artifact.name: (0o755, 0)}))
    entries = {artifact.name: lock_entry(artifact, hashlib.sha256(content).hexdigest())}
    lock = {"format": FORMAT, "artifacts": entries}
    state.write(known, mark + yaml.safe_dump(lock, sort_keys=False, explicit_start=True), mode=0o644)
    return "fetched by Maven"


def _served(launcher: Launcher, path: str) -> bool:
    try:
        with mirror.open_url(f"http://{launcher.settings.mirror}:{mirror.FILES_PORT}/artifacts/{path}"):
            return True
    except OSError:
        return False
