#!/usr/bin/python
# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of an action plugin: everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout
short_description: The controller's steps of a rollout over many hosts
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - Keeps the journal of a rollout, sorts its hosts into waves, and says after each step whether it goes on or turns
    back. The tasks between its steps change the hosts. C(playbooks/tasks/rollout.yml) puts them together.
  - The journal is a file of JSON lines below C(platform.rollout.directory) on the controller. It is synced before
    anything goes on, so that a rollout whose controller died can be resumed.
  - Opens no connection.
options:
  step:
    description:
      - V(open) begins or resumes a rollout; it refuses where another one is not finished.
      - V(plan) makes waves of the hosts that said that something would change on them.
      - V(enter) and V(left) stand around the change of a O(batch), V(proved) after the proof of a wave.
      - V(failed) is for C(rescue), and notes the host that it runs for. V(steered) comes
        after the edge was told something; where it did not take that, the rollout turns back.
      - V(turn) says what is to be taken back, V(close) ends the rollout, and fails unless every change holds.
    type: str
    required: true
    choices: [open, plan, enter, left, proved, failed, steered, turn, close]
  id:
    description: The rollout, as V(step=open) answered it.
    type: str
  target:
    description: What to roll out; an application, V(apps) for all of them, or a role.
    type: str
  to:
    description: Go back to how this rollout left the hosts, instead of rolling out what is declared.
    type: str
  undo:
    description: Go back to before this rollout, instead of rolling out what is declared.
    type: str
  resume:
    description: The rollout to go on with.
    type: str
  reverse:
    description: With O(resume), take it back instead.
    type: bool
    default: false
  batch:
    description: One of the batches that V(step=plan) or V(step=turn) answered.
    type: dict
    default: {}
  out:
    description: With V(step=steered), the hosts that every edge was told to send nobody to.
    type: list
    elements: str
    default: []
  settle:
    description: With V(step=steered), hosts have left the edge; wait C(platform.rollout.settle) seconds.
    type: bool
    default: false
  smoke:
    description: Result of the smoke test.
    type: dict
    default: {}
  gate:
    description: Result of M(devops.platform.slo_gate).
    type: dict
    default: {}
attributes:
  action:
    support: full
    description: Runs on the controller alone.
  check_mode:
    support: full
    description: Nothing is begun; the waves are shown.
  diff_mode:
    support: none
    description: The tasks that plan show differences.
  platform:
    support: full
    description: Any, as no host is reached.
    platforms: posix
seealso:
  - module: devops.platform.slo_gate
"""

EXAMPLES = r"""
- name: Begin
  devops.platform.rollout:
    step: open
    target: chat
  run_once: true
  register: rollout
"""

RETURN = r"""
id:
  description: The rollout's id.
  returned: always
  type: str
  sample: 20261121T164450Z-4711-chat
journal:
  description: Path of its journal.
  returned: always
  type: str
speaker:
  description: The host that the step ran for; it speaks to edges and to Prometheus.
  returned: always
  type: str
go:
  description: Whether it goes on.
  returned: always
  type: bool
reverse:
  description: Whether it turned back.
  returned: always
  type: bool
changed_hosts:
  description: The hosts that it has changed, and not taken back.
  returned: always
  type: list
  elements: str
batches:
  description: The hosts that are changed together, in order.
  returned: step is plan
  type: list
  elements: dict
  contains:
    number: {description: Place in the order., type: int}
    wave: {description: The wave that it belongs to., type: int}
    waves: {description: How many waves there are., type: int}
    hosts: {description: Its hosts., type: list, elements: str}
    drain: {description: Those that leave the edge meanwhile., type: list, elements: str}
    last: {description: Whether the wave is proved after it., type: bool}
back:
  description: The same for the way back.
  returned: step is turn
  type: list
  elements: dict
out:
  description: Hosts that the edge must not send anybody to now.
  returned: always
  type: list
  elements: str
edge:
  description: Whether the edge has to be told so.
  returned: always
  type: bool
message:
  description: What is worth saying.
  returned: where there is something
  type: str
"""
