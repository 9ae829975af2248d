"""Which pods leave a node when it is emptied, and which budgets will not let them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.diagnose import at
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import (
    Object,
    condition,
    metadata,
    spec,
    status,
)

MIRROR = "kubernetes.io/config.mirror"
ENDED = ("Succeeded", "Failed")
PRESENT = {"Exists": True, "DoesNotExist": False}


@dataclass(frozen=True)
class Leaving:
    """The pods of a node: those that go elsewhere, and why some may not be sent away at all."""

    pods: tuple[Object, ...]
    refused: tuple[str, ...]


def leaving(pods: Iterable[Object], force: bool, scratch: bool) -> Leaving:
    """Pods of DaemonSets and those that the kubelet runs from files belong to their node, and stay.

    `force`: also pods that nothing makes anew. `scratch`: also pods that lose files of an emptyDir.
    """
    going, refused = [], []
    for pod in pods:
        about = metadata(pod)
        controller = next((one for one in about.get("ownerReferences") or () if one.get("controller")), None)
        if MIRROR in (about.get("annotations") or {}) or (controller or {}).get("kind") == "DaemonSet":
            continue
        ended = status(pod).get("phase") in ENDED
        if controller is None and not force and not ended:
            refused.append(f"{named(pod)} has no controller: nothing would make it anew; delete it, or allow force")
        elif not scratch and not ended and any("emptyDir" in volume for volume in spec(pod).get("volumes") or ()):
            refused.append(f"{named(pod)} would lose the files in its emptyDir; allow delete_emptydir_data")
        else:
            going.append(pod)
    return Leaving(tuple(going), tuple(refused))


def named(pod: Object) -> str:
    return f"Pod {metadata(pod).get('namespace')}/{metadata(pod).get('name')}"


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, Any]) -> bool:
    """Whether a label selector fits; an empty one fits everything, none fits nothing."""
    if selector is None:
        return False
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for rule in selector.get("matchExpressions") or ():
        key, operator, values = rule.get("key"), rule.get("operator"), rule.get("values") or ()
        if operator in PRESENT:
            if (key in labels) != PRESENT[operator]:
                return False
        elif operator == "In":
            if labels.get(key) not in values:
                return False
        elif labels.get(key) in values:  # NotIn, which a missing label fits as well
            return False
    return True


def budgets_of(pod: Object, budgets: Iterable[Object]) -> list[Object]:
    about = metadata(pod)
    return [
        budget
        for budget in budgets
        if metadata(budget).get("namespace") == about.get("namespace")
        and matches(spec(budget).get("selector"), about.get("labels") or {})
    ]


def blockers(budgets: Sequence[Object], pods: Sequence[Object], nodes: Sequence[str]) -> list[str]:
    """What would keep `nodes` from being emptied however long one waits, one line each; `pods` are all of the cluster.

    A budget that allows nothing at the moment, because pods are not ready, is one as well: nobody knows when they are.
    """
    found: dict[str, None] = {}
    here = [pod for pod in pods if spec(pod).get("nodeName") in nodes]
    for pod in leaving(here, force=True, scratch=True).pods:
        if status(pod).get("phase") in ENDED:
            continue
        own = budgets_of(pod, budgets)
        if len(own) > 1:
            names = ", ".join(str(metadata(budget).get("name")) for budget in own)
            found[f"{named(pod)} is in several budgets ({names}), which the API server refuses to evict from"] = None
        for budget in own:
            text = blocked(budget, pods)
            if text:
                found[text] = None
    return list(found)


def blocked(budget: Object, pods: Sequence[Object]) -> str:
    """Why a budget lets no pod go; '' where it does."""
    about, now = metadata(budget), status(budget)
    # Of a budget that has just been made or changed the controller has said nothing yet.
    stale = int(now.get("observedGeneration") or 0) < int(about.get("generation") or 0)
    if int(now.get("disruptionsAllowed") or 0) > 0 or stale:
        return ""
    wanted, have, all_of = (int(now.get(key) or 0) for key in ("desiredHealthy", "currentHealthy", "expectedPods"))
    if not all_of:
        return ""
    name = f"PodDisruptionBudget {about.get('namespace')}/{about.get('name')}"
    if wanted >= all_of:
        rule = next(
            (f"{key}: {spec(budget)[key]}" for key in ("minAvailable", "maxUnavailable") if key in spec(budget)),
            "its rule",
        )
        return (
            f"{name} never lets a pod go: {rule} wants {wanted} of {all_of} pods; lower it, or run more pods than that"
        )
    away = [named(pod) for pod in pods if budget in budgets_of(pod, [budget]) and not is_ready(pod)]
    shown = f" ({', '.join(away[:3])} not ready)" if away else ""
    return f"{name} lets no pod go now: {have} of {all_of} pods are healthy, {wanted} must be{shown}; make them ready"


def is_ready(pod: Object) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def stays(pod: Object, refusal: str, budgets: Sequence[Object], pods: Sequence[Object], now: float) -> str:
    """Why a pod is still on its node. `refusal`: what the API server said of the last attempt to send it away."""
    about = metadata(pod)
    if about.get("deletionTimestamp"):
        # The timestamp is the end of its grace period.
        grace = float(about.get("deletionGracePeriodSeconds") or 0)
        since = now - (at(about["deletionTimestamp"]) or now) + grace
        kept = about.get("finalizers")
        if kept:
            return f"{named(pod)} is kept by {', '.join(kept)}: what set this finalizer has not let it go"
        if since <= grace:
            return f"{named(pod)} is ending for {since:.0f} s; its terminationGracePeriodSeconds are {grace:.0f}"
        return f"{named(pod)} should have ended {since - grace:.0f} s ago; its node's kubelet does not end it"
    reasons = [text for text in (blocked(budget, pods) for budget in budgets_of(pod, budgets)) if text]
    if reasons:
        return f"{named(pod)}: {'; '.join(reasons)}"
    return f"{named(pod)}: {refusal or 'it has not been asked to leave yet'}"
