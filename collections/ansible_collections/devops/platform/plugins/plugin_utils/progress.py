# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is counted during a run and how it is put into words; knows nothing of Ansible's objects."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

REPORT_FORMAT = 1
STATUSES = ("ok", "changed", "failed", "unreachable", "skipped", "ignored")
NAMES_SHOWN = 8  # hosts that are named in a task's line; of more only the number is said

ROLLOUT = "devops.platform.rollout"

# Actions that are over before a connection is opened.
ON_CONTROLLER = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "ansible.builtin.", "ansible.legacy.")
    for name in (
        "add_host", "assert", "debug", "fail", "group_by", "import_playbook", "import_role", "import_tasks",
        "include_role", "include_tasks", "include_vars", "meta", "pause", "set_fact", "set_stats",
        "validate_argument_spec",
    )
) | {ROLLOUT}  # fmt: skip

GATE = "devops.platform.slo_gate"
# Tasks that only carry data on: no line tells that they went well.
BOOKKEEPING = frozenset({ROLLOUT, GATE, "set_fact", "ansible.builtin.set_fact", "ansible.legacy.set_fact"})


@dataclass
class Task:
    """One task of a run over all hosts. ``results``: host → one of STATUSES."""

    play: str
    name: str
    action: str
    started: float
    hosts: int
    ended: float | None = None
    results: dict[str, str] = field(default_factory=dict)
    items: Counter[str] = field(default_factory=Counter)  # host → items of a loop that were run
    begun: set[str] = field(default_factory=set)
    plans: dict[str, list[str]] = field(default_factory=dict)  # host → lines of what changes there
    diffs: dict[str, list[str]] = field(default_factory=dict)  # differences → hosts that have them

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.results.values())

    @property
    def is_bookkeeping(self) -> bool:
        """Whether nobody has to know that it was done."""
        return self.action in BOOKKEEPING and set(self.results.values()) <= {"ok", "skipped"}

    @property
    def total(self) -> int:
        """How many hosts the task is for, as far as that is known yet."""
        return max(self.hosts, len(self.begun), len(self.results))

    def seconds(self, now: float) -> float:
        return (self.ended if self.ended is not None else now) - self.started

    @property
    def round_trips(self) -> int:
        """How often a host was asked to do something: once a host, or once an item of a loop."""
        if self.action in ON_CONTROLLER:
            return 0
        asked = [host for host, status in self.results.items() if status != "skipped"]
        return sum(self.items[host] or 1 for host in asked)


class Run:
    """A run as it goes on. ``clock`` returns seconds, and only goes forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.started = clock()
        self.play = ""
        self.hosts = 0
        self.stage = ""  # where a rollout is, such as 'wave 2 of 4'
        self.tasks: dict[str, Task] = {}
        self.current: Task | None = None
        self._gone: set[str] = set()

    def now(self) -> float:
        return self._clock()

    def elapsed(self) -> float:
        return self._clock() - self.started

    def start_play(self, name: str, hosts: int) -> None:
        self.close()
        self.play, self.hosts, self.stage = name, hosts, ""
        self._gone.clear()

    def start_task(self, key: str, name: str, action: str) -> None:
        self.close()
        self.current = Task(self.play, name, action, self._clock(), max(0, self.hosts - len(self._gone)))
        # A handler or a serial batch runs the same task again: it counts again.
        self.tasks[f"{key}#{len(self.tasks)}"] = self.current

    def begin(self, host: str) -> None:
        if self.current:
            self.current.begun.add(host)

    def item(self, host: str) -> None:
        if self.current:
            self.current.items[host] += 1

    def planned(self, host: str, lines: list[str]) -> None:
        if self.current:
            self.current.plans[host] = lines

    def differs(self, host: str, text: str) -> None:
        if self.current:
            self.current.diffs.setdefault(text, []).append(host)

    def told(self, step: str, message: str) -> list[str]:
        """The lines of what a step of a rollout said."""
        if step == "enter" and message:
            self.stage = message.partition(":")[0]
        elif step in ("turn", "close"):
            self.stage = ""
        return message.splitlines()

    def finish(self, host: str, status: str) -> None:
        if self.current:
            self.current.results[host] = status
            if status in ("failed", "unreachable"):
                self._gone.add(host)

    def close(self) -> Task | None:
        """End the current task; returns it where that has not been done yet."""
        task, self.current = self.current, None
        if task:
            task.ended = self._clock()
        return task

    def slowest(self, number: int, at_least: float) -> list[Task]:
        now = self._clock()
        slow = [task for task in self.tasks.values() if task.seconds(now) >= at_least]
        return sorted(slow, key=lambda task: -task.seconds(now))[:number]

    @property
    def round_trips(self) -> int:
        return sum(task.round_trips for task in self.tasks.values())

    def report(self, hosts: dict[str, dict[str, int]], **more: Any) -> dict[str, Any]:
        """The run as data; ``hosts``: Ansible's own sums by host."""
        now = self._clock()
        return {
            "format": REPORT_FORMAT,
            **more,
            "seconds": round(self.elapsed(), 3),
            "tasks": len(self.tasks),
            "round_trips": self.round_trips,
            "changed": sum(sums.get("changed", 0) for sums in hosts.values()),
            "failed": sum(sums.get("failures", 0) + sums.get("unreachable", 0) for sums in hosts.values()),
            "hosts": hosts,
            "task_list": [
                {
                    "play": task.play,
                    "name": task.name,
                    "action": task.action,
                    "seconds": round(task.seconds(now), 3),
                    "round_trips": task.round_trips,
                    "counts": dict(task.counts),
                }
                for task in self.tasks.values()
            ],
        }


def clock_text(seconds: float) -> str:
    """``0:07``, ``12:30``, ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def task_line(task: Task, now: float) -> str:
    """A finished task: its seconds, its name, how many hosts it went how for, and which it changed."""
    counts = task.counts
    parts = [f"{counts[status]} {status}" for status in STATUSES if counts[status]]
    changed = sorted(host for host, status in task.results.items() if status == "changed")
    named = f" ({', '.join(changed)})" if 0 < len(changed) <= NAMES_SHOWN else ""
    summary = ", ".join(parts).replace("changed", f"changed{named}", 1) or "no hosts"
    return f"{task.seconds(now):7.1f} s  {task.name}: {summary}"


def plan_lines(components: Iterable[Mapping[str, Any]]) -> list[str]:
    """What devops.platform.component answers, as lines: which component changes what, and why."""
    lines = []
    for component in components:
        steps = [f"{step['action']} {step['target']} ({step['reason']})" for step in component.get("plan") or ()]
        if component.get("recovered"):
            steps.insert(0, f"a change that an earlier run left unfinished: {component['recovered']}")
        lines += [f"{component['name']}: {step}" for step in [*steps, *(component.get("notes") or ())]]
    return lines


def grouped_plans(plans: Mapping[str, Sequence[str]]) -> list[str]:
    """Each plan once, below the hosts that it is for."""
    hosts_of: dict[tuple[str, ...], list[str]] = {}
    for host, lines in plans.items():
        if lines:
            hosts_of.setdefault(tuple(lines), []).append(host)
    shown = []
    for lines, hosts in hosts_of.items():
        shown += [f"{' ' * 11}{', '.join(sorted(hosts))}", *(f"{' ' * 13}{line}" for line in lines)]
    return shown


def gate_lines(objectives: Iterable[Any]) -> list[str]:
    """What devops.platform.slo_gate answers: a line an objective."""
    found = [objective for objective in objectives if isinstance(objective, Mapping)]
    names = [str(objective.get("name")) for objective in found]
    width = max(map(len, names), default=0)
    return [f"gate  {name:<{width}}  {_judged(objective)}" for name, objective in zip(names, found, strict=True)]


def _judged(objective: Mapping[str, Any]) -> str:
    verdict = str(objective.get("verdict"))
    value, threshold, samples = (objective.get(key) for key in ("value", "threshold", "samples"))
    compared = "no value" if value is None else _figure(value)
    if value is not None and threshold is not None:
        compared += f" {objective.get('comparison') or '<'} {_figure(threshold)}"
    counted = f" ({samples} sample{'' if samples == 1 else 's'})" if samples is not None else ""
    reason = f": {objective['reason']}" if verdict != "passed" and objective.get("reason") else ""
    return f"{compared}  {verdict}{counted}{reason}"


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def live_line(run: Run, width: int) -> str:
    """The line that is rewritten while a run goes on; never wider than the terminal."""
    task = run.current
    parts = [clock_text(run.elapsed()), f"{run.play}, {run.stage}" if run.stage else run.play]
    if task:
        parts += [task.name, f"{len(task.results)} of {task.total} hosts"]
        if task.counts["failed"] + task.counts["unreachable"]:
            parts.append(f"{task.counts['failed'] + task.counts['unreachable']} failed")
    fixed = sum(len(part) for part in parts) + 3 * (len(parts) - 1)
    if task and fixed >= width:
        # The name gives way, not the numbers behind it.
        parts[2] = f"{parts[2][: max(0, len(parts[2]) - (fixed - width) - 2)]}…"
    return " | ".join(parts)[: max(0, width - 1)]


def closing_lines(run: Run) -> list[str]:
    """What follows the recap: the slowest tasks and the sums."""
    now = run.now()
    lines = [f"{task.seconds(now):7.1f} s  {task.name} ({task.play})" for task in run.slowest(number=5, at_least=1.0)]
    if lines:
        lines.insert(0, "slowest tasks:")
    return [*lines, f"{len(run.tasks)} tasks, {run.round_trips} round trips, {run.elapsed():.1f} s"]
