# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An application's paths as its users have them, through the edge."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_journey
short_description: Prove that paths answer through the edge
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Asks for every path through the edge and fails for the first that does not answer 200, with what came instead.
  - M(ansible.builtin.uri) asks for the name in the URL; this module asks at an address for the name that the edge's
    certificate bears, so that it can ask one edge of several, or one that has no DNS entry yet.
  - Is skipped in check mode.
options:
  paths:
    description: Paths that must answer 200.
    type: list
    elements: str
    required: true
  hosts:
    description:
      - Hosts behind the edge, each of which must answer each path. The edge has to name hosts in the header
        C(X-Served-By); otherwise each path is asked for as often as there are hosts.
    type: list
    elements: str
    default: []
  attempts:
    description:
      - Requests for a path at most, until each of O(hosts) has answered.
      - An edge that others use as well does not ask its hosts one after the other. With 20 times as many requests as it
        has hosts, one of ten that serves is missed once in a hundred million times.
    type: int
    default: 20
extends_documentation_fragment: [devops.platform.edge, devops.platform.asking]
"""

EXAMPLES = r"""
- name: Ask both hosts of a shop
  devops.platform.http_journey:
    url: https://172.30.0.10
    server_name: shop.lab
    ca_path: lab/.state/pki/ca.crt
    paths: [/, /api/health]
    hosts: [app1, app2]
    attempts: 40
  delegate_to: localhost
"""

RETURN = r"""
requests:
  description: How many requests were answered.
  returned: success
  type: int
  sample: 4
hosts:
  description: Hosts that answered; empty where the edge does not say.
  returned: success
  type: list
  elements: str
  sample: [app1, app2]
"""

import dataclasses

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.journey import edge, pages


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **edge.OPTIONS,
            "paths": {"type": "list", "elements": "str", "required": True},
            "hosts": {"type": "list", "elements": "str", "default": []},
            "attempts": {"type": "int", "default": 20},
        },
    )
    try:
        wanted = {key: module.params[key] for key in ("paths", "hosts", "attempts")}
        visit = pages.visit(edge.of(module.params), **wanted)
    except edge.JourneyError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **dataclasses.asdict(visit))


if __name__ == "__main__":
    main()
