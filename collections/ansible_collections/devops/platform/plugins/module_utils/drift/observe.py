"""Reading one host: everything that comparing needs, in a few calls. Writes nothing, not even the store."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine import dpkg
from ansible_collections.devops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.devops.platform.plugins.module_utils.engine.generation import describe, runtime_of
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Found, Host
from ansible_collections.devops.platform.plugins.module_utils.engine.release import sha256_of, stamp
from ansible_collections.devops.platform.plugins.module_utils.engine.spec import RELEASES, Runtime, parse_spec
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store
from ansible_collections.devops.platform.plugins.module_utils.engine.units import SHOW_PROPERTIES, parse_show

from . import containers, kernel, upgrades
from .model import Account, Damage, Declared, Look, Rules, Seen, Service, Setting, UnitLook

OURS = "/etc/devops-platform"
# Where people and other tools put units; what stands below /usr/lib belongs to packages.
UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system")
PACKAGED = ("/usr/lib/systemd/", "/lib/systemd/")
# Besides those: what `systemctl set-property` writes.
CONTROL = ("/etc/systemd/system.control", "/run/systemd/system.control")


class Observer:
    """One look at one host. `notes` are what could not be looked at, and why."""

    def __init__(self, host: Host, store: Store, architecture: str) -> None:
        self.host = host
        self.store = store
        self.architecture = architecture
        self.notes: list[str] = []
        self._unreadable: dict[str, str] = {}

    def look(self, payload: Mapping[str, Any]) -> Seen:
        declared = {raw["name"]: self._declared(raw) for raw in payload["components"]}
        ledgers = self._ledgers()
        generations = {name: ledger.get("generation") or {} for name, ledger in ledgers.items()}
        runtimes = self._runtimes(declared, generations)
        units = {runtime.unit for _name, runtime in runtimes if runtime.unit}
        recorded = _recorded_packages(generations)
        requested = {role: tuple(names) for role, names in payload["packages"].items()}
        packages = self._packages(declared, recorded, requested)
        changed = any(packages.get(name, version) != version for name, version in recorded)
        projects = {runtime.project for _name, runtime in runtimes if runtime.project}
        wanted = {service.image for item in declared.values() for service in item.services.values()}
        trouble, found, images = containers.look(self.host, projects, wanted)
        return Seen(
            declared=declared,
            everything=bool(payload["everything"]),
            requested=requested,
            ledgers=ledgers,
            unreadable=self._unreadable,
            journals=self._journals(),
            paths=self._paths(declared, generations),
            units=self._units(units),
            accounts=_accounts(declared, generations),
            packages=packages,
            rolled=upgrades.rolled(upgrades.history()) if changed else frozenset(),
            damages={name: tuple(_damages(ledger)) for name, ledger in ledgers.items()},
            listed=_listed(ledgers),
            docker_trouble=trouble,
            containers=found,
            images=images,
            **self._live(payload["components"], generations),
        )

    # Declared and recorded

    def _declared(self, raw: Mapping[str, Any]) -> Declared:
        spec = parse_spec(dict(raw), self.architecture)
        entries = {entry.path: describe(entry, self.store.digest) for entry in spec.entries}
        return Declared(spec, entries, {name: _service(given) for name, given in (raw.get("services") or {}).items()})

    def _ledgers(self) -> dict[str, dict[str, Any]]:
        found = {}
        for name in self.store.components():
            try:
                ledger = self.store.ledger(name)
            except EngineError as error:
                self._unreadable[name] = str(error)
                continue
            if ledger:
                found[name] = ledger
        return found

    def _journals(self) -> dict[str, str]:
        folder = f"{self.store.root}/journal"
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        phases = {}
        for name in (item[: -len(".json")] for item in names if item.endswith(".json")):
            try:
                journal = self.store.journal(name)
            except EngineError as error:
                phases[name] = str(error)
                continue
            if journal:
                phases[name] = str(journal.get("phase", ""))
        return phases

    @staticmethod
    def _runtimes(
        declared: Mapping[str, Declared], generations: Mapping[str, Mapping[str, Any]]
    ) -> list[tuple[str, Runtime]]:
        return [
            *((name, item.spec.runtime) for name, item in declared.items()),
            *((name, runtime_of(generation)) for name, generation in generations.items()),
        ]

    # Actual

    def _paths(self, declared: Mapping[str, Declared], generations: Mapping[str, Mapping[str, Any]]) -> dict[str, Look]:
        wanted: set[str] = set()
        for item in declared.values():
            wanted |= {*item.entries, *(directory.path for directory in item.spec.directories)}
        for generation in generations.values():
            wanted |= {*(generation.get("entries") or {})}
            wanted |= {directory["path"] for directory in generation.get("directories") or ()}
        return {path: self._look(path) for path in sorted(wanted)}

    def _look(self, path: str) -> Look:
        found: Found = self.host.look(path)
        digest = self.store.digest(found.content) if found.kind == "file" else ""
        return Look(found.kind, found.mode, found.owner, found.group, found.target, digest)

    def _units(self, names: Iterable[str]) -> dict[str, UnitLook]:
        """All units in one question; systemd answers in the order of the names, a blank line between two."""
        ordered = sorted(names)
        if not ordered:
            return {}
        output = self.host.query(["systemctl", "show", *ordered, f"--property={SHOW_PROPERTIES},DropInPaths"]).output
        blocks = output.strip().split("\n\n")
        if len(blocks) != len(ordered):
            self.notes.append(f"units were not looked at: systemctl answered {output.strip()[-200:]!r}")
            return {}
        files = _unit_files()
        return {
            name: UnitLook(parse_show(block), _drop_ins(block), tuple(_namesakes(name, files)))
            for name, block in zip(ordered, blocks)
        }

    def _packages(
        self,
        declared: Mapping[str, Declared],
        recorded: Iterable[tuple[str, str]],
        requested: Mapping[str, tuple[str, ...]],
    ) -> dict[str, str]:
        names = {name for item in declared.values() for name in item.spec.packages}
        names |= {name for name, _version in recorded} | {name for group in requested.values() for name in group}
        return dpkg.installed(self.host.query(dpkg.query(sorted(names))).output) if names else {}

    def _live(
        self, components: Iterable[Mapping[str, Any]], generations: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        """What the kernel has of files that describe it."""
        rules: dict[str, tuple[Rules, ...]] = {}
        settings: dict[str, tuple[Setting, ...]] = {}
        for component in components:
            name = component["name"]
            for item in component.get("files") or ():
                if not item.get("live") or item["path"] not in (generations.get(name, {}).get("entries") or {}):
                    continue  # never rolled out: there is nothing that the kernel could have of it
                loaded = self._loaded(generations[name]["entries"][item["path"]], item["content"])
                if item["live"] == "nftables":
                    found = kernel.rules(self.host, item["path"], loaded)
                    if isinstance(found, str):
                        self.notes.append(f"{name}: the firewall was not compared: {found}")
                    else:
                        rules[name] = (*rules.get(name, ()), found)
                elif item["live"] == "sysctl" or not kernel.in_container():
                    settings[name] = (*settings.get(name, ()), *kernel.settings(loaded))
        return {"rules": rules, "settings": settings}

    def _loaded(self, entry: Mapping[str, Any], content: str) -> str:
        """What was rolled out last, which is what the kernel was given; the declared content where it is not kept."""
        try:
            return self.store.object(entry["digest"]).decode("utf-8", "replace")
        except EngineError:
            return content


def _service(given: Mapping[str, Any]) -> Service:
    words = {key: None if given[key] is None else tuple(given[key]) for key in ("command", "entrypoint")}
    return Service(**{**given, **words})


def _recorded_packages(generations: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [item for generation in generations.values() for item in (generation.get("packages") or {}).items()]


# Units


def _drop_ins(block: str) -> tuple[str, ...]:
    """The drop-ins of a unit that belong to no package and no generator; those of all services are not about it."""
    line = next((line for line in block.splitlines() if line.startswith("DropInPaths=")), "DropInPaths=")
    paths = line.partition("=")[2].split()
    folders = (*UNIT_FOLDERS, *CONTROL)
    return tuple(
        path
        for path in paths
        if path.startswith(tuple(f"{folder}/" for folder in folders))
        and os.path.basename(os.path.dirname(path)) != "service.d"
    )


def _unit_files() -> list[str]:
    """Unit files that no package brought; links to those that one did are how a unit is enabled or has an alias."""
    found = []
    for folder in UNIT_FOLDERS:
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        for path in (f"{folder}/{name}" for name in names):
            target = os.path.realpath(path)
            if not os.path.isdir(path) and not (os.path.islink(path) and target.startswith(PACKAGED)):
                found.append(path)
    return found


def _namesakes(unit: str, files: Iterable[str]) -> Iterator[str]:
    """Unit files of the same name, whatever their type: ours as well, which comparing knows."""
    stem = unit.rpartition(".")[0]
    for path in files:
        name, _, suffix = os.path.basename(path).rpartition(".")
        if suffix in ("service", "socket", "timer", "path", "target", "mount") and name.rstrip("@") == stem:
            yield path


# Accounts


def _accounts(declared: Mapping[str, Declared], generations: Mapping[str, Mapping[str, Any]]) -> dict[str, Account]:
    names = {item.spec.user.name for item in declared.values() if item.spec.user}
    names |= {generation["user"]["name"] for generation in generations.values() if generation.get("user")}
    found = {}
    for name in sorted(names):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        groups = sorted(group.gr_name for group in grp.getgrall() if name in group.gr_mem)
        found[name] = Account(entry.pw_dir, entry.pw_shell, tuple(groups))
    return found


# Releases and directories


def _damages(ledger: Mapping[str, Any]) -> Iterator[Damage]:
    """What of unpacked releases is not as it was; a file is read only where its stamp moved."""
    binaries = (((ledger.get("generation") or {}).get("release") or {}).get("binaries")) or ()
    for folder, files in (ledger.get("releases") or {}).items():
        if not os.path.isdir(folder):
            yield Damage(folder, "missing")
            continue
        for name, known in sorted(files.items()):
            path = os.path.join(folder, name)
            how = _damage(path, known)
            if how:
                yield Damage(path, how)
            elif name in binaries and stat.S_IMODE(os.stat(path).st_mode) & 0o111 != 0o111:
                yield Damage(path, "not executable")
        for path in _files_below(folder):
            if os.path.relpath(path, folder) not in files:
                yield Damage(path, "foreign")


def _damage(path: str, known: Mapping[str, Any]) -> str:
    try:
        if stamp(path) != known["stamp"] and sha256_of(path) != known["sha256"]:
            return "changed"
    except OSError:
        return "missing"
    return ""


def _files_below(folder: str) -> Iterator[str]:
    """Regular files, as the release's inventory has them."""
    for place, _folders, names in os.walk(folder):
        for path in (os.path.join(place, name) for name in sorted(names)):
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def _listed(ledgers: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Every path in the directories that are ours alone; those with data are the service's to fill."""
    listed: dict[str, tuple[str, ...]] = {}
    for ledger in ledgers.values():
        created = ledger.get("created") or {}
        data = {item["path"] for item in created.get("directories") or () if item.get("data")}
        data |= {item["path"] for item in (ledger.get("generation") or {}).get("directories") or () if item["data"]}
        for item in created.get("directories") or ():
            if item["path"] not in data:
                listed[item["path"]] = tuple(_below(item["path"], data))
        if OURS in (created.get("parents") or ()):
            listed[OURS] = tuple(_below(OURS, data))
    if os.path.isdir(RELEASES):
        listed[RELEASES] = tuple(_release_folders())
    return listed


def _below(directory: str, data: Iterable[str]) -> Iterator[str]:
    beyond = tuple(data)
    for place, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if os.path.join(place, name) not in beyond)
        yield from (os.path.join(place, name) for name in (*folders, *sorted(names)))


def _release_folders() -> Iterator[str]:
    """Two levels below the folder of all releases, and the single releases; what is in those is their inventory's."""
    for component in sorted(os.listdir(RELEASES)):
        base = f"{RELEASES}/{component}"
        yield base
        if os.path.isdir(base) and not os.path.islink(base):
            for name in sorted(os.listdir(base)):
                yield f"{base}/{name}"
                if name == "releases" and os.path.isdir(f"{base}/releases"):
                    yield from (f"{base}/releases/{version}" for version in sorted(os.listdir(f"{base}/releases")))
