"""A component of files and a package through any sequence of changes, crashes and recoveries: never half.

The host here is this machine's file system below a temporary directory, with a fake package manager that can die, too;
what systemd and the real one add is tried in tests/engine.
"""

from __future__ import annotations

import getpass
import grp
import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ansible_collections.devops.platform.plugins.module_utils.engine.engine import Engine
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode, Result
from ansible_collections.devops.platform.tests.unit.engine.failing_power import FailingPower, Power
from ansible_collections.devops.platform.tests.unit.engine.fake_packages import FakeHost, FakePackages

ME = getpass.getuser()
GROUP = grp.getgrgid(os.getgid()).gr_name


FILES = st.dictionaries(
    st.sampled_from(["a", "b", "sub/c", "sub/deep/d"]), st.sampled_from([b"one", b"two", b"three"]), max_size=4
)


VERSIONS = st.sampled_from("123")
# Who has which versions: mostly all of them, so that there is a way.
HAVE = st.one_of(st.just(set("123")), st.sets(VERSIONS))
# The mutations that a run lives through; the last number is more than any run has.
LIFE = st.one_of(st.integers(0, 60), st.just(200))
State = tuple[dict[str, bytes], str]


class Changes(RuleBasedStateMachine):
    """The model: `declared` is what the component is, files and version of its package; `history` the generations to
    go back to; `versions` the versions at which the package may be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="devops-platform-test-"))
        self.live = self.folder / "live"
        self.live.mkdir()
        self.foreign = {"a": b"foreign"}
        (self.live / "a").write_bytes(b"foreign")
        (self.live / "a").chmod(0o644)
        self.declared: State | None = None
        self.history: list[State] = []
        self.packages = FakePackages(demo="1")
        self.versions = {"1"}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def _run(self, raw: dict[str, Any], left: int | None = None, check: bool = False, well: bool = True) -> Result:
        host = FailingPower(self.packages, left)
        host.probe = 0 if well else 1
        return Engine(host, Store(host, str(self.folder / "store")), "amd64", Mode(check=check)).run(
            {"name": "demo", **raw}
        )

    def _raw(self, files: dict[str, bytes]) -> dict[str, Any]:
        return {
            "files": [
                {"path": f"{self.live}/{name}", "content": content.decode(), "owner": ME, "group": GROUP}
                for name, content in sorted(files.items())
            ],
            "packages": ["demo"],
            "probe": {"command": "fake-probe", "timeout": -1},
        }

    def _change(self, raw: dict[str, Any], left: int, moves: bool, before: str, well: bool = True) -> bool:
        """Foresee, run with a power failure after `left` mutations, recover; True if the change became true.

        `moves`: whether the package is at another version on the two sides of the change; `before`: its version on the
        nearer one.
        """
        listing, version = self._listing(), self.packages.installed["demo"]
        foreseen = self._run(raw, check=True)
        assert not foreseen.failed, foreseen.message
        assert (self._listing(), self.packages.installed["demo"]) == (listing, version)
        known = self._ledger()
        try:
            done = self._run(raw, left, well=well)
        except Power:
            # As long as nothing is switched, what apt installed before is left alone.
            begun = (self._store().journal("demo") or {}).get("phase") == "switching"
            self._recover()
            if self._ledger() != known:
                return True
            if begun and moves:
                self._put_back(before)
            return False
        assert done.plan == foreseen.plan
        assert done.failed == (moves and not well), done.message
        if done.failed:
            self._put_back(before)
            return False
        again = self._run(raw) if raw.get("state") != "rolled_back" else None
        assert again is None or not again.changed
        return done.changed

    def _put_back(self, version: str) -> None:
        """What taking a change back makes of the package; a version that nobody has is out of reach."""
        if self._way(version):
            self.versions = {version}

    def _way(self, version: str) -> bool:
        return ("demo", version) in self.packages.cache | self.packages.sources

    def _store(self) -> Store:
        return Store(FakeHost(self.packages), str(self.folder / "store"))

    def _ledger(self) -> dict[str, Any] | None:
        return self._store().ledger("demo")

    def _recover(self) -> None:
        """What any next run begins with."""
        store = self._store()
        self.packages.tick = lambda: None
        store.prepare()
        with store.lock("demo"):
            Engine(store.host, store, "amd64", Mode())._recover("demo")

    def _remember(self, following: State | None) -> None:
        if following is not None and self.declared is not None and following != self.declared:
            self.history = [self.declared, *self.history][:2]
        if following is None:
            self.history = []
        self.declared = following

    @property
    def version(self) -> str:
        return self.packages.installed["demo"]

    @rule(version=VERSIONS, cache=HAVE, sources=HAVE)
    def apt_installs(self, version: str, cache: set[str], sources: set[str]) -> None:
        """A task before the engine's; and who has which version by then."""
        self.packages.installed["demo"] = version
        self.packages.cache = {("demo", version) for version in cache}
        self.packages.sources = {("demo", version) for version in sources}
        self.versions = {version}

    @rule(files=FILES, left=LIFE, well=st.booleans())
    def present(self, files: dict[str, bytes], left: int, well: bool) -> None:
        installed = self.version
        before = self.declared[1] if self.declared else installed
        if self._change(self._raw(files), left, before != installed, before, well):
            self._remember((files, installed))

    @rule(version=VERSIONS, cache=HAVE, files=FILES, left=LIFE, well=st.booleans())
    def upgraded(self, version: str, cache: set[str], files: dict[str, bytes], left: int, well: bool) -> None:
        self.apt_installs(version, cache, set())
        self.present(files, left, well)

    @precondition(lambda self: self.declared is not None)
    @rule(left=LIFE)
    def absent(self, left: int) -> None:
        if self._change({"state": "absent"}, left, False, self.version):
            self._remember(None)

    @precondition(lambda self: self.history)
    @rule(left=LIFE, well=st.booleans())
    def rolled_back(self, left: int, well: bool) -> None:
        installed = self.version
        files, wanted = self.history[0]
        moves = wanted != installed and self._way(wanted)
        if moves and not self._way(installed):
            # A rollback that was begun may or may not have moved what nobody has any more.
            self.versions = {installed, wanted}
        if self._change({"state": "rolled_back"}, left, moves, installed, well):
            following = wanted if moves else installed
            self.declared, self.history = (files, following), self.history[1:]
            self.versions = {following}
        else:
            self.versions &= {self.version}

    @precondition(lambda self: not self.history)
    @rule()
    def nothing_to_go_back_to(self) -> None:
        assert "no earlier generation" in self._run({"state": "rolled_back"}).message

    def _listing(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.live)): path.read_bytes() for path in self.live.rglob("*") if path.is_file()}

    @invariant()
    def files_are_as_the_model_says(self) -> None:
        assert self._listing() == {**self.foreign, **(self.declared[0] if self.declared else {})}

    @invariant()
    def the_package_is_as_the_model_says(self) -> None:
        assert self.version in self.versions
        assert self.packages.half == {}

    @invariant()
    def nothing_is_left_over(self) -> None:
        hidden = list(self.live.rglob(".*"))
        store = self.folder / "store"
        left = [path for kind in ("journal", "stage") for path in (store / kind).glob("*")] if store.exists() else []
        assert hidden + left + list(store.rglob("*.n*")) == []
        if self.declared is None:
            assert {path.name for path in self.live.iterdir()} == {"a"}


Changes.TestCase.settings = settings(max_examples=100, report_multiple_bugs=False, stateful_step_count=15)
TestChanges = Changes.TestCase


# What is at stake at each mutation of a change that concerns a package: (file, package, package in the ledger)
FIRST, SECOND, UPGRADED = ("a", "1", "1"), ("b", "2", "2"), ("a", "2", "1")


@pytest.mark.parametrize(
    ("change", "well", "before", "reached"),
    [
        ("present", True, UPGRADED, {UPGRADED, FIRST, SECOND}),
        ("present", False, UPGRADED, {UPGRADED, FIRST}),
        ("rolled_back", True, SECOND, {SECOND, FIRST}),
        ("rolled_back", False, SECOND, {SECOND}),
    ],
)
def test_killed_at_every_mutation(change, well, before, reached, tmp_path):
    """After an upgrade by apt, a change that was begun ends in neither half: it becomes true, or the old version comes
    back. One that was not yet begun leaves all as it stood."""
    found = set()
    for left in itertools.count():
        folder = tmp_path / str(left)
        folder.mkdir()
        packages = FakePackages(demo="1")
        packages.cache = {("demo", "1"), ("demo", "2")}

        def run(host, content, state="present", folder=folder):
            raw = {
                "name": "demo",
                "state": state,
                "packages": ["demo"],
                "probe": {"command": "fake-probe", "timeout": -1},
            }
            raw["files"] = [{"path": f"{folder}/file", "content": content, "owner": ME, "group": GROUP}]
            return Engine(host, Store(host, f"{folder}/store"), "amd64", Mode()).run(raw)

        def stands(host, folder=folder, packages=packages):
            ledger = Store(host, f"{folder}/store").ledger("demo") or {}
            recorded = ledger["generation"]["packages"]["demo"]
            return (folder / "file").read_text(), packages.installed["demo"], recorded

        undisturbed = FailingPower(packages)
        run(undisturbed, "a")
        packages.installed["demo"] = "2"
        if before == SECOND:
            run(undisturbed, "b")
        assert stands(undisturbed) == before
        host = FailingPower(packages, left)
        host.probe = 0 if well else 1
        try:
            run(host, "b", change)
            lived = True
        except Power:
            lived = False
        store = Store(FailingPower(packages), f"{folder}/store")
        with store.lock("demo"):
            Engine(store.host, store, "amd64", Mode())._recover("demo")
        found.add(stands(store.host))
        assert found <= reached, f"before mutation {left}"
        assert packages.half == {}
        if lived:
            break
    assert left > 15
    assert found == reached
