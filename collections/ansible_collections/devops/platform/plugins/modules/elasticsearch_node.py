# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node of Elasticsearch before and after it is restarted."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_node
short_description: Take a node of Elasticsearch out of its cluster for a restart, and back
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Goes around a restart of one node. With V(left), it waits until all copies of all indexes are in place, keeps them
    where they are, and has everything written to disk. With V(joined), it waits until the node is back in its cluster,
    lets copies move again, and waits until all are in place.
  - Where the cluster does not become green, it fails with the indexes and shards that lack a node, and why they do.
  - While nodes have different versions, yellow will do where nothing is under way; none takes a copy from a newer one.
  - Where nothing answers, nothing has to be left; before a first start it looks whether the host is fit for one.
extends_documentation_fragment: [devops.platform.elasticsearch]
options:
  name:
    description: Name of the node.
    type: str
    required: true
  state:
    description: V(left) before the restart, V(joined) after it.
    type: str
    choices: [left, joined]
    required: true
  others:
    description: Addresses of the other nodes. One that is in another cluster than this node is a failure.
    type: list
    elements: str
    default: []
  founder:
    description:
      - Whether the node founds the cluster where it has no data. With V(left), it is refused where the others are in a
        cluster already, so that there are never two.
    type: bool
    default: false
  directory:
    description: Where the node has its data.
    type: str
    default: /var/lib/elasticsearch
  map_count:
    description: How many memory maps the kernel must allow; it is refused where it does not. V(0) asks for none.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
    description: Says nothing to the cluster, and waits for nothing.
  diff_mode:
    support: none
    description: What it changes it takes back.
  platform:
    support: full
    platforms: posix
    description: Hosts with Python.
notes:
  - Run it on one node after the other, in a play with C(serial=1).
seealso:
  - module: devops.platform.elasticsearch_cluster
"""

EXAMPLES = r"""
- name: Restart a node
  block:
    - name: Let it leave
      devops.platform.elasticsearch_node:
        url: https://127.0.0.1:9200
        password: "{{ lookup('devops.platform.secret', 'elasticsearch_superuser') }}"
        authority: "{{ lookup('devops.platform.certificate', inventory_hostname, part='elasticsearch').authority }}"
        name: "{{ inventory_hostname }}"
        state: left

    - name: Restart
      ansible.builtin.systemd_service:
        name: elasticsearch
        state: restarted
  always:
    - name: Let it join
      devops.platform.elasticsearch_node:
        url: https://127.0.0.1:9200
        password: "{{ lookup('devops.platform.secret', 'elasticsearch_superuser') }}"
        authority: "{{ lookup('devops.platform.certificate', inventory_hostname, part='elasticsearch').authority }}"
        name: "{{ inventory_hostname }}"
        state: joined
        others: [https://192.0.2.12:9200, https://192.0.2.13:9200]
"""

RETURN = r"""
notes:
  description: What was found and done, in sentences.
  returned: always
  type: list
  elements: str
  sample: [3 nodes, green; copies stay where they are]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import rolling
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import (
    Elasticsearch,
    ElasticsearchError,
)
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.options import ARGUMENTS, client_of


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["left", "joined"], "required": True},
            "others": {"type": "list", "elements": "str", "default": []},
            "founder": {"type": "bool", "default": False},
            "directory": {"type": "str", "default": rolling.DIRECTORY},
            "map_count": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=False, notes=[])
    client, name = client_of(module.params), module.params["name"]
    try:
        if module.params["state"] == "left":
            reason = _unfit(module, client)
            if reason:
                module.fail_json(msg=f"{name} must not be started: {reason}.", notes=[])
            step = rolling.leave(client, module.params["patience"])
        else:
            step = rolling.join(client, name, module.params["others"], module.params["patience"])
    except ElasticsearchError as error:
        module.fail_json(msg=f"{name} has not {module.params['state']}: {error}", notes=[])
    module.exit_json(changed=step.changed, notes=step.notes)


def _unfit(module: AnsibleModule, client: Elasticsearch) -> str:
    """Why the node must not be started here; '' where it may."""
    founder, data = module.params["founder"], rolling.has_data(module.params["directory"])
    if founder and not data:
        clusters = rolling.clusters_of(client, module.params["others"])
        reason = rolling.founding_refused(founder, data, clusters)
        if reason:
            return reason
    return rolling.maps_refused(module.params["map_count"])


if __name__ == "__main__":
    main()
