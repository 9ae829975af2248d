"""Reading the host for one component: everything the plan needs, and nothing else."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import dpkg
from .host import Host
from .plan import Observed
from .release import intact
from .runtime import observe_services
from .spec import Entry, Runtime, Spec
from .store import Store
from .units import UnitState


@dataclass(frozen=True)
class ReleaseChoice:
    """The folder that holds, or will hold, the wanted release."""

    directory: str = ""
    ready: bool = True


def choose_release(target: Spec, ledger: Mapping[str, Any] | None) -> ReleaseChoice:
    """An intact folder of this version and digest, or a free name for one.

    A folder whose files changed since they were unpacked is never repaired in place: a fresh one is
    unpacked beside it and the link moves, so that the running service is switched like at any upgrade.
    """
    if not target.release:
        return ReleaseChoice()
    base = target.release.directory(target.name)
    known: Mapping[str, Any] = (ledger or {}).get("releases") or {}
    for directory, files in known.items():
        if directory.split("+", 1)[0] == base and intact(directory, files):
            return ReleaseChoice(directory, True)
    candidate, count = base, 1
    while candidate in known:
        count += 1
        candidate = f"{base}+{count}"
    return ReleaseChoice(candidate, False)


def with_release(target: Spec, choice: ReleaseChoice) -> Spec:
    """The target with its `current` link leading to the chosen folder."""
    entries = tuple(
        replace(entry, target=choice.directory) if entry.path == target.current and target.release else entry
        for entry in target.entries
    )
    return replace(target, entries=entries)


def user_exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def installed_packages(host: Host, names: tuple[str, ...]) -> dict[str, str]:
    """Package name -> installed version; what is not installed, and everything where there is no dpkg, is left out."""
    return dpkg.installed(host.query(dpkg.query(names)).output) if names else {}


def contents(directory: str) -> tuple[str, ...]:
    """Every path below a directory."""
    return tuple(
        os.path.join(folder, name) for folder, folders, names in os.walk(directory) for name in [*folders, *names]
    )


def observe(
    host: Host, store: Store, target: Spec, ledger: Mapping[str, Any] | None, runtime: Runtime, release_ready: bool
) -> Observed:
    """One look at every path that is declared or was declared, the runtime, the user and the packages."""
    known: Mapping[str, Any] = ((ledger or {}).get("generation") or {}).get("entries") or {}
    declared = {entry.path for entry in target.entries}
    entries = {path: host.look(path) for path in sorted(declared | set(known))}
    foreign = {path for path in declared if path not in known and entries[path].kind != "absent"}
    created: Mapping[str, Any] = (ledger or {}).get("created", {}) if target.state == "absent" else {}
    made = created.get("directories") or []
    directories = [*(directory.path for directory in target.directories), *(created.get("adjusted") or {})]
    return Observed(
        entries=entries,
        directories={path: host.look(path) for path in directories},
        contents={item["path"]: contents(item["path"]) for item in made},
        owned=store.owners(foreign, target.name) if foreign else {},
        unit=host.unit(runtime.unit) if runtime.kind in ("unit", "service") else UnitState(),
        services=observe_services(host, runtime),
        user_exists=user_exists(target.user.name) if target.user else True,
        release_ready=release_ready,
        packages=installed_packages(host, target.packages),
    )


def original_entries(ledger: Mapping[str, Any] | None, content_of: Any) -> dict[str, Entry]:
    """The foreign files that were taken over, as entries that put them back."""
    originals = {}
    for path, kept in ((ledger or {}).get("taken_over") or {}).items():
        originals[path] = Entry(
            path=path,
            content=content_of(kept["digest"]) if kept.get("digest") else b"",
            target=kept.get("target") or "",
            mode=kept["mode"],
            owner=kept["owner"],
            group=kept["group"],
        )
    return originals
