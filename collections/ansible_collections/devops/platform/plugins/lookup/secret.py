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
    says. Everything of the collection asks for secrets here, and none of it knows the backend. How to choose one, and
    to move from one to another, is in C(docs/secrets.md).
  - With V(files), a value is made the first time it is asked for, and kept below C(platform.secrets.directory) in a
    file of its own (mode 0600, in a directory of mode 0700). It is made of letters and digits, as many as C(length) of
    the name says, 32 by default. Hosts that ask at the same time, and runs at the same time, get the same value.
    A value that exists is kept, whatever C(length) says.
  - With V(ansible_vault), the value is the Ansible variable C(vault_NAME), or the one that C(variable) of the name
    gives. Encrypt it with C(ansible-vault).
  - With V(aws_secrets_manager) and V(aws_ssm), boto3 asks AWS, for all that is declared in one request. C(aws) below
    C(platform.secrets) has C(region), C(profile) and C(endpoint).
  - With V(vault), hvac asks a key-value engine of version 2 of Vault or OpenBao. C(vault) below C(platform.secrets)
    says where, and how to sign in; the token or the secret of that is in the environment.
  - At AWS and Vault a secret is called C(id) of its name, otherwise as C(platform_secret_ids) of the inventory says,
    otherwise C(platform.secrets.prefix) and its name; the prefix is C(PLATFORM/ENVIRONMENT/).
  - A value is asked for once in a run of C(ansible-playbook), and kept in memory until it ends.
  - In check mode (C(--check)), a value that would have to be made is V(unset-in-check-mode), and nothing is written.
options:
  _terms:
    description: Names of secrets, as C(platform.secrets.names) declares them.
    type: list
    elements: str
    required: true
  part:
    description:
      - Another part of the secret than the one that C(part) of its name says.
      - V(value) is what its users need; of a JSON object the field that C(key) names, of a database's the password.
      - V(username) is the database user whose password it is. Rotation changes it.
      - V(others) are values that are valid beside it while it is rotated, a line each, and normally none.
      - >-
        V(logins) are C({username, password}) of a database that are valid now.
    type: str
    choices: [value, username, others, logins]
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
#       backend: files
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
  description: The values, in the order of the names. Texts; with O(part=logins) a list for each.
  type: list
  elements: raw
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import root_of
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration
from ansible_collections.devops.platform.plugins.module_utils.secrets.cache import RUN
from ansible_collections.devops.platform.plugins.module_utils.secrets.read import Reader


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        variables = variables or {}
        self.set_options(var_options=variables, direct=kwargs)
        if not terms:
            return []  # an application without secrets needs no platform.secrets

        def find(name: str) -> Any:
            return self._templar.template(variables[name]) if name in variables else None

        try:
            declared = Declaration.of(find("platform") or {}, root_of(variables))
            check = bool(variables.get("ansible_check_mode"))
            retiring = frozenset(find("platform_secrets_retiring") or ())
            reader = Reader(declared, find, check, retiring, RUN)
            return reader.values([str(term) for term in terms], self.get_option("part"))
        except PlatformError as error:
            raise AnsibleLookupError(f"devops.platform.secret: {error}") from error
