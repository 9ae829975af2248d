"""The next ledger: what is ours once a change is true, and what nothing names any more. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .generation import Digest
from .history import Way, before_after, generations, remembered
from .host import Found
from .plan import Observed, Plan
from .spec import Spec
from .store import FORMAT


@dataclass(frozen=True)
class Stamp:
    """What makes one change this change: the transaction, the rollout it belongs to, and when (seconds)."""

    transaction: str
    rollout: str
    at: int


def original(before: Found, digest: Digest) -> dict[str, Any]:
    """What stood at a path before it became ours."""
    return {
        "digest": digest(before.content) if before.kind == "file" else "",
        "target": before.target,
        "mode": before.mode,
        "owner": before.owner,
        "group": before.group,
    }


def adopted(target: Spec, observed: Observed, ledger: Mapping[str, Any] | None) -> dict[str, Found]:
    """Paths that become ours with this change although something stood there, equal or not."""
    known = ((ledger or {}).get("generation") or {}).get("entries") or {}
    return {
        entry.path: observed.entries[entry.path]
        for entry in target.entries
        if entry.path not in known and observed.entries[entry.path].kind in ("file", "link")
    }


def adjusted(plan: Plan, ledger: Mapping[str, Any] | None) -> dict[str, Any]:
    """Directories that stood there before us, with the attributes that they had: `absent` gives them back."""
    old: Mapping[str, Any] = ledger or {}
    created = old.get("created") or {}
    declared = (old.get("generation") or {}).get("directories") or []
    ours = {item["path"] for item in (*declared, *(created.get("directories") or []))}
    kept = dict(created.get("adjusted") or {})
    for item, found in plan.directories:
        if found.kind == "directory" and item.path not in ours:
            kept[item.path] = {"mode": found.mode, "owner": found.owner, "group": found.group}
    return kept


def next_ledger(
    target: Spec,
    plan: Plan,
    observed: Observed,
    ledger: Mapping[str, Any] | None,
    generation: Mapping[str, Any],
    release: str,
    parents: list[str],
    stamp: Stamp,
    digest: Digest,
    way: Way | None = None,
) -> dict[str, Any]:
    """The ledger after this change. `release`: the folder in use; `way`: where the change goes back, if it does."""
    old: Mapping[str, Any] = ledger or {}
    in_use = {**generation, "directory": release}
    memory = remembered(ledger, in_use, way, target.keep, stamp.rollout, stamp.at)
    created = old.get("created") or {}
    directories = list(created.get("directories") or [])
    directories += [
        {"path": item.path, "data": item.data} for item, found in plan.directories if found.kind == "absent"
    ]
    taken_over = {path: kept for path, kept in (old.get("taken_over") or {}).items() if path in generation["entries"]}
    for path, found in adopted(target, observed, ledger).items():
        taken_over[path] = original(found, digest)
    wanted = {str(item.get("directory") or "") for item in generations(memory)} - {""}
    releases = old.get("releases") or {}
    return {
        "format": FORMAT,
        "component": target.name,
        "transaction": stamp.transaction,
        **memory,
        "taken_over": taken_over,
        "created": {
            "user": created.get("user") or (plan.create_user.name if plan.create_user else ""),
            "directories": directories,
            "adjusted": adjusted(plan, ledger),
            "parents": [*(created.get("parents") or []), *parents],
        },
        "releases": {folder: releases.get(folder, {}) for folder in sorted(wanted)},
    }


def ledger_of_absent(plan: Plan, ledger: Mapping[str, Any], stamp: Stamp, way: Way | None = None) -> dict[str, Any]:
    """What is left to know of an absent component: directories with data, so that `purge` still finds them. Or {}."""
    created = ledger["created"]
    gone = {*plan.folders, *plan.trees}
    directories = [item for item in created["directories"] if item["path"] not in gone]
    if not directories:
        return {}
    before = before_after(ledger, None, way, stamp.rollout)
    return {
        "format": FORMAT,
        "component": ledger["component"],
        "transaction": stamp.transaction,
        "generation": None,
        "previous": [],
        **({"before": before} if before else {}),
        "changed_by": {"rollout": stamp.rollout, "at": stamp.at},
        "taken_over": {},
        "created": {"user": created["user"], "directories": directories, "parents": created["parents"]},
        "releases": {},
    }


def unnamed_releases(ledger: Mapping[str, Any] | None, following: Mapping[str, Any]) -> list[str]:
    """Folders of releases that the next ledger names no more."""
    return sorted(set((ledger or {}).get("releases") or {}) - set(following.get("releases") or {}))
