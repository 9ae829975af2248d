# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""StatefulSets and DaemonSets, some of their pods at a time. Pure.

A StatefulSet has a partition for it. A DaemonSet has none: it is told to leave its pods alone (OnDelete), and those of
one step are deleted; the last stage gives it its declared strategy back.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import (
    Manifest,
    changed,
    ref,
    replicas,
    template_of,
)

from .course import Course, Former, Renew, Stage, restored
from .settings import Settings


def course(declared: Manifest, former: Former, settings: Settings) -> Course:
    which = ref(declared)
    old = former.plain(declared)
    stuck = Renew(which, template_of(declared))
    last = Stage("rolls out", apply=(declared,), settled=(which,), renew=stuck, gate=True)
    stages = [last]
    if old is not None and template_of(old) != template_of(declared):
        stages = [*(_sets if which.kind == "StatefulSet" else _daemons)(declared, old, settings), last]
    # A pod that never became ready blocks its StatefulSet for ever, also when the old template is back.
    back = restored(former, (which,))
    if old is not None:
        back = (replace(back[0], renew=Renew(which, template_of(old))), *back[1:])
    return Course(which, template_of(declared), tuple(stages), back, (declared,))


def _sets(declared: Manifest, old: Manifest, settings: Settings) -> list[Stage]:
    which = ref(declared)
    total = min(replicas(declared), replicas(old))
    stages = []
    for number in sorted({step.of(total) for step in settings.steps}):
        if number < total:
            held = {"type": "RollingUpdate", "rollingUpdate": {"partition": total - number}}
            # Scaling is the last stage's: the partition counts from the pods that there are.
            step = changed(changed(declared, ("spec", "updateStrategy"), held), ("spec", "replicas"), total)
            renew = Renew(which, template_of(declared))
            stages.append(Stage(f"renews {number} of {total}", (step,), (), (which,), renew, gate=True))
    return stages


def _daemons(declared: Manifest, _old: Manifest, settings: Settings) -> list[Stage]:
    which = ref(declared)
    manual = changed(declared, ("spec", "updateStrategy"), {"type": "OnDelete"})
    steps = [step for step in settings.steps if step.share < 1]
    return [
        Stage(
            f"renews {step.share:.0%}" if step.share else f"renews {step.number}",
            (manual,),
            (),
            (which,),
            Renew(which, template_of(declared), step, settings.parallel),
            gate=True,
        )
        for step in steps
    ]
