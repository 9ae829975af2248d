# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Deployment whose controller exchanges pod after pod, with none less than promised meanwhile. Pure."""

from __future__ import annotations

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import (
    Manifest,
    changed,
    ref,
    template_of,
)

from .course import Course, Former, Stage, restored
from .settings import Settings


def prepared(declared: Manifest, settings: Settings) -> Manifest:
    """With the strategy that keeps the promise, whatever the declared one says."""
    if settings.type == "recreate":
        return changed(declared, ("spec", "strategy"), {"type": "Recreate"})
    update = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": settings.max_surge, "maxUnavailable": 0}}
    return changed(declared, ("spec", "strategy"), update)


def course(declared: Manifest, former: Former, settings: Settings) -> Course:
    new = prepared(declared, settings)
    which = ref(new)
    forward = [Stage("rolls out", apply=(new,), settled=(which,), gate=not former.services)]
    if former.services:
        forward.append(Stage("leads the Service to it", apply=former.services, settled=(which,), gate=True))
    return Course(which, template_of(new), tuple(forward), restored(former, (which,)), (new,))
