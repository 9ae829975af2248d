# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether dashboards show something."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dashboard_queries
short_description: Run every query of Grafana's dashboards
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Reads dashboards on the controller and asks the Prometheus beside the host that the task runs on for every query of
    every panel, as Grafana would, for a range or the value now. Grafana itself is not needed.
  - Variables are set as readers set them. First to all values, then each of the first three applications and the like,
    whichever can only be chosen one by one, then one value alone of those that can be chosen together.
  - Fails where Prometheus refuses a query, and where one has no answer, for whichever application, and no exception
    excuses it. What has none yet is
    asked again until O(timeout) has passed, because a rate needs two scrapes.
  - Fails, too, for an exception that excuses nothing any more, so that the list of them cannot rot.
  - Queries of panels with other sources than Prometheus are counted and left out.
  - Is skipped in check mode, where nothing has been rolled out that could be asked.
options:
  url:
    description: Prometheus, as the host that the task runs on reaches it.
    type: str
    default: http://127.0.0.1:9090
  dashboards:
    description: Dashboards on the controller, each a JSON file or a folder of them. By default those of the collection.
    type: list
    elements: path
    default: []
  exceptions:
    description:
      - Files on the controller with queries that may have no answer, each a list C(exceptions) in YAML. By default the
        collection's own.
      - C(dashboard) is the uid. C(panels) narrows it down to titles, C(query) to the reference of a query in one panel.
        C(reason) says why.
      - C(unless) is PromQL. Where that has an answer, the exception is not in force.
    type: list
    elements: path
    default: []
  scrape_interval:
    description: What Prometheus scrapes at, as a duration; the windows of rates follow from it.
    type: str
    default: 15s
  timeout:
    description: Seconds for all of it.
    type: int
    default: 60
  payload:
    description: What those files hold. The action plugin fills it in, whatever stands here.
    type: str
    required: true
extends_documentation_fragment: [devops.platform.asking]
"""

EXAMPLES = r"""
- name: See whether every panel shows something
  devops.platform.dashboard_queries:
    scrape_interval: "{{ platform.monitoring.prometheus.scrape_interval | default('15s') }}"
"""

RETURN = r"""
queries:
  description: How many queries the dashboards have.
  returned: always
  type: int
  sample: 254
asked:
  description: How many requests were made for them.
  returned: always
  type: int
  sample: 431
skipped:
  description: How many queries go to other sources than Prometheus.
  returned: always
  type: int
excused:
  description: The place of each query without an answer that an exception excuses.
  returned: always
  type: list
  elements: str
failures:
  description: One line for each query without an answer, with the reason, and for each exception that is not needed.
  returned: always
  type: list
  elements: str
"""

import dataclasses
import json
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.dashboards import check, exceptions, read
from ansible_collections.devops.platform.plugins.module_utils.dashboards.ask import Source
from ansible_collections.devops.platform.plugins.module_utils.gate import spec

REQUEST = 10.0  # seconds for one query


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "default": "http://127.0.0.1:9090"},
            "dashboards": {"type": "list", "elements": "path", "default": []},
            "exceptions": {"type": "list", "elements": "path", "default": []},
            "scrape_interval": {"type": "str", "default": "15s"},
            "timeout": {"type": "int", "default": 60},
            # Not secret, but long: no log needs it.
            "payload": {"type": "str", "required": True, "no_log": True},
        },
    )
    params = module.params
    end = time.monotonic() + params["timeout"]
    files = json.loads(params["payload"])
    try:
        scrape = spec.seconds(params["scrape_interval"])
    except ValueError as error:
        module.fail_json(msg=f"scrape_interval: {error}")
    try:
        boards = [read.read(name, text) for name, text in sorted(files["dashboards"].items())]
        allowances = [item for name, data in files["exceptions"].items() for item in exceptions.parse(name, data)]
    except (read.ReadError, exceptions.ExceptionsError) as error:
        module.fail_json(msg=str(error))
    source = Source(params["url"], min(REQUEST, params["timeout"]))
    clock = check.Clock(time.time, lambda: end - time.monotonic(), time.sleep)
    outcome = check.check(boards, allowances, source, clock, scrape)
    source.kept.close()
    result = {"changed": False, **dataclasses.asdict(outcome)}
    if outcome.failures:
        listed = "\n".join(f"  {line}" for line in outcome.failures)
        module.fail_json(
            msg=f"{outcome.queries} queries of dashboards, {len(outcome.failures)} failures:\n{listed}\n"
            "docs/dashboards.md says what each means, and how to make an exception.",
            **result,
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
