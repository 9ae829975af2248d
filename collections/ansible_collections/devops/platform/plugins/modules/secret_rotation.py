# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of the rotation of secrets; documentation only, the action plugin of the same name does it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_rotation
short_description: Replace a secret while it is in use
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - The steps of C(playbooks/rotate_secrets.yml) that happen on the controller. What each means, and why a run that died
    does no harm, is in C(docs/secrets.md).
  - No value is in what this returns.
options:
  step:
    description:
      - V(plan) says what is left to do, in order, and changes nothing.
      - V(stage) makes a new value, pending; V(promote) makes it the current one; V(forget) lets go of the previous one.
      - V(elasticache) gives a user of ElastiCache the passwords that are valid now.
      - V(metrics) gives the age of every secret that can be rotated, as node_exporter reads it.
    type: str
    required: true
    choices: [plan, stage, promote, forget, elasticache, metrics]
  secret:
    description: Name of the secret, below C(platform.secrets.names).
    type: str
  only:
    description: Names of secrets to plan for. Without them all that can be rotated.
    type: list
    elements: str
    default: []
  force:
    description: Rotate also what is not older than C(platform.secrets.max_age).
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check mode and say what would change.
    support: full
"""

EXAMPLES = r"""
- name: Look what is left
  devops.platform.secret_rotation:
    step: plan
  run_once: true
  register: rotation
"""

RETURN = r"""
steps:
  description: What is left to do, in order, as C({secret, kind, step, place}).
  returned: with O(step=plan)
  type: list
  elements: dict
said:
  description: One line for each secret, for people.
  returned: with O(step=plan)
  type: list
  elements: str
text:
  description: Metrics.
  returned: with O(step=metrics)
  type: str
"""
