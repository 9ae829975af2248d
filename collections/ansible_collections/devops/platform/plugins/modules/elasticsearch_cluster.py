# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster of Elasticsearch holds beside data."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_cluster
short_description: Templates, retention and snapshots of a cluster of Elasticsearch for logs
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Compares a cluster with what C(platform.logging) says of it, and changes what differs. These are the templates of
    indexes with typed fields, the repository of snapshots, lifecycle and snapshot policies where the server has such,
    the passwords of users that Elasticsearch brings, and the number of copies of indexes that are there already.
  - What it made before and what is declared no more is removed. It is known by its C(_meta); nothing else is touched. A
    lifecycle policy that an index still follows stays as long.
  - Where a run died between taking a node out and in, it lets copies move again.
extends_documentation_fragment: [devops.platform.elasticsearch]
options:
  platform:
    description: What P(devops.platform.elasticsearch_declaration#filter) gives of platform.yml.
    type: dict
    required: true
  nodes:
    description: Number of nodes; with more than one, each index has a copy.
    type: int
    required: true
  passwords:
    description: Passwords of C(elastic) and C(kibana_system) that shall hold.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Where nothing answers yet, it shows what an empty cluster would get.
  diff_mode:
    support: full
    description: Shows each object before and after. Passwords are in none.
  platform:
    support: full
    platforms: posix
    description: Hosts with Python.
seealso:
  - module: devops.platform.elasticsearch_node
  - module: devops.platform.elasticsearch_restore
"""

EXAMPLES = r"""
- name: Prepare the cluster for logs
  devops.platform.elasticsearch_cluster:
    url: https://127.0.0.1:9200
    password: "{{ lookup('devops.platform.secret', 'elasticsearch_superuser') }}"
    authority: "{{ lookup('devops.platform.certificate', inventory_hostname, part='elasticsearch').authority }}"
    platform: "{{ platform | devops.platform.elasticsearch_declaration }}"
    nodes: "{{ groups[platform.logging.group] | length }}"
  run_once: true
"""

RETURN = r"""
changes:
  description: What changes, in order.
  returned: always
  type: list
  elements: str
  sample: [make index template logs-lab]
lifecycles:
  description: Whether the server itself removes old indexes (ILM).
  returned: when it answers
  type: bool
"""

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import cluster
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import ElasticsearchError
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.options import ARGUMENTS, client_of
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import settings_of


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "platform": {"type": "dict", "required": True},
            "nodes": {"type": "int", "required": True},
            "passwords": {"type": "dict", "default": {}, "no_log": True},
        },
        supports_check_mode=True,
    )
    client, nodes, passwords = client_of(module.params), module.params["nodes"], module.params["passwords"]
    settings = settings_of(module.params["platform"])
    result: dict[str, Any] = {"changes": []}
    try:
        actual = cluster.observe(client, settings, passwords)
        changes = cluster.plan(settings, nodes, actual, passwords)
        result["lifecycles"] = actual.ilm
    except ElasticsearchError as error:
        if not (module.check_mode and error.away):
            module.fail_json(msg=f"The cluster could not be compared: {error}", changed=False, **result)
        changes = cluster.nothing_yet(settings, nodes)
    result.update(changes=[change.title for change in changes], diff=[_diff(change) for change in changes])
    if not module.check_mode:
        try:
            cluster.carry_out(client, changes)
        except ElasticsearchError as error:
            module.fail_json(msg=f"Not all was changed: {error}", changed=True, **result)
    module.exit_json(changed=bool(changes), **result)


def _diff(change: cluster.Change) -> dict[str, str]:
    return {
        "before_header": change.title,
        "after_header": change.title,
        "before": _shown(change.before),
        "after": _shown(change.after),
    }


def _shown(value: Any) -> str:
    return "" if value is None else json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
