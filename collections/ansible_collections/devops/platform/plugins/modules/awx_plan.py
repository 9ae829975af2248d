#!/usr/bin/python
# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin: everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: awx_plan
short_description: Compare AWX with platform.yml
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - Reads what AWX has in the organisation of C(platform.awx), and says which calls of the modules of C(awx.awx) make it
    what C(platform.awx) declares. Changes nothing itself; C(playbooks/awx.yml) carries the calls out.
  - The platform's own is what carries its mark in the description, such as C([devops.platform chat/prod rollout]),
    and the nodes of its workflow. Only that is changed or removed. It refuses where something else has a name that it
    needs.
  - AWX shows no secret that it was given. A digest of them, keyed with the token, stands in the mark; where that
    differs, they are sent again.
attributes:
  action:
    support: full
    description: Runs on the controller alone.
  check_mode:
    support: full
    description: The same in either mode, but that it counts as changed in check mode where something differs.
  diff_mode:
    support: none
    description: The names of what differs are in RV(msg).
  platform:
    support: full
    description: Any, as no host is reached.
    platforms: all
requirements:
  - The collection C(awx.awx).
seealso:
  - plugin: devops.platform.awx_arguments
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Compare with AWX
  devops.platform.awx_plan:
  register: awx

- name: Job templates
  awx.awx.job_template: "{{ item.arguments }}"
  loop: "{{ awx.plan.present.job_template }}"
  loop_control: {label: "{{ item.name }}"}
"""

RETURN = r"""
msg:
  description: What would be made, changed and removed, in the order of the calls; or that nothing differs.
  returned: always
  type: raw
  sample: ["change job template 'chat prod rollout': survey_spec", "remove schedule 'chat prod nightly'"]
plan:
  description: "The calls. An argument C({secret: NAME}) stands for a secret."
  returned: always
  type: dict
  contains:
    present:
      description: Kind of object to the calls that make or change some, each with C(name), C(arguments), and C(secret),
        which says whether a secret is among them.
      type: dict
    links:
      description: Calls that lead from node to node of the workflow, after all nodes are there.
      type: list
    absent:
      description: Kind of object to the calls that remove some.
      type: dict
secrets:
  description: Names of the secrets that the calls need, AWX's token among them.
  returned: always
  type: list
  elements: str
url:
  description: AWX's address.
  returned: always
  type: str
token_secret:
  description: Name of the secret that is AWX's token.
  returned: always
  type: str
organization:
  description: The organisation.
  returned: always
  type: str
"""
