# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Saved objects of Kibana."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kibana_objects
short_description: Data views, searches and dashboards of Kibana under version control
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Compares the saved objects of a Kibana with those of a file, and changes what differs.
  - Objects whose id begins with C(devops-platform-) are the product's. One that is in the file no more is removed; what
    people made is not touched, and what they changed of ours is as in the file again.
options:
  url:
    description: Where Kibana answers the host that the task runs on, for example C(https://127.0.0.1:5601).
    type: str
    required: true
  user:
    description: A user of Elasticsearch who may change everything in Kibana.
    type: str
    default: superuser
  password:
    description: Its password.
    type: str
    required: true
  authority:
    description: Certificates, in PEM, one of which vouches for Kibana.
    type: str
    required: true
  patience:
    description: Seconds that a request may take.
    type: int
    default: 60
  objects:
    description:
      - The objects, one a line, as Kibana exports them. C(@environment@) stands for O(environment).
    type: str
    required: true
  environment:
    description: Name of the environment, whose indexes the data views are of.
    type: str
    required: true
attributes:
  check_mode:
    support: full
    description: Where nothing answers yet, it shows what an empty Kibana would get.
  diff_mode:
    support: full
    description: Shows each object before and after, with the JSON that Kibana keeps as text laid open.
  platform:
    support: full
    platforms: posix
    description: Hosts with Python.
seealso:
  - module: devops.platform.elasticsearch_cluster
"""

EXAMPLES = r"""
- name: Show what is under version control
  devops.platform.kibana_objects:
    url: https://127.0.0.1:5601
    password: "{{ lookup('devops.platform.secret', 'elasticsearch_superuser') }}"
    authority: "{{ lookup('devops.platform.certificate', inventory_hostname, part='kibana').authority }}"
    objects: "{{ lookup('ansible.builtin.file', 'objects.ndjson') }}"
    environment: lab
  run_once: true
"""

RETURN = r"""
changes:
  description: What changes, in order.
  returned: always
  type: list
  elements: str
  sample: [make dashboard 'Overview']
"""

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import (
    Elasticsearch,
    ElasticsearchError,
)
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.options import ARGUMENTS
from ansible_collections.devops.platform.plugins.module_utils.kibana import objects
from ansible_collections.devops.platform.plugins.module_utils.kibana.client import Kibana


def kibana_of(options: dict[str, Any]) -> Kibana:
    server = Elasticsearch(
        options["url"].rstrip("/"),
        options["user"],
        options["password"],
        ca_text=options["authority"],
        timeout=options["patience"],
        service="kibana",
        headers={"kbn-xsrf": "devops.platform"},
    )
    return Kibana(server)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "patience": {"type": "int", "default": 60},
            "objects": {"type": "str", "required": True},
            "environment": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    kibana, result = kibana_of(module.params), {"changes": list[str]()}
    try:
        wanted = objects.read(module.params["objects"], module.params["environment"])
    except ValueError as error:
        module.fail_json(msg=f"The objects cannot be read: {error}", **result)
    try:
        actual = kibana.objects()
    except ElasticsearchError as error:
        if not (module.check_mode and error.away):
            module.fail_json(msg=f"The objects could not be compared: {error}", changed=False, **result)
        actual = []
    changes = objects.plan(wanted, actual)
    result["changes"] = [change.title for change in changes]
    diff = [_diff(change) for change in changes]
    if changes and not module.check_mode:
        made = {(change.type, change.id) for change in changes if change.after is not None}
        try:
            if made:
                kibana.put([item for item in wanted if (item["type"], item["id"]) in made])
            for change in changes:
                if change.after is None:
                    kibana.remove(change)
        except ElasticsearchError as error:
            module.fail_json(msg=f"Not all was changed: {error}", changed=True, diff=diff, **result)
    module.exit_json(changed=bool(changes), diff=diff, **result)


def _diff(change: objects.Change) -> dict[str, str]:
    sides = {"before": change.before, "after": change.after}
    shown = {
        side: "" if value is None else json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        for side, value in sides.items()
    }
    return {"before_header": change.title, "after_header": change.title, **shown}


if __name__ == "__main__":
    main()
