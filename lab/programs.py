"""Programs that Debian has not, in the mirror's store: release tarballs and the part of the lock that pins them.

They are built from Go modules (`lab.recipes`) or fetched from Maven Central (`lab.maven`), and only where they are
asked for by name: a cold start need not wait for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab import artifacts, gobuild, maven, mirror, recipes
from lab.errors import LabError
from lab.hosts import Launcher
from lab.maven import MavenArtifact
from lab.progress import step
from lab.recipes import RECIPES, Recipe, find
from lab.runtime import FileEntry, archive, execute
from lab.state import State

MAVEN = {artifact.name: artifact for artifact in maven.ARTIFACTS}
NAMES = frozenset({recipe.name for recipe in RECIPES} | MAVEN.keys())


@dataclass(frozen=True)
class Release:
    """A program as hosts get it. ``recipe`` is the digest of what it was made from, ``path`` is below the store,
    ``entry`` the lock's."""

    name: str
    recipe: str
    path: str
    tarball: bytes
    entry: Mapping[str, Any]


def known(names: Iterable[str]) -> list[str]:
    """These names, each once; raises LabError where one is of no program."""
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        raise LabError(
            f"no program is called {', '.join(unknown)}; there are: {', '.join(sorted(NAMES))}",
            "lab/recipes.py and lab/maven.py have the lists",
        )
    return wanted


def recipe_digest(name: str) -> str:
    """Of what decides how a program is made."""
    return maven.recipe_digest(MAVEN[name]) if name in MAVEN else recipes.recipe_digest(find(name))


def make(name: str, state: State) -> Release:
    """Fetch or build a program and pack it: equal sources, equal bytes."""
    return _fetched(MAVEN[name], state) if name in MAVEN else _built(find(name), state)


def _built(recipe: Recipe, state: State) -> Release:
    with step(f"build {recipe.name} from Go modules", announce=True) as notes:
        digest = recipes.recipe_digest(recipe)  # of what is there before the build, should it change meanwhile
        version, arch, binaries = gobuild.build(recipe, state)
        root = artifacts.release_name(recipe.name, version, arch)
        tarball = artifacts.pack(root, binaries)
        artifact = artifacts.Artifact(recipe.name, (), recipe.programs)
        entry = artifacts.lock_entry(artifact, version, arch, hashlib.sha256(tarball).hexdigest())
        notes.append(f"{version}, {len(tarball) / 1e6:.1f} MB")
    return Release(recipe.name, digest, f"{recipe.name}/{root}.tar.gz", tarball, entry)


def _fetched(artifact: MavenArtifact, state: State) -> Release:
    with step(f"fetch {artifact.name} from Maven Central", announce=True) as notes:
        tarball = maven.tarball(artifact, maven.fetch(artifact, state).read_bytes())
        entry = maven.lock_entry(artifact, hashlib.sha256(tarball).hexdigest())
        path = entry[artifact.version]["path"].format(version=artifact.version)
        notes.append(f"{artifact.version}, {len(tarball) / 1e6:.1f} MB")
    return Release(artifact.name, maven.recipe_digest(artifact), path, tarball, entry)


def missing(names: Iterable[str], lock: artifacts.Lock | None) -> list[str]:
    """Of the programs of these names those that the lock has not, or of another recipe."""
    there = lock.recipes if lock else {}
    return [name for name in known(names) if there.get(name) != recipe_digest(name)]


def merged(lock: artifacts.Lock | None, releases: Iterable[Release]) -> artifacts.Lock:
    """The lock with these releases, each in place of the program's earlier one."""
    digests, entries = (dict(lock.recipes), dict(lock.entries)) if lock else ({}, {})
    for release in releases:
        digests[release.name] = release.recipe
        entries[release.name] = release.entry
    return artifacts.Lock(digests, entries)


def publish(launcher: Launcher, state: State, releases: Iterable[Release]) -> None:
    """Put releases into the store, then the lock that names them: a tarball that the lock names is whole."""
    container = mirror.wait_ready(launcher)
    releases = list(releases)
    for release in releases:
        put(container, release.path, release.tarball)
    lock = merged(artifacts.stored(launcher, artifacts.PROGRAMS_LOCK), releases)
    put(container, artifacts.PROGRAMS_LOCK, lock.text().encode())
    artifacts.ensure(launcher, state)


def put(container: Any, path: str, content: bytes) -> None:
    """A file of the store, renamed into its place: whoever fetches it gets all of the old one or of the new one."""
    folder = path.rpartition("/")[0]
    unfinished = f"{path}.unfinished"
    container.put_archive(
        artifacts.STORE, archive({unfinished: FileEntry(content)}, {folder: (0o755, 0)} if folder else None)
    )
    command = ["mv", "--no-target-directory", f"{artifacts.STORE}/{unfinished}", f"{artifacts.STORE}/{path}"]
    execute(container, command, f"putting {path} into the store")


def ensure(launcher: Launcher, state: State, names: Iterable[str]) -> str:
    """Make sure that the store and the lab's lock have these programs; makes what they lack."""
    mirror.wait_ready(launcher)
    wanted = missing(names, artifacts.stored(launcher, artifacts.PROGRAMS_LOCK))
    if not wanted:
        return artifacts.ensure(launcher, state)
    publish(launcher, state, [make(name, state) for name in wanted])
    return f"made {', '.join(wanted)}"
