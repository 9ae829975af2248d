"""A wrong description is refused on the controller, with everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.engine import arguments
from ansible_collections.devops.platform.plugins.module_utils.engine.describe import (
    DescriptionError,
    compose_facts,
    line_of,
    normalise,
    resolve_release,
)
from ansible_collections.devops.platform.plugins.modules import component as documented

FILE = {"path": "/etc/x", "content": "x"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "either components, a list, or the keys"),
        ({"name": "a", "components": []}, "either components, a list, or the keys"),
        ({"files": []}, "component 0 has no name"),
        ({"name": "a", "fils": []}, "component a has an unknown key 'fils'; did you mean 'files'?"),
        ({"name": "a", "zzz": 1}, "unknown key 'zzz'; known are"),
        ({"components": {"name": "a"}}, "components must be a list"),
        ({"components": [{"nam": "a"}]}, "components[0] has an unknown key 'nam'; did you mean 'name'?"),
        ({"components": [{"state": "present"}]}, "component 0 has no name"),
        ({"components": [{"name": "a"}, {"name": "a"}]}, "component a stands in the list twice"),
        ({"name": "a", "state": "gone"}, "state is 'gone'; it must be one of present, absent, rolled_back"),
        ({"name": "a", "files": "x"}, "files must be a list"),
        ({"name": "a", "files": ["x"]}, "files[0] must be a mapping"),
        ({"name": "a", "files": [{"content": "x"}]}, "files[0] lacks the key 'path'"),
        ({"name": "a", "files": [{**FILE, "mod": "0644"}]}, "files[0] has an unknown key 'mod'; did you mean 'mode'?"),
        ({"name": "a", "files": [{**FILE, "mode": 420}]}, "mode must be text, not 420: put quotes around it"),
        ({"name": "a", "files": [{"path": "/x"}]}, "files[0] (/x) needs one of template, content, source, link"),
        ({"name": "a", "files": [{**FILE, "link": "/y"}]}, "it has content and link"),
        ({"name": "a", "release": {"version": 1.1}}, "version must be text, not 1.1: put quotes around it"),
        ({"name": "a", "unit": {"exec": "x", "hardening": "s"}}, "it must be one of none, standard, strict"),
        ({"name": "a", "unit": {"exec": "x"}, "compose": {"project": "p", "file": "/f"}}, "one runtime"),
        ({"name": "a", "probe": [{"htpp": "x"}]}, "probe[0] has an unknown key 'htpp'; did you mean 'http'?"),
        ({"name": "a", "probe": {"http": "x", "status": "ok"}}, "status must be a whole number, not 'ok'"),
        ({"name": "a", "purge": "maybe"}, "purge must be true or false"),
        ({"name": "a", "keep": True}, "keep must be a whole number"),
        ({"name": "a", "user": {"group": "g"}}, "user lacks the key 'name'"),
        ({"name": "a", "state": "rolled_back", "undo": "r", "to": "q"}, "component a has undo and to"),
        ({"name": "a", "undo": "r"}, "component a has undo, which needs state: rolled_back"),
        ({"name": "a", "state": "rolled_back", "to": ""}, "component a: to is empty; it needs the id of a rollout"),
        ({"name": "a", "state": "rolled_back", "to": 4711}, "to must be text, not 4711: put quotes around it"),
        ({"name": "a", "patience": "long"}, "patience must be a number"),
    ],
)
def test_mistakes(given, words):
    with pytest.raises(DescriptionError) as raised:
        normalise(given)
    assert words in str(raised.value)


def test_all_mistakes_at_once():
    with pytest.raises(DescriptionError) as raised:
        normalise({"components": [{"name": "a", "stat": 1}, "b"]})
    assert "'stat'" in str(raised.value)
    assert "components[1] must be a mapping" in str(raised.value)


@pytest.mark.parametrize(
    "given",
    [
        {"name": "a", "probe": {"http": "x", "status": "200", "timeout": "2.5"}, "purge": "yes", "keep": "2"},
        {"name": "a", "user": "someone", "files": [], "rollout": "r"},
        {"name": "a", "probe": {"command": ["x", 1]}, "directories": None},
    ],
)
def test_what_jinja_makes_of_values_is_taken(given):
    assert normalise(given)[0]["name"] == "a"


def options_of(spec, documentation, where):
    """Compare a spec with its documentation, level by level."""
    assert set(spec) == set(documentation), where
    for name, item in spec.items():
        told = documentation[name]
        assert told["type"] == item["type"], f"{where}.{name}"
        assert told.get("elements") == item.get("elements"), f"{where}.{name}"
        assert told.get("choices") == item.get("choices"), f"{where}.{name}"
        assert bool(told.get("required")) == bool(item.get("required")), f"{where}.{name}"
        if item.get("options"):
            options_of(item["options"], told["suboptions"], f"{where}.{name}")


def test_the_documentation_says_what_is_checked():
    options_of(arguments.ARGUMENTS, yaml.safe_load(documented.DOCUMENTATION)["options"], "component")


def test_the_examples_are_right():
    for task in yaml.safe_load(documented.EXAMPLES):
        assert normalise(task["devops.platform.component"])


def test_the_action_plugin_is_there():
    plugins = Path(documented.__file__).parent.parent
    assert (plugins / "action" / "component.py").is_file()


LOCK = {
    "prometheus": {
        "2.0": {
            "url": "https://up/p",
            "path": "p/p.tgz",
            "sha256": {"amd64": "d"},
            "strip": 1,
            "binaries": ["promtool"],
        }
    }
}


def test_sources_are_asked_in_their_order():
    found = resolve_release("p", {"artifact": "prometheus", "version": "2.0"}, LOCK, ["http://m/", "upstream"])
    assert found == {
        "version": "2.0",
        "sha256": {"amd64": "d"},
        "urls": ["http://m/p/p.tgz", "https://up/p"],
        "strip": 1,
        "binaries": ["promtool"],
    }


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ({"artifact": "promtheus", "version": "2.0"}, "no artifact 'promtheus'; did you mean 'prometheus'?"),
        ({"artifact": "zzz", "version": "2.0"}, "no artifact 'zzz'; it has prometheus."),
        ({"artifact": "prometheus", "version": "3.0"}, "no prometheus 3.0; it has 2.0."),
    ],
)
def test_an_artifact_that_the_lock_lacks(release, words):
    with pytest.raises(DescriptionError) as raised:
        resolve_release("p", release, LOCK, ["upstream"])
    assert words in str(raised.value)


def test_a_release_without_an_artifact_brings_its_own_address():
    given = {"version": "1", "url": "http://x", "sha256": {"amd64": "d"}}
    assert resolve_release("p", given, {}, []) == {"version": "1", "sha256": {"amd64": "d"}, "urls": ["http://x"]}


COMPOSE = """
services:
  web: {image: "m/web@sha256:1", restart: unless-stopped}
  migrate: {image: "m/api@sha256:2"}
  shell: {image: "m/api@sha256:2", restart: always, profiles: [task]}
"""


def test_only_lasting_services_are_expected_to_run():
    component = {"name": "a", "compose": {"file": "/c.yml"}, "files": [{"path": "/c.yml", "content": COMPOSE}]}
    assert compose_facts(component) == {"services": ["web"], "images": ["m/api@sha256:2", "m/web@sha256:1"]}


@pytest.mark.parametrize(
    ("files", "words"), [([], "not one of its files"), ([{"path": "/c.yml", "content": "a: ["}], "no YAML")]
)
def test_a_compose_file_that_cannot_be_read(files, words):
    with pytest.raises(DescriptionError) as raised:
        compose_facts({"name": "a", "compose": {"file": "/c.yml"}, "files": files})
    assert words in str(raised.value)


class UnparsableError(Exception):
    lineno = 7


def wrapped(cause):
    error = RuntimeError("could not be rendered")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UnparsableError(), 7),
        (wrapped(UnparsableError()), 7),
        (RuntimeError("'colour' is undefined"), 3),
        (RuntimeError("object of type 'dict' has no attribute 'colour'"), 3),
        (RuntimeError("'shade' is undefined"), 0),
        (RuntimeError("no idea"), 0),
    ],
)
def test_the_line_of_a_template_that_is_wrong(error, line):
    assert line_of(error, "first\ncolour in plain text\nx {{ item.colour }}\n{{ colour }}\n") == line
