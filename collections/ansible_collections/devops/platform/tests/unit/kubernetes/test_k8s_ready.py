"""How objects stand, by what the API server returned of them."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.ready import state_of


def recorded(kind, spec, status, generation=2, api="apps/v1", **about):
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": "api", "namespace": "chat", "generation": generation, **about},
        "spec": spec,
        "status": status,
    }


FULL = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "readyReplicas": 3}
LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "has timed out"}
SET = {**FULL, "currentRevision": "db-a", "updateRevision": "db-b"}
HELD = {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}
NODES = {"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}
CASES = {
    "all is new and available": ("Deployment", {"replicas": 3}, FULL, "ready", "3 of 3"),
    "the status is of the generation before": (
        "Deployment",
        {"replicas": 3},
        {**FULL, "observedGeneration": 1},
        "progressing",
        "waits for its controller",
    ),
    # kubernetes.core calls this ready: as many are available as wanted, and one of them is old.
    "an old pod is among the available": (
        "Deployment",
        {"replicas": 3},
        {**FULL, "updatedReplicas": 2},
        "progressing",
        "2 of 3 new pods",
    ),
    "an old pod is still there": ("Deployment", {"replicas": 3}, {**FULL, "replicas": 4}, "progressing", "1 old pods"),
    "new ones are not available": (
        "Deployment",
        {"replicas": 3},
        {**FULL, "availableReplicas": 2},
        "progressing",
        "2 of 3 new pods available",
    ),
    "no progress": (
        "Deployment",
        {"replicas": 3, "progressDeadlineSeconds": 120},
        {**FULL, "updatedReplicas": 1, "conditions": [LATE]},
        "failed",
        "120 s (ProgressDeadlineExceeded)",
    ),
    "no progress of the generation before": (
        "Deployment",
        {"replicas": 3},
        {**FULL, "observedGeneration": 1, "conditions": [LATE]},
        "progressing",
        "waits",
    ),
    "scaled to nothing": ("Deployment", {"replicas": 0}, {"observedGeneration": 2}, "ready", "0 of 0"),
    "a number of replicas that was left out is one": (
        "Deployment",
        {},
        {"observedGeneration": 2, "replicas": 0},
        "progressing",
        "0 of 1",
    ),
    "a set that is all new": ("StatefulSet", {"replicas": 3}, {**SET, "currentRevision": "db-b"}, "ready", "3 of 3"),
    "a set that is half new": (
        "StatefulSet",
        {"replicas": 3},
        {**SET, "updatedReplicas": 1},
        "progressing",
        "1 of 3 pods updated",
    ),
    "a set that is held at its partition": (
        "StatefulSet",
        HELD,
        {**SET, "updatedReplicas": 1},
        "ready",
        "1 of them new",
    ),
    "a set whose held pods are not all there yet": (
        "StatefulSet",
        HELD,
        {**SET, "updatedReplicas": 0},
        "progressing",
        "0 of 1 pods updated",
    ),
    "a set with a pod too few": (
        "StatefulSet",
        {"replicas": 3},
        {**SET, "availableReplicas": 2},
        "progressing",
        "2 of 3 pods available",
    ),
    "daemons everywhere": ("DaemonSet", {}, NODES, "ready", "3 of 3 nodes"),
    "daemons of which one is old": (
        "DaemonSet",
        {},
        {**NODES, "updatedNumberScheduled": 2},
        "progressing",
        "updated on 2 of 3",
    ),
    "daemons that nobody updates": (
        "DaemonSet",
        {"updateStrategy": {"type": "OnDelete"}},
        {**NODES, "updatedNumberScheduled": 1},
        "ready",
        "3 of 3",
    ),
    "a daemon that is down": ("DaemonSet", {}, {**NODES, "numberAvailable": 2}, "progressing", "available on 2 of 3"),
    "pods that are refused": (
        "ReplicaSet",
        {"replicas": 3},
        {
            "observedGeneration": 2,
            "conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}],
        },
        "failed",
        "exceeded quota",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_states(case):
    kind, spec, status, state, reason = CASES[case]
    found = state_of(recorded(kind, spec, status))
    assert found.state == state
    assert reason in found.reason


@pytest.mark.parametrize(
    ("kind", "api", "status", "state"),
    [
        ("Job", "batch/v1", {"active": 1}, "progressing"),
        ("Job", "batch/v1", {"conditions": [{"type": "Complete", "status": "True"}]}, "ready"),
        ("Job", "batch/v1", {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimit"}]}, "failed"),
        ("PersistentVolumeClaim", "v1", {"phase": "Lost"}, "failed"),
        ("PersistentVolumeClaim", "v1", {"phase": "Pending"}, "ready"),
        ("Namespace", "v1", {"phase": "Terminating"}, "failed"),
        ("Service", "v1", {"loadBalancer": {}}, "ready"),
    ],
)
def test_states_of_others(kind, api, status, state):
    assert state_of(recorded(kind, {}, status, api=api)).state == state


def test_what_is_being_deleted_is_not_ready():
    item = recorded("Deployment", {"replicas": 3}, FULL, deletionTimestamp="2026-01-01T00:00:00Z")
    assert state_of(item).state == "progressing"
