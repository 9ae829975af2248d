"""Packages with another version than the ledger's: what is planned, which way there is, and going it."""

from __future__ import annotations

import getpass
import grp
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.engine import apt, dpkg
from ansible_collections.devops.platform.plugins.module_utils.engine.engine import Engine
from ansible_collections.devops.platform.plugins.module_utils.engine.packages import (
    ARCHIVES,
    ENVIRONMENT,
    FROM_CACHE,
    FROM_SOURCE,
    NOT_INSTALLED,
    Move,
    Way,
    archives,
    found_changed,
    going_back,
    how_they_stand,
    known_ways,
    offered,
    refusal,
)
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode, Result
from ansible_collections.devops.platform.tests.unit.engine.fake_packages import FakeHost, FakePackages

ME = getpass.getuser()
GROUP = grp.getgrgid(os.getgid()).gr_name
CACHE = Way(f"{ARCHIVES}/nginx_1_amd64.deb", FROM_CACHE)
SOURCE = Way("nginx=1", FROM_SOURCE)
NONE = Way("", "neither the local cache nor a package source has 1")


# Words


@pytest.mark.parametrize(
    ("move", "action", "reason"),
    [
        (Move("nginx", "1", "2", CACHE), "package", "1 becomes 2; back: from the local cache"),
        (Move("nginx", "1", "2", SOURCE), "package", "1 becomes 2; back: from a package source"),
        (Move("nginx", "1", "2", NONE), "package", f"1 becomes 2; no way back: {NONE.words}"),
        (
            Move("nginx", "2", "1", SOURCE, CACHE),
            "package",
            "2 becomes 1, from the local cache; back: from a package source",
        ),
        (
            Move("nginx", "2", "1", NONE, CACHE),
            "package",
            f"2 becomes 1, from the local cache; no way back: {NONE.words}",
        ),
        (Move("nginx", "2", "1", CACHE, NONE), "keep package", f"stays at 2; that generation had 1: {NONE.words}"),
        (Move("nginx", "", "1", NONE, NONE), "keep package", f"stays at none; that generation had 1: {NONE.words}"),
    ],
)
def test_the_plan_says_what_becomes_of_a_package_and_whether_there_is_a_way_back(move, action, reason):
    assert (move.action, move.reason) == (action, reason)


def test_after_a_way_back_each_package_is_told_of():
    moves = [Move("a", "1", "2", CACHE), Move("b", "1", "2", NONE), Move("c", "1", "2", NONE, NONE)]
    assert how_they_stand(moves, {"b": "nobody has it"}) == [
        "The package a is at 1 again",
        "The package b did not get back to 1: nobody has it",
    ]


# What differs


@pytest.mark.parametrize(
    ("recorded", "installed", "moved"),
    [
        ({}, {"nginx": "1"}, []),
        ({"nginx": "1"}, {"nginx": "1"}, []),
        ({"nginx": "1"}, {"nginx": "2"}, [("nginx", "1", "2")]),
        ({"nginx": "2"}, {"nginx": "1"}, [("nginx", "2", "1")]),
        ({"nginx": "1"}, {}, []),
        ({"nginx": "1", "b": "1", "a": "1"}, {"nginx": "1", "b": "2", "a": "3"}, [("a", "1", "3"), ("b", "1", "2")]),
        ({"nginx": "1"}, {"nginx": "1", "new": "1"}, []),
    ],
)
def test_present_compares_with_the_ledger(recorded, installed, moved):
    found = found_changed(recorded, installed, dict.fromkeys(recorded, CACHE))
    assert [(move.name, move.before, move.after) for move in found] == moved
    assert not any(move.installs or move.stays for move in found)


@pytest.mark.parametrize(
    ("recorded", "installed", "way", "moved"),
    [
        ({"nginx": "1"}, {"nginx": "1"}, CACHE, []),
        ({"nginx": "1"}, {"nginx": "2"}, CACHE, [("nginx", "2", "1", True)]),
        ({"nginx": "1"}, {"nginx": "2"}, NONE, [("nginx", "2", "1", False)]),
        ({"nginx": "1", "b": "1"}, {"nginx": "1", "b": "2"}, CACHE, [("b", "2", "1", True)]),
    ],
)
def test_rolled_back_compares_with_the_generation(recorded, installed, way, moved):
    found = going_back(recorded, installed, dict.fromkeys(recorded, way), {})
    assert [(move.name, move.before, move.after, move.installs) for move in found] == moved
    assert all(move.installs != move.stays for move in found)


def test_what_is_not_installed_is_not_installed_by_a_rollback():
    (move,) = going_back({"nginx": "1"}, {}, {}, {})
    assert move.stays
    assert move.reason == f"stays at none; that generation had 1: {NOT_INSTALLED}"


@pytest.mark.parametrize(
    ("recorded", "found", "differs"),
    [
        ({}, {}, False),
        ({"a": "1"}, {"a": "1", "b": "2"}, False),
        ({"a": "1"}, {"a": "2"}, True),
        ({"a": "1"}, {}, True),
    ],
)
def test_dpkg_decides_whether_apt_is_asked_at_all(recorded, found, differs):
    assert dpkg.differing(recorded, found) is differs


def test_what_dpkg_was_at_when_it_died():
    states = ("installed", "config-files", "not-installed", "unpacked", "half-configured", "half-installed")
    lines = [f"{state}\t{state}\t1" for state in (*states, "triggers-pending")]
    assert dpkg.unfinished("\n".join(lines)) == ["unpacked", "half-configured", "half-installed", "triggers-pending"]


# Where a version is to be had


@pytest.mark.parametrize(
    ("name", "version", "files"),
    [
        ("nginx", "1.22.1-9+deb12u2", ["nginx_1.22.1-9+deb12u2_amd64.deb", "nginx_1.22.1-9+deb12u2_all.deb"]),
        ("redis", "5:7.0~rc1-1", ["redis_5%3a7.0~rc1-1_amd64.deb", "redis_5%3a7.0~rc1-1_all.deb"]),
    ],
)
def test_names_in_the_cache(name, version, files):
    assert archives(name, version, "amd64") == [f"{ARCHIVES}/{file}" for file in files]


def test_what_sources_offer():
    listed = " nginx | 1.22.1-9 | http://mirror bookworm/main amd64 Packages\n redis | 5:7.0-1 | x\nN: a warning\n"
    assert offered(listed) == {("nginx", "1.22.1-9"), ("redis", "5:7.0-1")}


@pytest.mark.parametrize(
    ("cached", "sources", "way"),
    [
        ({"nginx": CACHE.argument}, {("nginx", "1")}, CACHE),
        ({}, {("nginx", "1")}, SOURCE),
        ({}, {("nginx", "2"), ("other", "1")}, NONE),
    ],
)
def test_the_cache_comes_before_a_source(cached, sources, way):
    assert known_ways({"nginx": "1"}, cached, sources) == {"nginx": way}


UNMET = """Reading package lists...
The following packages have unmet dependencies:
 nginx : Depends: nginx-common (= 1) but 2 is to be installed
E: Unable to correct problems, you have held broken packages.
"""
REMOVED = """The following packages will be REMOVED:
  other
0 upgraded
  no reason
E: Packages need to be removed but remove is disabled.
"""


@pytest.mark.parametrize(
    ("output", "reason", "error"),
    [
        (
            UNMET,
            "nginx : Depends: nginx-common (= 1) but 2 is to be installed; ",
            "Unable to correct problems, you have",
        ),
        (REMOVED, "other; ", "Packages need to be removed but remove is disabled."),
        ("apt-get: no such program on this host\n", "", "apt-get: no such program on this host"),
    ],
)
def test_a_refusal_in_one_line(output, reason, error):
    assert refusal(output).startswith(reason + error)
    assert "no reason" not in refusal(output)


# Asking and going, with a fake package manager


def with_packages(cache=(), sources=(), **installed):
    packages = FakePackages(**installed)
    packages.cache, packages.sources = set(cache), set(sources)
    return FakeHost(packages)


def moved(name: str) -> dict[str, str]:
    return {"name": name, "before": "1", "after": "2"}


def test_all_of_a_components_packages_are_asked_for_together():
    host = with_packages(cache=[("a", "1"), ("b", "1")], a="2", b="2")
    host.packages.refuse = lambda wanted: "" if len(wanted) == 2 else "a : Depends: b"
    assert all(way.argument for way in apt.ways(host, {"a": "1", "b": "1"}).values())
    assert sum("--simulate" in words for words in host.told) == 1


def test_one_that_is_refused_does_not_keep_the_others():
    host = with_packages(cache=[("a", "1"), ("b", "1")], a="2", b="2")
    host.packages.refuse = lambda wanted: "a : Breaks: c" if "a" in wanted else ""
    found = apt.ways(host, {"a": "1", "b": "1", "c": "1"})
    assert found["a"] == Way("", "apt refuses 1: a : Breaks: c; Unable to correct.")
    assert found["b"].words == FROM_CACHE
    assert found["c"].words.startswith("neither")
    assert host.changed == []


def test_sources_are_not_asked_for_what_the_cache_has():
    host = with_packages(cache=[("a", "1")], sources=[("a", "1")], a="2")
    assert apt.ways(host, {"a": "1"})["a"].words == FROM_CACHE
    assert not any("apt-cache" in words for words in host.told)


def test_putting_back_asks_dpkg_first_and_is_done_where_it_is_right():
    host = with_packages(a="1")
    assert apt.put_back(host, [moved("a")]) == {}
    assert [words.split()[0] for words in host.told] == ["dpkg-query"]


def test_putting_back_is_one_call_that_removes_nothing_and_keeps_our_files():
    host = with_packages(cache=[("a", "1")], sources=[("b", "1")], a="2", b="2", c="2")
    assert apt.put_back(host, [moved("a"), moved("b"), moved("c")]) == {
        "c": "neither the local cache nor a package source has 1"
    }
    assert host.packages.installed == {"a": "1", "b": "1", "c": "2"}
    (command,) = [words for words in host.told if words.startswith("!")]
    for word in ("--no-remove", "--allow-downgrades", "--no-install-recommends", "Dpkg::Options::=--force-confold"):
        assert f" {word} " in command
    assert command.endswith(f" {ARCHIVES}/a_1_amd64.deb b=1")
    assert host.environments == [ENVIRONMENT]


@pytest.mark.parametrize(
    ("half", "installed"), [("half-configured", "2"), ("half-configured", "1"), ("half-installed", "1")]
)
def test_what_dpkg_left_half_done_is_finished_first_and_only_then(half, installed):
    host = with_packages(cache=[("a", "1")], a=installed)
    host.packages.half, host.packages.interrupted = {"a": half}, True
    assert apt.put_back(host, [moved("a")]) == {}
    assert host.changed[0] == "-a"
    assert (host.packages.installed, host.packages.half) == ({"a": "1"}, {})


def test_what_is_half_unpacked_and_cannot_go_back_is_finished():
    host = with_packages(cache=[("a", "2")], a="1")
    host.packages.half, host.packages.interrupted = {"a": "half-installed"}, True
    assert "neither" in apt.put_back(host, [moved("a")])["a"]
    assert (host.packages.installed, host.packages.half) == ({"a": "2"}, {})


def test_a_package_that_cannot_be_installed_says_why():
    host = with_packages(cache=[("a", "1")], a="2")
    host.packages.broken = {("a", "1")}
    stayed = apt.put_back(host, [moved("a")])
    assert "the scripts of a 1 failed" in stayed["a"]


def test_only_what_the_cache_lacks_is_fetched_beforehand():
    host = with_packages(sources=[("nginx", "1")])
    apt.fetch(host, [Move("nginx", "2", "1", NONE, CACHE), Move("other", "1", "2", CACHE)])
    assert host.told == []
    apt.fetch(host, [Move("nginx", "2", "1", NONE, SOURCE)])
    assert "--download-only nginx=1" in host.told[0]


# A component's run


class Component:
    """One file, one package and a probe, on a fake host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages = FakePackages(demo="1")
        self.packages.cache = {("demo", "1"), ("demo", "2"), ("demo", "3")}
        self.host = FakeHost(self.packages)
        self.store = Store(self.host, str(folder / "store"))

    def run(self, content: str = "a", check: bool = False, **more: Any) -> Result:
        self.host.told.clear()
        file = {"path": f"{self.folder}/file", "content": content, "owner": ME, "group": GROUP}
        probe = {"command": "fake-probe", "timeout": -1}
        raw = {"name": "demo", "packages": ["demo"], "files": [file], "probe": probe, **more}
        return Engine(self.host, self.store, "amd64", Mode(check=check)).run(raw)

    def back(self, **more: Any) -> Result:
        return self.run(state="rolled_back", **more)

    def stands(self) -> tuple[str, str, str]:
        """The file, the package, and the package in the ledger."""
        recorded = (self.store.ledger("demo") or {})["generation"]["packages"]["demo"]
        return (self.folder / "file").read_text(), self.packages.installed["demo"], recorded


@pytest.fixture
def component(tmp_path: Path) -> Component:
    made = Component(tmp_path)
    assert not made.run().failed
    return made


def test_where_versions_are_equal_apt_is_not_asked(component, monkeypatch):
    monkeypatch.delattr(apt, "moves_present")
    assert component.run().plan == []
    assert [words.split()[0] for words in component.host.told] == ["dpkg-query"]
    assert component.run("b").plan
    assert {words.split()[0] for words in component.host.told} == {"dpkg-query"}


def test_a_run_without_changes_loads_none_of_this():
    names = [apt.__name__, apt.__name__.replace("apt", "packages")]
    module = Engine.__module__
    code = f"import sys, {module}; print([name for name in {names!r} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_a_changed_version_alone_is_planned_and_probed(component):
    component.packages.installed["demo"] = "2"
    planned = [{"action": "package", "target": "demo", "reason": "1 becomes 2; back: from the local cache"}]
    assert component.run(check=True).plan == planned
    result = component.run()
    assert (result.plan, result.effect, result.failed) == (planned, "none", False)
    assert component.host.changed == []
    assert component.stands() == ("a", "2", "2")
    assert component.run().plan == []


def test_a_failed_probe_puts_the_package_back(component):
    component.packages.installed["demo"] = "2"
    component.host.probe = 1
    result = component.run("b")
    assert (result.failed, result.step) == (True, "probe")
    assert "The package demo is at 1 again" in result.message
    assert component.stands() == ("a", "1", "1")


def test_a_refused_file_leaves_the_package_alone(component):
    """What apt installed last night is not to blame for what somebody wrote today."""
    component.packages.installed["demo"] = "2"
    file = {"path": f"{component.folder}/file", "content": "b", "owner": ME, "group": GROUP, "validate": "false %s"}
    result = component.run(files=[file])
    assert (result.failed, result.step) == (True, "validate")
    assert "Nothing was switched; what ran before runs on" in result.message
    assert "The package" not in result.message
    assert component.stands() == ("a", "2", "1")


def test_without_a_way_back_the_package_stays_and_the_plan_said_so(component):
    component.packages.installed["demo"] = "2"
    component.packages.cache.clear()
    component.host.probe = 1
    result = component.run("b")
    assert "no way back: neither the local cache nor a package source has 1" in result.plan[1]["reason"]
    assert "The package demo did not get back to 1: neither the local cache" in result.message
    assert "Everything" not in result.message
    assert component.stands() == ("a", "2", "1")


def test_rolled_back_brings_the_version_back(component):
    component.packages.installed["demo"] = "2"
    component.run("b")
    foreseen = component.back(check=True)
    assert component.host.changed == []
    result = component.back()
    assert foreseen.plan == result.plan
    reason = "2 becomes 1, from the local cache; back: from the local cache"
    assert {"action": "package", "target": "demo", "reason": reason} in result.plan
    assert component.stands() == ("a", "1", "1")
    assert "no earlier generation" in component.back().message


def test_rolled_back_leaves_what_has_no_way_and_says_so_beforehand(component):
    component.packages.installed["demo"] = "2"
    component.run("b")
    component.packages.cache = {("demo", "2")}
    foreseen, result = component.back(check=True), component.back()
    assert foreseen.plan == result.plan
    assert foreseen.notes == result.notes
    why = "stays at 2; that generation had 1: neither the local cache nor a package source has 1"
    assert result.notes == [f"the package demo {why}"]
    assert {"action": "keep package", "target": "demo", "reason": why} in result.plan
    assert component.stands() == ("a", "2", "2")


def test_a_rollback_whose_probe_fails_puts_the_newer_version_back(component):
    component.packages.installed["demo"] = "2"
    component.run("b")
    component.host.probe = 1
    result = component.back()
    assert "The package demo is at 2 again" in result.message
    assert component.stands() == ("b", "2", "2")


def test_a_rollback_that_cannot_be_taken_back_says_so(component):
    component.packages.installed["demo"] = "2"
    component.run("b")
    component.packages.cache = {("demo", "1")}
    component.host.probe = 1
    result = component.back()
    assert "no way back: neither the local cache nor a package source has 2" in result.plan[1]["reason"]
    assert "The package demo did not get back to 2" in result.message
    assert component.stands() == ("b", "1", "2")


def test_a_rollback_that_fails_before_its_switch_leaves_packages_and_service_alone(component):
    checked = {
        "path": f"{component.folder}/file",
        "content": "b",
        "owner": ME,
        "group": GROUP,
        "validate": "fake-probe",
    }
    assert not component.run(files=[checked]).failed
    component.packages.installed["demo"] = "2"
    assert not component.run("c").failed
    component.host.probe = 1
    result = component.back()
    assert result.step == "validate"
    assert "Nothing was switched; what ran before runs on" in result.message
    assert component.host.changed == []
    assert component.stands() == ("c", "2", "2")


def test_absent_leaves_packages_as_they_are(component):
    component.packages.installed["demo"] = "2"
    assert "package" not in {item["action"] for item in component.run(state="absent").plan}
    assert component.packages.installed == {"demo": "2"}
    assert component.host.changed == []


def test_a_journal_from_before_packages_were_named_is_taken_back(component):
    component.packages.installed["demo"] = "2"
    component.host.probe = 1
    kept: dict[str, Any] = {}
    written = component.store.write_journal

    def without_packages(name: str, journal: dict[str, Any]) -> None:
        written(name, {key: value for key, value in journal.items() if key != "packages"})
        kept.update(journal)

    component.store.write_journal = without_packages
    component.host.unlink = lambda _path: (_ for _ in ()).throw(OSError("the power fails"))
    assert component.run("b").failed
    del component.host.unlink
    journal = json.loads((component.folder / "store/journal/demo.json").read_text())
    assert kept["packages"] == [{"name": "demo", "before": "1", "after": "2", "install": False}]
    assert "packages" not in journal
    component.host.probe = 0
    result = component.run()
    assert (result.failed, result.recovered) == (False, "taken back")
    assert component.stands() == ("a", "2", "2")
