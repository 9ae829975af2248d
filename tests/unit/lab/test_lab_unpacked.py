"""Programs out of the mirror's tarballs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from lab import artifacts, unpacked
from lab.artifacts import ARTIFACTS, lock_entry, pack
from lab.recipes import find, recipe_digest
from lab.state import State


def locked(state: State, content: bytes, recipe: str = "") -> dict[str, object]:
    prometheus = next(artifact for artifact in ARTIFACTS if artifact.name == "prometheus")
    entry = lock_entry(prometheus, "2.0", "amd64", hashlib.sha256(content).hexdigest())
    lock = yaml.safe_dump({"artifacts": {"prometheus": entry}})
    state.write(state.artifacts_lock, f"# recipe {recipe or artifacts.recipe_digest()}\n{lock}")
    return {**entry["2.0"], "version": "2.0"}


def test_programs_are_unpacked_beside_each_other_and_can_be_run(tmp_path: Path) -> None:
    state = State(tmp_path)
    programs = {"promtool": b"#!/bin/sh\n", "prometheus": b"x"}
    content = pack("prometheus-2.0.linux-amd64", programs, {"templates/page": b"text"})
    folder = unpacked._folder(state, "prometheus", locked(state, content))
    assert unpacked._unpack(content, folder) == folder
    assert sorted(path.name for path in folder.iterdir()) == ["prometheus", "promtool", "templates"]
    assert (folder / "templates" / "page").read_text() == "text"
    assert not (folder / "templates" / "page").stat().st_mode & 0o111
    assert (folder / "promtool").stat().st_mode & 0o111
    # What is there is taken as it is: no Docker, no mirror.
    assert unpacked.ensure("prometheus", state) == folder
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_broken_tarball_leaves_nothing(tmp_path: Path) -> None:
    state = State(tmp_path)
    folder = unpacked._folder(state, "prometheus", locked(state, b"nonsense"))
    with pytest.raises(Exception, match="file could not be opened"):
        unpacked._unpack(b"nonsense", folder)
    assert list(folder.parent.iterdir()) == []


def test_a_program_from_go_modules_has_a_recipe_of_its_own(tmp_path: Path) -> None:
    state = State(tmp_path)
    entry = {"1.0": {"sha256": {"amd64": "0" * 64}}}
    for digest, known in ((recipe_digest(find("cadvisor")), True), ("0" * 16, False)):
        lock = artifacts.Lock({"": artifacts.recipe_digest(), "cadvisor": digest}, {"cadvisor": entry})
        state.write(state.artifacts_lock, lock.text())
        assert unpacked._entry(state, "cadvisor") == ({**entry["1.0"], "version": "1.0"} if known else None)


@pytest.mark.parametrize(("name", "recipe"), [("other", ""), ("prometheus", "0" * 16)])
def test_a_lock_that_says_nothing_of_it_is_not_believed(tmp_path: Path, name: str, recipe: str) -> None:
    state = State(tmp_path)
    locked(state, b"", recipe)
    assert unpacked._entry(state, name) is None
