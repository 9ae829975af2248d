#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The half of devops.platform.drift that runs on the host: a shim, the decisions are in module_utils/drift."""

from __future__ import annotations

DOCUMENTATION = r"""
module: drift
short_description: Compare what is declared, what is recorded and what there is
version_added: 0.1.0
author:
  - devops.platform maintainers (@devops-platform)
description:
  - Compares the components and packages that earlier tasks of the run collected with the ledgers of the host and with
    the host itself, and names every difference. One round trip a host; nothing is written on it.
  - Tasks of M(devops.platform.component) and M(devops.platform.packages) collect instead of reaching their host where
    the variable C(platform_collect) is true.
  - A host that cannot be examined does not fail the task; M(devops.platform.drift_report) names it.
options:
  payload:
    description: What was collected; the action plugin fills it in.
    type: str
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
  diff_mode:
    support: none
    description: Shows digests, never contents.
  action:
    support: full
    description: The part that puts the payload together runs on the controller.
  platform:
    support: full
    platforms: debian
    description: Debian and those based on it.
seealso:
  - module: devops.platform.component
  - module: devops.platform.drift_report
"""

EXAMPLES = r"""
- name: Work out what is declared
  hosts: all
  gather_facts: false
  vars: {platform_collect: true}
  roles:
    - devops.platform.node_exporter

- name: Compare
  hosts: all
  gather_facts: false
  become: true
  tasks:
    - name: Compare with the hosts
      devops.platform.drift:

    - name: Report
      devops.platform.drift_report:
      run_once: true
"""

RETURN = r"""
findings:
  description: The differences, as in C(findings) of the report's file.
  returned: when the host could be examined
  type: list
  elements: dict
compared:
  description: Number of components that are declared or in the ledgers.
  returned: when the host could be examined
  type: int
notes:
  description: What could not be compared, and why.
  returned: when the host could be examined
  type: list
  elements: str
trouble:
  description: Why the host could not be examined.
  returned: when it could not
  type: str
"""

import json
import os
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.drift.compare import differences
from ansible_collections.devops.platform.plugins.module_utils.drift.observe import Observer
from ansible_collections.devops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Host
from ansible_collections.devops.platform.plugins.module_utils.engine.masking import Mask
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def main() -> None:
    module = AnsibleModule(argument_spec={"payload": {"type": "str", "no_log": True}}, supports_check_mode=True)
    payload = json.loads(module.params["payload"] or '{"everything": false, "components": [], "packages": {}}')
    host = Host()
    store = Store(host)
    machine = os.uname().machine
    observer = Observer(host, store, ARCHITECTURES.get(machine, machine))
    try:
        seen = observer.look(payload)
        masks = {}
        for name in {*seen.declared, *seen.ledgers}:
            former = ((seen.ledgers.get(name) or {}).get("generation") or {}).get("secrets") or {}
            secrets = seen.declared[name].spec.secrets if name in seen.declared else {}
            masks[name] = Mask(store.key, secrets, former)
        findings = []
        for finding in differences(seen):
            told = asdict(finding)
            if finding.component in masks:
                told = {key: masks[finding.component].text(value) for key, value in told.items()}
            findings.append(told)
    except EngineError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.strerror or error}: {error.filename or 'unknown path'}")
    names = {*seen.declared, *seen.ledgers}
    module.exit_json(changed=False, findings=findings, notes=observer.notes, compared=len(names))


if __name__ == "__main__":
    main()
