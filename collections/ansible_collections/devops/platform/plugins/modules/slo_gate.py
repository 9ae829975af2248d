# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether changed hosts serve as well as they should."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slo_gate
short_description: Judge changed hosts by what Prometheus measures
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Measures objectives on hosts that were just changed until a window has passed since then, and fails where one is not
    kept. Meant for the gap between two waves of a rollout.
  - The value that is judged is the last one, as of the end of the window. A query that aggregates over V(@window)
    speaks for all of the time since the change and for none before it; one without V(@window) speaks for that moment.
  - An objective with a threshold ends the watch early where it is breached in as many evaluations in a row as a third
    of all, 3 at least, each with C(min_samples) behind it and enough traffic, and the last no better than the first. A
    spike that passes does not.
  - Comparisons with unchanged hosts are made once, at the end; to ask again and again would be to find something.
  - No data, values that are no numbers, too few samples, too little traffic and a Prometheus that does not answer are
    failures with words of their own. What could not be asked while Prometheus was away for a moment is asked later.
  - Is skipped in check mode, where nothing has been changed that could be judged.
options:
  url:
    description: Prometheus, as the host that the task runs on reaches it.
    type: str
    default: http://127.0.0.1:9090
  timeout:
    description: Seconds for one request.
    type: float
    default: 10
  objectives:
    description:
      - What is measured, and what it must be to be good. All mistakes in it are reported at once.
      - C(name) of the objective, in results and messages.
      - C(query) in PromQL. V(@hosts) becomes a label matcher such as C(host=~"app1|app2"), V(@window) a duration as
        V(60s). In evaluations before the end of the window it is the time since the change, in a test the length of a
        slice. Where there are several series, each is judged and the worst speaks, named by its labels. Where they bear
        O(label), each of O(hosts) must be among them.
      - C(comparison), what the value must be to be good, V(<), V(<=), V(>) or V(>=) than C(threshold), a number.
      - C(window), how long to measure from the change on, as a Prometheus duration. By default O(window).
      - C(min_samples), how many evaluations since the change must have given a value. By default 3.
      - C(traffic), a mapping of C(query) and C(at_least), the number of events without which nothing can be judged.
        Several series are added up. Where hosts are compared, the unchanged ones must have had as many.
      - C(baseline), how the changed hosts must stand beside O(baseline_hosts); with it the threshold may be left out.
        The query must give values by host, or ratios or averages. Sums differ with the number of hosts.
      - C(baseline.ratio) alone is how many times the middle one of the unchanged hosts the worst of the changed may be;
        where more is better, it must be at least 1/C(ratio) of it. Beside a 0 the threshold alone is judged.
      - With C(baseline.test) set to V(mann_whitney) the middle ones of both groups are compared, and it is a failure
        only where chance explains the difference with at most C(baseline.significance), by default 0.01, and the
        difference is more than C(baseline.ratio), by default 1.2. The window is cut into 8 slices, or C(min_samples)
        where that is more, each of which must hold at least two scrapes.
      - Without O(baseline_hosts) a baseline is left out, and the threshold is judged alone. Where there is none, the
        objective is skipped.
    type: list
    elements: dict
    required: true
  window:
    description: Window of objectives that name none.
    type: str
    default: 60s
  interval:
    description: Seconds between evaluations; more where a window would have over 200 of them.
    type: float
    default: 5
  hosts:
    description: Hosts that were changed, as the label O(label) names them.
    type: list
    elements: str
    required: true
  baseline_hosts:
    description: Hosts that were not changed yet.
    type: list
    elements: str
    default: []
  label:
    description: The label that names a host.
    type: str
    default: host
  since:
    description:
      - When the changed hosts were back in service, in seconds since 1970. By default now.
      - Where a window has passed since then already, the newest window is judged at once.
    type: float
  fail_on_breach:
    description: Whether to fail where an objective is not kept. Otherwise RV(passed) says it.
    type: bool
    default: true
extends_documentation_fragment: [devops.platform.asking]
"""

EXAMPLES = r"""
- name: Let no wave pass that answers with errors
  devops.platform.slo_gate:
    hosts: [app1, app2]
    objectives:
      - name: errors
        query: |-
          sum by (host) (rate(http_requests_total{code=~"5..", @hosts}[@window]))
            / sum by (host) (rate(http_requests_total{@hosts}[@window]))
        comparison: "<"
        threshold: 0.01
        traffic: {query: 'sum(increase(http_requests_total{@hosts}[@window]))', at_least: 100}

- name: Compare changed hosts with those that are still to be changed
  devops.platform.slo_gate:
    hosts: [app1]
    baseline_hosts: [app2, app3]
    window: 10m
    interval: 15
    objectives:
      - name: latency
        query: >-
          sum by (host) (rate(http_request_seconds_sum{@hosts}[@window]))
          / sum by (host) (rate(http_request_seconds_count{@hosts}[@window]))
        comparison: "<="
        threshold: 0.5
        baseline: {test: mann_whitney, significance: 0.01, ratio: 1.2}
      - name: throughput
        query: sum by (host) (rate(http_requests_total{@hosts}[@window]))
        comparison: ">"
        baseline: {ratio: 2}

- name: Judge a wave, and go on
  devops.platform.slo_gate:
    hosts: [app1]
    since: 1767225600
    fail_on_breach: false
    objectives:
      - {name: up, query: 'avg_over_time(up{@hosts}[@window])', comparison: ">=", threshold: 0.99, window: 2m}
  register: wave
"""

RETURN = r"""
passed:
  description: Whether no objective failed.
  returned: always
  type: bool
objectives:
  description: What was measured, in the order of the objectives.
  returned: always, empty where the options are wrong
  type: list
  elements: dict
  contains:
    name:
      description: Name of the objective.
      type: str
      sample: errors
    query:
      description: The query for the changed hosts and the whole window.
      type: str
      sample: rate(errors_total{host=~"app1|app2"}[60s])
    verdict:
      description:
        - V(passed), V(failed), or V(skipped) where nothing was judged, as with a baseline and no unchanged hosts, or
          after the failure of another objective.
      type: str
      sample: failed
    reason:
      description: Why, in a sentence.
      type: str
      sample: 0.032 of {host="app1"}, not < 0.01
    value:
      description: The value that was judged, of the worst series; null where there was none.
      type: float
      sample: 0.032
    comparison:
      description: As in the options.
      type: str
      sample: <
    threshold:
      description: As in the options; null where there is none.
      type: float
      sample: 0.01
    samples:
      description: How many evaluations since the change gave a value.
      type: int
      sample: 12
    series:
      description: Time and value of each of them, at most 200, for drawing.
      type: list
      elements: list
      sample: [[1767225605.0, 0.03], [1767225610.0, 0.032]]
    baseline:
      description: The unchanged hosts, all of it null or empty where there is nothing to compare.
      type: dict
      contains:
        value:
          description: The middle one of their values at the end of the window.
          type: float
          sample: 0.008
        series:
          description: Time and value, at most 200.
          type: list
          elements: list
          sample: [[1767225605.0, 0.007], [1767225610.0, 0.008]]
        ratio:
          description: The changed hosts' value by theirs; null beside a 0.
          type: float
          sample: 4.0
        p_value:
          description: How likely chance makes such a difference; null without a test.
          type: float
          sample: 0.0007
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 60.1
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.gate import options, verdict, watch
from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import Prometheus, graph
from ansible_collections.devops.platform.plugins.module_utils.gate.spec import SpecError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "default": "http://127.0.0.1:9090"},
            "timeout": {"type": "float", "default": 10.0},
            "objectives": {"type": "list", "elements": "dict", "required": True},
            "window": {"type": "str", "default": "60s"},
            "interval": {"type": "float", "default": 5.0},
            "hosts": {"type": "list", "elements": "str", "required": True},
            "baseline_hosts": {"type": "list", "elements": "str", "default": []},
            "label": {"type": "str", "default": "host"},
            "since": {"type": "float"},
            "fail_on_breach": {"type": "bool", "default": True},
        },
    )
    began = time.time()
    result: dict[str, Any] = {"changed": False, "passed": False, "objectives": [], "seconds": 0.0}
    try:
        asked = options.parse(module.params, began)
    except SpecError as error:
        module.fail_json(msg="What is to be judged is not well described:\n" + _listed(error.problems), **result)
    verdicts = watch.watch(
        asked.objectives,
        asked.scope,
        asked.since,
        Prometheus(asked.url, asked.timeout),
        time.time,
        time.sleep,
        asked.interval,
    )
    failed = [item for item in verdicts if item.failed]
    result.update(
        passed=not failed,
        objectives=[verdict.result(item) for item in verdicts],
        seconds=round(time.time() - began, 3),
    )
    if failed and module.params["fail_on_breach"]:
        lines = [verdict.line(item, graph(asked.url, item.evidence.query)) for item in failed]
        module.fail_json(msg=f"{len(failed)} of {len(verdicts)} objectives failed:\n{_listed(lines)}", **result)
    module.exit_json(**result)


def _listed(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


if __name__ == "__main__":
    main()
