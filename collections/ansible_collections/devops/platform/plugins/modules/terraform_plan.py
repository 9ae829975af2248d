#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of devops.platform.terraform_plan; the action plugin of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: terraform_plan
short_description: Sum up a saved plan of Terraform, and decide whether it may be applied
version_added: 0.1.0
author:
  - devops.platform maintainers (@devops-platform)
description:
  - Reads a plan that M(community.general.terraform) saved, and prints what it would do - what is created, changed,
    replaced and destroyed, in capitals what is lost with it, what others changed since the last apply, and about what
    it all costs a month.
  - Says whether the plan may be applied - it is approved by the SHA-256 of its file, it is for this environment, and
    the state has not been written since. Applies nothing itself.
  - What Terraform marks as sensitive is neither printed nor in the diff.
options:
  project_path:
    description: Directory of the configuration, initialised.
    type: path
    required: true
  plan_file:
    description: The saved plan.
    type: path
    required: true
  env:
    description: The environment that is meant. A plan whose variable C(environment) is another one is refused.
    type: str
    required: true
  data_dir:
    description: Terraform's working directory (E(TF_DATA_DIR)), where it is not C(.terraform).
    type: path
  approve:
    description: The SHA-256 of the plan that is approved. Without it the plan is shown, and what to run.
    type: str
    default: ""
  destroy:
    description: Whether the plan is to destroy the environment.
    type: bool
    default: false
  destroy_key:
    description: The second key for the destruction of prod, C(prod-NUMBER); the number is that of destroyed resources.
    type: str
    default: ""
  binary_path:
    description: Terraform's program; by default that on E(PATH).
    type: path
attributes:
  check_mode:
    support: full
    description:
      - Changes nothing in any mode. In check mode it is changed where the plan changes something, replacements
        included.
  diff_mode:
    support: full
    description: Attributes of changed resources; sensitive values are masked.
  action:
    support: full
    description: Runs on the controller alone.
  platform:
    support: full
    platforms: posix
    description: The controller's.
seealso:
  - module: community.general.terraform
"""

EXAMPLES = r"""
- name: Show the plan, and compare its approval
  devops.platform.terraform_plan:
    project_path: terraform
    plan_file: build/terraform/dev/apply.tfplan
    env: dev
    approve: "{{ approve | default('') }}"
  register: plan
"""

RETURN = r"""
apply:
  description: Whether the plan may be applied.
  returned: always
  type: bool
digest:
  description: The SHA-256 of the plan's file.
  returned: always
  type: str
counts:
  description: Resources by what happens to them (create, change, replace, destroy, forget, nothing).
  returned: always
  type: dict
lost:
  description: Addresses of resources that hold data and are replaced or destroyed.
  returned: always
  type: list
  elements: str
cost:
  description: The estimate of what it costs a month afterwards, in the currency of the price table.
  returned: always
  type: float
summary:
  description: What was printed.
  returned: always
  type: str
msg:
  description: What is to be done next, or that it is approved.
  returned: always
  type: str
"""
