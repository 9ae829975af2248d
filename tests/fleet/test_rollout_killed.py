"""The controller dies at every task of a rollout. Whoever resumes it finds the fleet wholly new, whoever takes it back
wholly old.

Three hosts with the service, and one with edge and monitoring. What is rolled out is node_exporter, which changes in a
second; its hosts leave the edge for it like for anything else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.conftest import Starter
from tests.fleet.harness import rollouts, tick
from tests.fleet.harness.fleet import Fleet

ROLLOUT = ("playbooks/rollout.yml", "-e", "target=node_exporter")
GROUPS = [["app"], ["app"], ["app"], ["edge", "monitoring"]]


def with_port(described: Mapping[str, Any], port: int) -> dict[str, Any]:
    monitoring = described["monitoring"]
    exporter = {**monitoring["node_exporter"], "port": port}
    return {**described, "monitoring": {**monitoring, "node_exporter": exporter}}


@pytest.fixture(scope="module")
def fleet(start_fleet: Starter, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    folder = tmp_path_factory.mktemp("killed")
    tick.lock(folder)
    fleet = start_fleet(4, tick.platform(folder, "tick-first", waves=[1, "100%"], gate=None, settle=0), GROUPS)
    fleet.play("site.yml", "--skip-tags", "verify").expect_ok()
    return fleet


@pytest.fixture(scope="module")
def looks(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Any, Any]:
    """(number of tasks of a whole rollout, the old fleet, the new one). Ends with the old one."""
    old = rollouts.look(fleet)
    count = tmp_path_factory.mktemp("count") / "tasks"
    fleet.describe(with_port(fleet.platform, 9101))
    with rollouts.running(fleet, *ROLLOUT, environment=rollouts.killed_at(0, count)) as run:
        run.wait().expect_ok()
    new = rollouts.look(fleet)
    back_to_old(fleet, old)
    return int(count.read_text().split()[0]), old, new


def back_to_old(fleet: Fleet, old: Any) -> None:
    fleet.describe(with_port(fleet.platform, 9100))
    fleet.play(*ROLLOUT).expect_ok()
    assert rollouts.differences(old, rollouts.look(fleet)) == []


def kill(fleet: Fleet, number: int) -> str:
    """Let the controller die there; the id of the rollout if one has to be resumed, else ''."""
    fleet.describe(with_port(fleet.platform, 9101))
    with rollouts.running(fleet, *ROLLOUT, environment=rollouts.killed_at(number)) as run:
        play = run.wait()
    assert play.code == -9, f"task {number} was not reached:\n{play.output[-2000:]}"
    journal = rollouts.last(fleet)
    return journal.rollout if rollouts.state(fleet).unfinished else ""


def chosen(total: int) -> list[int]:
    """All tasks; FLEET_KILLS=N: about so many of them, spread evenly, for a quick look."""
    wanted = int(os.environ.get("FLEET_KILLS", "0")) or total
    return sorted({1 + index * (total - 1) // max(1, wanted - 1) for index in range(wanted)})


def test_the_controller_killed_at_every_task(fleet: Fleet, looks: tuple[int, Any, Any]) -> None:
    total, old, new = looks
    begun = 0
    for number in chosen(total):
        for how in ("resumed", "reversed"):
            name = kill(fleet, number)
            if not name:
                # Nothing had been touched: the next rollout simply begins, or there is nothing to take back.
                assert rollouts.differences(old, rollouts.look(fleet)) == [], f"killed at task {number}"
                continue
            begun += 1
            refused = fleet.play(*ROLLOUT)
            assert refused.code != 0, f"killed at task {number}: another one may begin"
            assert f"resume={name}" in refused.output
            words = ["-e", f"resume={name}", *(["-e", "reverse=true"] if how == "reversed" else [])]
            play = fleet.play("playbooks/rollout.yml", *words)
            wanted = new if how == "resumed" else old
            wrong = rollouts.differences(wanted, rollouts.look(fleet))
            assert not wrong, f"killed at task {number}, {how}: {wrong}\n{play.output[-3000:]}"
            result = rollouts.state(fleet).result
            assert result == ("done" if how == "resumed" else "reversed"), f"killed at task {number}: {result}"
            if how == "resumed":
                back_to_old(fleet, old)
        print(f"killed at task {number} of {total}: as it should be", flush=True)
    print(
        f"\nkilled at {len(chosen(total))} of {total} tasks, {begun} rollouts resumed or reversed: none was left half"
    )
    assert begun


def test_the_journals_stay_together(fleet: Fleet) -> None:
    """What the runs before left behind can be read, and no rollout of it is open."""
    path: Path = rollouts.directory(fleet)
    from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import journals
    from ansible_collections.devops.platform.plugins.module_utils.rollout.state import fold

    assert [journal.rollout for journal in journals(path) if fold(journal.events()).unfinished] == []
