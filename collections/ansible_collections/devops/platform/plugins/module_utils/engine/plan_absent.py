"""The plan for `state: absent`: remove what the ledger says is ours, and put back what stood there before. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .generation import runtime_of
from .host import Found
from .plan import Change, Item, Observed, Plan, directory_differs, leaving_change
from .spec import Directory, Entry

GOING = "it is to be absent"


def plan_absent(
    observed: Observed, ledger: Mapping[str, Any] | None, originals: Mapping[str, Entry], purge: bool
) -> Plan:
    """Directories go only when nothing but ours is in them; those that hold data, and their owner, only on `purge`."""
    if not ledger:
        return Plan()
    generation: Mapping[str, Any] = ledger["generation"] or {}
    entries: Mapping[str, Any] = generation.get("entries") or {}
    runtime = runtime_of(generation)
    changes = []
    for path in entries:
        change = leaving_change(path, observed.entries.get(path, Found()), originals.get(path))
        if change:
            changes.append(replace(change, reason=GOING) if change.after is None else change)
    items: list[Item] = []
    effect = "none"
    if runtime.kind in ("unit", "compose"):
        effect = "stop"
        items.append(Item("stop", runtime.unit or runtime.project, GOING))
    elif runtime.kind == "service" and changes and observed.unit.running:
        # A package's unit goes back to the package: it takes notice of its own configuration.
        effect = "restart"
        items.append(Item("restart", runtime.unit, "its original configuration is back"))
    items += [Item(change.action, change.path, change.reason) for change in changes]
    given_back = _given_back(observed, ledger)
    items += [Item("set directory attributes", wanted.path, "as they were before us") for wanted, _ in given_back]
    folders, trees, kept = _directories(observed, ledger, set(entries) - set(originals), purge)
    items += [Item("remove directory", path, "made by us") for path in folders]
    items += [Item("remove directory", path, "made by us, with its data") for path in trees]
    user = (ledger.get("created") or {}).get("user") or ""
    if user and not kept:
        items.append(Item("remove user", user, "made by us"))
    if generation:
        items += [Item("keep directory", path, reason) for path, reason in kept]
        if user and kept:
            items.append(Item("keep user", user, "it may own what is in the directories that stay"))
        items.append(Item("forget", ledger["component"], GOING))
    return Plan(
        items=tuple(items),
        changes=tuple(changes),
        directories=given_back,
        leaving=tuple(entries),
        remove_user="" if kept else user,
        effect=effect,
        daemon_reload=any(_is_unit(change) for change in changes),
        absent=True,
        folders=folders,
        trees=trees,
    )


def _is_unit(change: Change) -> bool:
    return change.path.startswith("/etc/systemd/system/")


def _given_back(observed: Observed, ledger: Mapping[str, Any]) -> tuple[tuple[Directory, Found], ...]:
    """Directories that stood there before us and get their attributes back."""
    pairs = []
    for path, before in sorted(((ledger.get("created") or {}).get("adjusted") or {}).items()):
        wanted, found = Directory(path, **before), observed.directories.get(path, Found())
        if found.kind == "directory" and directory_differs(wanted, found):
            pairs.append((wanted, found))
    return tuple(pairs)


def _directories(
    observed: Observed, ledger: Mapping[str, Any], going: set[str], purge: bool
) -> tuple[tuple[str, ...], tuple[str, ...], list[tuple[str, str]]]:
    """(folders that go when empty, trees that go as a whole, (path, reason) of those that stay), inner ones first."""
    made = list((ledger.get("created") or {}).get("directories") or [])
    inner_first = sorted(made, key=lambda directory: directory["path"], reverse=True)
    folders: list[str] = []
    trees: list[str] = []
    kept: list[tuple[str, str]] = []
    for directory in inner_first:
        path = directory["path"]
        foreign = _foreign(observed.contents.get(path, ()), going, [*folders, *trees])
        if directory.get("data") and not purge:
            kept.append((path, "it holds data; purge: true removes it"))
        elif directory.get("data"):
            trees.append(path)
        elif foreign:
            kept.append((path, f"{foreign[0]} in it is not ours"))
        else:
            folders.append(path)
    return tuple(folders), tuple(trees), kept


def _foreign(contents: Iterable[str], going: set[str], removed: list[str]) -> list[str]:
    """What would be left in a directory: neither ours nor inside a directory that goes before."""
    return [
        path
        for path in contents
        if path not in going and not any(path == other or path.startswith(f"{other}/") for other in removed)
    ]
