"""What installing packages brought to a host, so that it can be given back. Pure.

packages.json in the store:

    format       1
    baseline     {package: version} from before the first call, to tell what was upgraded since
    calls        one a call that installed something: `asked` for, `packages` {name: version} that are new, dependencies
                 included, `users` and `groups` that are new, `rollout time` as `at`, and `data` {package: [directory]}
    pending      a call that has begun and not ended: what was there before it; finished by the next one
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class Inventory:
    """What a host has that packages bring: packages with versions, users and groups."""

    packages: Mapping[str, str]
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


def begin(
    record: Mapping[str, Any] | None, now: Inventory, asked: Iterable[str], data: Mapping[str, list[str]], at: int
) -> dict[str, Any]:
    """The record as it is written before apt is called. A call that died before it ended is ended first."""
    old = finish(record, now) if record else {"format": FORMAT, "baseline": dict(now.packages), "calls": []}
    pending = {
        "at": at,
        "asked": sorted(asked),
        "data": {name: list(paths) for name, paths in data.items()},
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


def upgraded(record: Mapping[str, Any] | None, now: Mapping[str, str]) -> list[str]:
    """Packages from before us that have another version now: what cannot be given back."""
    baseline = (record or {}).get("baseline") or {}
    return [
        f"{name} ({version} -> {now[name]})"
        for name, version in sorted(baseline.items())
        if now.get(name, version) != version
    ]
