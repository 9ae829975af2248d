"""What is said of pods that do not become ready, and which of it is final."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.diagnose import at, findings

BORN = "2026-01-01T12:00:00Z"
IMAGE = "registry.example.com/chat:9"
BORN_AT = at(BORN) or 0.0


def pod(container=None, conditions=(), init=None, phase="Pending", **spec):
    one = {
        "name": "api",
        "image": IMAGE,
        "ready": False,
        "restartCount": 0,
        **(container or {}),
    }
    return {
        "kind": "Pod",
        "metadata": {"name": "api-7d4b9-x2x", "namespace": "chat", "creationTimestamp": BORN},
        "spec": {"containers": [{"name": "api", "image": IMAGE}], **spec},
        "status": {
            "phase": phase,
            "conditions": list(conditions),
            "containerStatuses": [one] if container is not None else [],
            "initContainerStatuses": [init] if init else [],
        },
    }


def waiting(reason, message=""):
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def ended(code, restarts=0, reason="Error", **more):
    last = {"exitCode": code, "reason": reason}
    return {"restartCount": restarts, "lastState": {"terminated": last}, **more}


PULL = 'Back-off pulling image "registry.example.com/chat:9": ErrImagePull: '
UNPLACED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient cpu.",
    "lastTransitionTime": BORN,
}
# name: pod, seconds after its creation, final?, what the sentence holds
CASES = {
    "no such image": (
        pod(waiting("ImagePullBackOff", PULL + "rpc error: code = NotFound: registry.example.com/chat:9: not found")),
        3,
        True,
        ("Pod chat/api-7d4b9-x2x, container api: ImagePullBackOff", "chat:9", "push the image"),
    ),
    "not allowed to pull": (
        pod(waiting("ErrImagePull", "pull access denied, repository does not exist or may require authorization")),
        3,
        True,
        ("imagePullSecret",),
    ),
    "a slow registry": (
        pod(waiting("ErrImagePull", "Get https://registry.example.com/v2/: net/http: TLS handshake timeout")),
        30,
        False,
        ("reach the registry",),
    ),
    "a registry that stays away": (
        pod(waiting("ImagePullBackOff", "dial tcp: i/o timeout")),
        61,
        True,
        ("reach the registry",),
    ),
    "a name that is none": (
        pod(waiting("InvalidImageName", "invalid reference format")),
        0,
        True,
        ("Correct the name",),
    ),
    "a crash loop": (
        pod({**ended(1, 3), **waiting("CrashLoopBackOff", "back-off 40s")}),
        3,
        True,
        ("CrashLoopBackOff: ended with exit code 1, 3 restarts", "last words"),
    ),
    "a first crash": (pod(ended(1, 1, state={"running": {"startedAt": BORN}})), 3, False, ("runs for 3 s",)),
    "a second crash": (
        pod(ended(139, 2, state={"running": {"startedAt": BORN}})),
        3,
        True,
        ("exit code 139 (signal 11)",),
    ),
    "too little memory": (
        pod({**ended(137, 2, "OOMKilled"), **waiting("CrashLoopBackOff")}),
        3,
        True,
        ("OOMKilled", "Raise the limit"),
    ),
    "a missing Secret": (
        pod(waiting("CreateContainerConfigError", 'secret "credentials" not found')),
        0,
        True,
        ('secret "credentials" not found', "Create the Secret"),
    ),
    "a program that is not there": (
        pod(waiting("RunContainerError", 'exec: "serve": not found')),
        10,
        False,
        ('"serve"', "command"),
    ),
    "no room": (pod(conditions=[UNPLACED]), 10, False, ("Unschedulable: 0/3 nodes", "Add nodes")),
    "no room for long": (pod(conditions=[UNPLACED]), 60, True, ("Unschedulable",)),
    "not ready yet": (pod({"state": {"running": {"startedAt": BORN}}}, phase="Running"), 500, False, ("ProbeFailed",)),
    "an init container": (
        pod({}, init={"name": "wait", "restartCount": 4, **waiting("CrashLoopBackOff"), "lastState": {}}),
        5,
        True,
        ("init container wait",),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_sentences(case):
    item, seconds, final, parts = CASES[case]
    found = findings([item], None, BORN_AT + seconds, patience=60)
    assert [one.final for one in found] == [final]
    for part in parts:
        assert part in found[0].sentence()


@pytest.mark.parametrize(
    "item",
    [
        pod({"ready": True, "state": {"running": {"startedAt": BORN}}}, phase="Running"),
        pod({}, init={"name": "wait", "restartCount": 0, "state": {"terminated": {"exitCode": 0}}, "ready": True}),
        pod(waiting("ContainerCreating")),
        {**pod(waiting("CrashLoopBackOff")), "metadata": {"name": "a", "deletionTimestamp": BORN}},
    ],
)
def test_nothing_is_said_of_what_is_well_or_goes(item):
    assert findings([item], None, BORN_AT, 60) == []


def test_the_last_probe_is_told():
    events = [
        {
            "reason": "Unhealthy",
            "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
            "involvedObject": {"kind": "Pod", "name": "api-7d4b9-x2x"},
        }
    ]
    item = pod({"state": {"running": {"startedAt": BORN}}}, phase="Running")
    assert "statuscode: 503" in findings([item], None, BORN_AT, 60, events)[0].sentence()


def test_quotas():
    refused = 'pods "api-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3'
    condition = {"type": "ReplicaFailure", "status": "True", "message": refused, "lastTransitionTime": BORN}
    item = {
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "chat"},
        "status": {"conditions": [condition]},
    }
    early, late = (findings([], item, BORN_AT + seconds, 60)[0] for seconds in (2, 20))
    # What old pods used is free in a moment.
    assert (early.final, late.final) == (False, True)
    assert "QuotaExceeded" in late.sentence()
    assert "surge" in late.advice
    events = [
        {"reason": "FailedCreate", "message": refused, "involvedObject": {"kind": "StatefulSet", "name": "db"}},
    ]
    assert findings([], item | {"status": {}}, BORN_AT, 60, events)[0].final


def test_what_was_said_before_is_no_proof():
    """The old state is put back, and a Deployment still tells of pods of the new one."""
    refused = 'pods "api-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3'
    condition = {"type": "ReplicaFailure", "status": "True", "message": refused, "lastTransitionTime": BORN}
    about = {"name": "api", "namespace": "chat"}
    item = {"kind": "Deployment", "metadata": about, "status": {"conditions": [condition]}}
    back = BORN_AT + 20
    assert not findings([], item, back + 2, 60, since=back)[0].final
    assert findings([], item, back + 20, 60, since=back)[0].final
    event = {"reason": "FailedCreate", "message": refused, "involvedObject": {"kind": "StatefulSet", "name": "db"}}
    item = {"kind": "StatefulSet", "metadata": about}
    assert findings([], item, back, 60, [event | {"lastTimestamp": BORN}], since=back) == []
    assert findings([], item, back, 60, [event | {"lastTimestamp": BORN}], since=BORN_AT)[0].final
