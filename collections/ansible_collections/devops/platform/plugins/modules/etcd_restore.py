#!/usr/bin/python
# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way back from a snapshot of etcd."""

from __future__ import annotations

DOCUMENTATION = r"""
module: etcd_restore
short_description: Put a snapshot in the place of what etcd has
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Takes a snapshot that a node of the control plane has made. Its checksum is compared, and C(etcdutl) makes data of
    it beside the live ones, before anything is switched.
  - etcd and the API server are stopped by moving away the files that the kubelet runs them from. Data are switched by
    renames; both are started, and must answer. Where they do not, the data from before are put back.
  - A run that was killed is taken back by the next one.
  - With several members it runs on all of them at the same time, with the same snapshot.
options:
  archive:
    description: The snapshot; V(latest), a name in O(directory), or an absolute path on the host.
    type: str
    default: latest
  directory:
    description: Where the snapshots are.
    type: path
    required: true
  snapshots_of:
    description: For V(archive=latest), the node whose snapshot it is; O(name) if left out.
    type: str
  name:
    description: The node's name.
    type: str
    required: true
  members:
    description: All members of etcd, name and address.
    type: dict
    required: true
  etcdctl:
    description: The program that asks etcd.
    type: path
    default: /usr/local/bin/etcdctl
  etcdutl:
    description: The program that reads snapshots.
    type: path
    default: /usr/local/bin/etcdutl
  timeout:
    description: Seconds in which they must have stopped, and then answer.
    type: int
    default: 180
attributes:
  check_mode:
    support: full
    description: Compares the checksum, has etcdutl read the snapshot, and changes nothing.
  diff_mode:
    support: none
    description: Data have no diff.
  platform:
    support: full
    platforms: posix
    description: Nodes of a control plane that kubeadm has made.
notes:
  - Needs root on the host.
  - Objects made since the snapshot are gone. Pods run on until the controllers have seen what is wanted now.
"""

EXAMPLES = r"""
- name: Restore what was kept last
  devops.platform.etcd_restore:
    directory: /var/backups/etcd
    name: "{{ inventory_hostname }}"
    members: {server1: 192.0.2.1}
"""

RETURN = r"""
archive:
  description: The snapshot that was taken.
  returned: success
  type: str
  sample: /var/backups/etcd/etcd-server1-20260101T000000Z.db
said:
  description: What was done, in order.
  returned: success
  type: list
  elements: str
kept:
  description: Where the data from before are.
  returned: success
  type: str
  sample: /var/lib/etcd/.before-restore-20260102T101500Z
"""

import http.client
import socket
import ssl
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import restore, snapshots
from ansible_collections.devops.platform.plugins.module_utils.monitoring.backup import BackupError

PKI = "/etc/kubernetes/pki"


def url(address: str, port: int) -> str:
    return f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"


def open_port(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=2):
            return True
    except OSError:
        return False


def ready(address: str) -> str:
    """Whether the API server has what it needs; it tells everybody."""
    context = ssl.create_default_context(cafile=f"{PKI}/ca.crt")
    try:
        connection = http.client.HTTPSConnection(address, 6443, timeout=5, context=context)
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"the API server does not answer: {error}"
    return "" if status == 200 else f"the API server is not ready: status {status}"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "archive": {"type": "str", "default": "latest"},
            "directory": {"type": "path", "required": True},
            "snapshots_of": {"type": "str"},
            "name": {"type": "str", "required": True},
            "members": {"type": "dict", "required": True},
            "etcdctl": {"type": "path", "default": "/usr/local/bin/etcdctl"},
            "etcdutl": {"type": "path", "default": "/usr/local/bin/etcdutl"},
            "timeout": {"type": "int", "default": 180},
        },
        supports_check_mode=True,
    )
    given = module.params
    members = {str(name): url(str(address), 2380) for name, address in given["members"].items()}
    own = str(given["members"].get(given["name"], ""))

    def said(command: list[str]) -> str:
        code, output, error = module.run_command(command, handle_exceptions=False)
        return "" if code == 0 else (error or output).strip()[-500:] or f"exit {code}"

    def unpack(archive: Path, target: Path) -> str:
        return said(restore.arguments(given["etcdutl"], archive, target, given["name"], members))

    def stopped() -> str:
        ports = [port for address in ("127.0.0.1", own) for port in (2379, 2380, 6443) if open_port(address, port)]
        return f"port {ports[0]} is still open: the kubelet has not ended its pod" if ports else ""

    def prove() -> str:
        client = ["--endpoints=https://127.0.0.1:2379", f"--cacert={PKI}/etcd/ca.crt"]
        client += [f"--cert={PKI}/etcd/healthcheck-client.crt", f"--key={PKI}/etcd/healthcheck-client.key"]
        problem = said([given["etcdctl"], *client, "endpoint", "health"])
        return f"etcd is not well: {problem}" if problem else ready(own)

    try:
        whose = given["snapshots_of"] or given["name"]
        archive = restore.chosen(given["archive"], Path(given["directory"]), whose)
        if module.check_mode:
            restore.verified(archive)
            known = snapshots.status(given["etcdutl"], archive)
            done = [f"{archive} is what was written, {known['totalKey']} keys; it would be restored"]
            module.exit_json(changed=True, archive=str(archive), said=done, kept="")
        tools = restore.Tools(unpack, stopped, prove)
        kept, done = restore.restore(archive, restore.Place(), tools, time.time(), given["timeout"])
    except (BackupError, OSError) as error:
        module.fail_json(msg=f"{error}.")
    module.exit_json(changed=True, archive=str(archive), said=done, kept=kept)


if __name__ == "__main__":
    main()
