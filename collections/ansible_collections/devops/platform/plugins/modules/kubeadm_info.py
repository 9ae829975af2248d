#!/usr/bin/python
# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is on a host of a cluster that kubeadm makes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubeadm_info
short_description: Whether a host is a node of a cluster, and of which
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Looks at what kubeadm leaves on a host. P(devops.platform.kubeadm_plan#filter) decides from the looks of all nodes
    which one makes the cluster and which ones join it.
options: {}
attributes:
  check_mode:
    support: full
    description: Changes nothing.
  diff_mode:
    support: none
    description: Changes nothing.
  platform:
    support: full
    platforms: posix
    description: Hosts with systemd.
notes:
  - Needs root on the host.
seealso:
  - module: devops.platform.kubeadm
"""

EXAMPLES = r"""
- name: Look at the node
  devops.platform.kubeadm_info:
  register: seen
"""

RETURN = r"""
joined:
  description: Whether it has a node's credentials.
  returned: success
  type: bool
serves:
  description: Whether it has an API server.
  returned: success
  type: bool
authority:
  description: Digest of the public key of the cluster's certificate authority; empty where there is none.
  returned: success
  type: str
data:
  description: Whether a certificate authority's key or data of etcd lie there.
  returned: success
  type: bool
attempt:
  description: What a run of M(devops.platform.kubeadm) has begun and not ended, V(init) or V(join); else empty.
  returned: success
  type: str
version:
  description: Version of its kubelet; empty where there is none.
  returned: success
  type: str
  sample: 1.34.4
serves_version:
  description: Version of its API server; empty where there is none.
  returned: success
  type: str
  sample: 1.34.4
"""

from collections.abc import Sequence
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import kubeadm


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)

    def run(command: Sequence[str]) -> tuple[int, str]:
        code, output, error = module.run_command(list(command))
        return code, output + error

    node = kubeadm.Node(run)
    try:
        seen = kubeadm.look(node)
    except (kubeadm.KubeadmError, OSError) as error:
        module.fail_json(msg=f"{error}.")
    module.exit_json(changed=False, serves_version=kubeadm.served_version(node), **asdict(seen))


if __name__ == "__main__":
    main()
