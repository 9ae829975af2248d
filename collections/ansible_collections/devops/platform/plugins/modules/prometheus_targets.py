# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether Prometheus reaches what it is declared to reach."""

from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_targets
short_description: Wait until Prometheus scrapes every declared target
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Compares declared scrape jobs with the targets that Prometheus reports, and waits until all of them are up.
  - Fails with one line for each target that is not, with the reason.
  - Is skipped in check mode, where nothing has been rolled out that could be asked.
options:
  url:
    description: Prometheus, as the host that the task runs on reaches it.
    type: str
    default: http://127.0.0.1:9090
  jobs:
    description: Declared jobs, in the form of Prometheus' C(scrape_configs) with C(static_configs).
    type: list
    elements: dict
    required: true
  timeout:
    description: Seconds to wait. A new target is scraped within one scrape interval.
    type: int
    default: 60
extends_documentation_fragment: [devops.platform.asking]
"""

EXAMPLES = r"""
- name: Wait until every target is up
  devops.platform.prometheus_targets:
    jobs: "{{ platform | devops.platform.scrape_jobs(groups, hostvars | devops.platform.addresses) }}"
"""

RETURN = r"""
up:
  description: Number of declared targets that are up.
  returned: always
  type: int
  sample: 12
failures:
  description: One line for each declared target that is not up.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.journey import targets
from ansible_collections.devops.platform.plugins.module_utils.journey.patience import Patience


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "default": "http://127.0.0.1:9090"},
            "jobs": {"type": "list", "elements": "dict", "required": True},
            "timeout": {"type": "int", "default": 60},
        },
    )
    jobs, url, timeout = (module.params[name] for name in ("jobs", "url", "timeout"))
    lines = targets.wait_until_up(jobs, lambda: targets.fetch(url), Patience(timeout))
    total = sum(1 for _target in targets.declared_targets(jobs))
    result = {"changed": False, "up": total - len(lines), "failures": lines}
    if lines:
        listed = "\n".join(f"  {line}" for line in lines)
        module.fail_json(
            msg=f"{len(lines)} of {total} scrape targets are not up after {timeout} s:\n{listed}\n"
            "Look at the service on the named host, and at the firewall between it and Prometheus.",
            **result,
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
