# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How an object stands, by itself: ready, on its way, or failed. Pure.

A status speaks for the generation that its controller has seen. Until `observedGeneration` has caught up it tells of
the state before, in which everything may be well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .objects import Object, condition, metadata, ref, replicas, spec, status

READY = "ready"
PROGRESSING = "progressing"
FAILED = "failed"


@dataclass(frozen=True)
class State:
    """`reason` is a phrase that ends the sentence `Deployment chat/api …`."""

    state: str
    reason: str

    @property
    def ready(self) -> bool:
        return self.state == READY

    @property
    def failed(self) -> bool:
        return self.state == FAILED


def _ready(reason: str) -> State:
    return State(READY, reason)


def _progressing(reason: str) -> State:
    return State(PROGRESSING, reason)


def _failed(reason: str) -> State:
    return State(FAILED, reason)


def state_of(item: Object) -> State:
    """The state of an object as the API server returned it."""
    if metadata(item).get("deletionTimestamp"):
        return _progressing("is being deleted")
    which = ref(item)
    judge = JUDGES.get((which.group, which.kind))
    return judge(item) if judge else _ready("is there")


def _seen(item: Object) -> bool:
    return int(status(item).get("observedGeneration") or 0) >= int(metadata(item).get("generation") or 0)


def _count(item: Object, key: str) -> int:
    return int(status(item).get(key) or 0)


NOT_SEEN = _progressing("waits for its controller to see the change")


def _deployment(item: Object) -> State:
    if not _seen(item):
        return NOT_SEEN
    progress = condition(item, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        limit = spec(item).get("progressDeadlineSeconds", 600)
        return _failed(f"made no progress for {limit} s (ProgressDeadlineExceeded)")
    wanted, updated, available = replicas(item), _count(item, "updatedReplicas"), _count(item, "availableReplicas")
    if updated < wanted:
        return _progressing(f"has {updated} of {wanted} new pods")
    old = _count(item, "replicas") - updated
    if old > 0:
        return _progressing(f"waits for {old} old pods to end")
    if available < updated:
        return _progressing(f"has {available} of {updated} new pods available")
    if spec(item).get("paused"):
        return _failed("is paused; resume it, or leave `paused` out")
    return _ready(f"has {available} of {wanted} pods available")


def _replica_set(item: Object) -> State:
    if not _seen(item):
        return NOT_SEEN
    trouble = condition(item, "ReplicaFailure")
    if trouble.get("status") == "True":
        return _failed(f"cannot create its pods: {trouble.get('message', '')}")
    wanted, available = replicas(item), _count(item, "availableReplicas")
    return (_ready if available >= wanted else _progressing)(f"has {available} of {wanted} pods available")


def partition(item: Object) -> int:
    strategy = spec(item).get("updateStrategy") or {}
    return int((strategy.get("rollingUpdate") or {}).get("partition") or 0)


def _stateful_set(item: Object) -> State:
    if not _seen(item):
        return NOT_SEEN
    wanted, available = replicas(item), _count(item, "availableReplicas")
    if _count(item, "replicas") != wanted:
        return _progressing(f"has {_count(item, 'replicas')} pods, of {wanted}")
    if available < wanted:
        return _progressing(f"has {available} of {wanted} pods available")
    same = status(item).get("currentRevision") == status(item).get("updateRevision")
    updated = wanted if same else _count(item, "updatedReplicas")
    # Above the partition nothing is updated, and with OnDelete nobody updates: both are wanted so.
    due = max(0, wanted - partition(item))
    rolling = (spec(item).get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate"
    if rolling and updated < due:
        return _progressing(f"has {updated} of {due} pods updated")
    return _ready(f"has {available} of {wanted} pods available, {updated} of them new")


def _daemon_set(item: Object) -> State:
    if not _seen(item):
        return NOT_SEEN
    wanted, updated = _count(item, "desiredNumberScheduled"), _count(item, "updatedNumberScheduled")
    rolling = (spec(item).get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate"
    if rolling and updated < wanted:
        return _progressing(f"is updated on {updated} of {wanted} nodes")
    available = _count(item, "numberAvailable")
    if available < wanted:
        return _progressing(f"is available on {available} of {wanted} nodes")
    return _ready(f"is available on {available} of {wanted} nodes")


def _job(item: Object) -> State:
    failure = condition(item, "Failed")
    if failure.get("status") == "True":
        return _failed(f"failed: {failure.get('reason', '')}: {failure.get('message', '')}")
    if condition(item, "Complete").get("status") == "True":
        return _ready("is complete")
    return _progressing(f"runs, {_count(item, 'active')} pods active, {_count(item, 'failed')} failed")


def _claim(item: Object) -> State:
    phase = status(item).get("phase")
    if phase == "Lost":
        return _failed("has lost its volume")
    # With WaitForFirstConsumer a claim is bound when its first pod is placed: nobody may wait for it before.
    return _ready("is bound" if phase == "Bound" else "waits for its first pod")


def _namespace(item: Object) -> State:
    gone = status(item).get("phase") == "Terminating"
    return _failed("is being deleted; wait until it is gone") if gone else _ready("is there")


# What is not named here is ready when it is there. A load balancer's address is not waited for: not each cluster gives
# one.
JUDGES: dict[tuple[str, str], Callable[[Object], State]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Namespace"): _namespace,
}
