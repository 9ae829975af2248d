# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates of Elasticsearch, Kibana and Loki: a shim, the decisions are in module_utils/platform/pki.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: certificate
short_description: Certificate of a host for a part of the platform
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - Gives what a host shows for a part of the platform, be it the server or one who asks it. An authority that vouches
    for that part alone, and a certificate for each host, are made the first time, and kept below the part's name in
    C(platform.secrets.directory) (mode 0600, in a directory of mode 0700). Certificates are renewed when less than 45
    days are left.
  - Loki answers whoever has a certificate of its authority, and nobody else. Nodes of Elasticsearch are in a cluster
    only with others that have one.
  - Certificates of somebody else can stand there instead, as C(ca.crt), C(HOST.crt) and C(HOST.key), for servers and
    clients and for the host's name, its address and 127.0.0.1; without C(ca.key) nothing is issued.
  - In check mode (C(--check)), what would have to be made is V(unset-in-check-mode), and nothing is written.
options:
  _terms:
    description: Inventory names of hosts.
    type: list
    elements: str
    required: true
  part:
    description: Whose authority it is.
    type: str
    choices: [elasticsearch, kibana, loki]
    required: true
  addresses:
    description: Address by host, as P(devops.platform.addresses#filter) gives it. Certificates are for those, too.
    type: dict
    default: {}
notes:
  - Relative paths start at the directory of C(ansible.cfg).
  - Give the key to options that Ansible hides, or to O(devops.platform.component#module:secrets).
seealso:
  - plugin: devops.platform.exporter_web
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Give a client of Loki what it shows
  ansible.builtin.copy:
    content: "{{ lookup('devops.platform.certificate', inventory_hostname, part='loki').certificate }}"
    dest: /etc/client/loki.crt
    mode: "0644"
"""

RETURN = r"""
_raw:
  description: For each host C({certificate, key, authority}), PEM texts.
  type: list
  elements: dict
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.plugin_utils.certificates import certificates


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, str]]:
        variables = variables or {}
        self.set_options(var_options=variables, direct=kwargs)
        try:
            addresses = self.get_option("addresses")
            return certificates(self.get_option("part"), terms, addresses, variables, self._templar.template)
        except PlatformError as error:
            raise AnsibleLookupError(f"devops.platform.certificate: {error}") from error
