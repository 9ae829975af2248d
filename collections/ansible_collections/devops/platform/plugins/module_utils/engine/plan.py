"""The difference between what is asked for and what is there. Pure: nothing here reads or writes a host.

A Plan is the single source of what a run reports, what check mode predicts, and what the transaction does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .host import Found
from .spec import Directory, Entry, Release, Runtime, Spec, User
from .units import UnitState

if TYPE_CHECKING:
    from .packages import Move

OBSTACLES = {"directory": "a directory", "file": "a file", "link": "a link", "other": "a device, pipe or socket"}
LEVELS = {"none": 0, "reload": 1, "restart": 2}
# Unit file states that need no `systemctl enable`: it is done, or the unit has no [Install] section.
ENABLED = ("enabled", "enabled-runtime", "static", "alias", "indirect", "generated")


@dataclass(frozen=True)
class Item:
    """One line of the plan as people read it."""

    action: str
    target: str
    reason: str


@dataclass(frozen=True)
class Change:
    """One path that changes: `after` is None where it goes away."""

    path: str
    action: str
    before: Found
    after: Entry | None
    reason: str


@dataclass(frozen=True)
class Services:
    """What runs of a Compose project: service name -> state ('running', 'healthy', 'exited', …)."""

    states: Mapping[str, str] = field(default_factory=dict)

    def missing(self, expected: tuple[str, ...]) -> list[str]:
        return [name for name in expected if self.states.get(name) not in ("running", "healthy")]


@dataclass(frozen=True)
class Observed:
    """The host before the change, as far as this component is concerned.

    `contents`: what lies below each directory that was made for the component, read for `state: absent` alone.
    `owned`: which other component owns a path that would be taken over.
    """

    entries: Mapping[str, Found]
    directories: Mapping[str, Found]
    contents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owned: Mapping[str, str] = field(default_factory=dict)
    unit: UnitState = field(default_factory=UnitState)
    services: Services = field(default_factory=Services)
    user_exists: bool = True
    release_ready: bool = True
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    items: tuple[Item, ...] = ()
    changes: tuple[Change, ...] = ()
    directories: tuple[tuple[Directory, Found], ...] = ()
    leaving: tuple[str, ...] = ()
    create_user: User | None = None
    remove_user: str = ""
    install: Release | None = None
    effect: str = "none"
    enable: bool = False
    daemon_reload: bool = False
    absent: bool = False
    moves: tuple[Move, ...] = ()
    # Of an absent component: folders that go once they are empty, and trees that go with all that is in them.
    folders: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.items)


def reload_is_enough(before: bytes, after: bytes, keys: tuple[str, ...]) -> bool:
    """True when both are JSON objects whose only differing top-level keys are in `keys`."""
    try:
        old, new = json.loads(before), json.loads(after)
    except ValueError:
        return False
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return False
    absent = object()
    differing = {key for key in {*old, *new} if old.get(key, absent) != new.get(key, absent)}
    return differing <= set(keys)


def level_of(change: Change, ledger_entry: Mapping[str, Any]) -> int:
    """How strongly the service must take notice of a changed path."""
    if change.after is None:
        return LEVELS[str(ledger_entry.get("on_change", "restart"))]
    entry = change.after
    same_kind = change.before.kind == "file" and not entry.is_link
    if entry.on_change == "restart" and entry.reload_keys and same_kind:
        return LEVELS[
            "reload" if reload_is_enough(change.before.content, entry.content, entry.reload_keys) else "restart"
        ]
    return LEVELS[entry.on_change]


def compare(entry: Entry, found: Found, ours: bool, owner: str = "") -> Change | None:
    """What has to be done at one declared path, if anything. `owner` is another component that owns it."""
    if owner:
        return Change(entry.path, "blocked", found, entry, f"it belongs to the component {owner}")
    if found.kind == "absent":
        return Change(entry.path, "create", found, entry, "it was removed" if ours else "not there")
    if found.kind in ("directory", "other"):
        return Change(entry.path, "blocked", found, entry, f"{OBSTACLES[found.kind]} stands in the way")
    action, reason = _difference(entry, found)
    if not action:
        return None
    if ours or action == "set attributes":
        return Change(entry.path, action, found, entry, reason)
    return Change(entry.path, "take over", found, entry, f"it exists and is not ours: {reason}; the original is kept")


def _difference(entry: Entry, found: Found) -> tuple[str, str]:
    """(action, reason), both empty where file or link are as declared."""
    if entry.is_link:
        if found.kind == "link" and found.target == entry.target:
            return "", ""
        return "update", f"points to {found.target}" if found.kind == "link" else "a file stands there"
    if found.kind == "link":
        return "update", f"a link to {found.target} stands there"
    if found.content != entry.content:
        return "update", "its content differs"
    was, will = (found.owner, found.group, found.mode), (entry.owner, entry.group, entry.mode)
    if was != will:
        return "set attributes", "{}:{} {:04o} becomes {}:{} {:04o}".format(*was, *will)
    return "", ""


def leaving_change(path: str, found: Found, original: Entry | None) -> Change | None:
    """What has to be done at a path that is ours and no longer declared."""
    if original is not None:
        if not any(_difference(original, found)):
            return None
        return Change(path, "restore original", found, original, "it stood there before us")
    if found.kind == "absent":
        return None
    return Change(path, "remove", found, None, "no longer declared")


def blocked_by(plan: Plan) -> list[str]:
    """What stands in the way of a plan, in words; empty where it can be carried out."""
    paths = [f"{change.path}: {change.reason}" for change in plan.changes if change.action == "blocked"]
    return paths + [
        f"{directory.path} is to be a directory, but {OBSTACLES[found.kind]} stands there"
        for directory, found in plan.directories
        if found.kind not in ("absent", "directory")
    ]


def directory_differs(wanted: Directory, found: Found) -> bool:
    if found.kind != "directory":
        return True
    return (found.mode, found.owner, found.group) != (wanted.mode, wanted.owner, wanted.group)


def _directory_items(target: Spec, observed: Observed) -> tuple[list[Item], list[tuple[Directory, Found]]]:
    items: list[Item] = []
    pairs: list[tuple[Directory, Found]] = []
    # Sorted, so that a directory is made before those inside it.
    for directory in sorted(target.directories, key=lambda directory: directory.path):
        found = observed.directories.get(directory.path, Found())
        if directory_differs(directory, found):
            action = "create directory" if found.kind == "absent" else "set directory attributes"
            items.append(Item(action, directory.path, f"{directory.owner}:{directory.group} {directory.mode:04o}"))
            pairs.append((directory, found))
    return items, pairs


def _effect(runtime: Runtime, observed: Observed, level: int) -> tuple[str, str]:
    """What happens to the service, and why: (none | start | reload | restart, reason)."""
    if runtime.kind == "none":
        return "none", ""
    if runtime.kind == "compose":
        missing = observed.services.missing(runtime.services)
        if level:
            return "restart", "what it runs from changed"
        return ("start", "not running: " + ", ".join(missing)) if missing else ("none", "")
    if not observed.unit.running:
        return "start", "it is not running"
    if level == LEVELS["restart"]:
        return "restart", "what it was started from changed"
    if level == LEVELS["reload"]:
        return "reload", "its configuration changed"
    return "none", ""


def plan_present(
    target: Spec,
    observed: Observed,
    ledger: Mapping[str, Any] | None,
    originals: Mapping[str, Entry],
    generation_id: str,
    moves: tuple[Move, ...] = (),
) -> Plan:
    """The plan that makes `target` true. `originals` are kept foreign files, by path, for what is left behind.

    `moves`: packages whose version is another one than that of the generation in the ledger, or gone back to.
    """
    generation: Mapping[str, Any] = (ledger or {}).get("generation") or {}
    ours: Mapping[str, Any] = generation.get("entries") or {}
    items: list[Item] = []
    if target.user and not observed.user_exists:
        items.append(Item("create user", target.user.name, "not there"))
    if target.release and not observed.release_ready:
        items.append(
            Item("install release", f"{target.name} {target.release.version}", f"sha256 {target.release.sha256[:12]}")
        )
    directory_items, directories = _directory_items(target, observed)
    items += directory_items

    changes: list[Change] = []
    for entry in target.entries:
        found = observed.entries.get(entry.path, Found())
        change = compare(entry, found, entry.path in ours, observed.owned.get(entry.path, ""))
        if change:
            changes.append(change)
    declared = {entry.path for entry in target.entries}
    leaving = [path for path in ours if path not in declared]
    for path in leaving:
        gone = leaving_change(path, observed.entries.get(path, Found()), originals.get(path))
        if gone:
            changes.append(gone)
    items += [Item(change.action, change.path, change.reason) for change in changes]
    items += [Item(move.action, move.name, move.reason) for move in moves]

    level = max((level_of(change, ours.get(change.path) or {}) for change in changes), default=0)
    if any(move.installs for move in moves):
        level = LEVELS["restart"]
    effect, reason = _effect(target.runtime, observed, level)
    enable = target.runtime.kind in ("unit", "service") and observed.unit.enabled not in ENABLED
    subject = target.runtime.unit or target.runtime.project
    if enable:
        items.append(Item("enable", subject, "so that it starts with the host"))
    if effect != "none":
        items.append(Item(effect, subject, reason))
    if not items and generation.get("id") != generation_id:
        items.append(Item("record", target.name, "the description changed, the host does not"))
    units_changed = any(
        change.path.startswith(("/etc/systemd/system/", "/usr/lib/systemd/system/")) for change in changes
    )
    return Plan(
        items=tuple(items),
        changes=tuple(changes),
        directories=tuple(directories),
        leaving=tuple(leaving),
        create_user=target.user if target.user and not observed.user_exists else None,
        install=target.release if not observed.release_ready else None,
        effect=effect,
        enable=enable,
        daemon_reload=units_changed or observed.unit.needs_reload,
        moves=moves,
    )
