"""The change and the way back: prepare, switch, keep or take back; and what to do about a run that died.

Order matters here, because the process can end between any two lines:

    prepare   journal 'preparing' names every path that will be touched; then new contents are written beside
              the live ones (`.NAME.dp-new`) and the live ones get a second name (`.NAME.dp-old`, the same inode)
    switch    journal 'switching'; renames only, then packages where a rollback has any, then the service
    keep      the rename of the next ledger is the one instant at which the change becomes true
    take back `.dp-old` is renamed to the live name, which needs no disk space; then packages, then the service

A journal that is found at the next run tells which of them was under way.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Callable

from .errors import CommandError
from .host import Host, ancestors
from .plan import Change, Plan
from .runtime import runtime_for
from .spec import Runtime
from .store import FORMAT, Store


def beside(path: str, suffix: str) -> str:
    """A hidden name in the same folder: renames stay atomic, and no `*.conf` or `*.yml` pattern picks it up."""
    folder, name = os.path.split(path)
    return f"{folder}/.{name}.dp-{suffix}"


@dataclass(frozen=True)
class TakenBack:
    """What could not be put back: why the old service did not come, and by package why its version is another."""

    service: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)


class Transaction:
    """One change of one component. `journal` is all that the way back needs to know."""

    def __init__(self, host: Host, store: Store, name: str, journal: dict[str, Any]) -> None:
        self.host = host
        self.store = store
        self.name = name
        self.journal = journal
        self.runtime = runtime_for(
            host, Runtime(**{**journal["runtime"], "services": (), "images": tuple(journal["runtime"]["images"])})
        )

    # Forward

    @classmethod
    def begin(cls, host: Host, store: Store, journal: dict[str, Any]) -> Transaction:
        """Write the journal before anything else happens."""
        store.write_journal(journal["component"], journal)
        return cls(host, store, journal["component"], journal)

    def prepare(
        self, plan: Plan, install: Callable[[], None], validate: Callable[[], None], keep_contents: Callable[[], None]
    ) -> None:
        """Everything that can fail for want of space, permission or network, while the old service runs on."""
        for parent in self.journal["parents"]:
            self.host.mkdir(parent)
        if plan.create_user:
            self._create_user(plan)
        for directory, found in plan.directories:
            if found.kind == "absent":
                self.host.mkdir(directory.path, directory.mode)
            self.host.set_attributes(directory.path, directory.mode, directory.owner, directory.group)
        if self.journal["release"]:
            install()
        validate()
        for change in plan.changes:
            self._prepare_path(change)
        if not plan.absent:
            self.runtime.prepare()
        if any(move.installs for move in plan.moves):
            from . import apt

            apt.fetch(self.host, plan.moves)
        keep_contents()

    def _create_user(self, plan: Plan) -> None:
        user = plan.create_user
        assert user is not None
        words = ["useradd", "--system", "--no-create-home", "--home-dir", user.home, "--shell", user.shell]
        words += ["--gid", user.group] if user.group else ["--user-group"]
        if user.groups:
            words += ["--groups", ",".join(user.groups)]
        self.host.run([*words, user.name])

    def _prepare_path(self, change: Change) -> None:
        entry = change.after
        if entry is not None and entry.is_link:
            self.host.symlink(entry.target, beside(change.path, "new"))
        elif entry is not None:
            self.host.write_new(beside(change.path, "new"), entry.content, entry.mode, entry.owner, entry.group)
        if change.before.kind != "absent":
            self.host.keep(change.path, beside(change.path, "old"))

    def switch(self, plan: Plan, force: bool) -> None:
        """Renames, then the service. Raises CommandError when the service does not follow."""
        switching = {**self.journal, "phase": "switching"}
        # Where this write fails (a full disk), nothing has been switched and the service must be left alone.
        self.store.write_journal(self.name, switching)
        self.journal = switching
        if plan.effect == "stop":
            self.runtime.halt()
        for change in plan.changes:
            if change.after is None:
                self.host.unlink(change.path)
            else:
                self.host.rename(beside(change.path, "new"), change.path)
        if plan.daemon_reload:
            self.host.run(["systemctl", "daemon-reload"])
        if any(move.installs for move in plan.moves):
            from . import apt

            apt.install(self.host, apt.incoming(plan.moves))
        if plan.enable:
            self.runtime.enable()
        if plan.effect not in ("none", "stop"):
            self.runtime.apply(plan.effect, force)

    def commit(self, next_ledger: str) -> None:
        """The one instant: before this rename the old state holds, after it the new one."""
        if next_ledger:
            self.host.rename(next_ledger, self.store.ledger_path(self.name))
        else:
            self.host.unlink(self.store.ledger_path(self.name))

    def clean(self) -> None:
        """After the change became true: drop what only the way back needed."""
        for item in self.journal["paths"]:
            self.host.unlink(beside(item["path"], "old"))
            self.host.unlink(beside(item["path"], "new"))
        for tree in self.journal["dispose"]["trees"]:
            self.host.rmtree(tree)
        for folder in self.journal["dispose"]["folders"]:
            self.host.rmdir(folder)
        self._remove_user(self.journal["dispose"]["user"])
        self.store.end_journal(self.name)

    # Back

    def take_back(self) -> TakenBack:
        """Undo in reverse order. Safe to run again from any point. Answers with what could not be put back."""
        switched = self.journal["phase"] == "switching"
        before = self.journal["before"]
        trouble = ""
        if switched and not before["exists"]:
            trouble = self._attempt(self.runtime.halt)
        for item in reversed(self.journal["paths"]):
            self._restore_path(item["path"], item["existed"], switched)
        if switched and self.journal["daemon_reload"]:
            self.host.run(["systemctl", "daemon-reload"])
        moved = self.packages_to_restore()
        stayed = self._restore_packages(moved)
        effect = self.journal["effect"]
        if any(item["name"] not in stayed for item in moved):
            # The other version's program may still run: not every package restarts its service.
            effect = "restart"
        if switched and before["exists"] and (effect != "none" or self.journal["enable"]):
            trouble = trouble or self._attempt(lambda: self.runtime.restore(before, effect))
        self._undo_preparation()
        self.host.rmtree(self.store.stage_path(self.name))
        self.host.unlink(f"{self.store.ledger_path(self.name)}.next")
        self.store.end_journal(self.name)
        return TakenBack(trouble, stayed)

    def packages_to_restore(self) -> list[dict[str, Any]]:
        """The journal's words on them; none as long as nothing was switched.

        What an earlier task or the night's upgrades installed is not to blame for a file that its checker refused.
        """
        # Journals of older versions of the engine name no packages.
        return (self.journal.get("packages") or []) if self.journal["phase"] == "switching" else []

    def _restore_packages(self, moved: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        if not moved:
            return {}
        from . import apt

        return apt.put_back(self.host, moved)

    @staticmethod
    def _attempt(action: Callable[[], None]) -> str:
        try:
            action()
        except CommandError as error:
            return str(error)
        return ""

    def _restore_path(self, path: str, existed: bool, switched: bool) -> None:
        old, new = beside(path, "old"), beside(path, "new")
        self.host.unlink(new)
        if not switched:
            self.host.unlink(old)
        elif existed:
            if self.host.exists(old):
                self.host.rename(old, path)
                # rename(2) does nothing when both names are one inode: then the live path never changed.
                self.host.unlink(old)
        else:
            self.host.unlink(path)

    def _undo_preparation(self) -> None:
        if self.journal["release"]:
            self.host.rmtree(self.journal["release"])
            self.host.rmtree(f"{self.journal['release']}.partial")
            self.host.unlink(f"{self.journal['release']}.download")
        for directory in reversed(self.journal["directories"]):
            if not directory["existed"]:
                self.host.rmtree(directory["path"])
            elif self.host.exists(directory["path"]):
                self.host.set_attributes(directory["path"], directory["mode"], directory["owner"], directory["group"])
        for parent in reversed(self.journal["parents"]):
            self.host.rmdir(parent)
        self._remove_user(self.journal["user"])

    def _remove_user(self, user: str) -> None:
        if user and self.host.query(["getent", "passwd", user]).code == 0:
            self.host.run(["userdel", user])


def missing_parents(plan: Plan, release: str, exists: Callable[[str], bool]) -> list[str]:
    """Directories that nobody declares and that must be made for the paths of this change, the outer ones first."""
    explicit = {directory.path for directory, _ in plan.directories}
    paths = [change.path for change in plan.changes]
    paths += [directory.path for directory, _ in plan.directories]
    paths += [release] if release else []
    missing: list[str] = []
    for path in paths:
        for parent in ancestors(path):
            if parent not in missing and parent not in explicit and not exists(parent):
                missing.append(parent)
    return missing


def intent(
    name: str,
    plan: Plan,
    runtime: Runtime,
    before: Mapping[str, Any],
    release: str,
    transaction: str,
    parents: Sequence[str],
    going: tuple[Sequence[str], Sequence[str]],
    keeps_ledger: bool,
) -> dict[str, Any]:
    """The journal of a change that is about to begin: all that finishing it, or taking it back, needs to know.

    `release` is the folder that a new release will be unpacked to. `going`: trees, and folders if they are empty by
    then, that go away once the change is true. `keeps_ledger` is false where the change ends with no ledger.
    """
    return {
        "format": FORMAT,
        "component": name,
        "transaction": transaction,
        "phase": "preparing",
        "keeps_ledger": keeps_ledger,
        "paths": [{"path": change.path, "existed": change.before.kind != "absent"} for change in plan.changes],
        "parents": list(parents),
        "directories": [
            {
                "path": directory.path,
                "existed": found.kind != "absent",
                "mode": found.mode,
                "owner": found.owner,
                "group": found.group,
            }
            for directory, found in plan.directories
        ],
        "user": plan.create_user.name if plan.create_user else "",
        "release": release,
        "effect": plan.effect,
        "enable": plan.enable,
        "dispose": {"trees": list(going[0]), "folders": list(going[1]), "user": plan.remove_user},
        "daemon_reload": plan.daemon_reload,
        "packages": [
            {"name": move.name, "before": move.before, "after": move.after, "install": move.installs}
            for move in plan.moves
            if not move.stays
        ],
        "runtime": asdict(runtime),
        "before": dict(before),
    }


def became_true(journal: Mapping[str, Any], ledger: Mapping[str, Any] | None) -> bool:
    """Whether the interrupted change had reached its instant of truth."""
    if not journal["keeps_ledger"]:
        return journal["phase"] == "switching" and ledger is None
    return ledger is not None and ledger.get("transaction") == journal["transaction"]
