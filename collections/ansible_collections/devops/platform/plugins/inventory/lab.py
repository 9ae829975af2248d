# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: lab
short_description: Hosts of the local lab
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - Names the hosts that C(python -m lab up) starts, with their groups and how SSH reaches them.
  - Addresses follow from the settings alone, so the inventory can be listed, and a playbook's syntax checked,
    before the lab runs.
  - Settings come from the environment first, then from what the last C(up) saved, then from the defaults.
options:
  plugin:
    description: Token that makes sure this file is a source of this plugin.
    type: str
    required: true
    choices: [devops.platform.lab]
  state:
    description:
      - Directory in which the lab keeps its settings, SSH key and known hosts.
      - A relative path starts at the inventory file's directory.
    type: str
    default: ../../lab/.state
  part:
    description: V(fleet) for the fleet, V(kubernetes) for the hosts of the cluster beside it.
    type: str
    choices: [fleet, kubernetes]
    default: fleet
  app_hosts:
    description: Number of application hosts, where neither the environment nor the saved settings say.
    type: int
  log_hosts:
    description: Number of hosts that keep logs, where neither the environment nor the saved settings say.
    type: int
  subnet:
    description: The lab's network, where neither the environment nor the saved settings say.
    type: str
notes:
  - E(LAB_APP_HOSTS), E(LAB_LOG_HOSTS) and E(LAB_SUBNET) are read from the environment, as C(python -m lab) does.
"""

EXAMPLES = r"""
# inventories/lab/lab.yml: the defaults, or what the last "make up" was given
plugin: devops.platform.lab
---
# ten application hosts, whoever runs it first
plugin: devops.platform.lab
app_hosts: 10
---
# inventories/lab-kubernetes/lab.yml: the cluster that "make up LAB_KUBERNETES=1" adds
plugin: devops.platform.lab
part: kubernetes
"""

import json
import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.template import trust_as_template

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import (
    CLUSTER_GROUPS,
    GROUPS,
    LabSettingsError,
    host_variables,
    plan_cluster,
    plan_hosts,
    resolve_settings,
)


class InventoryModule(BaseInventoryPlugin):
    NAME = "devops.platform.lab"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(("lab.yml", "lab.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        state = (Path(path).resolve().parent / self.get_option("state")).resolve()
        try:
            settings = resolve_settings(self._saved(state / "settings.json"), os.environ)
        except LabSettingsError as error:
            raise AnsibleParserError(f"{path}: {error}") from error
        cluster = self.get_option("part") == "kubernetes"
        hosts = plan_cluster(settings) if cluster else plan_hosts(settings)
        for group in CLUSTER_GROUPS if cluster else GROUPS:
            inventory.add_group(group)
        for host in hosts:
            inventory.add_host(host.name)
            for group in host.groups:
                inventory.add_child(group, host.name)
            for name, value in host_variables(host, str(state)).items():
                # Our own values, from validated settings: untrusted ones are listed as {"__ansible_unsafe": …}, which
                # readers of that list, such as Testinfra, do not open.
                inventory.set_variable(host.name, name, trust_as_template(value))

    def _saved(self, settings: Path) -> dict[str, Any]:
        options = {key: self.get_option(key) for key in ("app_hosts", "log_hosts", "subnet")}
        saved = {key: value for key, value in options.items() if value is not None}
        try:
            saved.update(json.loads(settings.read_text(encoding="utf-8")))
        except FileNotFoundError:
            pass  # the lab has not been up yet: options and defaults hold
        except (OSError, ValueError) as error:
            raise AnsibleParserError(
                f"{settings}: {error}; remove the file and run 'make up' to write it anew"
            ) from error
        return saved
