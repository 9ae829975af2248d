#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""All components of a host go back in one round trip, from what the host itself remembers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback
short_description: Take a host back to before a rollout, or to an earlier one
version_added: 0.1.0
description:
  - Goes back with the components that M(devops.platform.component) has rolled out on a host, each as one transaction
    that is probed, and taken back itself where the probe fails.
  - What to go back to stands in the host's ledgers. Nothing is rendered or downloaded; only package versions may come
    from a package source.
  - What V(state=absent) of M(devops.platform.component) has removed does not come back.
author:
  - devops.platform maintainers (@devops-platform)
options:
  undo:
    description:
      - Id of a rollout. What it changed goes back to what it was before; what it brought goes, but for directories with
        data. The component that was changed last goes first.
      - A component that this rollout did not change, or that a later one changed, is left as it is, with a note.
      - One that fails does not keep the others from going back; the task fails when all were tried.
    type: str
  to:
    description:
      - Id of a rollout. Components go back, or forward again, to what they were when it had ended.
      - The first that fails ends the task, and so does one of which that is no longer on the host.
    type: str
  components:
    description:
      - Names of the components; all of the host if left out.
      - One that is not there is left alone, with a note.
    type: list
    elements: str
  rollout:
    description:
      - Id under which the ledgers record the change.
      - If left out, the variable C(platform_rollout_id), or else one that is made for each run of C(ansible-playbook).
    type: str
  patience:
    description: Seconds to wait for a lock that another run holds.
    type: float
    default: 2
attributes:
  check_mode:
    support: full
    description: Plans everything, asks the checkers, and changes nothing.
  diff_mode:
    support: full
    description: Shows a unified diff of every changed path, with secrets masked.
  idempotent:
    support: full
    description: Does nothing where a component is as it is to be.
notes:
  - Needs root on the host, and systemd for components that run as a unit or service.
seealso:
  - module: devops.platform.component
"""

EXAMPLES = r"""
- name: Take back all that a rollout did on this host
  devops.platform.rollback:
    undo: 20260102T030405Z-4711

- name: Go back with two components to what an earlier rollout left
  devops.platform.rollback:
    to: 20260101T120000Z-815
    components: [app, edge]
    patience: 60
"""

RETURN = r"""
rollout:
  description: Id of the rollout that the change belongs to.
  returned: always
  type: str
  sample: 20260102T040506Z-4712
components:
  description:
    - One result a component, in the order in which they went back; with O(to), those after a failure are missing.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the component.
      type: str
    changed:
      description: Whether anything changes, or was left over from a run that died.
      type: bool
    effect:
      description: What happens to the service. One of V(none), V(start), V(reload), V(restart) or V(stop).
      type: str
    plan:
      description: What changes, in order, as C({action, target, reason}).
      type: list
      elements: dict
    recovered:
      description: What was done with the change of a run that died. One of V(finished), V(taken back) or empty.
      type: str
    notes:
      description: Why a component is left as it is, what check mode could not foresee, and packages that have to stay.
      type: list
      elements: str
    generation:
      description: Head of the digest of what the component is now; empty where it is gone.
      type: str
    previous:
      description: Head of the digest of what it was.
      type: str
    failed:
      description: Whether it failed.
      type: bool
    step:
      description: Where it failed, for example V(plan), V(switch) or V(probe).
      type: str
    message:
      description: Why it failed, what the service said, and how the host stands.
      type: str
    seconds:
      description: How long it took on the host.
      type: float
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.engine.answer import answer, engine_of, trouble
from ansible_collections.devops.platform.plugins.module_utils.engine.rollback import go_back
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode

WAYS = ("undo", "to")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "undo": {"type": "str"},
            "to": {"type": "str"},
            "components": {"type": "list", "elements": "str"},
            "rollout": {"type": "str"},
            "patience": {"type": "float", "default": 2},
        },
        required_one_of=[WAYS],
        mutually_exclusive=[WAYS],
        supports_check_mode=True,
    )
    given = module.params
    if not (given["undo"] or given["to"]):
        module.fail_json(msg="undo and to need the id of a rollout, not an empty text")
    mode = Mode(module.check_mode, module._diff, given["rollout"] or "", given["patience"])
    engine = engine_of(mode)
    names = engine.store.known() if given["components"] is None else given["components"]
    results = go_back(engine, names, undo=given["undo"] or "", to=given["to"] or "")
    told = trouble(results, len(names))
    if told:
        module.fail_json(msg=told, **answer(results, mode))
    module.exit_json(**answer(results, mode))


if __name__ == "__main__":
    main()
