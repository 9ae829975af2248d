# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a strategy makes of a workload: stages forward, and stages back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import (
    COLOUR,
    Manifest,
    Object,
    Ref,
    labels,
    metadata,
    ref,
    status,
    template_of,
)

from .settings import Amount


@dataclass(frozen=True)
class Renew:
    """Pods that are deleted so that their controller makes them from `template`.

    With `step` old pods go until so many are new, `parallel` at a time. Without it only those go that neither are of
    the template nor ready: a StatefulSet waits for such a pod for ever.
    """

    workload: Ref
    template: str
    step: Amount | None = None
    parallel: int = 1

    def enough(self, pods: Sequence[Object], total: int) -> bool:
        return self.step is None or self._new(pods) >= self.step.of(total)

    def due(self, pods: Sequence[Object], total: int) -> list[Object]:
        """The pods to delete now, always the same ones of the same `pods`. `total`: how many there are to be."""
        old = [pod for pod in pods if template_of(pod) != self.template and not _going(pod)]
        old.sort(key=lambda pod: str(metadata(pod)["name"]))
        down = [pod for pod in pods if not pod_ready(pod)]
        stuck = [pod for pod in old if pod in down]
        if self.step is None or stuck:
            return stuck
        # One that is gone and not made anew yet is seen nowhere.
        missing = max(0, total - len(pods))
        coming = missing + sum(_going(pod) for pod in pods)
        wanted = self.step.of(total) - self._new(pods) - coming
        return old[: max(0, min(wanted, self.parallel - len(down) - missing))]

    def _new(self, pods: Sequence[Object]) -> int:
        return sum(template_of(pod) == self.template for pod in pods)


def _going(pod: Object) -> bool:
    return bool(metadata(pod).get("deletionTimestamp"))


def pod_ready(pod: Object) -> bool:
    conditions = status(pod).get("conditions") or []
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return ready and not _going(pod)


@dataclass(frozen=True)
class Stage:
    """Apply and delete, then wait until all of `settled` is ready. `gate`: it is measured before the next one."""

    says: str
    apply: tuple[Manifest, ...] = ()
    delete: tuple[Ref, ...] = ()
    settled: tuple[Ref, ...] = ()
    renew: Renew | None = None
    gate: bool = False


@dataclass(frozen=True)
class Course:
    """`concrete`: what there is of the workload when the rollout is kept; `transient`: what there is only meanwhile.

    `retire`: those of `concrete` that are applied only when nothing is taken back any more.
    """

    workload: Ref
    template: str
    forward: tuple[Stage, ...]
    back: tuple[Stage, ...]
    concrete: tuple[Manifest, ...]
    transient: tuple[Ref, ...] = ()
    retire: tuple[Manifest, ...] = ()
    colour: str = ""

    def stages(self, back: bool) -> tuple[Stage, ...]:
        return self.back if back else self.forward


@dataclass(frozen=True)
class Former:
    """What the last kept state has of a workload and of the Services that lead to it.

    `manifests`: those of the workload, by name: itself, or its colours. `switches`: Services as they are to be, whose
    selectors change with this rollout; `switches_before`: the same as they were.
    """

    manifests: dict[str, Manifest] = field(default_factory=dict)
    colour: str = ""
    services: tuple[Manifest, ...] = ()
    services_before: tuple[Manifest, ...] = ()

    def plain(self, declared: Object) -> Manifest | None:
        return self.manifests.get(str(metadata(declared)["name"]))


def refs(items: Iterable[Object]) -> tuple[Ref, ...]:
    return tuple(ref(item) for item in items)


def restored(former: Former, came: Iterable[Ref]) -> tuple[Stage, ...]:
    """The way back that suits all: what served serves again, then the Services lead to it, then the rest follows."""
    old = tuple(former.manifests.values())
    serving = tuple(item for item in old if labels(item).get(COLOUR, "") == former.colour)
    idle = tuple(item for item in old if item not in serving)
    known = set(refs(old))
    gone = tuple(item for item in came if item not in known)
    stages = []
    if serving:
        stages.append(Stage("puts the old state back", apply=serving, settled=refs(serving)))
    if former.services_before:
        stages.append(Stage("leads the Service back", apply=former.services_before))
    if idle or gone:
        stages.append(Stage("takes away what came", apply=idle, delete=gone))
    return tuple(stages)
