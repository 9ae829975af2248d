"""Programs of the mirror's artifacts on this machine: the very ones that hosts run, for tests that ask them."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from lab import artifacts, fleet, mirror, prerequisites, programs
from lab.errors import LabError
from lab.hosts import Launcher
from lab.state import State


def ensure(name: str, state: State | None = None) -> Path:
    """The folder that holds an artifact's programs, such as promtool of ``prometheus``; fetched once a digest, and
    made before where it is not of Debian.

    The mirror is started where it does not run, and stopped again where nothing else needs it.
    """
    state = state or State()
    known = _entry(state, name)
    if known and _folder(state, name, known).exists():
        return _folder(state, name, known)
    with state.locked():
        launcher = Launcher(prerequisites.ensure_docker(state), state.load_settings())
        alone = not launcher.containers("fleet") and not launcher.containers("ephemeral")
        launcher.ensure_network()
        mirror.start(launcher)
        try:
            if name in programs.NAMES:
                programs.ensure(launcher, state, [name])
            else:
                artifacts.ensure(launcher, state)
            entry = _entry(state, name)
            if entry is None:
                raise LabError(
                    f"the mirror has no artifact {name}",
                    "lab/artifacts.py, lab/recipes.py and lab/maven.py list those that there are",
                )
            return _unpack(artifacts.fetch(launcher, entry), _folder(state, name, entry))
        finally:
            if alone:
                launcher.remove(launcher.containers())
                fleet.remove_network(launcher.client)


def _entry(state: State, name: str) -> dict[str, Any] | None:
    """The lock's entry, its version included; None where the lock is of another recipe, or lacks it."""
    try:
        text = state.artifacts_lock.read_text()
    except FileNotFoundError:
        return None
    lock = artifacts.Lock.parse(text)
    own = name in programs.NAMES
    wanted = programs.recipe_digest(name) if own else artifacts.recipe_digest()
    if lock.recipes.get(name if own else "") != wanted:
        return None
    versions = lock.entries.get(name) or {}
    return next(({**entry, "version": version} for version, entry in versions.items()), None)


def _folder(state: State, name: str, entry: dict[str, Any]) -> Path:
    return state.root / "programs" / f"{name}-{entry['version']}-{artifacts.digest(entry)[:12]}"


def _unpack(content: bytes, folder: Path) -> Path:
    """Beside its place and renamed into it: a folder that is there is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder.parent))
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive.getmembers():
                if member.isfile():
                    member.name = member.name.partition("/")[2]
                    archive.extract(member, unfinished, filter="data")
        unfinished.chmod(0o755)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return folder
