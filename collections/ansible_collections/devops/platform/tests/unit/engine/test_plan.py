"""What differs decides what is done, and how strongly the service has to notice."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.engine.generation import describe, generation_of, spec_of
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Found
from ansible_collections.devops.platform.plugins.module_utils.engine.packages import Move, Way
from ansible_collections.devops.platform.plugins.module_utils.engine.plan import (
    Observed,
    Services,
    blocked_by,
    plan_present,
    reload_is_enough,
)
from ansible_collections.devops.platform.plugins.module_utils.engine.plan_absent import plan_absent
from ansible_collections.devops.platform.plugins.module_utils.engine.spec import (
    Directory,
    Entry,
    Release,
    Runtime,
    Spec,
    User,
)
from ansible_collections.devops.platform.plugins.module_utils.engine.units import UnitState

CONF = Entry("/etc/demo.conf", b"new\n")
LINK = Entry("/etc/demo.link", target="/etc/demo.conf", on_change="none")
UNIT = Runtime("unit", "demo.service")
RUNNING = UnitState(exists=True, active="active", sub="running", enabled="enabled", pid=1)
OURS = {"digest": "d", "on_change": "restart"}


def found(content=b"new\n", mode=0o644, owner="root", group="root"):
    return Found("file", mode, owner, group, content=content)


def ledger(entries=(), **created):
    return {
        "component": "demo",
        "generation": {
            "id": "old",
            "entries": {path: dict(OURS) for path in entries},
            "runtime": {"kind": "unit", "unit": "demo.service", "services": [], "images": []},
        },
        "created": {"user": "", "directories": [], "parents": [], **created},
        "previous": [],
    }


def plan(target, entries=None, known=None, generation_id="old", moves=(), **observed):
    seen = {entry.path: Found() for entry in target.entries} | (entries or {})
    return plan_present(target, Observed(entries=seen, directories={}, **observed), known, {}, generation_id, moves)


def told(made):
    return [(item.action, item.target) for item in made.items]


@pytest.mark.parametrize(
    ("entry", "before", "ours", "action", "reason"),
    [
        (CONF, Found(), False, "create", "not there"),
        (CONF, Found(), True, "create", "it was removed"),
        (CONF, found(b"old"), True, "update", "its content differs"),
        (CONF, found(b"old"), False, "take over", "it exists and is not ours: its content differs"),
        (CONF, found(mode=0o600), True, "set attributes", "root:root 0600 becomes root:root 0644"),
        (CONF, found(owner="www"), False, "set attributes", "www:root 0644 becomes root:root 0644"),
        (CONF, Found("link", target="/x"), True, "update", "a link to /x stands there"),
        (CONF, Found("directory"), False, "blocked", "a directory stands in the way"),
        (CONF, Found("other"), True, "blocked", "a device, pipe or socket stands in the way"),
        (LINK, Found("link", target="/old"), True, "update", "points to /old"),
        (LINK, found(), True, "update", "a file stands there"),
        (LINK, Found("link", target="/old"), False, "take over", "points to /old"),
    ],
)
def test_one_path(entry, before, ours, action, reason):
    made = plan(Spec("demo", entries=(entry,)), {entry.path: before}, ledger([entry.path] if ours else []))
    assert [(item.action, item.target) for item in made.items] == [(action, entry.path)]
    assert reason in made.items[0].reason


@pytest.mark.parametrize(("entry", "before"), [(CONF, found()), (LINK, Found("link", target="/etc/demo.conf"))])
def test_nothing_differs_nothing_is_done(entry, before):
    made = plan(Spec("demo", entries=(entry,), runtime=UNIT), {entry.path: before}, ledger([entry.path]), unit=RUNNING)
    assert made.items == ()
    assert not made.changed


@pytest.mark.parametrize(
    ("on_change", "before", "unit", "effect"),
    [
        ("restart", found(b"old"), RUNNING, "restart"),
        ("reload", found(b"old"), RUNNING, "reload"),
        ("none", found(b"old"), RUNNING, "none"),
        ("restart", found(), RUNNING, "none"),
        ("reload", found(mode=0o600), RUNNING, "reload"),
        ("none", found(), replace(RUNNING, active="failed"), "start"),
        ("reload", found(b"old"), replace(RUNNING, active="inactive"), "start"),
    ],
)
def test_the_service_notices_as_much_as_it_must(on_change, before, unit, effect):
    target = Spec("demo", entries=(replace(CONF, on_change=on_change),), runtime=UNIT)
    assert plan(target, {CONF.path: before}, ledger([CONF.path]), unit=unit).effect == effect


def test_the_strongest_change_decides():
    entries = (replace(CONF, on_change="reload"), Entry("/etc/b", b"x", on_change="restart"), LINK)
    target = Spec("demo", entries=entries, runtime=UNIT)
    assert plan(target, {}, ledger(), unit=RUNNING).effect == "restart"


def test_a_removed_file_counts_as_it_was_declared():
    known = ledger(["/etc/gone"])
    known["generation"]["entries"]["/etc/gone"]["on_change"] = "reload"
    made = plan(Spec("demo", runtime=UNIT), {"/etc/gone": found()}, known, unit=RUNNING)
    assert told(made) == [("remove", "/etc/gone"), ("reload", "demo.service")]


def test_a_unit_that_is_not_enabled_is_enabled():
    made = plan(Spec("demo", runtime=UNIT), unit=replace(RUNNING, enabled="disabled"))
    assert told(made) == [("enable", "demo.service")]


def test_a_changed_unit_file_makes_systemd_read_again():
    unit_file = Entry("/etc/systemd/system/demo.service", b"[Unit]\n")
    assert plan(Spec("demo", entries=(unit_file,), runtime=UNIT), unit=RUNNING).daemon_reload


def test_only_the_description_changed():
    made = plan(Spec("demo"), {}, ledger(), generation_id="new")
    assert told(made) == [("record", "demo")]


def test_everything_on_an_empty_host():
    target = Spec(
        "demo",
        entries=(CONF,),
        directories=(Directory("/var/lib/demo/inner"), Directory("/var/lib/demo")),
        release=Release("1.0", "a" * 64),
        user=User("demo"),
        runtime=UNIT,
    )
    assert told(plan(target, user_exists=False, release_ready=False)) == [
        ("create user", "demo"),
        ("install release", "demo 1.0"),
        ("create directory", "/var/lib/demo"),
        ("create directory", "/var/lib/demo/inner"),
        ("create", "/etc/demo.conf"),
        ("enable", "demo.service"),
        ("start", "demo.service"),
    ]


WAY, NO_WAY = Way("nginx=1", "from a package source"), Way("", "nobody has it")


@pytest.mark.parametrize(
    ("move", "unit", "items"),
    [
        (Move("nginx", "1", "2", WAY), RUNNING, [("package", "nginx")]),
        (Move("nginx", "1", "2", WAY), replace(RUNNING, active="failed"), [("package", "nginx"), ("start", UNIT.unit)]),
        (Move("nginx", "2", "1", WAY, WAY), RUNNING, [("package", "nginx"), ("restart", UNIT.unit)]),
        (Move("nginx", "2", "1", WAY, NO_WAY), RUNNING, [("keep package", "nginx")]),
    ],
)
def test_a_package_of_another_version(move, unit, items):
    """What apt installed has restarted its service; what a rollback installs needs a restart."""
    assert told(plan(Spec("demo", runtime=UNIT), {}, ledger(), "new", (move,), unit=unit)) == items


def test_what_belongs_to_another_component_blocks():
    made = plan(Spec("demo", entries=(CONF,)), {CONF.path: found(b"x")}, owned={CONF.path: "other"})
    assert blocked_by(made) == ["/etc/demo.conf: it belongs to the component other"]


def test_a_file_where_a_directory_is_to_be_blocks():
    target = Spec("demo", directories=(Directory("/d"),))
    made = plan_present(target, Observed({}, {"/d": found()}), None, {}, "x")
    assert blocked_by(made) == ["/d is to be a directory, but a file stands there"]


@pytest.mark.parametrize(
    ("states", "effect", "reason"),
    [
        ({"web": "healthy", "api": "running"}, "none", ""),
        ({"web": "healthy"}, "start", "not running: api"),
        ({"web": "unhealthy", "api": "exited"}, "start", "not running: web, api"),
    ],
)
def test_compose_services_that_do_not_run_are_started(states, effect, reason):
    target = Spec("demo", runtime=Runtime("compose", project="demo", services=("web", "api")))
    made = plan(target, services=Services(states))
    assert made.effect == effect
    assert reason in "".join(item.reason for item in made.items if item.action == effect)


JSON = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2))


@given(JSON, JSON, st.sets(st.sampled_from("abc")))
def test_a_reload_is_enough_exactly_for_the_named_keys(before, after, keys):
    differing = {key for key in "abc" if before.get(key) != after.get(key)}
    enough = reload_is_enough(json.dumps(before).encode(), json.dumps(after).encode(), tuple(keys))
    assert enough == (differing <= keys)


@pytest.mark.parametrize("content", [b"no json", b"[1]", b""])
def test_what_is_no_json_object_needs_a_restart(content):
    assert not reload_is_enough(content, b"{}", ("a",))


# absent


def absent(known, entries=None, originals=None, purge=False, **observed):
    return plan_absent(Observed(entries or {}, {}, **observed), known, originals or {}, purge)


def test_absent_on_an_empty_host_is_nothing():
    assert not absent(None).changed


def test_absent_removes_what_is_ours_and_puts_back_what_was_there():
    known = ledger(["/etc/a", "/etc/b"])
    made = absent(known, {"/etc/a": found(), "/etc/b": found()}, {"/etc/b": Entry("/etc/b", b"original")})
    assert told(made) == [
        ("stop", "demo.service"),
        ("remove", "/etc/a"),
        ("restore original", "/etc/b"),
        ("forget", "demo"),
    ]


@pytest.mark.parametrize(
    ("directory", "contents", "purge", "action"),
    [
        ({"path": "/d", "data": False}, (), False, "remove directory"),
        ({"path": "/d", "data": False}, ("/d/ours",), False, "remove directory"),
        ({"path": "/d", "data": False}, ("/d/theirs",), False, "keep directory"),
        ({"path": "/d", "data": True}, ("/d/theirs",), False, "keep directory"),
        ({"path": "/d", "data": True}, ("/d/theirs",), True, "remove directory"),
    ],
)
def test_directories_of_an_absent_component(directory, contents, purge, action):
    known = ledger(["/d/ours"], directories=[directory], user="demo")
    made = absent(known, {"/d/ours": found()}, purge=purge, contents={"/d": contents})
    assert (action, "/d") in told(made)
    kept = action == "keep directory"
    assert (("keep user" if kept else "remove user"), "demo") in told(made)
    assert made.remove_user == ("" if kept else "demo")


def test_inner_directories_go_first():
    made_by_us = [{"path": "/d", "data": False}, {"path": "/d/inner", "data": False}]
    made = absent(ledger(directories=made_by_us), contents={"/d": ("/d/inner",), "/d/inner": ()})
    assert made.folders == ("/d/inner", "/d")


def test_what_was_kept_at_absent_is_still_found_by_purge():
    kept = {**ledger(directories=[{"path": "/d", "data": True}], user="demo"), "generation": None}
    assert not absent(kept, contents={"/d": ("/d/x",)}).changed
    purged = absent(kept, purge=True, contents={"/d": ("/d/x",)})
    assert told(purged) == [("remove directory", "/d"), ("remove user", "demo")]


# generations


def test_a_generation_leads_back_to_its_spec():
    target = Spec(
        "demo",
        entries=(CONF, LINK),
        directories=(Directory("/d", data=True),),
        release=Release("1.0", "a" * 64, ("http://m",), 1, ("demo",)),
        user=User("demo", groups=("x",)),
        runtime=Runtime("compose", project="p", file="/c", services=("s",), images=("i",)),
        probes=({"tcp": "h:1"},),
        packages=("nginx",),
    )
    entries = {entry.path: describe(entry, lambda content: content.hex()) for entry in target.entries}
    kept = json.loads(json.dumps(generation_of(target, entries, {"nginx": "1"}, {})))
    back = spec_of("demo", kept, {CONF.content.hex(): CONF.content})
    assert target.release is not None
    assert back == replace(target, release=replace(target.release, urls=()))


def test_another_mirror_is_no_other_generation():
    one, two = (
        generation_of(Spec("demo", release=Release("1", "a" * 64, (url,))), {}, {}, {})
        for url in ("http://a", "http://b")
    )
    assert one["id"] == two["id"]
