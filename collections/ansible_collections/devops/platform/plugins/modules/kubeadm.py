#!/usr/bin/python
# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One step of kubeadm on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubeadm
short_description: Make a cluster, join it, invite to it, upgrade it
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Takes one step of C(kubeadm) on a host. Which step a host takes is the affair of
    P(devops.platform.kubeadm_plan#filter), which knows all of them; a step that the host has taken is not taken again.
  - Secrets reach kubeadm in a file that root alone can read, in memory, which is gone when the command ends. They are
    in no arguments and no messages.
  - What is begun is noted on the host; where the run dies, M(devops.platform.kubeadm_info) says so afterwards.
options:
  action:
    description:
      - V(init) makes the cluster, V(join) makes the host a node of it.
      - V(invite), on a node of the control plane, has the cluster accept O(token) for a quarter of an hour; with
        O(certificate_key) it also hands out the cluster's certificates, which nodes of the control plane need.
      - V(upgrade) brings the node's part of the control plane, and its kubelet's settings, to O(version).
    type: str
    choices: [init, join, invite, upgrade]
    required: true
  config:
    description:
      - Documents of C(kubeadm.k8s.io/v1beta4), as P(devops.platform.kubeadm_config#filter) makes them; for V(join) with
        a C(JoinConfiguration), else with an C(InitConfiguration) and a C(ClusterConfiguration).
    type: list
    elements: dict
    default: []
  token:
    description: Token that nodes join with, C(abcdef.0123456789abcdef).
    type: str
  certificate_key:
    description: Key that the cluster's certificates are handed out under, 64 hexadecimal digits.
    type: str
  authority:
    description: For V(join), the digest that the cluster's authority must have, without C(sha256:) before it.
    type: str
    default: ''
  reset:
    description: Forget first what a run that died has left. Refused where the host is a node.
    type: bool
    default: false
  version:
    description: For V(upgrade), the version of Kubernetes.
    type: str
  first:
    description: For V(upgrade), whether the node is the one that upgrades what the cluster has in common.
    type: bool
    default: false
  ignore_preflight:
    description: For V(upgrade), findings of kubeadm's own preflight that are known and accepted.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Says what would be done, and does nothing.
  diff_mode:
    support: none
    description: What kubeadm makes has no diff.
  platform:
    support: full
    platforms: posix
    description: Hosts with systemd.
notes:
  - Needs root on the host, and C(kubeadm) in C(/usr/local/bin).
seealso:
  - module: devops.platform.kubeadm_info
"""

EXAMPLES = r"""
- name: Make the cluster
  devops.platform.kubeadm:
    action: init
    config: >-
      {{ platform | devops.platform.kubeadm_config(inventory_hostname, 'init', 'control_plane', groups,
      hostvars | devops.platform.addresses) }}
    token: "{{ token }}"
"""

RETURN = r"""
done:
  description: What was done, or in check mode would be.
  returned: success
  type: str
  sample: it is in the cluster now
"""

from collections.abc import Sequence

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import kubeadm
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.membership import INIT, JOIN

SAYS = {
    INIT: "it has made the cluster",
    JOIN: "it is in the cluster now",
    kubeadm.INVITE: "the cluster accepts the token for a quarter of an hour",
    kubeadm.UPGRADE: "it is upgraded but for its kubelet",
}
NEEDS = {kubeadm.INVITE: "nodes of the control plane", kubeadm.UPGRADE: "nodes of a cluster"}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "action": {"type": "str", "choices": list(SAYS), "required": True},
            "config": {"type": "list", "elements": "dict", "default": []},
            "token": {"type": "str", "no_log": True},
            "certificate_key": {"type": "str", "no_log": True},
            "authority": {"type": "str", "default": ""},
            "reset": {"type": "bool", "default": False},
            "version": {"type": "str"},
            "first": {"type": "bool", "default": False},
            "ignore_preflight": {"type": "list", "elements": "str", "default": []},
        },
        required_if=[
            ("action", INIT, ("config", "token")),
            ("action", JOIN, ("config", "token", "authority")),
            ("action", kubeadm.INVITE, ("config", "token")),
            ("action", kubeadm.UPGRADE, ("version",)),
        ],
        supports_check_mode=True,
    )

    def run(command: Sequence[str]) -> tuple[int, str]:
        code, output, error = module.run_command(list(command))
        return code, output + error

    try:
        changed = act(module, kubeadm.Node(run))
    except (kubeadm.KubeadmError, OSError) as error:
        module.fail_json(msg=f"{error}")
    module.exit_json(changed=changed, done=SAYS[module.params["action"]] if changed else "nothing was to be done")


def act(module: AnsibleModule, node: kubeadm.Node) -> bool:
    """Whether anything was done, or would be."""
    given = module.params
    action = given["action"]
    seen = kubeadm.look(node)
    if action in (INIT, JOIN):
        if seen.member:
            return False
        if seen.attempt and not given["reset"]:
            raise kubeadm.KubeadmError(f"a run of kubeadm {seen.attempt} died here; reset: true forgets what it left")
    elif not seen.member or (action == kubeadm.INVITE and not seen.serves):
        if module.check_mode:
            return True  # it would be there by now
        raise kubeadm.KubeadmError(f"{action} is for {NEEDS[action]}, which this is not")
    if module.check_mode:
        return bool(action != kubeadm.UPGRADE or kubeadm.served_version(node) != given["version"])
    if action == INIT:
        kubeadm.init(node, given["config"], given["token"], again=given["reset"])
    elif action == JOIN:
        kubeadm.join(node, given["config"], given, again=given["reset"])
    elif action == kubeadm.INVITE:
        kubeadm.invite(node, given["config"], given["token"], given["certificate_key"] or "")
    else:
        return kubeadm.upgrade(node, given["version"], given["first"], given["ignore_preflight"])
    return True


if __name__ == "__main__":
    main()
