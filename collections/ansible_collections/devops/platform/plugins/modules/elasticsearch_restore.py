# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Logs out of a snapshot."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_restore
short_description: Restore indexes of logs from a snapshot, and count what came back
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Restores indexes of a snapshot beside the live ones, as C(restored-NAME), or in their place.
  - Waits until all of them are there, counts their documents, and compares with the live ones. An index of a day before
    the snapshot's must have as many; one of that day or later may have grown since.
extends_documentation_fragment: [devops.platform.elasticsearch]
options:
  repository:
    description: The repository, which is called like the indexes, C(logs-ENVIRONMENT).
    type: str
    required: true
  snapshot:
    description: Name of the snapshot. V(latest) is the newest one that is whole.
    type: str
    default: latest
  index:
    description: Which indexes, by name or with V(*) in it.
    type: str
    required: true
  in_place:
    description:
      - Whether to put them in the place of the live ones. What was written after the snapshot is lost then.
      - Otherwise they are called C(restored-NAME). Nothing removes them by their age; remove them when they were read.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Says which snapshot and which indexes it would be.
  diff_mode:
    support: none
    description: What comes back is documents.
  platform:
    support: full
    platforms: posix
    description: Hosts with Python.
seealso:
  - module: devops.platform.elasticsearch_cluster
"""

EXAMPLES = r"""
- name: Look at the lines of a day that retention has removed
  devops.platform.elasticsearch_restore:
    url: https://127.0.0.1:9200
    password: "{{ lookup('devops.platform.secret', 'elasticsearch_superuser') }}"
    authority: "{{ lookup('devops.platform.certificate', inventory_hostname, part='elasticsearch').authority }}"
    repository: logs-lab
    index: logs-lab-chat-2026.01.02
"""

RETURN = r"""
snapshot:
  description: The snapshot that was taken.
  returned: always
  type: str
  sample: logs-lab-2026.01.03-023000
indexes:
  description: The indexes in it that were asked for.
  returned: always
  type: list
  elements: str
proofs:
  description: Documents of each, as restored and as they were live; null where there was no live one.
  returned: outside of check mode
  type: list
  elements: dict
  sample: [{index: logs-lab-chat-2026.01.02, restored: 4711, live: null}]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import restore
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import ElasticsearchError
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.options import ARGUMENTS, client_of


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "repository": {"type": "str", "required": True},
            "snapshot": {"type": "str", "default": restore.LATEST},
            "index": {"type": "str", "required": True},
            "in_place": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    client = client_of(module.params)
    wanted = restore.Wanted(
        module.params["repository"],
        module.params["snapshot"],
        module.params["index"],
        "" if module.params["in_place"] else restore.BESIDE,
    )
    try:
        chosen = restore.find(client, wanted)
        result: dict[str, Any] = {"snapshot": chosen.snapshot, "indexes": list(chosen.indexes)}
        if module.check_mode:
            module.exit_json(changed=True, **result)
        proofs = restore.restore(client, wanted, chosen, module.params["patience"])
    except ElasticsearchError as error:
        module.fail_json(msg=f"Not restored: {error}")
    result["proofs"] = [proof.shown() for proof in proofs]
    wrong = restore.verdict(proofs, f"{wanted.repository}-", chosen.day)
    if wrong:
        module.fail_json(msg="Restored, but not all of it:\n" + "\n".join(f"  {line}" for line in wrong), **result)
    module.exit_json(changed=True, **result)


if __name__ == "__main__":
    main()
