# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host pattern, once the variable files are known to be readable: a shim of module_utils/platform/preflight.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sound_hosts
short_description: A host pattern, if Ansible can read the variable files of the inventory
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - Ansible reads C(group_vars) and C(host_vars) before the first task, and ends with a message that names no file where
    one of them is no YAML. The keyword C(hosts) of a play is evaluated before that. There, this lookup reads the files
    first, and fails with the file, line and column of every such mistake.
  - Gives back what it was given.
  - Files that are encrypted as a whole with C(ansible-vault) are passed by.
options:
  _terms:
    description: Host patterns, such as V(all).
    type: list
    elements: str
    required: true
seealso:
  - module: devops.platform.preflight
"""

EXAMPLES = r"""
- name: Check platform.yml
  hosts: "{{ lookup('devops.platform.sound_hosts', 'all') }}"
  gather_facts: false
  tasks:
    - name: Check platform.yml
      devops.platform.preflight:
      run_once: true
"""

RETURN = r"""
_raw:
  description: The terms.
  type: list
  elements: str
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.devops.platform.plugins.module_utils.platform import paths, preflight
from ansible_collections.devops.platform.plugins.module_utils.secrets.cache import RUN

# Ansible asks this lookup in its first process: what that makes, the processes of all tasks have. See there.
CACHE = RUN


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        self.set_options(var_options=variables, direct=kwargs)
        report = preflight.unreadable(paths.inventory_directories(variables or {}), paths.shown)
        if report.errors:
            raise AnsibleLookupError(report.text())
        return list(terms)
