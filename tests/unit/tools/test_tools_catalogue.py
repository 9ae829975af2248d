"""Which suites a word means."""

from __future__ import annotations

import pytest

from tools import REPOSITORY, catalogue
from tools.catalogue import SUITES, Suite, UnknownSuiteError, choose

KNOWN = (
    Suite("lint-a", "", ("true",), frozenset({"check", "lint"})),
    Suite("unit", "", ("true",), frozenset({"check"})),
    Suite("engine", "", ("true",)),
    Suite("lab", "", ("true",)),
    Suite("load", "", ("true",), frozenset({"chat"}), long=True),
)


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(catalogue, "SUITES", KNOWN)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["test"], ["lint-a", "unit", "engine", "lab"]),
        (["check"], ["lint-a", "unit"]),
        (["chat"], ["load"]),
        (["test", "load"], ["lint-a", "unit", "engine", "lab", "load"]),
        (["lint"], ["lint-a"]),
        (["lab", "engine"], ["engine", "lab"]),  # the catalogue's order, not the words'
        (["check", "unit", "unit"], ["lint-a", "unit"]),  # each once
        (["test", "lab"], ["lint-a", "unit", "engine", "lab"]),
    ],
)
def test_words_choose_suites(known, words, expected):
    assert [suite.name for suite in choose(words)] == expected


def test_an_unknown_word_is_named_with_what_there_is(known):
    with pytest.raises(UnknownSuiteError, match=r"^no suite is called enigne, x; there are: chat, check, engine, "):
        choose(["enigne", "lab", "x"])


def test_names_are_unique_and_differ_from_groups():
    names = [suite.name for suite in SUITES]
    groups = {group for suite in SUITES for group in suite.groups} | {"test"}
    assert len(set(names)) == len(names)
    assert groups.isdisjoint(names)


def test_only_suites_that_there_is_something_to_run_for_are_offered():
    assert [suite.name for suite in SUITES if not (REPOSITORY / suite.needs).exists()] == []


def test_every_molecule_scenario_is_a_suite():
    scenarios = {path.parent.name for path in REPOSITORY.glob("molecule/*/molecule.yml")}
    assert {suite.name for suite in SUITES if "molecule" in suite.groups} == {f"molecule-{name}" for name in scenarios}
