"""What arrives on the host as a payload becomes a Spec, or every mistake is named at once."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.engine.errors import SpecError
from ansible_collections.devops.platform.plugins.module_utils.engine.spec import parse_spec

SHA = "a" * 64


def component(**keys):
    return {"name": "demo", **keys}


def test_a_release_becomes_links_and_a_unit_a_file():
    spec = parse_spec(
        component(
            release={"version": "1.0", "sha256": {"amd64": SHA}, "urls": ["http://m/{version}/{arch}.tar"]},
            expose=["tool"],
            user="demo",
            unit={"exec": "{release}/demo"},
        ),
        "amd64",
    )
    folder = f"/opt/devops-platform/demo/releases/1.0-{SHA[:12]}"
    assert {entry.path: entry.target for entry in spec.entries if entry.is_link} == {
        "/opt/devops-platform/demo/current": folder,
        "/usr/local/bin/tool": "/opt/devops-platform/demo/current/tool",
    }
    unit = next(entry for entry in spec.entries if entry.path == "/etc/systemd/system/demo.service")
    assert b"ExecStart=/opt/devops-platform/demo/current/demo\n" in unit.content
    assert b"User=demo\n" in unit.content
    assert spec.release is not None
    assert spec.release.urls == ("http://m/1.0/amd64.tar",)
    assert (spec.runtime.kind, spec.runtime.unit) == ("unit", "demo.service")


def test_a_timer_is_what_runs():
    unit = {"exec": "/bin/sweep", "type": "oneshot", "timer": {"calendar": "daily"}}
    spec = parse_spec(component(unit=unit), "amd64")
    assert [entry.path for entry in spec.entries] == [
        "/etc/systemd/system/demo.service", "/etc/systemd/system/demo.timer"
    ]  # fmt: skip
    assert (spec.runtime.kind, spec.runtime.unit) == ("unit", "demo.timer")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"name": "Demo-1"}, "not of the form"),
        ({"state": "gone"}, "state 'gone' is not one of present, absent, rolled_back"),
        ({"state": "rolled_back", "undo": "a", "to": "b"}, "undo and to are two ways back"),
        ({"state": "absent", "undo": "a"}, "undo needs state: rolled_back"),
        ({"to": "b"}, "to needs state: rolled_back"),
        ({"files": [{"path": "etc/x", "content": ""}]}, "path must be absolute"),
        ({"files": [{"path": "/etc/../x", "content": ""}]}, "without '..'"),
        ({"files": [{"path": "/etc/x"}]}, "exactly one of template, content, source and link"),
        ({"files": [{"path": "/etc/x", "content": "", "mode": 420}]}, "420 is not a mode"),
        ({"files": [{"path": "/etc/x", "content": "", "mode": "rw"}]}, "'rw' is not a mode"),
        ({"files": [{"path": "/etc/x", "content": "", "on_change": "kick"}]}, "on_change 'kick' is not one of"),
        ({"files": [{"path": "/etc/x", "content": ""}, {"path": "/etc/x", "link": "/y"}]}, "/etc/x is declared twice"),
        ({"directories": [{"path": "/"}]}, "not '/'"),
        ({"release": {"version": "1/2", "sha256": {"amd64": SHA}}}, "characters that a folder name cannot carry"),
        ({"release": {"version": "1", "sha256": {"arm64": SHA}}}, "no digest for this host's architecture amd64"),
        ({"release": {"version": "1", "sha256": {"amd64": "abc"}}}, "no digest for this host's architecture amd64"),
        ({"unit": {"exec": "x"}, "service": {"name": "y"}}, "one runtime, not unit and service"),
        ({"unit": {"exec": ""}}, "unit.exec is missing"),
        ({"unit": {"exec": "x", "timer": {"calendar": "daily"}}}, "unit.timer needs type: oneshot"),
        ({"unit": {"exec": "x", "hardening": "steel"}}, "unit.hardening 'steel' is not one of"),
        ({"unit": {"exec": "x", "description": "two\nlines"}}, "Unit.Description holds a line break"),
        (
            {"unit": {"exec": "x"}, "files": [{"path": "/etc/x", "content": "", "on_change": "reload"}]},
            "unit.reload does not say how",
        ),
        ({"compose": {"project": "p", "file": "/etc/c.yml"}}, "'/etc/c.yml' is not one of the component's files"),
        ({"probe": [{"htp": "x"}]}, "probe[0] has none of http, tcp and command"),
        ({"probe": {"http": "http://u:hunter22@h"}, "secrets": {"pw": "hunter22"}}, "probe holds the secret 'pw'"),
        ({"unit": {"exec": "x --pw hunter22"}, "secrets": {"pw": "hunter22"}}, "unit holds the secret 'pw'"),
    ],
)
def test_mistakes_are_named(keys, words):
    with pytest.raises(SpecError) as raised:
        parse_spec(component(**keys), "amd64")
    assert words in str(raised.value)
    assert "hunter22" not in str(raised.value)


def test_all_mistakes_at_once():
    with pytest.raises(SpecError) as raised:
        parse_spec(component(files=[{"path": "x", "content": ""}], directories=[{"path": "y"}]), "amd64")
    assert "files[0]" in str(raised.value)
    assert "directories[0]" in str(raised.value)
    assert "Nothing was touched" in str(raised.value)


@pytest.mark.parametrize("state", ["absent", "rolled_back"])
def test_going_and_going_back_need_no_more_than_a_name(state):
    spec = parse_spec(component(state=state, files="is not looked at"), "amd64")
    assert (spec.state, spec.entries) == (state, ())


def test_a_short_secret_is_not_searched_for_in_harmless_text():
    assert parse_spec(component(probe={"tcp": "h:1"}, secrets={"pin": "1"}), "amd64").secrets == {"pin": "1"}


@pytest.mark.parametrize(
    ("given", "expected"), [(True, True), ("yes", True), ("False", False), ("no", False), (None, False)]
)
def test_what_jinja_makes_of_a_boolean(given, expected):
    assert parse_spec(component(transient=given), "amd64").transient == expected
    assert parse_spec(component(state="absent", purge=given), "amd64").purge == expected
