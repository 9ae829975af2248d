"""How Go is called, and what becomes of what it says. A shell script named as such stands in for Go."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lab import gobuild, prerequisites
from lab.errors import LabError
from lab.gomod import parse_mod
from lab.recipes import Recipe
from lab.state import State

HASH = "h1:" + "A" * 43 + "="
RECIPE = Recipe("tool", "a.example/tool", {"tool": "a.example/tool/cmd", "toolctl": "a.example/tool/ctl"})
FAKE_GO = """\
#!/bin/sh
# A fake Go: writes what it was asked for into the program, or fails as FAKE_GO_SAYS wants.
case $1 in
version) echo "go version ${FAKE_GO_VERSION:-go1.26.8} linux/amd64";;
env) echo '{"GOPROXY": "https://modules.example", "GOAUTH": ""}';;
build)
    printf '%s' "$FAKE_GO_SAYS" >&2
    if [ -n "$FAKE_GO_SLEEP" ]; then sleep "$FAKE_GO_SLEEP"; fi
    if [ -n "$FAKE_GO_SAYS" ]; then exit 1; fi
    while [ "$1" != -o ]; do shift; done
    { echo "$3"; env | sort; } >"$2";;
esac
"""


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    folder = tmp_path / "recipes" / "tool"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module t\ngo 1.24.0\ntoolchain go1.26.8\nrequire a.example/tool v1.2.3\n")
    (folder / "go.sum").write_text(f"a.example/tool v1.2.3 {HASH}\na.example/tool v1.2.3/go.mod {HASH}\n")
    return folder.parent


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """A lab's state, with a fake Go first on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "go").write_text(FAKE_GO)
    (programs / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return State(tmp_path / "state")


def test_a_build_gives_each_program(state: State, recipes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"GOFLAGS": "-mod=mod", "GOEXPERIMENT": "x", "CGO_ENABLED": "1", "GOMAXPROCS": "1"}.items():
        monkeypatch.setenv(name, value)
    version, arch, programs = gobuild.build(RECIPE, state, recipes)
    assert (version, arch, sorted(programs)) == ("1.2.3", gobuild.architecture(), ["tool", "toolctl"])
    package, *settings = programs["toolctl"].decode().splitlines()
    assert package == "a.example/tool/ctl"
    seen = dict(line.split("=", 1) for line in settings if line.startswith(("GO", "CGO")))
    assert seen["GOPROXY"] == "https://modules.example"
    assert (seen["GOTOOLCHAIN"], seen["GOENV"]) == ("go1.26.8", "off")
    assert (seen["CGO_ENABLED"], seen["GOMAXPROCS"], seen["GOFLAGS"]) == ("0", "1", "-mod=readonly -modcacherw")
    assert {"GOEXPERIMENT", "GOAUTH"}.isdisjoint(seen)
    for name in ("GOPATH", "GOMODCACHE", "GOCACHE", "GOTMPDIR"):
        assert seen[name].startswith(f"{state.go}/")
    assert not (state.go / "work").exists()


def test_what_is_partly_in_c_is_one_file_all_the_same(state: State, recipes: Path) -> None:
    (state.root.parent / "bin" / "gcc").symlink_to("/bin/true")
    recipe = replace(RECIPE, c=True)
    _version, _arch, programs = gobuild.build(recipe, state, recipes)
    assert b"\nCGO_ENABLED=1\n" in programs["tool"]
    words = gobuild.arguments(recipe, "1.2.3", "tool", "a.example/tool/cmd")
    assert words[words.index("-ldflags") + 1].endswith("-linkmode external -extldflags -static")
    assert words[words.index("-tags") + 1] == "netgo,osusergo"


def test_sources_are_not_written_and_paths_not_kept() -> None:
    words = gobuild.arguments(replace(RECIPE, tags=("netgo", "osusergo")), "1.2.3", "/out", "./cmd")
    assert words == [
        "build", "-trimpath", "-buildvcs=false", "-tags", "netgo,osusergo", "-ldflags", "-s -w", "-o", "/out", "./cmd",
    ]  # fmt: skip
    assert "-tags" not in gobuild.arguments(RECIPE, "1.2.3", "/out", "./cmd")


# What Go 1.26 says, shortened.
SAID = [
    (
        'main.go:29:2: a.example/x@v0.53.0: Get "https://m.example/a.example/x/@v/v0.53.0.zip": dial tcp: refused',
        "a.example/x@v0.53.0 is not to be had: see `go env GOPROXY`",
    ),
    (
        "go: a.example/x@v0.53.0: reading https://m.example/a.example/x/@v/v0.53.0.zip: 403 Forbidden",
        "a.example/x@v0.53.0 is not to be had",
    ),
    ("main.go:29:2: module lookup disabled by GOPROXY=off", "Go may fetch nothing here"),
    (
        "go: downloading go1.99.9\ngo: download go1.99.9: golang.org/toolchain@v0.0.1: reading https://m.example: 403",
        "the compiler go1.99.9 is not to be had: see `go env GOPROXY`, or build with another: LAB_GO_TOOLCHAIN=local",
    ),
    ("go: download go1.24.13 for linux/amd64: toolchain not available", "the compiler go1.24.13 is not to be had"),
    (
        "main.go:27:2: verifying a.example/x@v0.53.0: checksum mismatch\n\tdownloaded: h1:2Lo\n\tgo.sum:     h1:AAA",
        "a.example/x@v0.53.0 is not what go.sum pins",
    ),
    (
        "main.go:27:2: missing go.sum entry for module providing package a.example/x; to add:\n\tgo get t",
        "run `go mod tidy` in the recipe's folder",
    ),
    ("go: updates to go.mod needed, disabled by -mod=readonly; to update it:\n\tgo mod tidy", "go.mod is not complete"),
    ("go: go.mod requires go >= 1.25.0 (running go 1.24.13; GOTOOLCHAIN=local)", "install Go 1.25.0 or newer"),
    (
        "main.go:29:2: unzip /s/a.example/x/@v/v0.53.0.zip: write /s/a.example/x@v0.53.0/m.go: no space left on device",
        "the disk is full",
    ),
    ("# t\n./main.go:118:7: undefined: klog.InitFlagz", "correct the recipe: lab/go/tool and lab/recipes.py"),
]


@pytest.mark.parametrize(("said", "remedy"), SAID)
def test_a_failure_says_what_and_what_to_do(
    state: State, recipes: Path, monkeypatch: pytest.MonkeyPatch, said: str, remedy: str
) -> None:
    monkeypatch.setenv("FAKE_GO_SAYS", said)
    with pytest.raises(LabError) as error:
        gobuild.build(RECIPE, state, recipes)
    assert remedy in error.value.remedy
    assert error.value.problem.startswith("building tool (a.example/tool/cmd) from Go modules failed:\n")
    assert said.splitlines()[-1].strip() in error.value.problem
    assert "downloading" not in error.value.problem
    assert not (state.go / "work").exists()


def test_a_build_that_does_not_end_is_ended(state: State, recipes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GO_SLEEP", "60")
    begun = time.monotonic()
    with pytest.raises(LabError, match=r"took more than 0\.01 minutes, and was ended"):
        gobuild.build(replace(RECIPE, minutes=0.01), state, recipes)
    assert time.monotonic() - begun < 20
    assert not (state.go / "work").exists()


def test_one_build_at_a_time(state: State, recipes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GO_SLEEP", "0.2")
    done: list[str] = []
    builds = [threading.Thread(target=lambda: done.append(gobuild.build(RECIPE, state, recipes)[0])) for _ in range(3)]
    for build in builds:
        build.start()
    for build in builds:
        build.join()
    assert done == ["1.2.3"] * 3  # one that cleared another's work folder would have failed it


@pytest.mark.parametrize(
    ("said", "good"), [("go1.19.8", False), ("go1.20", False), ("go1.21.0", True), ("go2.0", True), ("devel", False)]
)
def test_an_old_go_is_refused(state: State, monkeypatch: pytest.MonkeyPatch, said: str, good: bool) -> None:
    monkeypatch.setenv("FAKE_GO_VERSION", said)
    if good:
        assert gobuild.find_go().endswith("/bin/go")
        return
    with pytest.raises(LabError, match=r"Go 1\.21 is the first that fetches") as error:
        gobuild.find_go()
    assert said in error.value.problem
    assert "install a newer one" in error.value.remedy


@pytest.mark.parametrize(("base", "expected"), [({}, "go1.26.8"), ({"LAB_GO_TOOLCHAIN": "local"}, "local")])
def test_the_compiler_is_go_mods_unless_told_otherwise(base: dict[str, str], expected: str) -> None:
    mod = parse_mod("module t\ngo 1.24.0\ntoolchain go1.26.8\n", "go.mod")
    assert gobuild.compiler(mod, {"GOTOOLCHAIN": "auto", **base}) == expected


def test_architectures() -> None:
    assert [gobuild.architecture(machine) for machine in ("x86_64", "aarch64")] == ["amd64", "arm64"]
    with pytest.raises(LabError, match="this is riscv64"):
        gobuild.architecture("riscv64")


def test_without_go_somebody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = prerequisites.Machine(False, True, False, "", True, frozenset())
    monkeypatch.setattr(prerequisites, "inspect_machine", lambda: machine)
    with pytest.raises(LabError, match=r"missing program: go \(package golang-go: builds"):
        prerequisites.ensure(prerequisites.GO)


def test_what_go_made_read_only_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "go" / "modules" / "x@v1"
    folder.mkdir(parents=True)
    (folder / "x.go").write_text("")
    (folder / "x.go").chmod(0o444)
    folder.chmod(0o555)
    seen: list[int] = []
    real = os.rmdir

    def rmdir(path: str, *, dir_fd: int | None = None) -> None:  # root may remove them in any case: look at the mode
        seen.append(os.stat(path, dir_fd=dir_fd).st_mode & 0o777)
        real(path, dir_fd=dir_fd)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "rmdir", rmdir)
        gobuild.remove_tree(tmp_path / "go")
    assert not (tmp_path / "go").exists()
    assert set(seen) == {0o700}
    gobuild.remove_tree(tmp_path / "go")  # nothing there, nothing to do
