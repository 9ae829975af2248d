"""Programs built from Go modules in the store. The store and the mirror are fakes: a dictionary behind both."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any
from urllib.error import URLError

import jsonschema
import pytest
import yaml

from lab import REPOSITORY, artifacts, cli, gobuild, mirror, programs
from lab.errors import LabError
from lab.hosts import Launcher
from lab.recipes import find, recipe_digest
from lab.state import State

PLATFORM = REPOSITORY / "collections/ansible_collections/devops/platform/plugins/module_utils/platform"
SCHEMA = json.loads((PLATFORM / "artifacts.schema.json").read_text())
SETTINGS = type("Settings", (), {"mirror": "192.0.2.2"})()
LAUNCHER: Launcher = type("FakeLauncher", (), {"settings": SETTINGS})()


class FakeStore:
    """The mirror's container, and what it serves."""

    name = "fake-mirror"

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.written: list[str] = []
        self.fails = False

    def put_archive(self, folder: str, content: bytes) -> None:
        assert folder == artifacts.STORE
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            for member in tar.getmembers():
                if member.isfile():
                    self.files[member.name] = tar.extractfile(member).read()  # type: ignore[union-attr]

    def exec_run(self, command: list[str], demux: bool) -> tuple[int, tuple[bytes, bytes]]:
        assert command[:2] == ["mv", "--no-target-directory"]
        if self.fails:
            return 1, (b"", b"no space left on device")
        old, new = (path.removeprefix(f"{artifacts.STORE}/") for path in command[2:])
        self.files[new] = self.files.pop(old)
        self.written.append(new)
        return 0, (b"", b"")

    def open_url(self, url: str) -> io.BytesIO:
        name = url.partition("/artifacts/")[2]
        if name not in self.files:
            raise URLError("404")
        return io.BytesIO(self.files[name])


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    fake = FakeStore()
    monkeypatch.setattr(mirror, "wait_ready", lambda _launcher: fake)
    monkeypatch.setattr(mirror, "open_url", fake.open_url)
    debian = artifacts.Lock({"": artifacts.recipe_digest()}, {"prometheus": {"2.53.3": {}}})
    fake.files[artifacts.LOCK_NAME] = debian.text().encode()
    return fake


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Builds that were made; a fake of them that takes no compiler."""
    made: list[str] = []

    def build(recipe: Any, _state: State) -> tuple[str, str, dict[str, bytes]]:
        made.append(recipe.name)
        return "0.53.0", "amd64", dict.fromkeys(recipe.programs, b"program")

    monkeypatch.setattr(gobuild, "build", build)
    return made


def locked(state: State) -> dict[str, Any]:
    entries: dict[str, Any] = yaml.safe_load(state.artifacts_lock.read_text())["artifacts"]
    return entries


def test_a_lock_survives_being_written() -> None:
    lock = artifacts.Lock({"": "0" * 16, "cadvisor": "1" * 16}, {"cadvisor": {"0.53.0": {"strip": 1}}})
    assert artifacts.Lock.parse(lock.text()) == lock
    assert lock.text().startswith(f"# recipe {'0' * 16}\n# recipe cadvisor {'1' * 16}\n---\nformat: 1\n")
    assert artifacts.Lock.parse("") == artifacts.Lock({}, {})


def test_a_program_is_built_when_it_is_asked_for_and_once(store: FakeStore, built: list[str], tmp_path: Path) -> None:
    state = State(tmp_path)
    assert artifacts.ensure(LAUNCHER, state) == "unchanged"
    assert (built, sorted(locked(state))) == ([], ["prometheus"])
    assert programs.ensure(LAUNCHER, state, ["cadvisor", "cadvisor"]) == "built cadvisor"
    assert programs.ensure(LAUNCHER, state, ["cadvisor"]) == "unchanged"
    assert built == ["cadvisor"]
    assert len(store.written) == 2  # tarball and lock, once
    assert sorted(locked(state)) == ["cadvisor", "prometheus"]
    entry = locked(state)["cadvisor"]["0.53.0"]
    path = entry["path"].format(version="0.53.0", arch="amd64")
    with tarfile.open(fileobj=io.BytesIO(store.files[path])) as tar:
        assert tar.getnames() == ["cadvisor-0.53.0.linux-amd64", "cadvisor-0.53.0.linux-amd64/cadvisor"]
    assert entry["binaries"] == ["cadvisor"]
    assert "url" not in entry  # upstream's releases have another shape
    jsonschema.validate({"format": 1, "artifacts": {"cadvisor": locked(state)["cadvisor"]}}, SCHEMA)
    assert store.written.index(path) < store.written.index(artifacts.PROGRAMS_LOCK)


def test_the_store_outlives_the_state(store: FakeStore, built: list[str], tmp_path: Path) -> None:
    programs.ensure(LAUNCHER, State(tmp_path / "first"), ["cadvisor"])
    artifacts.ensure(LAUNCHER, State(tmp_path / "second"))
    assert locked(State(tmp_path / "second")) == locked(State(tmp_path / "first"))
    assert built == ["cadvisor"]


def test_another_recipe_is_built_anew_and_debians_stay(store: FakeStore, built: list[str], tmp_path: Path) -> None:
    old = artifacts.Lock({"cadvisor": "0" * 16}, {"cadvisor": {"0.1.0": {}}, "other": {"1.0": {}}})
    store.files[artifacts.PROGRAMS_LOCK] = old.text().encode()
    state = State(tmp_path)
    programs.ensure(LAUNCHER, state, ["cadvisor"])
    assert list(locked(state)["cadvisor"]) == ["0.53.0"]
    assert {"other", "prometheus"} < set(locked(state))
    lock = artifacts.Lock.parse(store.files[artifacts.PROGRAMS_LOCK].decode())
    assert lock.recipes == {"cadvisor": recipe_digest(find("cadvisor"))}


def test_what_could_not_be_stored_is_in_no_lock(store: FakeStore, built: list[str], tmp_path: Path) -> None:
    store.fails = True
    with pytest.raises(LabError, match=r"putting cadvisor/cadvisor-.*gz into the store failed"):
        programs.ensure(LAUNCHER, State(tmp_path), ["cadvisor"])
    assert artifacts.PROGRAMS_LOCK not in store.files
    assert not State(tmp_path).artifacts_lock.exists()


def test_the_command_builds_what_it_is_told(
    store: FakeStore, built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    state = State(tmp_path)
    monkeypatch.setattr(cli, "State", lambda: state)
    monkeypatch.setattr(cli, "_running", lambda _state: LAUNCHER)
    assert cli.main(["artifacts", "cadvisor", "cadvisor"]) == 0
    assert cli.main(["artifacts", "cadvisor"]) == 0  # anew, as it does with Debian's packages
    assert built == ["cadvisor", "cadvisor"]
    assert "cadvisor" in locked(state)
    assert cli.main(["artifacts", "cadvisor", "kadvisor"]) == 1
    assert "no program is called kadvisor" in capsys.readouterr().err
    assert len(built) == 2
