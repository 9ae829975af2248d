# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets of the platform: a shim, the decisions are in module_utils/platform/secrets.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: secret
short_description: Values of the platform's secrets
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - Gives the values of secrets that C(platform.secrets.names) declares; where they are, C(platform.secrets.backend)
    says.
  - With V(generated), a value is made the first time it is asked for, and kept below C(platform.secrets.directory) in a
    file of its own (mode 0600, in a directory of mode 0700). It is made of letters and digits, as many as C(length) of
    the name says, 32 by default. Hosts that ask at the same time, and runs at the same time, get the same value.
    A value that exists is kept, whatever C(length) says. To change it, write another into the file, or remove the file,
    and run the playbook again.
  - With V(variables), the value is the Ansible variable C(vault_NAME), or the one that C(variable) of the name gives.
    Encrypt it with C(ansible-vault).
  - In check mode (C(--check)), a value that would have to be made is V(unset-in-check-mode), and nothing is written.
options:
  _terms:
    description: Names of secrets, as C(platform.secrets.names) declares them.
    type: list
    elements: str
    required: true
notes:
  - Relative paths start at the directory of C(ansible.cfg).
  - Give the value to an option that Ansible hides, or mark the task with C(no_log).
seealso:
  - plugin: devops.platform.images
    plugin_type: lookup
"""

EXAMPLES = r"""
# platform.yml
#   platform:
#     secrets:
#       backend: generated
#       directory: lab/.state/secrets
#       names: {chat_database: {length: 32}, chat_redis: {}}

- name: Give a database user its password
  community.postgresql.postgresql_user:
    name: chat
    password: "{{ lookup('devops.platform.secret', 'chat_database') }}"

- name: Several at once
  ansible.builtin.set_fact:
    passwords: "{{ dict(names | zip(query('devops.platform.secret', *names))) }}"
  no_log: true
  vars:
    names: [chat_database, chat_redis]
"""

RETURN = r"""
_raw:
  description: The values, in the order of the names.
  type: list
  elements: str
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import root_of
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration, read_secrets


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        variables = variables or {}
        self.set_options(var_options=variables, direct=kwargs)
        if not terms:
            return []  # an application without secrets needs no platform.secrets

        def find(name: str) -> Any:
            return self._templar.template(variables[name]) if name in variables else None

        try:
            declared = Declaration.of(find("platform") or {}, root_of(variables))
            check = bool(variables.get("ansible_check_mode"))
            return read_secrets([str(term) for term in terms], declared, find, check=check)
        except PlatformError as error:
            raise AnsibleLookupError(f"devops.platform.secret: {error}") from error
