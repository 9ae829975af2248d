# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a workload does not become ready: the pod, the container, the reason and what to do, in one sentence. Pure.

Some reasons are final: an image that does not exist will not exist in a minute. Others pass by themselves, such as a
registry that is slow or a node that is added: they are given patience, and are named where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .objects import Object, condition, metadata, spec, status

NEVER = float("inf")  # patience that only the rollout's own deadline ends
RESTARTS = 2  # of a container that crashes: the first may be a race with what it needs
LINES = 10  # of a log that are shown

# What registries say of an image that will be no other next time.
ABSENT = re.compile(
    r"not found|manifest unknown|name unknown|repository does not exist|invalid reference", re.IGNORECASE
)
REFUSED = re.compile(
    r"unauthorized|authorization failed|access denied|pull access|forbidden|no basic auth", re.IGNORECASE
)
QUOTA = re.compile(r"exceeded quota|forbidden: maximum|is forbidden", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """What is wrong with one pod or workload. `final`: waiting longer would change nothing."""

    subject: str
    reason: str
    text: str
    advice: str
    final: bool = False
    pod: str = ""
    namespace: str = ""
    container: str = ""
    previous: bool = False  # the last words are those of the container before this one
    started: bool = False  # only what has run has a log

    def sentence(self) -> str:
        return f"{self.subject}: {self.reason}: {self.text}. {self.advice}"


def at(text: object) -> float | None:
    """Kubernetes' time in seconds since 1970."""
    try:
        moment = datetime.strptime(str(text)[:19], "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - always UTC
    except ValueError:
        return None
    return moment.replace(tzinfo=timezone.utc).timestamp()


def _age(since: object, now: float) -> float:
    began = at(since)
    return 0.0 if began is None else now - began


def findings(
    pods: Iterable[Object],
    workload: Object | None,
    now: float,
    patience: float,
    events: Iterable[Object] = (),
    since: float = 0,
) -> list[Finding]:
    """All that is wrong, what is final first. `since`: when the workload became what it is now; what was said of it
    before that may be of pods that nobody wants any more, and is no proof."""
    events = [one for one in events if (at(one.get("lastTimestamp")) or now) >= int(since)]
    found = [*_workload(workload, now, patience, since), *_denied(events)] if workload is not None else []
    probes = _probes(events)
    for pod in pods:
        if not metadata(pod).get("deletionTimestamp"):
            found += _pod(pod, now, patience, probes)
    return sorted(found, key=lambda item: (not item.final, not item.container, item.subject))


def _workload(workload: Object, now: float, patience: float, since: float) -> list[Finding]:
    """A Deployment tells of its old ReplicaSets as well, until their controller comes by."""
    trouble = condition(workload, "ReplicaFailure")
    if trouble.get("status") != "True":
        return []
    message = str(trouble.get("message", ""))
    # Old pods that are ending give back what they used.
    final = bool(QUOTA.search(message)) and (
        min(_age(trouble.get("lastTransitionTime"), now), now - since) >= min(patience, 15)
    )
    return [_creation(workload, message, final)]


def _creation(workload: Object, message: str, final: bool) -> Finding:
    subject = f"{workload.get('kind')} {metadata(workload).get('namespace')}/{metadata(workload).get('name')}"
    if "exceeded quota" in message:
        advice = "Raise the namespace's ResourceQuota, or ask for less; a rollout needs room for its surge as well"
        return Finding(subject, "QuotaExceeded", message, advice, final)
    return Finding(subject, "FailedCreate", message, "Change what the cluster's admission refuses", final)


def _denied(events: Iterable[Object]) -> list[Finding]:
    """Workloads without a condition for it (StatefulSet, DaemonSet, Job) tell of pods that they cannot create here."""
    found = {}
    for event in events:
        about = event.get("involvedObject") or {}
        if event.get("reason") == "FailedCreate" and about.get("kind") in ("StatefulSet", "DaemonSet", "Job"):
            item = {"kind": about.get("kind"), "metadata": about}
            message = str(event.get("message", ""))
            found[str(about.get("name"))] = _creation(item, message, bool(QUOTA.search(message)))
    return list(found.values())


def _probes(events: Iterable[Object]) -> dict[str, str]:
    """Pod -> what its last failed probe said."""
    said: dict[str, str] = {}
    for event in sorted(events, key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime") or "")):
        if event.get("reason") == "Unhealthy":
            said[str((event.get("involvedObject") or {}).get("name"))] = str(event.get("message", ""))
    return said


def _pod(pod: Object, now: float, patience: float, probes: Mapping[str, str]) -> list[Finding]:
    about = metadata(pod)
    place = f"Pod {about.get('namespace')}/{about.get('name')}"
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        final = _age(scheduled.get("lastTransitionTime"), now) >= patience
        advice = "Add nodes, free some, or ask for less (requests, affinity, tolerations, volumes)"
        return [Finding(place, str(scheduled.get("reason")), str(scheduled.get("message", "")), advice, final)]
    containers = [
        *((one, True) for one in status(pod).get("initContainerStatuses") or []),
        *((one, False) for one in status(pod).get("containerStatuses") or []),
    ]
    found = [_container(pod, one, initial, now, patience, probes) for one, initial in containers]
    if status(pod).get("phase") == "Failed" and not any(found):
        reason = str(status(pod).get("reason") or "Failed")
        found.append(Finding(place, reason, str(status(pod).get("message", "it failed")), "Look at its node"))
    return [one for one in found if one]


def _container(
    pod: Object, one: Mapping[str, Any], initial: bool, now: float, patience: float, probes: Mapping[str, str]
) -> Finding | None:
    name = str(one.get("name"))
    about = metadata(pod)
    subject = f"Pod {about.get('namespace')}/{about.get('name')}, {'init ' if initial else ''}container {name}"
    restarts = int(one.get("restartCount") or 0)
    state = one.get("state") or {}
    waiting, running, ended = (state.get(key) or {} for key in ("waiting", "running", "terminated"))

    def found(reason: str, text: str, advice: str, final: bool, started: bool = False) -> Finding:
        return Finding(
            subject, reason, text, advice, final, str(about.get("name")), str(about.get("namespace")), name,
            previous=started and restarts > 0 and not ended, started=started,
        )  # fmt: skip

    reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    age = _age(about.get("creationTimestamp"), now)
    if reason in ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"):
        return found(*_image(pod, one, reason, message), final=_image_final(reason, message, age, patience))
    if reason == "CreateContainerConfigError":
        return found(reason, message, "Create the Secret or ConfigMap that it names, or correct the name", True)
    last = (one.get("lastState") or {}).get("terminated") or ended
    crashed = bool(ended) and (ended.get("exitCode") or not initial) and spec(pod).get("restartPolicy") != "OnFailure"
    if reason == "CrashLoopBackOff" or (last and last.get("exitCode") and restarts >= RESTARTS) or crashed:
        final = reason == "CrashLoopBackOff" or restarts >= RESTARTS
        return found(*_crash(reason or "Error", last, restarts, probes.get(str(about.get("name")), "")), final, True)
    if reason in ("CreateContainerError", "RunContainerError"):
        return found(reason, message, "See command, mounts and securityContext of the container", age >= patience)
    if running and not one.get("ready") and not initial:
        said = probes.get(str(about.get("name")), "")
        text = said or f"runs for {_age(running.get('startedAt'), now):.0f} s and is not ready"
        # How long something may start is the workload's to say: by its deadline, not by ours.
        return found("ProbeFailed", text, "See what the readiness probe asks, and the log", False, True)
    return None


def _image(pod: Object, one: Mapping[str, Any], reason: str, message: str) -> tuple[str, str, str]:
    image = one.get("image") or next(
        (each.get("image") for each in spec(pod).get("containers") or [] if each.get("name") == one.get("name")), ""
    )
    if REFUSED.search(message):
        advice = (
            "Give the pod an imagePullSecret that may read it; registries say the same of an image that is not there"
        )
    elif ABSENT.search(message) or reason in ("InvalidImageName", "ErrImageNeverPull"):
        advice = "Correct the name, tag or digest, or push the image"
    else:
        advice = "See whether the nodes reach the registry"
    return reason, f"{image}: {message or 'no more is said'}", advice


def _image_final(reason: str, message: str, age: float, patience: float) -> bool:
    if reason in ("InvalidImageName", "ErrImageNeverPull"):
        return True
    return bool(ABSENT.search(message) or REFUSED.search(message)) or age >= patience


def _crash(reason: str, last: Mapping[str, Any], restarts: int, probe: str) -> tuple[str, str, str]:
    code, why = last.get("exitCode"), str(last.get("reason", ""))
    if why == "OOMKilled":
        return (
            "OOMKilled",
            f"it needed more than its memory limit, {restarts} restarts",
            "Raise the limit, or need less",
        )
    signal = f" (signal {code - 128})" if isinstance(code, int) and code > 128 else ""
    text = f"ended with exit code {code}{signal}, {restarts} restarts"
    if "iveness" in probe or "tartup" in probe:
        return reason, f"{text}; {probe}", "See what the probe asks, and whether it leaves enough time to start"
    return reason, text, "See its last words"
