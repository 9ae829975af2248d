"""go.mod and go.sum as data."""

from __future__ import annotations

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import LabError
from lab.gomod import GoMod, Module, parse_mod, parse_sum, unpinned

HASH = "h1:" + "A" * 43 + "="
KUBERNETES = """\
module devops.platform/lab/kubernetes // not to be fetched

go 1.24.0

toolchain go1.26.8

require k8s.io/kubernetes v1.34.4

require (
\tk8s.io/api v0.0.0 // indirect
\tgithub.com/docker/docker v28.2.2+incompatible // indirect
)

tool k8s.io/kubernetes/cmd/kubeadm

replace (
\tk8s.io/api => k8s.io/api v0.34.4
\tgithub.com/docker/docker v28.2.2+incompatible => ./docker
)
exclude a.example/b v1.0.0
"""


def test_requirements_are_read_with_what_replaces_them() -> None:
    mod = parse_mod(KUBERNETES, "go.mod")
    assert (mod.module, mod.go, mod.toolchain) == ("devops.platform/lab/kubernetes", "1.24.0", "go1.26.8")
    assert mod.requires == {
        "k8s.io/kubernetes": "v1.34.4",
        "k8s.io/api": "v0.0.0",
        "github.com/docker/docker": "v28.2.2+incompatible",
    }
    assert str(mod.effective("k8s.io/kubernetes")) == "k8s.io/kubernetes@v1.34.4"
    assert str(mod.effective("k8s.io/api")) == "k8s.io/api@v0.34.4"
    assert str(mod.effective("github.com/docker/docker")) == "./docker"


def test_a_replacement_of_one_version_leaves_the_others() -> None:
    text = "module m\ngo 1.24\nrequire a v2\nreplace a v1 => b v1\n"
    assert parse_mod(text, "go.mod").effective("a") == Module("a", "v2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("module m\n", "x/go.mod: has no line `go`"),
        ("go 1.24\n", "x/go.mod: has no line `module`"),
        ("module m\ngo 1.24\nrequire a\n", "x/go.mod:3: not understood: require a"),
        ("module m\ngo 1.24\nrequires a v1\n", "x/go.mod:3: not understood: requires a v1"),
        ("module m\ngo 1.24\nreplace a b v1\n", "x/go.mod:3: not understood: replace a b v1"),
        ("module m\ngo 1.24\nreplace => b v1 c\n", "x/go.mod:3: not MODULE"),
        ("module m\ngo 1.24\nrequire (\n\ta v1\n", "the block `require (` has no end"),
    ],
)
def test_what_is_not_understood_is_named(text: str, message: str) -> None:
    with pytest.raises(LabError) as error:
        parse_mod(text, "x/go.mod")
    assert message in str(error.value)


@pytest.mark.parametrize("line", ["a v1", f"a v1 {HASH} x", "a v1 h1:short=", "<<<<<<< HEAD"])
def test_a_broken_sum_is_named(line: str) -> None:
    with pytest.raises(LabError, match=r"x/go\.sum:2: not MODULE VERSION"):
        parse_sum(f"a v1 {HASH}\n{line}\n", "x/go.sum")


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        (["a v1", "a v1/go.mod", "c v3", "c v3/go.mod"], []),
        (["a v1/go.mod", "c v3", "c v3/go.mod"], ["a@v1"]),
        (["a v1", "c v3", "c v3/go.mod"], ["a@v1"]),
        (["a v1", "a v1/go.mod", "b v2", "b v2/go.mod"], ["c@v3"]),  # what is replaced needs none
        ([], ["a@v1", "c@v3"]),
    ],
)
def test_each_requirement_wants_both_digests(sums: list[str], expected: list[str]) -> None:
    mod = parse_mod("module m\ngo 1.24\nrequire (\n a v1\n b v2\n d v4\n)\nreplace b => c v3\nreplace d => ./d\n", "")
    assert unpinned(mod, parse_sum("".join(f"{line} {HASH}\n" for line in sums), "")) == expected


PATHS = st.text(string.ascii_lowercase + "./-", min_size=1).filter(lambda text: not text.startswith(("/", ".", "-")))
VERSIONS = st.builds("v{}.{}.{}".format, *[st.integers(0, 99)] * 3)
MODULES = st.builds(Module, PATHS.filter(lambda path: "//" not in path), VERSIONS)


@given(st.lists(MODULES, unique_by=lambda module: module.path), st.dictionaries(MODULES, MODULES), st.booleans())
def test_what_is_written_is_read(required: list[Module], replaced: dict[Module, Module], block: bool) -> None:
    lines = [f"{module.path} {module.version}" for module in required]
    written = ["require (", *lines, ")"] if block else [f"require {line}" for line in lines]
    written += [f"replace {old.path} {old.version} => {new.path} {new.version}" for old, new in replaced.items()]
    mod = parse_mod("\n".join(["module m", "go 1.24", *written]), "go.mod")
    requires = {module.path: module.version for module in required}
    assert mod == GoMod("m", "1.24", "", requires, replaced)
    assert {mod.effective(path) for path in requires} == {replaced.get(module, module) for module in required}


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(LabError):
        assert parse_mod(text, "go.mod").module
