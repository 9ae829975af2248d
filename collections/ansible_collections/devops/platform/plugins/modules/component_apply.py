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
    payload: '{"format": 1, "rollout": "r1", "patience": 2, "components": []}'
"""

RETURN = r"""
components:
  description: One result a component, as described for M(devops.platform.component).
  returned: always
  type: list
  elements: dict
"""

import json

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.engine.answer import answer, engine_of, trouble
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode


def main() -> None:
    module = AnsibleModule(
        argument_spec={"payload": {"type": "str", "required": True, "no_log": True}},
        supports_check_mode=True,
    )
    payload = json.loads(module.params["payload"])
    # _diff is how Ansible passes --diff to a module; the engine reads old contents only when somebody looks.
    mode = Mode(module.check_mode, module._diff, payload["rollout"], payload["patience"])
    engine = engine_of(mode)
    results = []
    for raw in payload["components"]:
        results.append(engine.run(raw))
        if results[-1].failed:
            break
    told = trouble(results, len(payload["components"]))
    if told:
        module.fail_json(msg=told, **answer(results, mode))
    module.exit_json(**answer(results, mode))


if __name__ == "__main__":
    main()
