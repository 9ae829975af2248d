"""Release tarballs shaped like upstream's, made from Debian's signed packages, with the lock file that pins them.

apt verifies the packages inside the mirror; the binaries are then packed again under their upstream names. Equal
packages give equal tarballs: entries are sorted, owned by root and dated 0.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from lab import mirror
from lab.errors import LabError
from lab.hosts import Launcher, parallel
from lab.runtime import PREFIX, FileEntry, archive, digest_of, execute, read_file, stable_json
from lab.state import State

STORE = f"{mirror.DATA}/www/artifacts"
LOCK_NAME = "artifacts.lock.yml"
PROGRAMS_LOCK = "programs.lock.yml"  # of what is not made of Debian's packages: lab.programs
UPSTREAM = "https://github.com/{project}/releases/download/v{{version}}/{file}"
FORMAT = 1


@dataclass(frozen=True)
class Artifact:
    """``packages``: from Debian, the first gives the version; ``binaries``: upstream name → path in the packages;
    ``project``: where upstream's releases of this shape are, '' where they have another."""

    name: str
    packages: tuple[str, ...]
    binaries: Mapping[str, str]
    project: str = ""
    data: Mapping[str, str] = field(default_factory=dict)  # what else the program reads, likewise


def exporter(name: str, package: str, project: str = "") -> Artifact:
    return Artifact(name, (package,), {name: f"/usr/bin/{package}"}, project)


ARTIFACTS = (
    exporter("node_exporter", "prometheus-node-exporter", "prometheus/node_exporter"),
    Artifact(
        "prometheus",
        ("prometheus", "promtool"),
        {"prometheus": "/usr/bin/prometheus", "promtool": "/usr/bin/promtool"},
        "prometheus/prometheus",
    ),
    Artifact(
        "alertmanager",
        ("prometheus-alertmanager",),
        {"alertmanager": "/usr/bin/prometheus-alertmanager", "amtool": "/usr/bin/amtool"},
        "prometheus/alertmanager",
        # Debian's build reads from files what upstream's has built in.
        {f"templates/{name}": f"/usr/share/prometheus/alertmanager/{name}" for name in ("default.tmpl", "email.tmpl")},
    ),
    exporter("postgres_exporter", "prometheus-postgres-exporter", "prometheus-community/postgres_exporter"),
    exporter("mysqld_exporter", "prometheus-mysqld-exporter", "prometheus/mysqld_exporter"),
    exporter(
        "elasticsearch_exporter", "prometheus-elasticsearch-exporter", "prometheus-community/elasticsearch_exporter"
    ),
    exporter("blackbox_exporter", "prometheus-blackbox-exporter", "prometheus/blackbox_exporter"),
    exporter("redis_exporter", "prometheus-redis-exporter"),
    exporter("nginx_exporter", "prometheus-nginx-exporter"),
)


def upstream_version(debian: str) -> str:
    """``1:2.53.3+ds1-2+b1`` → ``2.53.3``: without epoch, Debian revision and repacking suffix."""
    version = debian.rpartition(":")[2].partition("-")[0] if "-" in debian else debian.rpartition(":")[2]
    for mark in ("+ds", "+dfsg", "~"):
        version = version.partition(mark)[0]
    return version


def release_name(name: str, version: str, arch: str) -> str:
    return f"{name}-{version}.linux-{arch}"


def pack(
    root: str, binaries: Mapping[str, bytes], data: Mapping[str, bytes] | None = None, folders: Sequence[str] = ()
) -> bytes:
    """A gzipped tarball ``<root>/<binary>…``, byte for byte the same for equal input; ``data`` cannot be run, and
    ``folders`` may be empty."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in (root, *(f"{root}/{folder}" for folder in sorted(folders))):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode, folder.uname, folder.gname = tarfile.DIRTYPE, 0o755, "root", "root"
            tar.addfile(folder)
        for name, content in sorted({**binaries, **(data or {})}.items()):
            info = tarfile.TarInfo(f"{root}/{name}")
            info.size, info.uname, info.gname = len(content), "root", "root"
            info.mode = 0o755 if name in binaries else 0o644
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(stream.getvalue(), compresslevel=6, mtime=0)


def lock_entry(artifact: Artifact, version: str, arch: str, sha256: str) -> dict[str, Any]:
    file = release_name(artifact.name, "{version}", "{arch}") + ".tar.gz"
    return {
        version: {
            **({"url": UPSTREAM.format(project=artifact.project, file=file)} if artifact.project else {}),
            "path": f"{artifact.name}/{file}",
            "sha256": {arch: sha256},
            "strip": 1,
            "binaries": sorted(artifact.binaries),
        }
    }


def recipe_digest() -> str:
    """Stands for everything that decides how artifacts are made; a change makes them anew."""
    recipe = [
        [item.name, list(item.packages), dict(item.binaries), item.project, dict(item.data)] for item in ARTIFACTS
    ]
    return digest_of(stable_json(recipe), UPSTREAM, str(FORMAT), "pack 1")


@dataclass(frozen=True)
class Lock:
    """A lock file. ``recipes`` stand in its first lines: name → digest of what it was made from. Artifacts made of
    Debian's packages have one recipe together, without a name."""

    recipes: Mapping[str, str]
    entries: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> Lock:
        lines = re.findall(r"^# recipe (?:(\S+) )?([0-9a-f]{16})$", text, re.MULTILINE)
        return cls(dict(lines), (yaml.safe_load(text) or {}).get("artifacts") or {})

    def text(self) -> str:
        lines = [f"# recipe {f'{name} ' if name else ''}{self.recipes[name]}\n" for name in sorted(self.recipes)]
        data = {"format": FORMAT, "artifacts": dict(self.entries)}
        return "".join(lines) + yaml.safe_dump(data, sort_keys=False, explicit_start=True)

    def __or__(self, other: Lock) -> Lock:
        return Lock({**self.recipes, **other.recipes}, {**self.entries, **other.entries})


def ensure(launcher: Launcher, state: State, rebuild: bool = False) -> str:
    """Make sure that the file store has all artifacts and that the lock file says what it has; returns the outcome.

    The store keeps the locks beside the artifacts: they outlive the state directory, and both always agree. Programs
    of other sources have a lock of their own there; hosts are given one that has all.
    """
    container = mirror.wait_ready(launcher)
    lock = stored(launcher, LOCK_NAME)
    outcome = "unchanged"
    if rebuild or lock is None or lock.recipes.get("") != recipe_digest():
        lock = Lock({"": recipe_digest()}, _make(container))
        container.put_archive(STORE, archive({LOCK_NAME: FileEntry(lock.text().encode())}))
        outcome = "made from Debian's packages"
    built = stored(launcher, PROGRAMS_LOCK)
    state.write(state.artifacts_lock, (lock | built if built else lock).text(), mode=0o644)
    return outcome


def stored(launcher: Launcher, name: str) -> Lock | None:
    """One of the store's locks, None where it has none."""
    try:
        with mirror.open_url(f"http://{launcher.settings.mirror}:{mirror.FILES_PORT}/artifacts/{name}") as answer:
            return Lock.parse(answer.read().decode())
    except OSError:
        return None


def _make(container: Any) -> dict[str, Any]:
    work = f"/var/tmp/{PREFIX}-artifacts"  # noqa: S108 - inside the mirror's container
    execute(container, ["rm", "-rf", work], "clearing the work folder")
    execute(container, ["install", "-d", "-o", "_apt", f"{work}/root"], "making the work folder")
    execute(container, ["apt-get", "-q", "update"], "apt-get update")
    packages = [package for artifact in ARTIFACTS for package in artifact.packages]
    download = ["sh", "-c", 'cd "$0" && apt-get -q download "$@"', work, *packages]
    execute(container, download, "downloading the artifacts' packages")
    names = execute(container, ["find", work, "-maxdepth", "1", "-name", "*.deb"], "listing the packages").split()
    arch = execute(container, ["dpkg", "--print-architecture"], "asking for the architecture").strip()
    versions = {}
    for path in sorted(names):
        fields = execute(container, ["dpkg-deb", "-f", path, "Package", "Version"], f"reading {path}")
        field = dict(line.split(": ", 1) for line in fields.splitlines())
        versions[field["Package"]] = upstream_version(field["Version"])
        execute(container, ["dpkg-deb", "-x", path, f"{work}/root"], f"unpacking {path}")

    def make(artifact: Artifact) -> tuple[str, dict[str, Any]]:
        version = versions.get(artifact.packages[0])
        if version is None:
            raise LabError(f"apt gave no package {artifact.packages[0]}", "look at the apt sources in the mirror")
        binaries = {name: read_file(container, f"{work}/root{path}") for name, path in artifact.binaries.items()}
        root = release_name(artifact.name, version, arch)
        data = {name: read_file(container, f"{work}/root{path}") for name, path in artifact.data.items()}
        tarball = pack(root, binaries, data)
        path = f"{artifact.name}/{root}.tar.gz"
        container.put_archive(STORE, archive({path: FileEntry(tarball)}, {artifact.name: (0o755, 0)}))
        return artifact.name, lock_entry(artifact, version, arch, hashlib.sha256(tarball).hexdigest())

    entries = dict(parallel(make, ARTIFACTS, workers=2))
    execute(container, ["rm", "-rf", work], "removing the work folder")
    return entries


def digest(entry: Mapping[str, Any]) -> str:
    return str(next(iter(entry["sha256"].values())))


def fetch(launcher: Launcher, entry: Mapping[str, Any]) -> bytes:
    """The tarball that a lock's entry, its version included, pins; from the mirror."""
    arch = next(iter(entry["sha256"]))
    path = str(entry["path"]).format(version=entry["version"], arch=arch)
    url = f"http://{launcher.settings.mirror}:{mirror.FILES_PORT}/artifacts/{path}"
    with mirror.open_url(url) as answer:
        content: bytes = answer.read()
    if hashlib.sha256(content).hexdigest() != digest(entry):
        raise LabError(
            f"{url} is not what the lock pins",
            "python -m lab artifacts makes it anew (see --help)",
        )
    return content
