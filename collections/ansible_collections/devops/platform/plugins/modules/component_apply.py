#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The half of devops.platform.component that runs on the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: component_apply
short_description: Host side of devops.platform.component
description:
  - Called by the action plugin of M(devops.platform.component), which renders templates and resolves artifacts.
    Not meant for playbooks.
version_added: 0.1.0
author:
  - devops.platform maintainers (@devops-platform)
options:
  payload:
    description:
      - The components as one JSON document. It is one value so that Ansible hides it as a whole, while results,
        whose secrets the engine masks itself, stay readable.
    type: str
    required: true
attributes:
  check_mode:
    support: full
    description: Plans everything and changes nothing.
  diff_mode:
    support: full
    description: Shows a unified diff with secrets masked.
extends_documentation_fragment: []
"""

EXAMPLES = r"""
- name: Called by the action plugin alone
  devops.platform.component_apply:
    payload: '{"format": 1, "rollout": "r1", "components": []}'
"""

RETURN = r"""
components:
  description: One result a component, as described for M(devops.platform.component).
  returned: always
  type: list
  elements: dict
"""

import json
import os
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.engine.engine import Engine
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Host
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def main() -> None:
    module = AnsibleModule(
        argument_spec={"payload": {"type": "str", "required": True, "no_log": True}},
        supports_check_mode=True,
    )
    payload = json.loads(module.params["payload"])
    host = Host()
    machine = os.uname().machine
    # _diff is how Ansible passes --diff to a module; the engine reads old contents only when somebody looks.
    mode = Mode(check=module.check_mode, diff=module._diff, rollout=payload["rollout"])
    engine = Engine(host, Store(host), ARCHITECTURES.get(machine, machine), mode)
    results = []
    for raw in payload["components"]:
        result = engine.run(raw)
        results.append(result)
        if result.failed:
            break
    answer = {
        "changed": any(result.changed for result in results),
        "rollout": payload["rollout"],
        "components": [{key: value for key, value in asdict(result).items() if key != "diff"} for result in results],
    }
    if module._diff:
        answer["diff"] = [{"prepared": result.diff} for result in results if result.diff]
    if results and results[-1].failed:
        broken = results[-1]
        left = len(payload["components"]) - len(results)
        behind = f" ({left} later component{'s' if left > 1 else ''} not started)" if left else ""
        module.fail_json(msg=f"{broken.name}: {broken.step}: {broken.message}{behind}", **answer)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
