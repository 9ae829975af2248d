"""What installing packages brought to a host, so that it can be given back. Pure.

packages.json in the store:

    format       1
    baseline     {package: version} from before the first call, to tell what was upgraded since
    settings     files and links below /etc from before the first call: a purge may take some that it did not bring
    calls        one a call that installed something: `asked` for, `packages` {name: version} that are new, dependencies
                 included, `users` and `groups` that are new, the time as `at`, `data` {package: [directory]}, and
                 `leaves`: paths that were not there and that a purge leaves behind
    pending      a call that has begun and not ended: what was there before it; finished by the next one
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class Inventory:
    """What a host has that packages bring: packages with versions, users and groups."""

    packages: Mapping[str, str]
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    settings: tuple[str, ...] = ()


def begin(
    record: Mapping[str, Any] | None,
    now: Inventory,
    asked: Iterable[str],
    data: Mapping[str, list[str]],
    at: int,
    leaves: Iterable[str] = (),
) -> dict[str, Any]:
    """The record as it is written before apt is called. A call that died before it ended is ended first."""
    empty = {"format": FORMAT, "baseline": dict(now.packages), "settings": list(now.settings), "calls": []}
    old = finish(record, now) if record else empty
    pending = {
        "at": at,
        "asked": sorted(asked),
        "data": {name: list(paths) for name, paths in data.items()},
        "leaves": list(leaves),
        "before": {"packages": sorted(now.packages), "users": sorted(now.users), "groups": sorted(now.groups)},
    }
    return {**old, "pending": pending}


def finish(record: Mapping[str, Any], now: Inventory) -> dict[str, Any]:
    """The record once apt has ended, well or not: what is there now and was not before is ours."""
    pending = record.get("pending")
    rest = {key: value for key, value in record.items() if key != "pending"}
    if not pending:
        return dict(rest)
    before = pending["before"]
    call = {
        "at": pending["at"],
        "asked": pending["asked"],
        "data": pending["data"],
        "leaves": pending["leaves"],
        "packages": {name: now.packages[name] for name in sorted(set(now.packages) - set(before["packages"]))},
        "users": sorted(now.users - set(before["users"])),
        "groups": sorted(now.groups - set(before["groups"])),
    }
    new = any(call[key] for key in ("packages", "users", "groups"))
    return {**rest, "calls": [*rest["calls"], *([call] if new else [])]}


def ours(record: Mapping[str, Any] | None, kind: str) -> list[str]:
    """`packages`, `users` or `groups` that calls brought, the latest first."""
    calls = reversed((record or {}).get("calls") or ())
    return list(dict.fromkeys(name for call in calls for name in sorted(call[kind])))


def data_of(record: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """Directories with data, by package that brought them with us; those of packages from before are not ours."""
    brought = set(ours(record, "packages"))
    found: dict[str, list[str]] = {}
    for call in (record or {}).get("calls") or ():
        found.update({name: paths for name, paths in call["data"].items() if name in brought})
    return found


def leaves_of(record: Mapping[str, Any] | None) -> list[str]:
    """Paths that a purge leaves behind, inner ones before their directories."""
    return [path for call in (record or {}).get("calls") or () for path in call["leaves"]]


def beside_data(record: Mapping[str, Any] | None, holds: Callable[[str], bool]) -> set[str]:
    """Packages that came in a call whose data is still there. `holds`: whether a directory has something in it.

    A purge is what their maintainers make of it: that of Redis's tools takes the server's data along. Whatever came
    together with data is therefore removed without it.
    """
    calls = (record or {}).get("calls") or ()
    return {
        name
        for call in calls
        if any(holds(path) for paths in call["data"].values() for path in paths)
        for name in call["packages"]
    }


def upgraded(record: Mapping[str, Any] | None, now: Mapping[str, str]) -> list[str]:
    """Packages from before us that have another version now: what cannot be given back."""
    baseline = (record or {}).get("baseline") or {}
    return [
        f"{name} ({version} -> {now[name]})"
        for name, version in sorted(baseline.items())
        if now.get(name, version) != version
    ]
