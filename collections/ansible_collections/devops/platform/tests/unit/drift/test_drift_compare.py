"""What counts as drift: one case a kind, what must not be told, and that compare and the engine's plan agree."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.drift.compare import differences, path_differences
from ansible_collections.devops.platform.plugins.module_utils.drift.model import (
    Account,
    Container,
    Damage,
    Declared,
    Finding,
    Image,
    Look,
    Rules,
    Seen,
    Service,
    Setting,
    UnitLook,
)
from ansible_collections.devops.platform.plugins.module_utils.engine.generation import describe, generation_of
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Found
from ansible_collections.devops.platform.plugins.module_utils.engine.plan import Observed, plan_present
from ansible_collections.devops.platform.plugins.module_utils.engine.spec import (
    Directory,
    Entry,
    Release,
    Runtime,
    Spec,
    User,
)
from ansible_collections.devops.platform.plugins.module_utils.engine.units import UnitState

BASE = "/opt/devops-platform/demo"
RELEASE = Release("1.0", "a" * 64, binaries=("demo",))
HOME = f"{BASE}/releases/1.0-{'a' * 12}"
UNIT = "/etc/systemd/system/demo.service"
RUNNING = UnitState(exists=True, active="active", sub="running", enabled="enabled")
SPEC = Spec(
    name="demo",
    entries=(
        Entry("/etc/demo/demo.yml", b"a: 1\n", mode=0o640, group="demo"),
        Entry(UNIT, b"[Unit]\n"),
        Entry(f"{BASE}/current", target=HOME),
    ),
    directories=(Directory("/etc/demo"), Directory("/var/lib/demo", 0o750, "demo", "demo", data=True)),
    release=RELEASE,
    user=User("demo"),
    runtime=Runtime("unit", "demo.service"),
    packages=("libdemo",),
)


def digest(content: bytes) -> str:
    return content.hex()


def entries(spec: Spec) -> dict[str, Any]:
    return {entry.path: describe(entry, digest) for entry in spec.entries}


def ledger(spec: Spec = SPEC, **more: Any) -> dict[str, Any]:
    return {
        "component": spec.name,
        "generation": generation_of(spec, entries(spec), dict.fromkeys(spec.packages, "1.0"), {}),
        "created": {
            "user": spec.user.name if spec.user else "",
            "directories": [{"path": item.path, "data": item.data} for item in spec.directories],
            "parents": ["/opt/devops-platform", BASE, f"{BASE}/releases", "/etc/devops-platform"],
        },
        "releases": {HOME: {}},
        **more,
    }


def as_declared(spec: Spec = SPEC) -> dict[str, Look]:
    """The host as the Spec wants it."""
    found = {
        entry.path: Look("link", 0o777, "root", "root", entry.target)
        if entry.is_link
        else Look("file", entry.mode, entry.owner, entry.group, digest=digest(entry.content))
        for entry in spec.entries
    }
    found.update({item.path: Look("directory", item.mode, item.owner, item.group) for item in spec.directories})
    return found


WELL = Seen(
    declared={"demo": Declared(SPEC, entries(SPEC))},
    ledgers={"demo": ledger()},
    paths=as_declared(),
    units={"demo.service": UnitLook(RUNNING, others=(UNIT,))},
    accounts={"demo": Account("/nonexistent", "/usr/sbin/nologin")},
    packages={"libdemo": "1.0"},
    listed={
        "/etc/demo": ("/etc/demo/demo.yml",),
        "/opt/devops-platform": (BASE, f"{BASE}/current", f"{BASE}/releases", HOME),
    },
)


def found(seen: Seen) -> list[tuple[str, str]]:
    return [(item.kind, item.subject) for item in differences(seen)]


def path(name: str, **changed: Any) -> Seen:
    return replace(WELL, paths={**WELL.paths, name: replace(WELL.paths[name], **changed)})


def gone(name: str) -> Seen:
    return replace(WELL, paths={key: look for key, look in WELL.paths.items() if key != name})


def unit(**changed: Any) -> Seen:
    return replace(WELL, units={"demo.service": UnitLook(replace(RUNNING, **changed), others=(UNIT,))})


def with_unit(**changed: Any) -> Seen:
    return replace(WELL, units={"demo.service": replace(WELL.units["demo.service"], **changed)})


def listed(*more: str, folder: str = "/etc/demo") -> Seen:
    return replace(WELL, listed={**WELL.listed, folder: (*WELL.listed.get(folder, ()), *more)})


CONF, DATA = "/etc/demo/demo.yml", "/var/lib/demo"
CASES = [
    ("nothing", WELL, []),
    ("content", path(CONF, digest="00"), [("content", CONF)]),
    ("mode", path(CONF, mode=0o644), [("mode", CONF)]),
    ("owner", path(CONF, owner="nobody"), [("owner", CONF)]),
    ("group", path(CONF, group="root"), [("owner", CONF)]),
    ("all three", path(CONF, digest="00", mode=0, owner="x"), [("content", CONF), ("mode", CONF), ("owner", CONF)]),
    ("file gone", gone(CONF), [("missing", CONF)]),
    ("a link instead", path(CONF, kind="link", target="/x"), [("replaced", CONF)]),
    ("a directory instead", path(CONF, kind="directory"), [("replaced", CONF)]),
    ("link elsewhere", path(f"{BASE}/current", target="/x"), [("link", f"{BASE}/current")]),
    ("file instead of link", path(f"{BASE}/current", kind="file"), [("link", f"{BASE}/current")]),
    ("link gone", gone(f"{BASE}/current"), [("missing", f"{BASE}/current")]),
    ("directory mode", path(DATA, mode=0o777), [("mode", DATA)]),
    ("directory owner", path(DATA, owner="root"), [("owner", DATA)]),
    ("directory gone", gone(DATA), [("missing", DATA)]),
    ("directory replaced", path(DATA, kind="file"), [("replaced", DATA)]),
    ("stopped", unit(active="inactive"), [("stopped", "demo.service")]),
    ("failed", unit(active="failed", result="signal"), [("failed", "demo.service")]),
    ("still starting", unit(active="activating"), []),
    ("disabled", unit(enabled="disabled"), [("disabled", "demo.service")]),
    ("static needs no enabling", unit(enabled="static"), []),
    ("masked", unit(enabled="masked"), [("masked", "demo.service")]),
    ("masked at runtime", unit(enabled="masked-runtime"), [("masked", "demo.service")]),
    ("not reloaded", unit(needs_reload=True), [("not-reloaded", "demo.service")]),
    ("override", with_unit(drop_ins=("/etc/systemd/system/demo.service.d/o.conf",)), [("override", "demo.service")]),
    (
        "namesake",
        with_unit(others=(UNIT, "/etc/systemd/system/demo.timer")),
        [("foreign-unit", "/etc/systemd/system/demo.timer")],
    ),
    ("foreign file", listed("/etc/demo/x"), [("foreign-file", "/etc/demo/x")]),
    ("foreign directory once", listed("/etc/demo/x", "/etc/demo/x/y"), [("foreign-file", "/etc/demo/x")]),
    ("a change under way leaves its own", listed("/etc/demo/.demo.yml.dp-new", "/etc/demo/.demo.yml.dp-old"), []),
    (
        "foreign release",
        listed(f"{BASE}/releases/x", folder="/opt/devops-platform"),
        [("foreign-file", f"{BASE}/releases/x")],
    ),
    (
        "foreign component folder",
        listed("/opt/devops-platform/x", folder="/opt/devops-platform"),
        [("foreign-file", "/opt/devops-platform/x")],
    ),
    ("release", replace(WELL, damages={"demo": (Damage(f"{HOME}/demo", "changed"),)}), [("release", f"{HOME}/demo")]),
    ("user gone", replace(WELL, accounts={}), [("user-missing", "demo")]),
    ("shell", replace(WELL, accounts={"demo": Account("/nonexistent", "/bin/sh")}), [("user-changed", "demo")]),
    (
        "group",
        replace(WELL, accounts={"demo": Account("/nonexistent", "/usr/sbin/nologin", ("adm",))}),
        [("user-changed", "demo")],
    ),
    ("package gone", replace(WELL, packages={}), [("package-missing", "libdemo")]),
    ("package version", replace(WELL, packages={"libdemo": "2.0"}), [("package-version", "libdemo")]),
    (
        "package that the host upgraded",
        replace(WELL, packages={"libdemo": "2.0"}, rolled=frozenset({("libdemo", "2.0")})),
        [],
    ),
    ("package of a role", replace(WELL, requested={"base": ("jq", "libdemo")}), [("package-missing", "jq")]),
    ("journal", replace(WELL, journals={"demo": "switching"}), [("journal", "demo")]),
    ("journal of nobody", replace(WELL, journals={"x": "switching"}), [("journal", "x")]),
    ("unreadable", replace(WELL, ledgers={}, unreadable={"demo": "no JSON"}, listed={}), [("ledger", "demo")]),
    ("undeclared", replace(WELL, declared={}), [("undeclared", "demo")]),
    ("undeclared, with --tags", replace(WELL, declared={}, everything=False), []),
    ("not installed", replace(WELL, ledgers={}, listed={}), [("not-installed", "demo")]),
    ("absent, with data", replace(WELL, declared={}, ledgers={"demo": ledger(generation=None)}, listed={}), []),
    (
        "setting",
        replace(WELL, settings={"demo": (Setting("a.b", "1", "0"), Setting("a.c", "1", "1"))}),
        [("sysctl", "a.b")],
    ),
    ("setting unknown", replace(WELL, settings={"demo": (Setting("a.b", "1", None),)}), [("sysctl", "a.b")]),
    ("rules alike", replace(WELL, rules={"demo": (Rules("/f", ("t", "t / r"), ("t", "t / r")),)}), []),
    ("rule added", replace(WELL, rules={"demo": (Rules("/f", ("t",), ("t", "t / r")),)}), [("firewall", "t")]),
    ("rule gone", replace(WELL, rules={"demo": (Rules("/f", ("t", "t / r"), ("t",)),)}), [("firewall", "t")]),
    ("table gone", replace(WELL, rules={"demo": (Rules("/f", ("t", "t / r"), ()),)}), [("firewall", "t")]),
]


@pytest.mark.parametrize(("seen", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_host(seen: Seen, expected: list[tuple[str, str]]) -> None:
    assert found(seen) == expected


def test_a_mask_is_not_a_unit_of_others() -> None:
    seen = replace(
        WELL,
        units={
            "demo.service": UnitLook(replace(RUNNING, enabled="masked"), others=("/run/systemd/system/demo.service",))
        },
    )
    assert found(seen) == [("masked", "demo.service")]


def test_a_changed_unit_file_is_told_once() -> None:
    seen = replace(path(UNIT, digest="00"), units={"demo.service": UnitLook(replace(RUNNING, needs_reload=True))})
    assert found(seen) == [("content", UNIT)]


def test_a_user_that_was_there_before_is_not_ours_to_describe() -> None:
    kept = ledger()
    kept["created"]["user"] = ""
    assert found(replace(WELL, ledgers={"demo": kept}, accounts={"demo": Account("/home/demo", "/bin/sh")})) == []


def test_a_release_unpacked_anew_is_the_declared_one() -> None:
    spec = replace(SPEC, entries=(*SPEC.entries[:2], Entry(f"{BASE}/current", target=f"{HOME}+2")))
    seen = replace(WELL, ledgers={"demo": ledger(spec, releases={f"{HOME}+2": {}, HOME: {}})})
    assert found(replace(seen, paths=as_declared(spec))) == []


def test_what_a_foreign_file_belongs_to() -> None:
    [first, second] = differences(
        replace(WELL, listed={"/etc/demo": ("/etc/demo/x",), "/etc/devops-platform": ("/etc/devops-platform/y",)})
    )
    assert (first.component, second.component) == ("demo", "")


def test_a_drop_in_is_told_as_that_and_not_as_a_file() -> None:
    drop_in = "/etc/devops-platform/o.conf"
    seen = replace(with_unit(drop_ins=(drop_in,)), listed={"/etc/devops-platform": (drop_in,)})
    assert found(seen) == [("override", "demo.service")]


# Declared, recorded, actual

A, B, C = ({"digest": word, "target": "", "mode": 0o644, "owner": "root", "group": "root"} for word in "abc")


@pytest.mark.parametrize(
    ("declared", "recorded", "actual", "kinds"),
    [
        (A, A, "a", []),
        (B, A, "a", ["pending"]),
        (A, A, "b", ["content"]),
        (B, A, "b", ["pending"]),  # as declared, but no ledger knows
        (B, A, "c", ["content"]),
        (B, None, "", ["pending"]),
        (None, A, "a", ["pending"]),
        (None, A, "", ["missing"]),
        (None, None, "a", []),
        (A, A, "", ["missing"]),
    ],
)
def test_three_ways(declared: Any, recorded: Any, actual: str, kinds: list[str]) -> None:
    now = Look("file", 0o644, "root", "root", digest=actual) if actual else Look()
    assert [item.kind for item in path_differences("demo", "/f", declared, recorded, now)] == kinds


MODES, NAMES = st.sampled_from([0o600, 0o644]), st.sampled_from(["root", "demo"])
CONTENTS = st.sampled_from([b"", b"a", b"b"])
FILES = st.builds(Found, st.just("file"), MODES, NAMES, NAMES, st.just(""), CONTENTS)
LINKS = st.builds(
    Found, st.just("link"), st.just(0o777), st.just("root"), st.just("root"), st.sampled_from(["/a", "/b"])
)
OTHERS = st.builds(Found, st.sampled_from(["absent", "directory", "other"]), MODES, NAMES, NAMES)
WANTED = st.one_of(
    st.builds(Entry, st.just("/f"), CONTENTS, st.just(""), MODES, NAMES, NAMES),
    st.builds(Entry, st.just("/f"), st.just(b""), st.sampled_from(["/a", "/b"])),
)


@given(WANTED, st.one_of(FILES, LINKS, OTHERS))
def test_drift_is_what_the_engine_would_change(wanted: Entry, now: Found) -> None:
    """Where declared and recorded are alike: a finding exactly where a rollout has something to do."""
    spec = Spec("demo", entries=(wanted,))
    recorded = {"generation": generation_of(spec, entries(spec), {}, {})}
    plan = plan_present(spec, Observed({"/f": now}, {}), recorded, {}, recorded["generation"]["id"])
    look = Look(now.kind, now.mode, now.owner, now.group, now.target, digest(now.content) if now.kind == "file" else "")
    findings = list(path_differences("demo", "/f", entries(spec)["/f"], entries(spec)["/f"], look))
    assert bool(findings) == bool(plan.items)


@given(
    st.builds(
        UnitState,
        st.booleans(),
        st.sampled_from(["active", "inactive", "failed", "activating"]),
        st.just("x"),
        st.sampled_from(["enabled", "disabled", "static", "alias", "linked"]),
    )
)
def test_a_unit_drifts_where_the_engine_would_start_or_enable_it(state: UnitState) -> None:
    plan = plan_present(SPEC, replace(_observed(), unit=state), ledger(), {}, ledger()["generation"]["id"])
    kinds = [kind for kind, _ in found(replace(WELL, units={"demo.service": UnitLook(state)}))]
    if state.exists:
        assert bool(kinds) == bool(plan.items)
    assert ("disabled" in kinds) == (plan.enable and state.exists)


def _observed() -> Observed:
    looks = {
        entry.path: Found("link", 0o777, target=entry.target)
        if entry.is_link
        else Found("file", entry.mode, entry.owner, entry.group, content=entry.content)
        for entry in SPEC.entries
    }
    folders = {item.path: Found("directory", item.mode, item.owner, item.group) for item in SPEC.directories}
    return Observed(looks, folders, packages={"libdemo": "1.0"})


# Containers

COMPOSE = Spec("web", entries=(Entry("/c.yml", b"c"),), runtime=Runtime("compose", project="web", file="/c.yml"))
IMAGE = Image("sha256:1", ("PATH=/bin", "LANG=C"), ("run",), ("/init",))
PAGE = Container(
    "web-page-1",
    "web",
    "page",
    "img:1",
    "sha256:1",
    ("PATH=/bin", "LANG=C", "A=1"),
    ("run",),
    ("/init",),
    "always",
    source="/c.yml",
)
SERVICE = Service("img:1", {"A": "1"}, restart="always")


def compose(*containers: Container, **services: Service) -> list[Finding]:
    wanted = services or {"page": SERVICE}
    return differences(
        Seen(
            declared={"web": Declared(COMPOSE, entries(COMPOSE), wanted)},
            ledgers={"web": ledger(COMPOSE)},
            paths=as_declared(COMPOSE),
            containers=containers,
            images={"img:1": IMAGE, "sha256:1": IMAGE},
        )
    )


TASK = Service("img:1", lasts=False)
CONTAINERS = [
    ("well", (PAGE,), {}, []),
    ("none", (), {}, ["container-missing"]),
    ("starting", (replace(PAGE, health="starting"),), {}, []),
    ("unhealthy", (replace(PAGE, health="unhealthy"),), {}, ["container-state"]),
    ("ended", (replace(PAGE, state="exited", exit_code=1),), {}, ["container-state"]),
    ("paused", (replace(PAGE, state="paused"),), {}, ["container-state"]),
    ("another image", (replace(PAGE, image="img:2"),), {}, ["container-image"]),
    ("re-tagged", (replace(PAGE, image_id="sha256:0"),), {}, ["container-image"]),
    ("value", (replace(PAGE, environment=(*PAGE.environment[:2], "A=2")),), {}, ["container-environment"]),
    ("variable more", (replace(PAGE, environment=(*PAGE.environment, "B=2")),), {}, ["container-environment"]),
    ("variable less", (replace(PAGE, environment=PAGE.environment[:2]),), {}, ["container-environment"]),
    ("the image's own", (replace(PAGE, environment=("PATH=/x", "LANG=C", "A=1")),), {}, ["container-environment"]),
    ("command", (replace(PAGE, command=("sleep",)),), {}, ["container-command"]),
    ("entrypoint", (replace(PAGE, entrypoint=()),), {}, ["container-command"]),
    ("declared command", (replace(PAGE, command=("go",)),), {"page": replace(SERVICE, command=("go",))}, []),
    ("policy", (replace(PAGE, restart="no"),), {}, ["container-policy"]),
    ("another file", (replace(PAGE, source="/x.yml"),), {}, ["container-source"]),
    ("replica less", (PAGE,), {"page": replace(SERVICE, replicas=2)}, ["container-missing"]),
    ("replica more", (PAGE, replace(PAGE, name="web-page-2")), {}, ["container-extra"]),
    ("foreign service", (PAGE, replace(PAGE, name="x", service="x")), {}, ["container-extra"]),
    ("another project's", (PAGE, replace(PAGE, name="x", project="x")), {}, []),
    ("task that ended", (PAGE, replace(PAGE, service="t", state="exited")), {"page": SERVICE, "t": TASK}, []),
    ("task that never ran", (PAGE,), {"page": SERVICE, "t": TASK}, []),
    ("one-off of a service", (PAGE, replace(PAGE, name="run", one_off=True, state="exited")), {}, []),
]


@pytest.mark.parametrize(
    ("containers", "services", "kinds"), [case[1:] for case in CONTAINERS], ids=[case[0] for case in CONTAINERS]
)
def test_containers(containers: tuple[Container, ...], services: dict[str, Service], kinds: list[str]) -> None:
    assert [item.kind for item in compose(*containers, **services)] == kinds


def test_a_docker_that_does_not_answer_is_one_finding() -> None:
    seen = Seen(
        ledgers={"web": ledger(COMPOSE)},
        declared={"web": Declared(COMPOSE, entries(COMPOSE), {"page": SERVICE})},
        paths=as_declared(COMPOSE),
        docker_trouble="no daemon",
    )
    assert [(item.kind, item.now) for item in differences(seen)] == [("docker", "no daemon")]


def test_values_that_nobody_declared_are_not_shown() -> None:
    [item] = compose(replace(PAGE, environment=(*PAGE.environment, "TOKEN=hunter2")))
    assert "hunter2" not in str(asdict(item))
    assert item.now == "TOKEN set"
