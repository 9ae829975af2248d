"""The report of preflight: its text, its locks, the variable files beside an inventory, and how long it takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.platform import paths, preflight
from ansible_collections.devops.platform.plugins.module_utils.platform.locks import read_images
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import Opaque
from ansible_collections.devops.platform.tests.unit.platform import example


def test_a_right_file_is_summed_up(tmp_path):
    report = example.report(tmp_path)
    assert report.problems == []
    assert report.summary == "chat (lab): 5 hosts, 1 app with 3 services, 2 secrets"


def test_each_mistake_is_shown_with_its_line_and_a_mark_below_its_column(tmp_path):
    report = example.report(tmp_path, example.edited(("Etc/UTC", "Etc UTC"), ("service: api}", "service: apii}")))
    assert report.text() == (
        "2 mistakes; no host was touched.\n"
        "\n"
        "platform.yml:5:15: error: platform.hosts.timezone: 'Etc UTC' is not a time zone, "
        "such as Etc/UTC or Europe/Rome\n"
        "    timezone: Etc UTC\n"
        "              ^\n"
        "\n"
        "platform.yml:45:42: error: platform.edge.routes[1].service: app 'chat' has no service 'apii'; "
        "did you mean 'api'?\n"
        "    - {path: /api, app: chat, service: apii}\n"
        "                                       ^"
    )


def test_a_mistake_without_a_line_is_shown_without_one(tmp_path):
    report = example.report(tmp_path, addresses={**example.ADDRESSES, "app2": "192.0.2.101"})
    assert report.text().startswith("1 mistake; no host was touched.\n\ninventory: error: hosts app1 and app2 have one")


def test_warnings_refuse_nothing(tmp_path):
    report = example.report(tmp_path, example.edited(("      chat_redis:\n", "      chat_redis:\n      old:\n")))
    assert report.errors == []
    [warning] = report.warnings
    assert warning == (
        "platform.yml:81:7: platform.secrets.names.old: nothing uses this secret; remove it, or the key that should "
        "name it is missing"
    )


def test_a_missing_file(tmp_path):
    report = preflight.check(tmp_path / "platform.yml", example.INVENTORY, tmp_path, lambda path: path.name)
    [problem] = report.problems
    assert str(problem) == (
        "platform.yml: error: cannot be read: No such file or directory; write it, or name the inventory that has one "
        "with -i"
    )


def test_later_locks_add_to_earlier_ones(tmp_path):
    more = {"format": 1, "artifacts": {"node_exporter": {"1.9.9": next(iter(
        example.ARTIFACTS["artifacts"]["node_exporter"].values()))}}}  # fmt: skip
    (tmp_path / "more.yml").write_text(str(more), encoding="utf-8")
    edits = (("locks: [artifacts.lock.yml]", "locks: [artifacts.lock.yml, more.yml]"), ('"1.9.0"', '"1.9.9"'))
    assert example.problems(tmp_path, *edits) == []


def test_a_lock_is_not_doubted_twice(tmp_path):
    """What a broken lock lacks is not said of each that names it."""
    found = example.problems(tmp_path, images={"images": {**example.IMAGES["images"], "chat-web": {}}})
    assert [problem.partition(": error: ")[2] for problem in found] == [
        "images.chat-web: lacks the key 'digest'",
        "images.chat-web: lacks the key 'ref': repository",
        "images.chat-web: lacks the key 'tag': version and commit; never latest",
    ]


def test_without_keeps_numbers_and_drops_keys():
    data = {"a": [1, 2, 3], "b": {"c": 1, "d": None}, "e": Opaque("x")}
    assert preflight.without(data, {("a", 1), ("b", "c")}) == {"a": [1, None, 3], "b": {"d": None}}


@given(st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_whatever_the_file_says_there_is_a_report(tmp_path, text):
    report = example.report(tmp_path, text)
    assert report.errors


def test_a_file_that_is_one_encrypted_value_has_a_report(tmp_path):
    assert example.report(tmp_path, "!vault x").errors


LINES = example.TEXT.splitlines(keepends=True)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
def test_no_damage_to_a_line_stops_the_checks(tmp_path, data):
    """Values of any type in any place: the checks behind the schema must not stumble over what it has refused."""
    lines = list(LINES)
    for number in data.draw(st.lists(st.integers(1, len(lines) - 1), min_size=1, max_size=4, unique=True)):
        key, colon, _rest = lines[number].partition(":")
        damage = data.draw(st.sampled_from(["", " 7", " []", " {}", " [1, a]", " {a: b}", " x y", " !vault x", " ~"]))
        lines[number] = (
            f"{key}{colon}{damage}\n" if colon else data.draw(st.sampled_from(["\n", "    - 1\n", "  z: 1\n"]))
        )
    example.report(tmp_path, "".join(lines)).text()


@pytest.mark.parametrize("number", range(1, len(LINES)))
def test_no_missing_line_stops_the_checks(number, tmp_path):
    example.report(tmp_path, "".join(LINES[:number] + LINES[number + 1 :])).text()


def test_variable_files_that_ansible_could_not_load(tmp_path):
    for name, text in {
        "group_vars/all/platform.yml": "a: [\n",
        "group_vars/all/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n61\n",
        "group_vars/app": "- a\n",
        "group_vars/all/.hidden.yml": "a: [\n",
        "group_vars/all/notes.txt": "a: [\n",
        "group_vars/all/twice.yml": "a: 1\na: 2\n",
        "group_vars/all/empty.yml": "",
        "host_vars/app1.yml": "a: @b\n",
        "host_vars/app2/x.yaml": "a: !b c\n",
        "hosts.yml": "a: [\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    report = preflight.unreadable([tmp_path], lambda path: str(path.relative_to(tmp_path)))
    assert "\n".join(map(str, report.problems)) == (
        "group_vars/all/platform.yml:2:1: error: not YAML: did not find expected node content "
        "(while parsing a flow node); a bracket or brace is not closed, or a value is missing\n"
        "group_vars/app:1:1: error: a file of variables is a mapping (NAME: VALUE) at its top\n"
        "host_vars/app1.yml:1:4: error: not YAML: found character that cannot start any token "
        "(while scanning for the next token); a value that begins with @ needs quotes\n"
        "host_vars/app2/x.yaml:1:4: error: a: unknown tag !b; plain values, !unsafe and !vault are understood"
    )
    assert preflight.unreadable([], str).problems == []


def test_a_wrong_file_is_refused_within_a_second(tmp_path):
    """In a fresh interpreter with all imports; the best of three, for what else runs here is nobody's fault.

    On a machine that takes longer for the libraries alone, it may be half as much again as those.
    """
    path = example.write(tmp_path, example.edited(("Etc/UTC", "Etc UTC"), ("port: 5001", "port: 5000")))
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from ansible_collections.devops.platform.plugins.module_utils.platform import preflight\n"
        "from ansible_collections.devops.platform.plugins.module_utils.platform.checks.context import Inventory\n"
        f"groups, addresses = {example.GROUPS!r}, {example.ADDRESSES!r}\n"
        f"report = preflight.check(Path({str(path)!r}), Inventory('i', groups, addresses), Path({str(tmp_path)!r}))\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(len(report.errors), used.ru_utime + used.ru_stime)\n"
    )
    libraries = "import resource, jsonschema, yaml\nused = resource.getrusage(resource.RUSAGE_SELF)\n"
    libraries += "print(2, used.ru_utime + used.ru_stime)\n"

    def best(source: str) -> float:
        times = []
        for _attempt in range(3):
            done = subprocess.run(
                [sys.executable, "-c", source],
                capture_output=True,
                text=True,
                env={"PYTHONPATH": str(Path(preflight.__file__).parents[6])},
                check=True,
            )
            mistakes, seconds = done.stdout.split()
            assert int(mistakes) == 2
            times.append(float(seconds))
        return min(times)

    assert best(program) < max(1, 1.5 * best(libraries))


def test_paths_start_at_the_directory_of_ansible_cfg(tmp_path, monkeypatch):
    below = tmp_path / "inventories" / "lab"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert paths.find_root(below) == below
    (tmp_path / "ansible.cfg").touch()
    assert paths.find_root(below) == tmp_path
    assert paths.root_of({"inventory_dir": str(below)}) == tmp_path
    assert paths.root_of({"inventory_dir": "/", "playbook_dir": str(below)}) == tmp_path
    assert paths.root_of({}) == below


def test_directories_of_inventories(tmp_path, monkeypatch):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "hosts.yml").touch()
    sources = (str(tmp_path / "lab"), str(tmp_path / "lab" / "hosts.yml"), "host1,")
    assert paths.inventory_directories({"ansible_inventory_sources": sources}) == [tmp_path / "lab"]
    assert paths.inventory_directories({}) == []
    monkeypatch.chdir(tmp_path)
    assert paths.shown(tmp_path / "lab") == "lab"
    assert paths.shown(Path("/elsewhere")) == "/elsewhere"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no lock file lab/.state/images.lock.yml: the lab makes it: run 'make up'"),
        ("[", "lock file lab/.state/images.lock.yml cannot be read: while parsing"),
        ("a: 1", "lock file lab/.state/images.lock.yml has no mapping 'images'"),
    ],
)
def test_locks_that_roles_cannot_read(text, message, tmp_path):
    path = tmp_path / "lab/.state/images.lock.yml"
    path.parent.mkdir(parents=True)
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(PlatformError) as error:
        read_images(["lab/.state/images.lock.yml"], tmp_path)
    assert str(error.value).startswith(message)


def test_images_of_a_later_lock_win(tmp_path):
    (tmp_path / "a.yml").write_text("images: {web: {tag: '1'}, api: {tag: '1'}}", encoding="utf-8")
    (tmp_path / "b.yml").write_text("images: {web: {tag: '2'}}", encoding="utf-8")
    assert read_images(["a.yml", "b.yml"], tmp_path) == {"web": {"tag": "2"}, "api": {"tag": "1"}}
