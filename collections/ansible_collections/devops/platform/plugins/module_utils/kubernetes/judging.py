# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gate of hosts, asked about pods."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.gate import options, verdict, watch
from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import Prometheus, graph
from ansible_collections.devops.platform.plugins.module_utils.gate.spec import SpecError
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .carry import Gate, Judge
from .plan import PlanError

DEFAULTS: Mapping[str, Any] = {
    "url": "http://127.0.0.1:9090",
    "timeout": 10.0,
    "window": "60s",
    "interval": 5.0,
    "label": "pod",
    "objectives": None,
}


def judge(
    given: Mapping[str, Any],
    now: float,
    sleep: Callable[[float], None],
    source: Callable[[str, float], watch.Source] = Prometheus,
    clock: Callable[[], float] = time.time,
) -> Judge:
    """What measures pods; PlanError with every mistake before anything is changed."""
    problems = [f"gate.{key}: is no option{did_you_mean(key, DEFAULTS)}" for key in given if key not in DEFAULTS]
    params = {**DEFAULTS, **given, "since": None}
    try:
        params["timeout"], params["interval"] = float(params["timeout"]), float(params["interval"])
        options.parse({**params, "hosts": ["any"], "baseline_hosts": []}, now)
    except SpecError as error:
        problems += [f"gate: {line}" for line in error.problems]
    except (TypeError, ValueError):
        problems.append("gate: timeout and interval must be numbers of seconds")
    if problems:
        raise PlanError(problems)

    def measure(gate: Gate) -> list[str]:
        if not gate.changed:
            return ["no new pod is ready, so that nothing can be measured"]
        pods = {"hosts": list(gate.changed), "baseline_hosts": list(gate.unchanged)}
        asked = options.parse({**params, **pods, "since": gate.since}, clock())
        verdicts = watch.watch(
            asked.objectives,
            asked.scope,
            asked.since,
            source(asked.url, asked.timeout),
            clock,
            sleep,
            asked.interval,
        )
        return [verdict.line(item, graph(asked.url, item.evidence.query)) for item in verdicts if item.failed]

    return measure
