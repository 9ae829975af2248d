"""The controller dies at every task of a rollout. Whoever resumes it finds the fleet wholly new, whoever takes it back
wholly old.

Three hosts with the service, and one with edge and monitoring. What is rolled out is node_exporter, which changes in a
second; its hosts leave the edge for it like for anything else.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import journals
from ansible_collections.devops.platform.plugins.module_utils.rollout.state import fold
from tests.fleet.conftest import Starter
from tests.fleet.harness import rollouts, tick
from tests.fleet.harness.fleet import Fleet

ROLLOUT = ("playbooks/rollout.yml", "-e", "target=node_exporter")
GROUPS = [["app"], ["app"], ["app"], ["edge", "monitoring"]]
OLD, NEW = 9100, 9101


def with_port(described: Mapping[str, Any], port: int) -> dict[str, Any]:
    monitoring = described["monitoring"]
    exporter = {**monitoring["node_exporter"], "port": port}
    return {**described, "monitoring": {**monitoring, "node_exporter": exporter}}


@pytest.fixture(scope="module")
def fleet(start_fleet: Starter, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    folder = tmp_path_factory.mktemp("killed")
    fleet = start_fleet(4, tick.platform(folder, "tick-first", gate=False, waves=[1, "100%"], settle=0), GROUPS)
    tick.lock(folder)  # the hosts have brought up the registry that it needs
    fleet.play("site.yml", "--skip-tags", "verify").expect_ok()
    return fleet


@dataclass
class Sides:
    """The fleet as it is with either port, as it was looked at; ``now`` is the port that it has."""

    looks: dict[int, Any]
    tasks: int
    now: int = OLD

    @property
    def other(self) -> int:
        return NEW if self.now == OLD else OLD


@pytest.fixture(scope="module")
def sides(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Sides:
    """Both sides, and the number of tasks of a whole rollout from one to the other."""
    looks = {OLD: rollouts.look(fleet)}
    count = tmp_path_factory.mktemp("count") / "tasks"
    fleet.describe(with_port(fleet.platform, NEW))
    with rollouts.running(fleet, *ROLLOUT, environment=rollouts.killed_at(0, count)) as run:
        run.wait().expect_ok()
    looks[NEW] = rollouts.look(fleet)
    assert rollouts.differences(looks[OLD], looks[NEW])
    return Sides(looks, int(count.read_text().split()[0]), NEW)


def kill(fleet: Fleet, number: int, port: int) -> str:
    """Roll a port out, and let the controller die at a task; the id of the rollout that must be resumed, or nothing."""
    fleet.describe(with_port(fleet.platform, port))
    with rollouts.running(fleet, *ROLLOUT, environment=rollouts.killed_at(number)) as run:
        play = run.wait()
    assert play.code == -signal.SIGKILL, f"task {number} was not reached:\n{play.output[-2000:]}"
    return rollouts.last(fleet).rollout if rollouts.state(fleet).unfinished else ""


def expect_refusal(fleet: Fleet, name: str) -> None:
    refused = fleet.play(*ROLLOUT)
    assert refused.code != 0, "another rollout may begin"
    assert f"resume={name}" in refused.output


def chosen(total: int) -> list[int]:
    """All tasks; FLEET_KILLS=N: about so many of them, spread evenly, for a quick look."""
    wanted = int(os.environ.get("FLEET_KILLS", "0")) or total
    if wanted >= total:
        return list(range(1, total + 1))
    return sorted({1 + round((index + 0.5) * (total - 1) / wanted) for index in range(wanted)})


@pytest.mark.timeout(4200)  # some twenty seconds a task
def test_the_controller_killed_at_every_task(fleet: Fleet, sides: Sides) -> None:
    begun = 0
    numbers = chosen(sides.tasks)
    for number in numbers:
        for how in ("reversed", "resumed"):
            where = f"killed at task {number} of {sides.tasks}, {how}"
            name = kill(fleet, number, sides.other)
            output = ""
            if name:
                begun += 1
                if how == "reversed":
                    expect_refusal(fleet, name)
                words = ["-e", f"resume={name}", *(["-e", "reverse=true"] if how == "reversed" else [])]
                output = fleet.play("playbooks/rollout.yml", *words).output
                assert rollouts.state(fleet).result == ("done" if how == "resumed" else "reversed"), (
                    f"{where}:\n{output}"
                )
                if how == "resumed":
                    sides.now = sides.other
            # Where there was nothing to resume, nothing had been touched.
            wrong = rollouts.differences(sides.looks[sides.now], rollouts.look(fleet))
            assert not wrong, f"{where}: {wrong}\n{output[-3000:]}"
        print(f"killed at task {number} of {sides.tasks}: as it should be", flush=True)
    print(
        f"\nkilled at {len(numbers)} of {sides.tasks} tasks, {begun} rollouts resumed or reversed: none was left half"
    )
    assert begun


def test_the_journals_stay_together(fleet: Fleet) -> None:
    """What the runs before left behind can be read, and no rollout of it is open."""
    found = journals(rollouts.directory(fleet))
    assert found
    assert [journal.rollout for journal in found if fold(journal.events()).unfinished] == []
