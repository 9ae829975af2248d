"""Giving one host back: components, packages, users, the store. Can be run again where it ended halfway."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine import dpkg
from ansible_collections.devops.platform.plugins.module_utils.engine.engine import Engine
from ansible_collections.devops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Found, Host
from ansible_collections.devops.platform.plugins.module_utils.engine.packages import ENVIRONMENT
from ansible_collections.devops.platform.plugins.module_utils.engine.spec import RELEASES
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode

from . import plan, record

PATIENCE = 900.0
APT = (
    "apt-get",
    "--quiet",
    "--yes",
    "--no-auto-remove",
    "--allow-change-held-packages",
    "-o",
    "DPkg::Lock::Timeout=60",
)
SETTINGS = "/etc"
ACCOUNTS = tuple(f"/etc/{name}" for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid"))
# What Debian keeps beside a purged package, by the names of packages and their units.
STATE = ("/var/lib/systemd/deb-systemd-helper-enabled", "/var/lib/systemd/deb-systemd-helper-masked")


def inventory(host: Host) -> record.Inventory:
    """What the host has now."""
    output = host.query(["dpkg-query", "--show", "--showformat", dpkg.QUERY_FORMAT]).output
    return record.Inventory(
        dpkg.installed(output),
        frozenset(entry.pw_name for entry in pwd.getpwall()),
        frozenset(entry.gr_name for entry in grp.getgrall()),
        tuple(sorted(_settings())),
    )


def _settings() -> Iterator[str]:
    """Files and links below /etc that have nothing to do with accounts."""
    for folder, folders, names in os.walk(SETTINGS):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        yield from (os.path.join(folder, name) for name in (*names, *links))


@dataclass
class Outcome:
    """What went, or would go; what stays, and why; what cannot be given back."""

    components: list[dict[str, Any]] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(any(item["changed"] for item in self.components) or self.packages or self.accounts)


class Uninstallation:
    """`data`: databases, volumes and other data go as well."""

    def __init__(self, host: Host, store: Store, architecture: str, mode: Mode, data: bool) -> None:
        self.host = host
        self.store = store
        self.architecture = architecture
        self.mode = mode
        self.data = data
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Raises EngineError where something refuses to go; what was not reached yet is still in the store."""
        if not self.host.exists(self.store.root) and not self.host.exists(RELEASES):
            return self.outcome
        kept = self.store.packages()
        # Both before anything goes: afterwards nobody knows.
        now = inventory(self.host)
        self.outcome.beyond = [f"upgraded: {item}" for item in record.upgraded(kept, now.packages)]
        self._components()
        self._packages(kept, now)
        self._accounts(kept)
        if not self.mode.check:
            self._store(kept)
        return self.outcome

    def _components(self) -> None:
        ledgers = {name: self.store.ledger(name) or {} for name in self.store.components()}
        engine = Engine(self.host, self.store, self.architecture, self.mode)
        for name in plan.order(ledgers):
            result = engine.run({"name": name, "state": "absent", "purge": self.data})
            self.outcome.components.append({key: value for key, value in asdict(result).items() if key != "diff"})
            if result.failed:
                raise EngineError(f"{name}: {result.step}: {result.message}", "components")
            self.outcome.kept += [
                f"{item['target']}: {item['reason'].partition(';')[0]}"
                for item in result.plan
                if item["action"] in ("keep directory", "keep user")
            ]

    def _packages(self, kept: dict[str, Any] | None, now: record.Inventory) -> None:
        # Those whose configuration stayed beside their data go when that goes.
        there = {*now.packages, *(self._configured() if self.data else ())}
        candidates = [name for name in record.ours(kept, "packages") if name in there]
        going, needed = plan.removable(candidates, self._simulate)
        self.outcome.kept += [f"package {name}: needed by {', '.join(others)}" for name, others in needed.items()]
        data = record.data_of(kept)
        # A purged package takes its data along, as its maintainers see fit.
        beside = set() if self.data else record.beside_data(kept, self._holds)
        spared = [name for name in going if name in beside]
        holding = [path for paths in data.values() for path in paths if not self.data and self._holds(path)]
        self.outcome.packages = going
        self.outcome.kept += [f"{path}: it holds data; configuration beside it stays, too" for path in holding]
        if self.mode.check or not going:
            return
        theirs = {path: self.host.look(path) for path in (kept or {}).get("settings") or ()}
        for words, names in (("remove", spared), ("purge", [name for name in going if name not in spared])):
            if names:
                self.host.run([*APT, words, *names], timeout=PATIENCE, environment=ENVIRONMENT)
        self._give_back(theirs)
        lost = [path for path in holding if not self._holds(path)]
        if lost:
            raise EngineError(f"{', '.join(lost)} went with the packages, and was to stay", "packages")
        if self.data:
            for path in (path for name in going for path in data.get(name, [])):
                self._empty(path)
        for path in [*record.leaves_of(kept), *STATE]:
            if os.path.isdir(path) and not os.path.islink(path):
                self.host.rmdir(path)
            else:
                self.host.unlink(path)

    def _give_back(self, theirs: Mapping[str, Found]) -> None:
        """Files and links from before the first package of ours that a purge took along."""
        for path, found in theirs.items():
            if path.startswith(ACCOUNTS) or self.host.exists(path) or not os.path.isdir(os.path.dirname(path)):
                continue
            if found.kind == "link":
                self.host.symlink(found.target, path)
            elif found.kind == "file":
                self.host.write_new(path, found.content, found.mode, found.owner, found.group)

    def _configured(self) -> set[str]:
        output = self.host.query(["dpkg-query", "--show", "--showformat", dpkg.QUERY_FORMAT]).output
        return {line.split("\t")[0] for line in output.splitlines() if "\tconfig-files\t" in line}

    @staticmethod
    def _holds(path: str) -> bool:
        return os.path.isdir(path) and bool(os.listdir(path))

    def _empty(self, path: str) -> None:
        """Remove a directory; one that something is mounted on is emptied."""
        with contextlib.suppress(OSError):
            self.host.rmtree(path)

    def _simulate(self, names: list[str]) -> set[str]:
        done = self.host.query([*APT, "--simulate", "purge", *names])
        if done.code != 0:
            raise EngineError(f"apt would not remove {', '.join(names)}: {done.output.strip()[-300:]}", "packages")
        return plan.going(done.output)

    def _accounts(self, kept: dict[str, Any] | None) -> None:
        stays = {line.partition(":")[0] for line in self.outcome.kept}
        owners = {self.host.look(path).owner for line in stays for path in line.split(", ") if path.startswith("/")}
        for user in (name for name in record.ours(kept, "users") if _there(pwd.getpwnam, name)):
            if user in owners:
                self.outcome.kept.append(f"user {user}: it owns what stays")
                continue
            self.outcome.accounts.append(f"user {user}")
            if not self.mode.check:
                self.host.run(["userdel", user])
        for group in (name for name in record.ours(kept, "groups") if _there(grp.getgrnam, name)):
            if group in owners or _primary(group):
                continue
            self.outcome.accounts.append(f"group {group}")
            if not self.mode.check:
                self.host.run(["groupdel", group])

    def _store(self, kept: dict[str, Any] | None) -> None:
        """Last: as long as it is there, an uninstallation that ended halfway can go on, and data can follow."""
        if os.path.isdir(RELEASES):
            for name in sorted(os.listdir(RELEASES)):
                self.outcome.kept.append(f"{RELEASES}/{name}: it is not ours")
            self.host.rmdir(RELEASES)
        data = [path for paths in record.data_of(kept).values() for path in paths]
        if not self.data and (self.store.components() or any(map(self._holds, data))):
            self.outcome.kept.append(
                f"{self.store.root}: it knows which data is ours; -e uninstall_data=true removes both"
            )
            return
        self.host.rmtree(self.store.root)


def _there(ask: Any, name: str) -> bool:
    try:
        ask(name)
    except KeyError:
        return False
    return True


def _primary(group: str) -> bool:
    """Whether it is somebody's primary group, which cannot be removed."""
    number = grp.getgrnam(group).gr_gid
    return any(entry.pw_gid == number for entry in pwd.getpwall())
