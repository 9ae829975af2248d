# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what a host writes into its journal arrives in Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: log_arrival
short_description: Write a line into the journal, and wait until Elasticsearch has it
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Writes one line as any program does, by syslog, and looks for it in Elasticsearch.
  - Is skipped in check mode, where nothing has been rolled out that could be asked.
options:
  urls:
    description: The nodes, as the host reaches them. The first one that answers is enough.
    type: list
    elements: str
    required: true
  user:
    description: User to ask as. It needs to read, and nothing else.
    type: str
    default: reader
  password:
    description: Its password.
    type: str
    required: true
  authority:
    description: Certificates, in PEM, one of which vouches for the nodes.
    type: str
    required: true
  indexes:
    description: Where to look, by the names of indexes, with V(*).
    type: str
    required: true
  host:
    description: The host's name in its lines.
    type: str
    required: true
  timeout:
    description: Seconds to wait.
    type: int
    default: 30
extends_documentation_fragment:
  - devops.platform.asking
notes:
  - It leaves one line in the journal of the host, which needs journald.
seealso:
  - module: devops.platform.log_search
"""

EXAMPLES = r"""
- name: Wait until a line of this host arrives
  devops.platform.log_arrival:
    urls: ["https://log1:9200"]
    password: "{{ lookup('devops.platform.secret', platform.logging.elasticsearch.passwords.reader) }}"
    authority: "{{ lookup('devops.platform.certificate', 'log1', part='elasticsearch').authority }}"
    indexes: logs-lab-*
    host: "{{ inventory_hostname }}"
"""

RETURN = r"""
seconds:
  description: How long it took.
  returned: success
  type: float
  sample: 4.2
"""

import syslog
import time
import uuid

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import arrival
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.options import ARGUMENTS, client_of
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import READER
from ansible_collections.devops.platform.plugins.module_utils.journey.patience import Patience


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **{name: ARGUMENTS[name] for name in ("password", "authority")},
            "urls": {"type": "list", "elements": "str", "required": True},
            "user": {"type": "str", "default": READER},
            "indexes": {"type": "str", "required": True},
            "host": {"type": "str", "required": True},
            "timeout": {"type": "int", "default": 30},
        },
    )
    indexes, host, timeout = (module.params[name] for name in ("indexes", "host", "timeout"))
    clients = [client_of({**module.params, "url": url}) for url in module.params["urls"]]
    began = time.monotonic()
    wrong = arrival.arrives(clients, indexes, host, uuid.uuid4().hex, syslog.syslog, Patience(timeout))
    if wrong:
        module.fail_json(
            msg=f"A line that {host} wrote into its journal did not arrive within {timeout} s: {wrong}\n"
            f"Look at journalctl -u log_shipper -u log_gateway on {host}."
        )
    module.exit_json(changed=False, seconds=round(time.monotonic() - began, 1))


if __name__ == "__main__":
    main()
