#!/usr/bin/python
# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Emptying a node of Kubernetes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_node_drain
short_description: Empty a node, and say which pods will not leave
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - A node that is drained takes no new pods, and those that it has leave by eviction, which heeds PodDisruptionBudgets.
    A budget that holds a pod is asked again until O(timeout) is over.
  - Pods that are still there then are named with the reason; the node goes on taking no new ones, until
    V(state=schedulable).
  - Pods of DaemonSets, and those that the kubelet runs from files, stay.
extends_documentation_fragment: [kubernetes.core.k8s_auth_options]
options:
  name:
    description: Name of the node.
    type: str
    required: true
  state:
    description: V(drained) empties the node, V(schedulable) lets pods come again.
    type: str
    choices: [drained, schedulable]
    default: drained
  timeout:
    description: Seconds in which all must have left.
    type: float
    default: 300
  force:
    description: Whether pods go that no controller makes anew.
    type: bool
    default: false
  delete_emptydir_data:
    description: Whether pods go that lose files of an emptyDir.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Says whether pods would leave, and which may not.
  diff_mode:
    support: none
    description: Pods have no diff.
  platform:
    support: full
    platforms: posix
    description: Where the cluster's clients are.
seealso:
  - module: kubernetes.core.k8s_drain
"""

EXAMPLES = r"""
- name: Empty the node
  devops.platform.k8s_node_drain:
    kubeconfig: .kube/chat.conf
    name: worker1
    delete_emptydir_data: true

- name: Let pods come again
  devops.platform.k8s_node_drain:
    kubeconfig: .kube/chat.conf
    name: worker1
    state: schedulable
"""

RETURN = r"""
left:
  description: The pods that have left.
  returned: success
  type: list
  elements: str
  sample: [Pod chat/web-5d9c-x2x]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

try:
    from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
except ImportError:  # the next ones say so
    AUTH_ARG_SPEC = {}
try:
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.cluster import ApiError
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.connection import connect
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import drain

    MISSING = ""
except ImportError as error:  # urllib3, or the collection
    MISSING = str(error)

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["drained", "schedulable"], "default": "drained"},
    "timeout": {"type": "float", "default": 300.0},
    "force": {"type": "bool", "default": False},
    "delete_emptydir_data": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(argument_spec={**AUTH_ARG_SPEC, **ARGUMENTS}, supports_check_mode=True)
    if MISSING:
        module.fail_json(msg=missing_required_lib("kubernetes and the collection kubernetes.core"), exception=MISSING)
    given = module.params
    api = None
    try:
        api = connect(given)
        if given["state"] == "schedulable":
            changed, left = drain.schedulable(api, given["name"], True, module.check_mode), []
        else:
            asked = drain.Asked(given["name"], given["timeout"], given["force"], given["delete_emptydir_data"])
            done = drain.drain(api, asked, module.check_mode)
            changed, left = done.changed, done.left
    except (drain.DrainError, ApiError) as error:
        module.fail_json(msg=str(error))
    finally:
        if api:
            api.close()
    module.exit_json(changed=changed, left=left)


if __name__ == "__main__":
    main()
