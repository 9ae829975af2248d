"""A component through any sequence of changes by several rollouts, and of ways back, also such as are cut off.

The model knows contents alone: what the component is, what it was before the rollout that changed it last, and what
each rollout made. Which contents are still kept is read from the ledger; that those are there is what is tried.
"""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ansible_collections.devops.platform.plugins.module_utils.engine.engine import Engine
from ansible_collections.devops.platform.plugins.module_utils.engine.history import NOT_HERE, generations
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store, referenced
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode, Result
from ansible_collections.devops.platform.tests.unit.engine.failing_power import FailingPower, Power
from ansible_collections.devops.platform.tests.unit.engine.fake_packages import FakeHost, FakePackages

ME = getpass.getuser()
GROUP = grp.getgrgid(os.getgid()).gr_name
ROLLOUTS = st.sampled_from([f"2026010{day}T000000Z-7" for day in range(1, 4)])
CONTENTS = st.sampled_from("abcde")
# The mutations that a run lives through; mostly all of them.
LIFE = st.one_of(st.just(200), st.integers(0, 40))


class GoingBack(RuleBasedStateMachine):
    """`base`: the component's content, None where it is absent. `out`: (content, rollout) of a transient one instead.
    `mark`: the rollout that changed `base` last, and what that was before it; `found` is that generation as the ledger
    had it, and `lost` says that the rollout itself gave it up. `made`: what each rollout made last."""

    def __init__(self) -> None:
        super().__init__()
        # In memory where there is such a place: each run of the engine waits for the disk several times.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="devops-platform-test-", dir=memory))
        self.base: str | None = None
        self.out: tuple[str, str] | None = None
        self.mark: tuple[str, str | None] | None = None
        self.found: Mapping[str, Any] = {}
        self.lost = False
        self.made: dict[str, str] = {}
        self.store = Store(FakeHost(FakePackages()), str(self.folder / "store"))
        self.data = False

    @initialize(data=st.booleans())
    def with_data(self, data: bool) -> None:
        self.data = data

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    # Running the engine

    def _engine(self, rollout: str, left: int | None = None, check: bool = False) -> Engine:
        host = FailingPower(FakePackages(), left)
        return Engine(host, Store(host, str(self.folder / "store")), "amd64", Mode(check=check, rollout=rollout))

    def _run(self, rollout: str, raw: dict[str, Any], left: int) -> Result | None:
        """The result; None where the power failed, and the change did not become true."""
        raw = {"name": "demo", **raw}
        known, live = self._ledger(), self._live()
        foreseen = self._engine(rollout, check=True).run(raw)
        assert (self._ledger(), self._live()) == (known, live)
        try:
            done = self._engine(rollout, left).run(raw)
        except Power:
            engine = self._engine(rollout)
            engine.store.prepare()
            with engine.store.lock("demo"):
                engine._recover("demo")
            return None if self._ledger() == known else foreseen
        assert (done.plan, done.notes, done.message) == (foreseen.plan, foreseen.notes, foreseen.message)
        if not done.changed:
            assert (self._ledger(), self._live()) == (known, live)
        return done

    def _ledger(self) -> dict[str, Any] | None:
        return self.store.ledger("demo")

    def _live(self) -> str | None:
        path = self.folder / "live"
        return path.read_text() if path.exists() else None

    def _kept(self) -> list[str]:
        """The contents of the generations that are kept, the present one first."""
        return [self._content(item) for item in generations(self._ledger())]

    def _content(self, generation: Mapping[str, Any]) -> str:
        return self.store.object(generation["entries"][f"{self.folder}/live"]["digest"]).decode()

    # What happens

    @rule(rollout=ROLLOUTS, content=CONTENTS, keep=st.integers(1, 4), transient=st.booleans(), left=LIFE)
    def present(self, rollout: str, content: str, keep: int, transient: bool, left: int) -> None:
        raw = {
            "files": [{"path": f"{self.folder}/live", "content": content, "owner": ME, "group": GROUP}],
            "directories": [{"path": f"{self.folder}/data", "owner": ME, "group": GROUP, "data": True}],
            "keep": keep,
            "transient": transient,
        }
        if not self.data:
            raw.pop("directories")
        known = self._ledger() or {}
        result = self._run(rollout, raw, left)
        if not result:
            return
        assert not result.failed, result.message
        assert result.changed == ((self.out or (self.base, ""))[0] != content or transient != bool(self.out))
        if not result.changed:
            return
        returned = self.out is not None and not transient and content == self.base
        if transient:
            self.out = (content, rollout)
        elif content != self.base:
            self._lead(rollout, content, known)
            self.made[rollout] = content
        self.out = self.out if transient else None
        following = self._ledger() or {}
        places = max(keep - 1, 1) + (1 if transient else 0)
        if transient and not returned and known.get("generation") and not known["generation"].get("transient"):
            assert following["previous"][:places] == generations(known)[:places]
        extra = following["previous"][places:]
        assert [item["id"] for item in extra] in ([], [following.get("before", {}).get("id")])
        if returned and known["keep"] == keep:
            for key in ("generation", "before", "created", "releases"):
                assert following.get(key) == {**known, "generation": known["previous"][0]}.get(key), key

    @rule(rollout=ROLLOUTS, contents=st.lists(CONTENTS, min_size=2, max_size=4), keep=st.integers(1, 3))
    def several(self, rollout: str, contents: list[str], keep: int) -> None:
        """What one rollout does, one change after the other."""
        for content in contents:
            self.present(rollout, content, keep, False, 200)

    @precondition(lambda self: self.mark)
    @rule(rollout=ROLLOUTS, left=LIFE)
    def undo_the_last(self, rollout: str, left: int) -> None:
        assert self.mark
        self.undo(rollout, self.mark[0], left)

    def _lead(self, rollout: str, content: str | None, known: dict[str, Any] | None) -> None:
        """The component becomes another one for good. `known`: the ledger before that."""
        if not self.mark or self.mark[0] != rollout:
            self.mark, self.lost = (rollout, self.base), False
            self.found = next((item for item in generations(known) if not item.get("transient")), {})
        self.base = content

    @precondition(lambda self: self.base or self.out)
    @rule(rollout=ROLLOUTS, left=LIFE)
    def absent(self, rollout: str, left: int) -> None:
        known = self._ledger()
        result = self._run(rollout, {"state": "absent"}, left)
        if not result:
            return
        assert not result.failed, result.message
        if self.base is not None:
            self._lead(rollout, None, known)
        self.mark, self.lost = self.mark if self._ledger() else None, True
        self.out, self.made = None, {}

    @rule(rollout=ROLLOUTS, undone=ROLLOUTS, left=LIFE)
    def undo(self, rollout: str, undone: str, left: int) -> None:
        (last, before), found, lost = self.mark or ("", None), self.found, self.lost
        if self.out and self.out[1] != last:
            last, before, lost = self.out[1], self.base, False
            found = next(iter((self._ledger() or {}).get("previous") or []), {})
        idle = last != undone or (not self.out and before == self.base)
        possible = idle or before is None or not lost or before in self._kept()[1:]
        result = self._run(rollout, {"state": "rolled_back", "undo": undone}, left)
        if not result:
            return
        assert result.failed == (not possible), result.message
        if not possible:
            assert "no longer on this host" in result.message
        elif idle:
            assert not result.changed
            assert len(result.notes) == 1
        else:
            assert result.changed
            self.base, self.out = before, None
            assert (self.folder / "data").is_dir() == self.data
            self.made.pop(undone, None)
            self._forget_if_gone()
            generation = (self._ledger() or {}).get("generation") or {}
            if not lost and found.get("rollout") != undone:
                assert generation == found
            # Of what the rollout made only that is kept which undoing another one leads to.
            ledger = self._ledger() or {}
            kept = [item for item in ledger.get("previous") or [] if item["rollout"] == undone]
            assert [item["id"] for item in kept] in ([], [ledger.get("before", {}).get("id")])
            if kept:
                assert ledger["before"]["rollout"] != undone
                self.made[undone] = self._content(kept[0])
            if generation.get("rollout") == undone:
                self.made[undone] = str(before)
            again = self._engine(rollout).run({"name": "demo", "state": "rolled_back", "undo": undone})
            assert (again.failed, again.changed, len(again.notes)) == (False, False, 1)

    def _forget_if_gone(self) -> None:
        if not self._ledger():
            self.mark = None
        if self.base is None:
            self.made = {}

    @rule(rollout=ROLLOUTS, wanted=ROLLOUTS, left=LIFE)
    def to(self, rollout: str, wanted: str, left: int) -> None:
        known = self._ledger()
        present = (known or {}).get("generation")
        lasting = [item for item in generations(self._ledger()) if not item.get("transient")]
        exact = wanted in [item["rollout"] for item in lasting]
        result = self._run(rollout, {"state": "rolled_back", "to": wanted}, left)
        if not result:
            return
        if result.failed:
            assert "no longer on this host" in result.message
            assert present
            assert not exact
        elif not present:
            assert not result.changed
        elif result.changed:
            content = self._live()
            assert not exact or content == self.made[wanted]
            assert len(generations(self._ledger())) <= max(len(lasting), 1)
            if content != self.base:
                self._lead(rollout, content, known)
            self.out = None
        elif exact:
            assert not self.out
            assert self.base == self.made[wanted]

    @rule(rollout=ROLLOUTS, left=LIFE)
    def one_back(self, rollout: str, left: int) -> None:
        kept = self._kept()
        result = self._run(rollout, {"state": "rolled_back"}, left)
        if not result:
            return
        assert result.failed == (len(kept) < 2)
        if not result.failed:
            self.base, self.out = kept[1], None
            self.lost = self.lost or bool(self.mark and self.mark[1] not in (None, *self._kept()))
            self.made = {}
            for item, content in reversed(list(zip(generations(self._ledger()), self._kept(), strict=True))):
                self.made[item["rollout"]] = content

    # What is always true

    @invariant()
    def it_is_what_the_model_says(self) -> None:
        assert self._live() == (self.out[0] if self.out else self.base)

    @invariant()
    def the_ledger_says_so(self) -> None:
        ledger = self._ledger()
        kept = self._kept() if ledger else []
        assert not [item for item in (ledger or {}).get("previous") or [] if item.get("transient")]
        if ledger and self.mark:
            assert ledger["before"]["rollout"] == self.mark[0]
            assert (ledger["before"]["id"] == "") == (self.mark[1] is None)
        if self.out:
            assert (kept[1] if len(kept) > 1 else None) == self.base

    @invariant()
    def what_is_kept_is_there_and_nothing_else(self) -> None:
        objects = self.folder / "store" / "objects"
        found = {path.name for path in objects.iterdir()} if objects.exists() else set()
        assert found == referenced(self._ledger() or {})


def test_a_host_that_knows_nothing_is_left_alone(tmp_path: Path) -> None:
    host = FakeHost(FakePackages())
    for way in ({"undo": "r"}, {"to": "r"}):
        engine = Engine(host, Store(host, str(tmp_path / "store")), "amd64", Mode())
        result = engine.run({"name": "demo", "state": "rolled_back", **way})
        assert (result.failed, result.changed, result.notes) == (False, False, [NOT_HERE])
    assert list(tmp_path.iterdir()) == []


GoingBack.TestCase.settings = settings(
    max_examples=150, report_multiple_bugs=False, stateful_step_count=20, deadline=None
)
TestGoingBack = GoingBack.TestCase
