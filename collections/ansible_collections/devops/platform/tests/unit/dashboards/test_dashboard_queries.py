"""The module as Ansible runs it, and its pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.devops.platform.plugins.action import dashboard_queries as action
from ansible_collections.devops.platform.plugins.module_utils.dashboards import check, exceptions, read
from ansible_collections.devops.platform.plugins.modules import dashboard_queries
from ansible_collections.devops.platform.plugins.plugin_utils.refusal import Refused
from ansible_collections.devops.platform.tests.unit.gate.fake_prometheus import FakePrometheus, matrix, vector

OPTIONS = yaml.safe_load(dashboard_queries.DOCUMENTATION)["options"]
RETURNED = yaml.safe_load(dashboard_queries.RETURN)
PANEL = {"title": "Up", "targets": [{"refId": "A", "expr": "up"}]}
BOARD = json.dumps({"uid": "u", "panels": [PANEL], "time": {"from": "now-1h"}})


def run(capsys, excused=(), board=BOARD, **arguments):
    payload = {"dashboards": {"u.json": board}, "exceptions": {"e.yml": {"exceptions": list(excused)}}}
    with patch_module_args({"payload": json.dumps(payload), **arguments}), pytest.raises(SystemExit) as ended:
        dashboard_queries.main()
    return ended.value.code, json.loads(capsys.readouterr().out)


def test_an_answer(capsys):
    with FakePrometheus(lambda _path, _form: matrix(({}, [(1, "1")]))).serving() as fake:
        code, result = run(capsys, url=fake.url)
    assert code == 0
    assert {name: result[name] for name in RETURNED} == {
        "queries": 1,
        "asked": 1,
        "skipped": 0,
        "excused": [],
        "failures": [],
    }
    assert result["changed"] is False


def test_no_answer(capsys):
    with FakePrometheus(lambda path, _form: vector() if path == "query" else matrix()).serving() as fake:
        code, result = run(capsys, url=fake.url, timeout=1)
    assert code == 1
    assert result["msg"].splitlines()[:2] == [
        "1 queries of dashboards, 1 failures:",
        "  dashboard 'u', panel 'Up', query A: has no answer: up",
    ]
    assert set(RETURNED) <= set(result)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scrape_interval": "often"}, "scrape_interval: "),
        ({"board": "{}"}, "u.json: is no dashboard"),
        ({"excused": [{"dashboard": "u"}]}, "e.yml: exceptions[0]: lacks 'reason'"),
    ],
)
def test_what_cannot_be_used(capsys, arguments, words):
    code, result = run(capsys, **arguments)
    assert code == 1
    assert words in result["msg"]


def test_examples_are_right():
    for task in yaml.safe_load(dashboard_queries.EXAMPLES):
        assert set(task["devops.platform.dashboard_queries"]) <= set(OPTIONS)


def test_the_collections_own_files_are_found():
    [folder] = action._paths({}, "dashboards", "dashboards")
    assert "overview.json" in {path.name for path in action._dashboards([folder])}
    [path] = action._paths({}, "exceptions", "exceptions.yml")
    assert action._yaml(path)["exceptions"]


def test_the_collections_own_exceptions_name_what_there_is():
    boards = [read.read(path.name, path.read_text()) for path in (action.FILES / "dashboards").glob("*.json")]
    queries = [query for board in boards for query in check.all_queries(board)]
    allowances = exceptions.parse("exceptions.yml", action._yaml(action.FILES / "exceptions.yml"))
    assert exceptions.unneeded(allowances, [], queries, []) == []
    assert [item.place for item in allowances if not item.unless] == []


def test_files_and_folders(tmp_path: Path):
    for name in ("b.json", "a.json", "c.txt"):
        (tmp_path / name).write_text("{}")
    assert list(action._dashboards([tmp_path / "b.json", tmp_path])) == [
        tmp_path / "b.json",
        tmp_path / "a.json",
        tmp_path / "b.json",
    ]


def test_what_is_not_there(tmp_path: Path):
    with pytest.raises(Refused, match="holds no JSON file"):
        list(action._dashboards([tmp_path]))
    with pytest.raises(Refused, match="cannot be read"):
        action._text(tmp_path / "gone.json")
    (tmp_path / "e.yml").write_text("a: [")
    with pytest.raises(Refused, match=r"e\.yml: is no YAML"):
        action._yaml(tmp_path / "e.yml")
