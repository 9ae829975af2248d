"""Lock files as the roles read them. Their shape is checked with line numbers by the preflight, not here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .model import PlatformError
from .paths import made_by

# The same as SafeLoader, in C where there is one: a lock file is read at each task.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_lock(path: str, root: Path, key: str) -> dict[str, Any]:
    """The mapping below `key` of one lock file; PlatformError names the file and what is wrong with it."""
    try:
        data = yaml.load((root / path).read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506 - a safe loader
    except FileNotFoundError:
        raise PlatformError(f"no lock file {path}: {made_by(path)}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlatformError(f"lock file {path} cannot be read: {error}") from error
    entries = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(entries, dict):
        raise PlatformError(f"lock file {path} has no mapping '{key}'")
    return entries


def read_images(paths: Sequence[str], root: Path) -> dict[str, Any]:
    """`{name: {ref, tag, digest}}` of all files together; a later file wins."""
    return {name: entry for path in paths for name, entry in read_lock(path, root, "images").items()}


def read_artifacts(paths: Sequence[str], root: Path) -> dict[str, Any]:
    """`{name: {version: {url, sha256, …}}}` of all files together; of the same version the later file's holds."""
    locked: dict[str, Any] = {}
    for path in paths:
        for artifact, versions in read_lock(path, root, "artifacts").items():
            locked.setdefault(artifact, {}).update(versions)
    return locked
