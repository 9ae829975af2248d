"""What is counted during a run, from events in the order in which Ansible sends them, and the lines that come of it."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.plugin_utils.progress import (
    NAMES_SHOWN,
    Run,
    Task,
    clock_text,
    closing_lines,
    gate_lines,
    grouped_plans,
    live_line,
    plan_lines,
    task_line,
)

COMPONENT = "devops.platform.component"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def run(clock):
    return Run(clock)


def task(
    run: Run, clock: Clock, name: str, results: dict[str, str], seconds: float = 1, action: str = COMPONENT
) -> Task:
    """One task of the run: hosts begin, answer in turn, and the next task closes it."""
    run.start_task(name, name, action)
    for host in results:
        run.begin(host)
    for host, status in results.items():
        run.finish(host, status)
    clock.now += seconds
    closed = run.close()
    assert closed is not None
    return closed


@pytest.mark.parametrize(
    ("results", "line"),
    [
        ({"a": "ok", "b": "ok"}, "    1.0 s  T: 2 ok"),
        ({"a": "ok", "b": "changed"}, "    1.0 s  T: 1 ok, 1 changed (b)"),
        ({"b": "changed", "a": "changed"}, "    1.0 s  T: 2 changed (a, b)"),
        ({"a": "failed", "b": "unreachable", "c": "skipped"}, "    1.0 s  T: 1 failed, 1 unreachable, 1 skipped"),
        ({"a": "ignored"}, "    1.0 s  T: 1 ignored"),
        ({}, "    1.0 s  T: no hosts"),
        ({f"h{n}": "changed" for n in range(NAMES_SHOWN + 1)}, f"    1.0 s  T: {NAMES_SHOWN + 1} changed"),
    ],
)
def test_a_finished_task_is_one_line(run, clock, results, line):
    run.start_play("P", len(results))
    assert task_line(task(run, clock, "T", results), clock.now) == line


def test_a_task_is_closed_once(run, clock):
    task(run, clock, "T", {"a": "ok"})
    assert run.close() is None


def test_round_trips_are_what_hosts_were_asked(run, clock):
    run.start_play("P", 3)
    hosts = {"a": "ok", "b": "changed", "c": "skipped"}
    assert task(run, clock, "one a host, none where skipped", hosts).round_trips == 2
    assert task(run, clock, "none on the controller", hosts, action="ansible.builtin.set_fact").round_trips == 0
    run.start_task("loop", "loop", "ansible.builtin.copy")
    for _item in range(3):
        run.item("a")
    run.finish("a", "changed")
    run.finish("b", "ok")
    run.close()
    assert run.round_trips == 2 + 0 + 4


def test_a_host_that_is_gone_is_not_waited_for(run, clock):
    run.start_play("P", 3)
    task(run, clock, "T", {"a": "failed", "b": "ok", "c": "unreachable"})
    run.start_task("next", "next", COMPONENT)
    assert run.current is not None
    assert run.current.total == 1
    run.start_play("P2", 3)
    run.start_task("again", "again", COMPONENT)
    assert run.current.total == 3


def test_the_same_task_of_the_next_batch_counts_again(run, clock):
    for batch in range(2):
        run.start_play("Run applications", 1)
        task(run, clock, "same", {f"app{batch}": "ok"})
    assert len(run.tasks) == 2


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "1:05 | Prepare hosts | base : Roll out | 1 of 2 hosts"),
        (45, "1:05 | Prepare hosts | base … | 1 of 2 hosts"),
        (12, "1:05 | Prep"),
    ],
)
def test_the_live_line_fits_the_terminal(run, clock, width, line):
    run.start_play("Prepare hosts", 2)
    run.start_task("t", "base : Roll out", COMPONENT)
    run.finish("a", "ok")
    clock.now += 65
    text = live_line(run, width)
    assert text == line
    assert len(text) < width


def test_the_live_line_says_what_failed_so_far_and_where_the_run_is_between_tasks(run, clock):
    run.start_play("Prepare hosts", 2)
    assert live_line(run, 80) == "0:00 | Prepare hosts"
    run.start_task("t", "T", COMPONENT)
    run.finish("a", "unreachable")
    assert live_line(run, 80) == "0:00 | Prepare hosts | T | 1 of 2 hosts | 1 failed"


@pytest.mark.parametrize(("seconds", "text"), [(7.9, "0:07"), (750, "12:30"), (3723, "1:02:03")])
def test_elapsed_time(seconds, text):
    assert clock_text(seconds) == text


def test_the_end_names_the_slowest_tasks_and_the_sums(run, clock):
    run.start_play("Hosts", 1)
    for name, seconds in (("quick", 0.5), ("slow", 3), ("slower", 4)):
        task(run, clock, name, {"a": "ok"}, seconds)
    assert closing_lines(run) == [
        "slowest tasks:",
        "    4.0 s  slower (Hosts)",
        "    3.0 s  slow (Hosts)",
        "3 tasks, 3 round trips, 7.5 s",
    ]


def test_the_report_is_data_without_results(run, clock):
    run.start_play("Hosts", 2)
    task(run, clock, "T", {"a": "changed", "b": "failed"}, 2)
    sums = {"a": {"changed": 1, "failures": 0}, "b": {"failures": 1, "unreachable": 0}}
    report = run.report(sums, playbook="site.yml", check=False)
    assert report == {
        "format": 1,
        "playbook": "site.yml",
        "check": False,
        "seconds": 2.0,
        "tasks": 1,
        "round_trips": 2,
        "changed": 1,
        "failed": 1,
        "hosts": sums,
        "task_list": [
            {
                "play": "Hosts",
                "name": "T",
                "action": COMPONENT,
                "seconds": 2.0,
                "round_trips": 2,
                "counts": {"changed": 1, "failed": 1},
            }
        ],
    }


EDGE = {
    "name": "edge",
    "plan": [
        {"action": "update", "target": "/etc/nginx/nginx.conf", "reason": "its content differs"},
        {"action": "reload", "target": "nginx.service", "reason": "its configuration changed"},
    ],
    "recovered": "",
    "notes": [],
}


def test_a_plan_says_what_changes_and_why():
    assert plan_lines([EDGE, {"name": "idle", "plan": [], "recovered": "", "notes": []}]) == [
        "edge: update /etc/nginx/nginx.conf (its content differs)",
        "edge: reload nginx.service (its configuration changed)",
    ]


def test_a_plan_says_what_it_does_not_know_and_what_was_left_over():
    lines = plan_lines([{**EDGE, "plan": [], "recovered": "taken back", "notes": ["nginx: not installed yet"]}])
    assert lines == [
        "edge: a change that an earlier run left unfinished: taken back",
        "edge: nginx: not installed yet",
    ]


def test_equal_plans_are_shown_once():
    assert grouped_plans({"app2": ["a", "b"], "app1": ["a", "b"], "app3": ["c"], "app4": []}) == [
        " " * 11 + "app1, app2",
        " " * 13 + "a",
        " " * 13 + "b",
        " " * 11 + "app3",
        " " * 13 + "c",
    ]


@pytest.mark.parametrize(
    ("objective", "line"),
    [
        ({"value": 0.002, "comparison": "<", "threshold": 0.01, "samples": 12}, "0.002 < 0.01  passed (12 samples)"),
        ({"value": 3, "comparison": ">=", "threshold": 2, "samples": 1}, "3 >= 2  passed (1 sample)"),
        ({"value": 1 / 3}, "0.3333  passed"),
        (
            {"value": 0.04, "threshold": 0.01, "verdict": "failed", "reason": "too many", "samples": 2},
            "0.04 < 0.01  failed (2 samples): too many",
        ),
        (
            {"value": None, "threshold": 0.01, "verdict": "skipped", "reason": "no samples", "samples": 0},
            "no value  skipped (0 samples): no samples",
        ),
    ],
)
def test_an_objective_is_a_line(objective, line):
    assert gate_lines([{"name": "error ratio", "verdict": "passed", **objective}]) == [f"gate  error ratio  {line}"]


def test_objectives_stand_below_each_other():
    answers = [
        {"name": "errors", "value": 1, "verdict": "passed"},
        {"name": "latency", "value": 2, "verdict": "passed"},
    ]
    assert gate_lines([*answers, "rubbish"]) == ["gate  errors   1  passed", "gate  latency  2  passed"]


@pytest.mark.parametrize(
    ("action", "results", "told"),
    [
        ("devops.platform.rollout", {"a": "ok"}, True),
        ("ansible.builtin.set_fact", {"a": "ok", "b": "skipped"}, True),
        ("devops.platform.rollout", {"a": "failed"}, False),
        ("ansible.builtin.set_fact", {"a": "ok", "b": "unreachable"}, False),
        (COMPONENT, {"a": "ok"}, False),
    ],
)
def test_what_only_carries_data_on_has_no_line(run, clock, action, results, told):
    assert task(run, clock, "T", results, action=action).is_bookkeeping is told


def test_the_live_line_says_which_wave(run, clock):
    run.start_play("Roll out", 3)
    assert run.told("enter", "wave 2 of 4: a, b") == ["wave 2 of 4: a, b"]
    run.start_task("1", "Change", COMPONENT)
    assert "| Roll out, wave 2 of 4 | Change |" in live_line(run, 80)
    run.told("left", "")
    assert "wave 2 of 4" in live_line(run, 80)
    run.told("turn", "to be taken back: a")
    assert "wave" not in live_line(run, 80)
    run.told("enter", "taking back: a")
    assert "Roll out, taking back |" in live_line(run, 80)


def test_a_rollouts_step_asks_no_host(run, clock):
    assert task(run, clock, "T", {"a": "ok"}, action="devops.platform.rollout").round_trips == 0


def test_the_same_difference_is_kept_once(run, clock):
    run.start_task("1", "T", COMPONENT)
    for host, text in (("a", "x"), ("b", "y"), ("c", "x")):
        run.differs(host, text)
    assert run.close().diffs == {"x": ["a", "c"], "y": ["b"]}
