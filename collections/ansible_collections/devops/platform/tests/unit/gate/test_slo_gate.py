"""The module as Ansible runs it, and its pages."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.devops.platform.plugins.module_utils.gate.spec import parse, problems
from ansible_collections.devops.platform.plugins.modules import slo_gate
from ansible_collections.devops.platform.tests.unit.gate.fake_prometheus import FakePrometheus, refusal, vector

OPTIONS = yaml.safe_load(slo_gate.DOCUMENTATION)["options"]
RETURNED = yaml.safe_load(slo_gate.RETURN)
TASKS = [task["devops.platform.slo_gate"] for task in yaml.safe_load(slo_gate.EXAMPLES)]


def run(capsys, **arguments):
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        slo_gate.main()
    return ended.value.code, json.loads(capsys.readouterr().out)


def always(value):
    return lambda _path, form: vector(({"host": "app1"}, value), at=float(form["time"]))


def short(task, url, **keys):
    """The example with a window that is over already."""
    objectives = [{**item, "window": "20s"} for item in task["objectives"]]
    return {**task, "url": url, "interval": 5, "since": 0, "objectives": objectives, **keys}


@pytest.mark.parametrize("task", TASKS)
def test_examples_are_right(task):
    assert set(task) <= set(OPTIONS)
    assert problems(task["objectives"]) == []
    assert parse(task["objectives"], task.get("window", "60s"))


def test_an_example_passes(capsys):
    with FakePrometheus(always("1")).serving() as fake:
        code, result = run(capsys, **short(TASKS[2], fake.url))
    assert (code, result["passed"], result["changed"]) == (0, True, False)
    [objective] = result["objectives"]
    assert set(objective) == set(RETURNED["objectives"]["contains"])
    assert set(objective["baseline"]) == set(RETURNED["objectives"]["contains"]["baseline"]["contains"])
    assert set(RETURNED) <= set(result)
    assert (objective["verdict"], objective["value"], objective["samples"]) == ("passed", 1.0, 4)
    assert fake.asked[-1]["query"] == 'avg_over_time(up{host=~"app1"}[20s])'


def test_a_breach_fails_with_one_line_an_objective(capsys):
    with FakePrometheus(always("0.5")).serving() as fake:
        code, result = run(capsys, **short(TASKS[2], fake.url, fail_on_breach=True))
    assert (code, result["failed"], result["passed"]) == (1, True, False)
    head, line = result["msg"].splitlines()
    assert head == "1 of 1 objectives failed:"
    assert line.startswith('  up: 0.5 of {host="app1"}, not >= 0.99 (over 20s on app1); look at http://127.0.0.1:')
    assert "/graph?g0.expr=avg_over_time" in line


def test_a_breach_is_left_to_the_playbook(capsys):
    with FakePrometheus(always("0.5")).serving() as fake:
        code, result = run(capsys, **short(TASKS[2], fake.url))
    assert (code, result["passed"], result["objectives"][0]["verdict"]) == (0, False, "failed")
    assert "failed" not in result


def test_prometheus_refuses(capsys):
    with FakePrometheus(lambda _path, _form: refusal(400, "bad_data", "parse error")).serving() as fake:
        code, result = run(capsys, **short(TASKS[2], fake.url, fail_on_breach=True))
    assert code == 1
    assert "up: Prometheus at http://127.0.0.1:" in result["msg"]
    assert "does not understand the query (bad_data: parse error); correct it: avg_over_time(up{" in result["msg"]


def test_it_waits_in_real_time(capsys):
    with FakePrometheus(always("1")).serving() as fake:
        task = short(TASKS[2], fake.url, interval=0.1, since=time.time())
        task["objectives"][0]["window"] = "500ms"
        code, result = run(capsys, **task)
    assert (code, result["passed"]) == (0, True)
    assert 0.4 < result["seconds"] < 5


def test_mistakes_are_all_named(capsys):
    code, result = run(capsys, hosts=[], objectives=[{"name": "a", "query": "x{@host}"}], fail_on_breach=False)
    assert code == 1
    for words in (
        "hosts is empty",
        "did you mean '@hosts'?",
        "(a).comparison: is missing",
        "(a).threshold: is missing",
    ):
        assert words in result["msg"]


def test_check_mode_skips(capsys):
    code, result = run(capsys, hosts=["app1"], objectives=[], _ansible_check_mode=True)
    assert (code, result["skipped"]) == (0, True)
