"""`--check --diff` plans everything, changes nothing, and matches what the real run then does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.harness.host import Fate
from tests.engine.harness.machine import Machine
from tests.engine.harness.scenarios import SCENARIOS, Scenario, file, prepare, service


def touched(answer: dict[str, Any]) -> list[str]:
    """What was written, but for the folder in memory in which the product's checker sees the new files."""
    written = [*(what for _name, what, _half in answer["steps"]), *answer["outside"]]
    return [what for what in written if "/run/devops-platform-check-" not in what]


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_the_prediction_is_what_the_run_does(scenario: Scenario, machine: Machine) -> None:
    prepare(machine, scenario)
    machine.remember("before")
    machine.remember("system before", what="system")
    predicted = machine.run(scenario.change, check=True, diff=True)
    assert touched(predicted) == []
    assert not machine.execute("sh", "-c", "ls -d /run/devops-platform-check-* 2>&1 || true").startswith("/run/")
    machine.assert_is("before")
    machine.assert_is("system before", what="system")
    done = machine.run(scenario.change, diff=True)
    for key in ("plan", "changed", "effect", "diff"):
        assert predicted["results"][0][key] == done["results"][0][key], key
    assert predicted["results"][0]["plan"]


def test_nothing_to_predict_when_nothing_changes(machine: Machine) -> None:
    machine.well(service())
    result = machine.well(service(), check=True, diff=True)
    assert (result["changed"], result["plan"], result["diff"], result["notes"]) == (False, [], "", [])


def test_a_checker_that_is_not_installed_yet_is_named(machine: Machine) -> None:
    """On an empty host the release's own checker is not there: the prediction says what it leaves open."""
    result = machine.well(service(), check=True)
    assert len(result["notes"]) == 1
    assert "/etc/probe_app/app.json was not validated" in result["notes"][0]
    assert not machine.exists("/var/lib/devops-platform")


def test_a_file_that_the_checker_would_refuse_fails_in_check_mode_too(machine: Machine) -> None:
    machine.well(service())
    result = machine.result(service(message="invalid"), check=True)
    assert result["step"] == "validate"
    assert "the word 'invalid' is in it" in result["message"]


def test_the_diff_shows_lines_before_and_after(machine: Machine) -> None:
    machine.well(service())
    diff = machine.well(service(start="b"), check=True, diff=True)["diff"]
    assert "-start = a\n+start = b\n" in diff
    assert "/etc/probe_app/start.conf" in diff


def test_an_interrupted_change_is_told_of_and_left_alone(machine: Machine) -> None:
    machine.well(service())
    change = service("1.1", "second")
    assert machine.run(change, fate=Fate(20, "before"))["killed"]
    machine.remember("interrupted")
    answer = machine.run(change, check=True)
    assert "an interrupted change waits" in answer["results"][0]["recovered"]
    assert touched(answer) == []
    machine.assert_is("interrupted")


def test_a_foreign_file_is_an_entry_of_its_own(machine: Machine) -> None:
    machine.put("/etc/probe_app.foreign", "by hand\n")
    plan = machine.well(service(more_files=(file("/etc/probe_app.foreign", "ours\n"),)), check=True)["plan"]
    entry = next(item for item in plan if item["target"] == "/etc/probe_app.foreign")
    assert entry["action"] == "take over"
    assert "is not ours" in entry["reason"]
