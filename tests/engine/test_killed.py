"""Killed at any instant, the next run finds the intent journal and finishes or reverts: never half.

The steps of a change are counted in a run that nobody disturbs; then a run is killed with SIGKILL before each of them
and in the middle of each that has a middle. The next run has to reach exactly the state before or exactly the state
after: files, links, owners, users, unit states, versions of packages, what the service answers, ledger. Where apt had
installed another version before the change, taking back leads to the state before that.
"""

from __future__ import annotations

import inspect
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from ansible_collections.devops.platform.plugins.module_utils.engine.host import MUTATIONS, Host
from tests.engine.harness import debian
from tests.engine.harness.debian import PackageMatrix
from tests.engine.harness.machine import Machine
from tests.engine.harness.matrix import Matrix, Report
from tests.engine.harness.scenarios import SCENARIOS, Scenario

# Where the run after the killed one, and the run after that, are tried at each step too.
THOROUGH = {"upgrade of release, configuration and unit", "absent", "undone"}
# Where the next run is killed as well, at each of its steps.
TWICE = ["upgrade of release, configuration and unit", "failed probe", "absent"]
# A package's good upgrade ends like the others; that it is killed is tried with a fake apt, at each step.
ALL = {**SCENARIOS, **{name: debian.SCENARIOS[name] for name in (debian.FAILED, debian.ROLLBACK)}}
Jobs = dict[tuple[str, str], Future[Report]]


@pytest.fixture(scope="module")
def reports(machines: list[Machine], request: pytest.FixtureRequest) -> Iterator[Jobs]:
    """The matrices of all chosen tests, divided among the machines; each test waits for its own."""
    free: queue.Queue[Machine] = queue.Queue()
    for machine in machines:
        free.put(machine)

    def on_a_free_machine(work: Callable[[Machine], Report]) -> Report:
        machine = free.get()
        try:
            return work(machine)
        finally:
            free.put(machine)

    functions = [item for item in request.session.items if isinstance(item, pytest.Function)]
    chosen = [item for item in functions if item.path == request.path and hasattr(item, "callspec")]
    wanted = [(item.originalname, str(item.callspec.params["name"])) for item in chosen]
    pool = ThreadPoolExecutor(len(machines))
    yield {key: pool.submit(on_a_free_machine, WORK[key[0]](ALL[key[1]])) for key in wanted}
    pool.shutdown(cancel_futures=True)


def _once(scenario: Scenario) -> Callable[[Machine], Report]:
    def work(machine: Machine) -> Report:
        matrix = (PackageMatrix if scenario.name in debian.SCENARIOS else Matrix)(machine, scenario)
        try:
            return matrix.die_everywhere(scenario.name in THOROUGH)
        finally:
            matrix.done()

    return work


def _twice(scenario: Scenario) -> Callable[[Machine], Report]:
    return lambda machine: Matrix(machine, scenario).die_twice()


@pytest.mark.parametrize("name", ALL)
def test_killed_at_every_step(name: str, reports: Jobs) -> None:
    report = reports["test_killed_at_every_step", name].result()
    print(report.line("killed"))
    assert not report.problems, "\n".join(report.problems)
    assert report.before
    # A change that is refused never becomes true.
    assert bool(report.after) != ALL[name].fails


@pytest.mark.parametrize("name", TWICE)
def test_killed_again_while_putting_things_right(name: str, reports: Jobs) -> None:
    report = reports["test_killed_again_while_putting_things_right", name].result()
    print(report.line("killed twice"))
    assert not report.problems, "\n".join(report.problems)


WORK = {
    "test_killed_at_every_step": _once,
    "test_killed_again_while_putting_things_right": _twice,
}


def test_every_mutating_primitive_is_a_step() -> None:
    """A primitive that is added to Host has to be added to the steps, or the tests above would step over it."""
    source = inspect.getsource(Host)
    behind = source.split("# Mutations")[1]
    primitives = [
        name
        for name, value in vars(Host).items()
        if not name.startswith("_") and callable(value) and f"def {name}(" in behind
    ]
    assert sorted(primitives) == sorted(MUTATIONS)
    before = source.split("# Mutations")[0]
    assert all(f"def {name}(" not in before for name in MUTATIONS)
