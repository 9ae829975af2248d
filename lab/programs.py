"""Programs built from Go modules, in the mirror's store: release tarballs and the part of the lock that pins them.

Nothing is built unless it is asked for by name: a cold start need not wait for compilers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lab import artifacts, gobuild, mirror
from lab.hosts import Launcher
from lab.progress import step
from lab.recipes import RECIPES, Recipe, find, recipe_digest
from lab.runtime import FileEntry, archive, execute
from lab.state import State

NAMES = frozenset(recipe.name for recipe in RECIPES)


@dataclass(frozen=True)
class Release:
    """A program as hosts get it. ``recipe`` is the digest of what it was built from."""

    recipe: str
    artifact: artifacts.Artifact
    version: str
    arch: str
    tarball: bytes

    @property
    def path(self) -> str:
        """Below the store."""
        return f"{self.artifact.name}/{artifacts.release_name(self.artifact.name, self.version, self.arch)}.tar.gz"

    def entry(self) -> dict[str, Any]:
        digest = hashlib.sha256(self.tarball).hexdigest()
        return artifacts.lock_entry(self.artifact, self.version, self.arch, digest)


def make(recipe: Recipe, state: State) -> Release:
    """Build a program and pack it: equal sources, equal bytes."""
    with step(f"build {recipe.name} from Go modules", announce=True) as notes:
        digest = recipe_digest(recipe)  # of what is there before the build, should it change meanwhile
        version, arch, binaries = gobuild.build(recipe, state)
        root = artifacts.release_name(recipe.name, version, arch)
        artifact = artifacts.Artifact(recipe.name, (), recipe.programs)
        release = Release(digest, artifact, version, arch, artifacts.pack(root, binaries))
        notes.append(f"{version}, {len(release.tarball) / 1e6:.1f} MB")
    return release


def missing(names: Iterable[str], lock: artifacts.Lock | None) -> list[Recipe]:
    """Of the programs of these names those that the lock has not, or of another recipe."""
    known = lock.recipes if lock else {}
    return [recipe for recipe in map(find, dict.fromkeys(names)) if known.get(recipe.name) != recipe_digest(recipe)]


def merged(lock: artifacts.Lock | None, releases: Iterable[Release]) -> artifacts.Lock:
    """The lock with these releases, each in place of the program's earlier one."""
    recipes, entries = (dict(lock.recipes), dict(lock.entries)) if lock else ({}, {})
    for release in releases:
        recipes[release.artifact.name] = release.recipe
        entries[release.artifact.name] = release.entry()
    return artifacts.Lock(recipes, entries)


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
    """Make sure that the store and the lab's lock have these programs; builds what they lack."""
    mirror.wait_ready(launcher)
    wanted = missing(names, artifacts.stored(launcher, artifacts.PROGRAMS_LOCK))
    if not wanted:
        artifacts.ensure(launcher, state)
        return "unchanged"
    publish(launcher, state, [make(recipe, state) for recipe in wanted])
    return f"built {', '.join(recipe.name for recipe in wanted)}"
