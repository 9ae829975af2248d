"""Every step of a change, and every way in which it can end there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.engine.harness.host import NEEDS_SPACE, Fate
from tests.engine.harness.machine import Machine
from tests.engine.harness.scenarios import NAME, Scenario, prepare

LEFTOVERS = (".dp-", ".partial", ".next", ".download", ".json.new", "/stage/", "/journal/")


@dataclass
class Report:
    """What a matrix found: how often it struck, what was wrong, and where the host stood afterwards."""

    scenario: str
    struck: int = 0
    before: int = 0
    kept: int = 0
    after: int = 0
    problems: list[str] = field(default_factory=list)

    def line(self, what: str) -> str:
        kept = f", as kept {self.kept}" if self.kept else ""
        return f"{self.scenario}: {what} {self.struck} times; then as before {self.before}{kept}, as after {self.after}"


class Matrix:
    """One scenario on one machine: the states before and after are taken from a run that nobody disturbs."""

    # What else is saved, and the states in which the host may be found.
    ALSO: tuple[str, ...] = ()
    NAMES: tuple[str, ...] = ("before", "after")

    def __init__(self, machine: Machine, scenario: Scenario) -> None:
        self.machine = machine
        self.scenario = scenario
        self.report = Report(scenario.name)
        # The state that a refused change ends in.
        self.taken_back = "before"
        self.prepare()
        machine.remember("before")
        machine.save("before", self.ALSO)
        self.steps = self._undisturbed()
        self.again()

    def prepare(self) -> None:
        prepare(self.machine, self.scenario)

    def done(self) -> None:
        """Leave the machine as it was found."""

    def _undisturbed(self) -> list[tuple[str, str, bool]]:
        answer = self.machine.run(self.scenario.change)
        result = answer["results"][0]
        assert result["failed"] == self.scenario.fails, result["message"] or "the change should have been refused"
        assert answer["outside"] == [], "something is written that is no step"
        self.machine.remember("after")
        # Each later state is equal to this one or to the one before, so what is missing here is missing there.
        left = [path for part in LEFTOVERS for path in self.machine.find(part)]
        assert left == [], "the change leaves something behind"
        if self.scenario.fails:
            self.machine.assert_is(self.taken_back)
        return [tuple(step) for step in answer["steps"]]

    def again(self) -> None:
        self.machine.restore("before")

    def where(self, fate: Fate, steps: list[tuple[str, str, bool]] | None = None) -> str:
        name, what, _half = (steps or self.steps)[fate.at]
        return f"{fate.how} step {fate.at} ({name} {what})"

    def expect(self, names: tuple[str, ...], where: str) -> str:
        """Which of the states the host is in; a problem is noted where it is in none."""
        found = self.machine.compare(*names)
        if not found["is"]:
            lines = [f"  unlike {name}: {line}" for name, rest in found["differences"].items() for line in rest]
            self.report.problems.append("\n".join([f"{where}: neither state", *lines]))
        return str(found["is"])

    # Death

    def kills(self) -> list[Fate]:
        """Before each step, and in the middle of those that have one. After a step is before the next."""
        fates = []
        for number, (_name, _what, divisible) in enumerate(self.steps):
            fates.append(Fate(number, "before"))
            if divisible:
                fates.append(Fate(number, "middle"))
        return fates

    def die_everywhere(self, thorough: bool) -> Report:
        """Kill, then let the next run's first act put things right; `thorough`: then make the change, twice."""
        for fate in self.kills():
            where = f"killed {self.where(fate)}"
            if not self._killed(fate, where):
                continue
            self._recovered(where)
            verdict = self._verdict(where)
            if thorough and verdict and (verdict == "before" or self.scenario.repeatable):
                self._forward(where)
                verdict = "changed"
            if verdict != "before" or not self.scenario.before:
                # The store is no part of the state, but what makes it is part of the steps of a first run.
                self.again()
        return self.report

    def die_twice(self) -> Report:
        """Kill in the last step of each phase, then at every step of putting things right, then put them right."""
        for fate in self.turning_points():
            self._die_in_recovery(fate)
        return self.report

    def turning_points(self) -> list[Fate]:
        """The last step of the preparation, of the switch, of the way back, and the first and last of cleaning."""
        names = [f"{name} {what}" for name, what, _half in self.steps]
        switching = [i for i, step in enumerate(names) if step.startswith("rename") and "/journal/" in step][-1]
        ends = [i for i, step in enumerate(names) if step.endswith(f"/ledger/{NAME}.json")]
        committed = ends[-1] if ends and not self.scenario.fails else len(names) - 1
        return [Fate(number, "before") for number in sorted({switching, committed, min(committed + 1, len(names) - 1)})]

    def _die_in_recovery(self, first: Fate) -> None:
        where = f"killed {self.where(first)}"
        self.again()
        self._killed(first, where)
        # The recovery is deterministic: its steps are counted on a first, undisturbed one.
        steps = [tuple(step) for step in self.machine.recover(NAME)["steps"]]
        for number, (_name, _what, divisible) in enumerate(steps):
            for how in ("before", "middle") if divisible else ("before",):
                second = Fate(number, how)
                again = f"{where}, then in recovery {self.where(second, steps)}"
                self.again()
                self._killed(first, where)
                self.report.struck += 1
                if not self.machine.recover(NAME, second).get("killed"):
                    self.report.problems.append(f"{again}: it lived on")
                self._recovered(again)
                self._verdict(again)
        self.again()

    def _killed(self, fate: Fate, where: str) -> bool:
        self.report.struck += 1
        if not self.machine.run(self.scenario.change, fate=fate).get("killed"):
            self.report.problems.append(f"{where}: it lived on")
            self.again()
            return False
        return True

    def _recovered(self, where: str) -> None:
        try:
            self.machine.recover(NAME)
        except AssertionError as error:
            self.report.problems.append(f"{where}: the next run cannot put it right: {error}")

    def _verdict(self, where: str) -> str:
        verdict = self.expect(self.NAMES, where)
        if verdict:
            setattr(self.report, verdict, getattr(self.report, verdict) + 1)
        return verdict

    def _forward(self, where: str) -> None:
        result = self.machine.result(self.scenario.change)
        if result["failed"] != self.scenario.fails:
            self.report.problems.append(f"{where}: the run after it says {result['message']!r}")
        self.expect(("after",), f"{where}, then run again")
        if not self.scenario.fails:
            idle = self.machine.run(self.scenario.change)
            if idle["steps"] or idle["results"][0]["changed"]:
                self.report.problems.append(f"{where}: a run after the run is not idle: {idle['steps']}")

    # Failure

    def fail_everywhere(self, how: str) -> Report:
        """Let a step fail. The run itself has to put things right; where even that fails, the next one."""
        for number, (name, what, _half) in enumerate(self.steps):
            if how == "full" and name not in NEEDS_SPACE and name != "run":
                continue
            fate = Fate(number, how)
            where = f"{how} at step {number} ({name} {what})"
            self.report.struck += 1
            self._failed(fate, where)
        return self.report

    def _failed(self, fate: Fate, where: str) -> None:
        answer = self.machine.run(self.scenario.change, fate=fate)
        result: dict[str, Any] = answer["results"][0]
        expected: Callable[[str], bool] = "before".__eq__
        if "the journal is kept" in result["message"].lower() or "cleaning up" in result["message"]:
            self._recovered(where)
            expected = ("before", "after").__contains__
        elif not result["failed"]:
            expected = "after".__eq__
        verdict = self._verdict(where)
        if verdict and not expected(verdict):
            self.report.problems.append(f"{where}: {verdict} it is, and it says {result['message']!r}")
        if result["failed"] and not (result["message"] and result["step"]):
            self.report.problems.append(f"{where}: no reason given")
        if verdict != "before" or not self.scenario.before:
            self.again()
