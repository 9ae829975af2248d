"""Which rollout a task belongs to, and that all workers of a run agree."""

from __future__ import annotations

import os
import re

import pytest

from ansible_collections.devops.platform.plugins.module_utils.engine.history import OWN
from ansible_collections.devops.platform.plugins.plugin_utils.run import rollout_of, run_id


def template(value):
    return value.replace("{{ wave }}", "2")


@pytest.mark.parametrize(
    ("arguments", "task_vars", "expected"),
    [
        ({"rollout": "task"}, {"platform_rollout_id": "play"}, "task"),
        ({}, {"platform_rollout_id": "play-{{ wave }}"}, "play-2"),
        ({"rollout": ""}, {"platform_rollout_id": "play"}, "play"),
        ({}, {}, None),
        ({}, {"platform_rollout_id": ""}, None),
    ],
)
def test_the_task_comes_before_the_play_and_that_before_the_run(arguments, task_vars, expected):
    assert rollout_of(arguments, task_vars, template) == (expected or run_id())


def test_a_runs_own_id_sorts_by_time():
    assert OWN.match(run_id())
    assert re.fullmatch(r"\d{8}T\d{6}Z-\d+", run_id())


def test_all_workers_agree():
    """Each is a child of the one process that runs the playbook; it asks for itself."""
    answers = []
    for _ in range(2):
        reading, writing = os.pipe()
        if os.fork() == 0:
            from ansible_collections.devops.platform.plugins.plugin_utils import run

            run._RUN.clear()
            os.write(writing, run.run_id().encode())
            os._exit(0)
        os.wait()
        answers.append(os.read(reading, 100).decode())
    assert answers[0] == answers[1]
    assert answers[0].endswith(f"-{os.getpid()}")
