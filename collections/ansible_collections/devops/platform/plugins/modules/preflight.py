#!/usr/bin/python
# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin: everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Check platform.yml before any host is touched
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - Reads C(group_vars/all/platform.yml) beside the inventory, and refuses it where something is wrong. Every mistake is
    reported, with file, line, column and the path of its key.
  - "Its shape: unknown and missing keys, types, values. The schema is C(module_utils/platform/schema.json)."
  - "What it names: groups of the inventory, programs and images of the locks, secrets, database users, apps and
    services of routes."
  - "What would go wrong later: ports that are used twice on a host, placeholders that cannot be resolved, templates,
    hosts without an address or without Docker, the user of Ansible that would be locked out, variables that override
    the file."
  - Runs on the controller alone and opens no connection.
options:
  file:
    description: The file to check, instead of the one beside the inventory.
    type: path
attributes:
  action:
    support: full
    description: Runs on the controller alone.
  check_mode:
    support: full
    description: Changes nothing in either mode.
  diff_mode:
    support: none
    description: Changes nothing.
  platform:
    support: full
    description: Any, as no host is reached.
    platforms: all
seealso:
  - module: devops.platform.component
  - plugin: devops.platform.sound_hosts
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Check platform.yml
  hosts: all
  gather_facts: false
  tasks:
    - name: Check platform.yml
      devops.platform.preflight:
      run_once: true
"""

RETURN = r"""
files:
  description: The files that were checked, relative to the working directory where they are below it.
  returned: always
  type: list
  elements: str
  sample: [inventories/lab/group_vars/all/platform.yml]
msg:
  description: The mistakes, each as C(FILE:LINE:COLUMN, severity, KEY and what is wrong), or what the file describes.
  returned: always
  type: str
  sample: "chat (lab): 5 hosts, 1 app with 3 services, 3 secrets"
"""
