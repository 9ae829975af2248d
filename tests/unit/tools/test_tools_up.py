"""The steps of `make up`."""

from __future__ import annotations

import subprocess

import pytest

from tools import overview, up


@pytest.fixture
def ran(monkeypatch):
    """What is run, instead of running it; a word in ``failing`` makes the step that has it fail."""
    commands: list[tuple[str, ...]] = []
    failing: list[str] = []

    def run(command, **more):
        commands.append(tuple(command))
        assert more["env"]["PATH"].split(":")[0].endswith("/.venv/bin")
        return subprocess.CompletedProcess(command, 4 if set(failing) & set(command) else 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(overview, "text", lambda: "what runs where")
    return commands, failing


def test_the_lab_comes_first_and_the_overview_last(ran, capsys):
    commands, _failing = ran
    assert up.main() == 0
    assert [command[-1] for command in commands] == ["up", "site.yml"]
    assert capsys.readouterr().out.startswith("\nwhat runs where\n\nup after ")


@pytest.mark.parametrize(("failing", "steps"), [("up", 1), ("site.yml", 2)])
def test_a_step_that_fails_is_the_last(ran, capsys, failing, steps):
    commands, marked = ran
    marked.append(failing)
    assert up.main() == 4
    assert len(commands) == steps
    captured = capsys.readouterr()
    assert "run `make up` again" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(("value", "more"), [("", 0), ("0", 0), ("1", 1), ("true", 1)])
def test_a_cluster_is_a_platform_of_its_own(value, more):
    steps = up.steps({"LAB_KUBERNETES": value})
    assert steps == (*up.STEPS, *[up.CLUSTER] * more)
