# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which rollout a task belongs to: the same answer in every worker of an ansible-playbook run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

VARIABLE = "platform_rollout_id"
_RUN: dict[str, str] = {}


def rollout_of(arguments: Mapping[str, Any], task_vars: Mapping[str, Any], template: Callable[[Any], Any]) -> str:
    """The task's own `rollout`, or else the variable platform_rollout_id, or else the run's id."""
    if arguments.get("rollout"):
        return str(arguments["rollout"])
    given = template(task_vars[VARIABLE]) if task_vars.get(VARIABLE) else ""
    return str(given or run_id())


def platform_of(variables: Mapping[str, Any], template: Callable[[Any], Any]) -> dict[str, Any]:
    """The inventory's platform.yml; {} where there is none. Templating all of it takes milliseconds: once a task."""
    found = template(variables.get("platform") or {})
    return dict(found) if isinstance(found, Mapping) else {}


def run_id() -> str:
    """The id of this ansible-playbook run: the start of the process that all workers share, and its number.

    Action plugins run in forked workers; what they have in common is their parent.
    """
    parent = os.getppid()
    if "id" not in _RUN:
        _RUN["id"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(_started(parent))) + f"-{parent}"
    return _RUN["id"]


def _started(process: int) -> float:
    """When a process began, in seconds since the epoch. Source: proc(5): field 22 of stat, in ticks since boot."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as handle:
            ticks = int(handle.read().rpartition(")")[2].split()[19])
        with open("/proc/stat", encoding="ascii") as handle:
            booted = next(int(line.split()[1]) for line in handle if line.startswith("btime "))
    except OSError:
        return time.time()  # no /proc: not Linux
    return booted + ticks / os.sysconf("SC_CLK_TCK")
