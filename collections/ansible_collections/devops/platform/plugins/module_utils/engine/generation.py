"""Generations: what a component was at one time, as the ledger keeps it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Callable

from .spec import KEEP, Directory, Entry, Release, Runtime, Spec, User

Digest = Callable[[bytes], str]


def describe(entry: Entry, digest: Digest) -> dict[str, Any]:
    """An entry as the ledger keeps it."""
    return {
        "digest": "" if entry.is_link else digest(entry.content),
        "target": entry.target,
        "mode": entry.mode,
        "owner": entry.owner,
        "group": entry.group,
        "on_change": entry.on_change,
        "reload_keys": list(entry.reload_keys),
        "validate": entry.validate,
    }


def generation_of(
    target: Spec, entries: Mapping[str, Mapping[str, Any]], packages: Mapping[str, str], secrets: Mapping[str, Any]
) -> dict[str, Any]:
    """A generation as the ledger keeps it; its id is a digest over everything that describes it."""
    body: dict[str, Any] = {
        "release": {**asdict(target.release), "directory": ""} if target.release else None,
        "entries": {path: dict(entry) for path, entry in sorted(entries.items())},
        "directories": [asdict(directory) for directory in target.directories],
        "runtime": asdict(target.runtime),
        "probes": list(target.probes),
        "user": asdict(target.user) if target.user else None,
        "packages": dict(sorted(packages.items())),
        "secrets": dict(secrets),
    }
    if body["release"]:
        # Where it came from is no part of what it is: a mirror may change without a rollout.
        body["release"].pop("urls")
    if target.transient:
        body["transient"] = True
    canonical = json.dumps(body, sort_keys=True).encode()
    return {"id": hashlib.sha256(canonical).hexdigest(), **body}


def runtime_of(generation: Mapping[str, Any] | None) -> Runtime:
    """How a kept generation runs."""
    if not generation:
        return Runtime()
    kept = generation["runtime"]
    return Runtime(**{**kept, "services": tuple(kept["services"]), "images": tuple(kept["images"])})


def spec_of(name: str, generation: Mapping[str, Any], contents: Mapping[str, bytes], keep: int = KEEP) -> Spec:
    """The Spec that a kept generation describes; the way in for `state: rolled_back`.

    `contents` maps digests to bytes. Validation commands are kept too, so that a rollback is checked like any change.
    """
    entries = tuple(
        Entry(
            path=path,
            content=contents.get(entry.get("digest") or "", b""),
            target=entry.get("target") or "",
            mode=entry["mode"],
            owner=entry["owner"],
            group=entry["group"],
            on_change=entry["on_change"],
            reload_keys=tuple(entry["reload_keys"]),
            validate=entry["validate"],
        )
        for path, entry in generation["entries"].items()
    )
    release = dict(generation["release"]) if generation["release"] else None
    if release:
        release.pop("directory")
        release["binaries"] = tuple(release["binaries"])
    user = dict(generation["user"]) if generation["user"] else None
    if user:
        user["groups"] = tuple(user["groups"])
    return Spec(
        name=name,
        entries=entries,
        directories=tuple(Directory(**directory) for directory in generation["directories"]),
        release=Release(**release) if release else None,
        user=User(**user) if user else None,
        runtime=runtime_of(generation),
        probes=tuple(generation["probes"]),
        packages=tuple(generation["packages"]),
        keep=keep,
    )
