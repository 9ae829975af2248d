# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host's exporters show to Prometheus: a shim, the decisions are in module_utils/platform/scraping.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: exporter_web
short_description: Certificate and password of a host's exporters
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - Gives what exporters need to speak TLS and to ask for a password. An authority of the platform's own, a certificate
    for each host and one password are made the first time, and kept below C(exporters) in C(platform.secrets.directory)
    (mode 0600, in a directory of mode 0700). Certificates are renewed when less than 45 days are left.
  - Certificates of somebody else can stand there instead, as C(ca.crt), C(HOST.crt) and C(HOST.key); without C(ca.key)
    nothing is issued.
  - Gives an empty list where C(platform.monitoring.exporter_tls) is false.
  - In check mode (C(--check)), what would have to be made is V(unset-in-check-mode), and nothing is written.
options:
  _terms:
    description: Inventory names of hosts.
    type: list
    elements: str
    required: true
  addresses:
    description:
      - >-
        C({host: address}), as P(devops.platform.addresses#filter) gives it. Certificates are for those, too.
    type: dict
    default: {}
notes:
  - Relative paths start at the directory of C(ansible.cfg).
  - Give the values to options that Ansible hides, or to O(devops.platform.component#module:secrets).
seealso:
  - plugin: devops.platform.secret
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Look until when a host's certificate holds
  community.crypto.x509_certificate_info:
    content: "{{ lookup('devops.platform.exporter_web', 'app1').certificate }}"
  delegate_to: localhost
"""

RETURN = r"""
_raw:
  description: >-
    For each host C({certificate, key, authority, password, digest}), PEM texts, the password that Prometheus gives, and
    its bcrypt digest.
  type: list
  elements: dict
"""

import dataclasses
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.devops.platform.plugins.module_utils.platform import scraping
from ansible_collections.devops.platform.plugins.module_utils.platform.exporters import secured
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import root_of
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import directory_of


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, str]]:
        variables = variables or {}
        self.set_options(var_options=variables, direct=kwargs)
        platform = self._templar.template(variables.get("platform") or {})
        if not secured(platform):
            return []
        addresses = self.get_option("addresses")
        try:
            store = scraping.store_of(directory_of(platform, root_of(variables)))
            check = bool(variables.get("ansible_check_mode"))
            shown = [
                scraping.web_of(
                    store,
                    str(platform.get("name", "")),
                    str(host),
                    [str(addresses[host])] if host in addresses else [],
                    check,
                )
                for host in terms
            ]
        except PlatformError as error:
            raise AnsibleLookupError(f"devops.platform.exporter_web: {error}") from error
        return [dataclasses.asdict(web) for web in shown]
