# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a task of a rollout tells the rollout's journal: that it begins on a host, and how that ended.

The variable ``rollout_step`` makes a task part of a rollout: ``{journal, phase}``; ``phase`` is planned, change, undo
or edge. Everything written has been masked by the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import Journal, JournalError

KEPT = ("name", "changed", "effect", "plan", "generation", "previous", "recovered", "notes", "seconds", "step")
DIFF_LIMIT = 60_000  # characters of a host's differences that the report shows


class Recording:
    """The share of one task on one host. ``more`` goes into each event (the edge's hosts out of service)."""

    def __init__(self, journal: Journal, phase: str, host: str, more: Mapping[str, Any]) -> None:
        self._journal = journal
        self._phase = phase
        self._host = host
        self._more = dict(more)

    def around(self, work: Callable[[], dict[str, Any]], check_mode: bool) -> dict[str, Any]:
        """Do it, and write down how it ended; a lost connection is an end, too. In check mode it is a plan."""
        planning = check_mode or self._phase == "planned"
        if not planning:
            self._write(status="begun")
        try:
            result = work()
        except AnsibleConnectionFailure as error:
            self._write(status="unreachable", message=f"not reachable: {error}")
            raise
        if planning and result.get("failed"):
            return result  # the task says why; a host without a plan stops the rollout before it begins
        ended = "failed" if result.get("failed") else "changed" if result.get("changed") else "unchanged"
        self._write(
            status=ended,
            message=str(result.get("msg") or "") if result.get("failed") else "",
            components=components(result),
            diff=difference(result.get("diff") or ()),
        )
        return result

    def _write(self, **more: Any) -> None:
        try:
            self._journal.append(self._phase, host=self._host, **{**self._more, **more})
        except JournalError:
            if self._phase != "undo":
                raise
            # What is being taken back goes on: a host as it was is worth more than a line about it.


def recorded(action: Any, variables: Mapping[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """``work`` of an action plugin, in the journal of the rollout that its task belongs to, if it does to any."""
    step = action._templar.template(variables.get("rollout_step") or {})
    share = recording(variables, step)
    return share.around(work, bool(action._task.check_mode)) if share else work()


def recorded_module(action: Any, variables: dict[str, Any], name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same for the work of one module on the host."""

    def execute() -> dict[str, Any]:
        done: dict[str, Any] = action._execute_module(
            module_name=name, module_args=dict(arguments), task_vars=variables
        )
        return done

    return recorded(action, variables, execute)


def recording(variables: Mapping[str, Any], step: Mapping[str, Any]) -> Recording | None:
    """The recording that ``rollout_step`` asks for."""
    if not step.get("journal"):
        return None
    host = str(step.get("host") or variables.get("inventory_hostname"))
    more = {key: value for key, value in step.items() if key not in ("journal", "phase", "host")}
    return Recording(Journal(Path(str(step["journal"]))), str(step["phase"]), host, more)


def components(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a task answered, by component; a task that installs packages counts as one called so."""
    if "missing" in result:
        steps = [{"action": "install", "target": str(name), "reason": "not there"} for name in result["missing"]]
        return [{"name": "packages", "changed": bool(steps), "plan": steps}]
    return [{key: item[key] for key in KEPT if key in item} for item in result.get("components") or ()]


def difference(diffs: Iterable[Mapping[str, Any]] | Mapping[str, Any]) -> str:
    """The text of a result's differences, cut where it would be too long to look at."""
    listed = [diffs] if isinstance(diffs, Mapping) else list(diffs)
    text = "\n".join(str(item["prepared"]) for item in listed if item.get("prepared"))
    return text if len(text) <= DIFF_LIMIT else f"{text[:DIFF_LIMIT]}\n… (shortened)\n"
