# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measuring over time until every objective can be judged.

Each objective is evaluated at fixed times from the change on, the last of them when its window is over. At each time
@window is as long as the time since the change, at most the window: no value holds anything from before the change. A
range query cannot do that, for it has one @window for all its points; but Prometheus answers for any time in the past,
so that what could not be asked while it was restarted is asked afterwards.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from . import verdict as judging
from .prometheus import QueryError, Series
from .spec import MOST_POINTS, SLICES, Objective, Scope, expand
from .verdict import Evidence, Reading, Slices, Verdict

LAST_TRIES = 3  # when the window is over and Prometheus does not answer
AHEAD = 60.0  # seconds that the change may lie in the future: two hosts' clocks


class Source(Protocol):
    """What measures: `prometheus.Prometheus`, or a test."""

    def instant(self, query: str, at: float, lookback: float) -> list[Series]: ...

    def range(self, query: str, start: float, end: float, step: float) -> list[Series]: ...


def times(start: float, window: float, interval: float) -> list[float]:
    """When to evaluate: `interval` apart, or wider where that is too many points; the last at the window's end."""
    step = max(interval, window / MOST_POINTS)
    number = max(1, int(window / step + 1e-9))
    return [start + window - step * left for left in reversed(range(number))]


def unreachable(objectives: Sequence[Objective], interval: float) -> list[str]:
    """Objectives that could never have their samples."""
    lines = []
    for item in objectives:
        number = len(times(0.0, item.window, interval))
        if number < item.min_samples:
            lines.append(
                f"{item.name}: a window of {item.window:g} s has {number} evaluations at interval {interval:g}, fewer "
                f"than min_samples {item.min_samples}; give an interval of at most {item.window / item.min_samples:g}"
            )
    return lines


def slices(source: Source, objective: Objective, scope: Scope, start: float) -> Slices:
    """What a test compares: values of windows side by side, as long as a slice each, of all series of either group."""
    number = max(SLICES, objective.min_samples)
    length = math.floor(objective.window / number * 1000) / 1000

    def ask(hosts: tuple[str, ...]) -> tuple[float, ...]:
        query = expand(objective.query, scope.label, hosts, length)
        # Slices end where the window does.
        end = start + objective.window
        found = source.range(query, end - length * (number - 1), end, length)
        return tuple(value for one in found for _at, value in one.points if math.isfinite(value))

    return Slices(ask(scope.hosts), ask(scope.baseline_hosts), length)


def read(source: Source, objective: Objective, scope: Scope, start: float, at: float) -> Reading:
    """One evaluation of one objective, as of `at`."""
    past = at - start
    window = min(past, objective.window)

    def ask(query: str, hosts: tuple[str, ...]) -> list[Series]:
        return source.instant(expand(query, scope.label, hosts, window), at, past)

    def events(hosts: tuple[str, ...]) -> float | None:
        if not objective.traffic:
            return None
        numbers = (one.value for one in judging.as_series(ask(objective.traffic.query, hosts)))
        return sum(number for number in numbers if math.isfinite(number))

    others = scope.baseline_hosts if objective.baseline else ()
    return Reading(
        at,
        judging.as_series(ask(objective.query, scope.hosts)),
        judging.as_series(ask(objective.query, others)) if others else (),
        events(scope.hosts),
        events(others) if others else None,
    )


@dataclass
class Course:
    """How far one objective is."""

    objective: Objective
    scope: Scope
    start: float
    pending: deque[float]
    planned: int
    readings: list[Reading] = field(default_factory=list)
    slices: Slices | None = None
    error: str = ""
    verdict: Verdict | None = None

    def evidence(self, early: int = 0) -> Evidence:
        item = self.objective
        query = expand(item.query, self.scope.label, self.scope.hosts, item.window)
        return Evidence(item, self.scope, query, tuple(self.readings), self.slices, self.error, early)

    def judge(self, early: int = 0) -> None:
        self.verdict = judging.judge(self.evidence(early))

    def advance(self, source: Source, now: float) -> None:
        """Evaluate what is due, and judge where that was the last or enough."""
        while self.pending and self.pending[0] <= now:
            self.readings.append(read(source, self.objective, self.scope, self.start, self.pending[0]))
            self.pending.popleft()
            self.error = ""
            early = judging.early(self.objective, self.readings, self.planned) if self.pending else 0
            if early:
                self.judge(early)
                return
        if self.pending:
            return
        if self.objective.tested and self.scope.baseline_hosts:
            self.slices = slices(source, self.objective, self.scope, self.start)
        self.error = ""
        self.judge()


def begin(objectives: Sequence[Objective], scope: Scope, since: float, now: float, interval: float) -> list[Course]:
    """A late beginning judges the newest window, not the oldest."""
    courses = []
    for item in objectives:
        start = max(since, now - item.window)
        due = times(start, item.window, interval)
        courses.append(Course(item, scope, start, deque(due), len(due)))
    return courses


def watch(
    objectives: Sequence[Objective],
    scope: Scope,
    since: float,
    source: Source,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    interval: float = 5.0,
) -> list[Verdict]:
    """The verdicts, in the order of the objectives; the first failure ends it, what is then undecided is not judged."""
    courses = begin(objectives, scope, since, clock(), interval)
    tries = LAST_TRIES
    while True:
        _ask_all(courses, source, clock)
        undecided = [course for course in courses if course.verdict is None]
        if not undecided or any(course.verdict and course.verdict.failed for course in courses):
            break
        now = clock()
        due = min(course.pending[0] if course.pending else now for course in undecided)
        if due > now:
            sleep(due - now)
            continue
        # What is due was asked for and had no answer.
        if all(course.start + course.objective.window <= now for course in undecided):
            tries -= 1
            if not tries:
                break
        sleep(interval)
    return [course.verdict or _given_up(course, courses, tries) for course in courses]


def _ask_all(courses: Sequence[Course], source: Source, clock: Callable[[], float]) -> None:
    for course in courses:
        if course.verdict is not None:
            continue
        try:
            course.advance(source, clock())
        except QueryError as error:
            course.error = str(error)
            if error.final:
                course.judge()
            elif error.away:  # the others would wait for the same
                return


def _given_up(course: Course, courses: Sequence[Course], tries: int) -> Verdict:
    """For who has no verdict: Prometheus is away at the end, or another objective failed before."""
    if not tries:
        course.error = course.error or next((other.error for other in courses if other.error), "")
        course.judge()
        if course.verdict:
            return course.verdict
    failed = [other.objective.name for other in courses if other.verdict and other.verdict.failed]
    return judging.not_judged(course.evidence(), f"{', '.join(failed)} failed before")
