# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A few new pods beside all old ones, behind the same Service, measured step by step; then the rest. Pure.

Traffic follows the number of pods. The old ones stay as many as they were, so that the canary may die at any time.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import (
    CANARY,
    TRACK,
    Manifest,
    changed,
    metadata,
    named,
    ref,
    replicas,
    spec,
    template,
    template_of,
)

from . import rolling
from .course import Course, Former, Stage
from .settings import Settings


def beside(declared: Manifest, number: int, settings: Settings) -> Manifest:
    """The canary: selected by the same Services, and by its own Deployment alone."""
    mark = {TRACK: CANARY}
    result = named(rolling.prepared(declared, settings), f"{metadata(declared)['name']}-{CANARY}")
    result = changed(result, ("spec", "replicas"), number)
    selector = {**((spec(declared).get("selector") or {}).get("matchLabels") or {}), **mark}
    result = changed(result, ("spec", "selector", "matchLabels"), selector)
    pods = {**(metadata(template(declared)).get("labels") or {}), **mark}
    return changed(result, ("spec", "template", "metadata", "labels"), pods)


def course(declared: Manifest, former: Former, settings: Settings) -> Course:
    whole = rolling.course(declared, former, settings)
    old = former.plain(declared)
    # Nothing serves yet, or nothing changes in the pods: there is nobody to compare with.
    if old is None or template_of(old) == template_of(declared):
        return whole
    total = replicas(old)
    numbers = sorted({step.of(total) for step in settings.steps})
    canaries = [beside(declared, number, settings) for number in numbers]
    which = ref(beside(declared, 1, settings))
    steps = [
        Stage(f"tries {number} of {total}", apply=(canary,), settled=(which,), gate=True)
        for number, canary in zip(numbers, canaries)
    ]
    gone = Stage("takes the canary away", delete=(which,))
    return replace(
        whole,
        forward=(*steps, *whole.forward, gone),
        back=(gone, *whole.back),
        transient=(which,),
    )
