#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Gives a host back. A shim: what is done stands in module_utils/uninstall."""

from __future__ import annotations

DOCUMENTATION = r"""
module: uninstall
short_description: Remove everything that the platform brought to a host
version_added: 0.1.0
author:
  - devops.platform maintainers (@devops-platform)
description:
  - Removes every component of the host's ledgers, the packages that M(devops.platform.packages) installed with their
    dependencies and configuration, users and groups that came with them, and the store itself.
  - What was there before stays, files that were taken over come back, and what others need is left and named.
options:
  data:
    description: Whether data goes as well; databases, volumes of containers, metrics.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Says what would go and what would stay.
  diff_mode:
    support: none
    description: Shows no contents.
  platform:
    support: full
    platforms: debian
    description: Debian and those based on it.
seealso:
  - module: devops.platform.component
  - module: devops.platform.packages
"""

EXAMPLES = r"""
- name: Give the host back, and keep its databases
  devops.platform.uninstall:
"""

RETURN = r"""
components:
  description: One result a component, as described for M(devops.platform.component), in the order in which they went.
  returned: always
  type: list
  elements: dict
packages:
  description: Packages that went.
  returned: always
  type: list
  elements: str
accounts:
  description: Users and groups that went.
  returned: always
  type: list
  elements: str
kept:
  description: What stays, and why.
  returned: always
  type: list
  elements: str
beyond:
  description: What cannot be given back, such as packages from before that were upgraded.
  returned: always
  type: list
  elements: str
"""

import os
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Host
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode
from ansible_collections.devops.platform.plugins.module_utils.uninstall.carry_out import Uninstallation

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def main() -> None:
    module = AnsibleModule(argument_spec={"data": {"type": "bool", "default": False}}, supports_check_mode=True)
    host = Host()
    machine = os.uname().machine
    mode = Mode(check=module.check_mode, rollout="uninstall")
    work = Uninstallation(host, Store(host), ARCHITECTURES.get(machine, machine), mode, module.params["data"])
    try:
        outcome = work.run()
    except (EngineError, OSError) as error:
        module.fail_json(msg=f"{error}; what is left is still in the store: run it again", **asdict(work.outcome))
    module.exit_json(changed=outcome.changed, **asdict(outcome))


if __name__ == "__main__":
    main()
