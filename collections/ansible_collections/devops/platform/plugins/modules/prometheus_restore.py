# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way back from a backup of Prometheus."""

from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_restore
short_description: Put a backup in the place of what Prometheus has
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Takes an archive that the backup of the role P(devops.platform.prometheus#role) has made. Its checksum is compared,
    its blocks are unpacked beside the live data and read by promtool, before anything is switched.
  - Prometheus is stopped, its data are switched by renames, it is started, must become ready, and must answer a query
    about the restored data. Where it does not, the data from before are put back and it is started with them.
  - A run that was killed is taken back by the next one.
  - Samples since the backup are not in it. The data from before are kept beside it until the next restore.
options:
  archive:
    description: The archive; V(latest), a name in O(directory), or an absolute path on the host.
    type: str
    default: latest
  directory:
    description: Where the archives are.
    type: path
    required: true
  name:
    description: What the Prometheus is called in the names of its archives.
    type: str
    required: true
  data:
    description: Prometheus' own directory, its C(--storage.tsdb.path).
    type: path
    default: /var/lib/prometheus
  url:
    description: Where it answers on the host.
    type: str
    default: http://127.0.0.1:9090
  unit:
    description: Its systemd unit.
    type: str
    default: prometheus.service
  promtool:
    description: The promtool that reads the blocks.
    type: path
    default: /usr/local/bin/promtool
  query:
    description: What must have a value at the end of the restored data.
    type: str
    default: count(up)
  timeout:
    description: Seconds in which it must be ready, and then answer.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
    description: Compares the checksum and reads the archive, and changes nothing.
  diff_mode:
    support: none
    description: Data have no diff.
  platform:
    support: full
    platforms: posix
    description: Hosts with systemd.
notes:
  - Needs root on the host.
"""

EXAMPLES = r"""
- name: Restore what was backed up last
  devops.platform.prometheus_restore:
    directory: /var/backups/prometheus
    name: "{{ inventory_hostname }}"
"""

RETURN = r"""
archive:
  description: The archive that was taken.
  returned: success
  type: str
  sample: /var/backups/prometheus/prometheus-mon1-20260101T000000Z.tar.gz
said:
  description: What was done, in order.
  returned: success
  type: list
  elements: str
kept:
  description: Where the data from before are; empty where there were none.
  returned: success
  type: str
  sample: /var/lib/prometheus/.before-restore-20260102T101500Z
blocks:
  description: Number of blocks and samples, and their first and last moment in seconds since 1970.
  returned: when not in check mode
  type: dict
  sample: {count: 12, samples: 48211033, begin: 1767225600.0, end: 1768435199.999}
"""

import time
from dataclasses import asdict
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.monitoring import restore
from ansible_collections.devops.platform.plugins.module_utils.monitoring.backup import BackupError
from ansible_collections.devops.platform.plugins.module_utils.monitoring.proof import prove


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "archive": {"type": "str", "default": restore.LATEST},
            "directory": {"type": "path", "required": True},
            "name": {"type": "str", "required": True},
            "data": {"type": "path", "default": "/var/lib/prometheus"},
            "url": {"type": "str", "default": "http://127.0.0.1:9090"},
            "unit": {"type": "str", "default": "prometheus.service"},
            "promtool": {"type": "path", "default": "/usr/local/bin/promtool"},
            "query": {"type": "str", "default": "count(up)"},
            "timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    given = module.params

    def systemctl(word: str) -> None:
        code, _output, error = module.run_command(["systemctl", word, given["unit"]], handle_exceptions=False)
        if code != 0:
            raise BackupError(f"systemctl {word} {given['unit']}: {error.strip() or f'exit {code}'}")

    def stands(word: str) -> bool:
        return bool(module.run_command(["systemctl", word, "--quiet", given["unit"]])[0] == 0)

    def start() -> None:
        # One that died too often with other data is not started any more: these are others.
        module.run_command(["systemctl", "reset-failed", given["unit"]])
        systemctl("start")

    def dead() -> str:
        return f"{given['unit']} has failed: journalctl -u {given['unit']}" if stands("is-failed") else ""

    def check(folder: Path) -> str:
        command = [given["promtool"], "tsdb", "list", str(folder)]
        code, output, error = module.run_command(command, handle_exceptions=False)
        return "" if code == 0 else (error or output).strip()[-500:] or f"exit {code}"

    tools = restore.Tools(
        running=lambda: stands("is-active"),
        stop=lambda: systemctl("stop"),
        start=start,
        check=check,
        prove=lambda blocks: prove(given["url"], given["query"], blocks.end, given["timeout"], dead),
    )
    try:
        archive = restore.chosen(given["archive"], Path(given["directory"]), given["name"])
        if module.check_mode:
            size = restore.verified(archive)
            said = [f"{archive} is what was backed up, {size >> 20} MiB; it would be restored"]
            module.exit_json(changed=True, archive=str(archive), said=said, kept="")
        done = restore.restore(archive, restore.Place(Path(given["data"])), tools, time.time())
    except (BackupError, OSError) as error:
        module.fail_json(msg=f"{error}.")
    module.exit_json(changed=True, archive=str(archive), said=done.said, kept=done.kept, blocks=asdict(done.blocks))


if __name__ == "__main__":
    main()
