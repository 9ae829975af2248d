"""A files-only component through any sequence of changes, crashes and recoveries: never half.

The host here is this machine's file system below a temporary directory; what systemd adds is tried in tests/engine.
"""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ansible_collections.devops.platform.plugins.module_utils.engine.engine import Engine
from ansible_collections.devops.platform.plugins.module_utils.engine.host import MUTATIONS, Host
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode, Result

ME = getpass.getuser()
GROUP = grp.getgrgid(os.getgid()).gr_name


class Power(BaseException):
    """The power fails: no `except` of the engine may see it."""


class FailingPower(Host):
    """Loses power before the mutation that a countdown ends at."""

    def __init__(self, left: int | None = None) -> None:
        self.left = left
        for name in MUTATIONS:
            setattr(self, name, self._guarded(getattr(self, name)))

    def _guarded(self, method: Any) -> Any:
        def call(*arguments: Any) -> Any:
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    raise Power
            return method(*arguments)

        return call


FILES = st.dictionaries(
    st.sampled_from(["a", "b", "sub/c", "sub/deep/d"]), st.sampled_from([b"one", b"two", b"three"]), max_size=4
)


class Changes(RuleBasedStateMachine):
    """The model: `stands` is what the component's files hold; `history` the generations to go back to."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="devops-platform-test-"))
        self.live = self.folder / "live"
        self.live.mkdir()
        self.foreign = {"a": b"foreign"}
        (self.live / "a").write_bytes(b"foreign")
        (self.live / "a").chmod(0o644)
        self.declared: dict[str, bytes] | None = None
        self.history: list[dict[str, bytes]] = []

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def _run(self, raw: dict[str, Any], left: int | None = None, check: bool = False) -> Result:
        host = FailingPower(left)
        return Engine(host, Store(host, str(self.folder / "store")), "amd64", Mode(check=check)).run(
            {"name": "demo", **raw}
        )

    def _raw(self, files: dict[str, bytes]) -> dict[str, Any]:
        return {
            "files": [
                {"path": f"{self.live}/{name}", "content": content.decode(), "owner": ME, "group": GROUP}
                for name, content in sorted(files.items())
            ]
        }

    def _change(self, raw: dict[str, Any], left: int) -> bool:
        """Foresee, run with a power failure after `left` mutations, recover; True if the change became true."""
        before = self._listing()
        foreseen = self._run(raw, check=True)
        assert self._listing() == before
        if foreseen.failed:
            assert self._run(raw).message == foreseen.message
            return False
        known = self._ledger()
        try:
            done = self._run(raw, left)
        except Power:
            self._recover()
            return self._ledger() != known
        assert not done.failed, done.message
        assert done.plan == foreseen.plan
        again = self._run({"state": "absent"} if raw.get("state") == "absent" else raw) if "state" not in raw else None
        assert again is None or not again.changed
        return True

    def _store(self) -> Store:
        return Store(Host(), str(self.folder / "store"))

    def _ledger(self) -> dict[str, Any] | None:
        return self._store().ledger("demo")

    def _recover(self) -> None:
        """What any next run begins with."""
        store = self._store()
        store.prepare()
        with store.lock("demo"):
            Engine(Host(), store, "amd64", Mode())._recover("demo")

    def _remember(self, following: dict[str, bytes] | None) -> None:
        if following is not None and self.declared is not None and following != self.declared:
            self.history = [self.declared, *self.history][:2]
        if following is None:
            self.history = []
        self.declared = following

    @rule(files=FILES, left=st.integers(0, 60))
    def present(self, files: dict[str, bytes], left: int) -> None:
        if self._change(self._raw(files), left):
            self._remember(files)

    @rule(left=st.integers(0, 60))
    def absent(self, left: int) -> None:
        if self._change({"state": "absent"}, left):
            self._remember(None)

    @rule(left=st.integers(0, 60))
    def rolled_back(self, left: int) -> None:
        if self._change({"state": "rolled_back"}, left) and self.history:
            self.declared, self.history = self.history[0], self.history[1:]

    def _listing(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.live)): path.read_bytes() for path in self.live.rglob("*") if path.is_file()}

    @invariant()
    def files_are_as_the_model_says(self) -> None:
        assert self._listing() == {**self.foreign, **(self.declared or {})}

    @invariant()
    def nothing_is_left_over(self) -> None:
        hidden = list(self.live.rglob(".*"))
        store = self.folder / "store"
        left = [path for kind in ("journal", "stage") for path in (store / kind).glob("*")] if store.exists() else []
        assert hidden + left + list(store.rglob("*.n*")) == []
        if self.declared is None:
            assert {path.name for path in self.live.iterdir()} == {"a"}


Changes.TestCase.settings = settings(max_examples=40, report_multiple_bugs=False, stateful_step_count=12)
TestChanges = Changes.TestCase
