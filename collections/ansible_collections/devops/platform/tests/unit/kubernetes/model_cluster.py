"""A model of a cluster, small enough to be looked through: an API server's objects, and controllers that make pods.

It is a model: server-side apply is replacing, a pod is ready or crashes at the next tick, by its image (good or bad).
It checks at each tick that as many pods serve as was promised, and it can die before or after any change.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable

from ansible_collections.devops.platform.plugins.module_utils.kubernetes import cluster as kubernetes_cluster
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import (
    Manifest,
    Object,
    Ref,
    digest,
    is_workload,
    labels,
    metadata,
    ref,
    replicas,
    selects,
    spec,
    status,
    template,
    workload_of,
)


class KilledError(BaseException):
    """The controller died. No `except Exception` may hold it."""


class ModelCluster:
    """`cluster.Cluster` in memory."""

    def __init__(self) -> None:
        self.objects: dict[Ref, Manifest] = {}
        self.requests = 0
        self.clock = 1_700_000_000.0
        self.counter = 0
        self.kill_at: int | None = None  # number of the change
        self.kill_after = False
        self.mutations = 0
        self.log: list[str] = []
        self.conflicts: dict[Ref, tuple[tuple[str, str], ...]] = {}
        self.check: Callable[[], None] = lambda: None
        self.nodes = 3
        self.pods_made = 0
        self.shown: dict[Ref, Object] = {}
        self.stale: dict[Ref, Object] = {}

    # ---- what a rollout asks

    @property
    def seen(self) -> dict[Ref, Object]:
        return self.shown

    def _watched(self) -> dict[Ref, Object]:
        watched = [one for one in self.objects if is_workload(one) or one.kind in ("Pod", "Job")]
        return {one: copy.deepcopy(self.objects[one]) for one in watched}

    def now(self) -> float:
        return self.clock

    def learn(self, items: Iterable[Object]) -> None:
        pass

    def get(self, which: Ref) -> Object | None:
        self.requests += 1
        return copy.deepcopy(self.objects.get(which))

    def look(self, which: Iterable[Ref]) -> dict[Ref, Object]:
        self.requests += 1
        return {one: copy.deepcopy(self.objects[one]) for one in which if one in self.objects}

    def versions(self, namespace: str, selector: str) -> list[Object]:
        name, _, value = selector.partition("=")
        return [
            copy.deepcopy(item)
            for which, item in self.objects.items()
            if which.kind == "Secret" and which.namespace == namespace and labels(item).get(name) == value
        ]

    def _change(self, says: str, carry_out: Callable[[], None]) -> None:
        self.mutations += 1
        fatal = self.kill_at == self.mutations
        if fatal and not self.kill_after:
            raise KilledError(says)
        carry_out()
        self.log.append(says)
        self.check()
        if fatal:
            raise KilledError(says)

    def apply(self, item: Manifest, dry_run: bool = False, force: bool = False) -> Object:
        self.requests += 1
        which = ref(item)
        if which in self.conflicts and not force:
            raise kubernetes_cluster.Conflict(str(which), "conflict", self.conflicts[which])
        both = set(item.get("data") or {}) & set(item.get("binaryData") or {})
        if both:
            raise kubernetes_cluster.ApiError(str(which), 422, "Invalid", f"{both}: also present in binaryData")
        old = self.objects.get(which)
        new = copy.deepcopy(dict(item))
        about = new["metadata"]
        expected = about.pop("resourceVersion", None)
        if old and expected and expected != old["metadata"]["resourceVersion"]:
            raise kubernetes_cluster.Conflict(str(which), "the object has been modified", ())
        same = old is not None and _written(old) == _written(new)
        about["generation"] = (old["metadata"]["generation"] + (spec(old) != spec(new))) if old else 1
        about["resourceVersion"] = old["metadata"]["resourceVersion"] if same and old else str(self.counter + 1)
        if old and "status" in old:
            new["status"] = old["status"]
        if not dry_run:
            self.counter += 1
            self._change(f"apply {which}", lambda: self.objects.__setitem__(which, new))
        return copy.deepcopy(new)

    def create(self, item: Manifest) -> Object:
        if ref(item) in self.objects:
            raise kubernetes_cluster.Conflict(str(ref(item)), "already exists", ())
        return self.apply(item)

    def replace(self, item: Manifest) -> Object:
        return self.apply(item)

    def delete(self, which: Ref, uid: str = "") -> None:
        self.requests += 1
        if which in self.objects and uid in ("", self.objects[which]["metadata"].get("uid", "")):
            self._change(f"delete {which}", lambda: self._gone(which))

    def _gone(self, which: Ref) -> None:
        del self.objects[which]
        for pod in [one for one, item in self.objects.items() if one.kind == "Pod" and workload_of(item) == which]:
            del self.objects[pod]

    def watch(self, kinds: Iterable[tuple[str, str, str]]) -> None:
        self.requests += 1
        self.shown = self.stale = self._watched()

    def refresh(self, seconds: float) -> None:
        self.clock += seconds
        # A watch is late: it shows what was a tick ago.
        self.shown, self.stale = self.stale, self._watched()
        for which in [one for one in self.objects if is_workload(one) or one.kind == "Job"]:
            self._control(which)
        self.check()

    def events(self, namespace: str) -> list[Object]:
        self.requests += 1
        return []

    def logs(self, namespace: str, pod: str, container: str, previous: bool, lines: int) -> str:
        self.requests += 1
        return "cannot reach the database with password tr0ub4dor"

    # ---- what its controllers do

    def pods(self, which: Ref) -> list[Manifest]:
        found = [item for one, item in self.objects.items() if one.kind == "Pod" and workload_of(item) == which]
        return sorted(found, key=lambda item: item["metadata"]["name"])

    def _pod(self, owner: Manifest, name: str) -> None:
        self.pods_made += 1
        made = digest(template(owner))[:8]
        kind, parent = owner["kind"], owner["metadata"]["name"]
        if kind == "Deployment":
            kind, parent = "ReplicaSet", f"{parent}-{made}"
        namespace = owner["metadata"]["namespace"]
        image = spec(template(owner))["containers"][0]["image"]
        pod = {
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": str(self.pods_made),
                "creationTimestamp": "2023-11-14T22:13:20Z",
                "labels": {**labels(template(owner)), "pod-template-hash": made},
                "ownerReferences": [{"kind": kind, "name": parent, "controller": True}],
            },
            "spec": {"containers": [{"name": "app", "image": image}]},
            "status": {"phase": "Pending"},
            "born": self.clock,
        }
        self.objects[Ref("Pod", namespace, name)] = pod

    def _settle(self, pods: list[Manifest]) -> None:
        """Pods of earlier ticks come up, or crash."""
        for pod in pods:
            if pod["born"] == self.clock:
                continue
            image = pod["spec"]["containers"][0]["image"]
            if image.startswith("good"):
                pod["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
            else:
                waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
                last = {"terminated": {"exitCode": 1, "reason": "Error"}}
                one = {"name": "app", "restartCount": 3, "ready": False, "state": waiting, "lastState": last}
                pod["status"] = {"phase": "Running", "containerStatuses": [one]}

    def _control(self, which: Ref) -> None:
        item = self.objects[which]
        if which.kind == "Job":
            item["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
            return
        self._settle(self.pods(which))
        {"Deployment": self._deployment, "StatefulSet": self._set, "DaemonSet": self._daemons}[which.kind](which, item)

    def _deployment(self, which: Ref, item: Manifest) -> None:
        wanted = replicas(item)
        made = digest(template(item))[:8]
        update = (spec(item).get("strategy") or {}).get("rollingUpdate") or {}
        surge = update.get("maxSurge", 1)
        most = wanted + (surge if isinstance(surge, int) else math.ceil(int(surge[:-1]) * wanted / 100))
        pods = self.pods(which)
        new = [pod for pod in pods if labels(pod)["pod-template-hash"] == made]
        for _ in range(min(wanted - len(new), most - len(pods))):
            self.counter += 1
            self._pod(item, f"{which.name}-{made}-{self.counter}")
        # Old pods that do not serve go first; of those that do, none that is needed.
        old = sorted((pod for pod in pods if pod not in new), key=is_ready)
        spare = sum(map(is_ready, pods)) - wanted
        for pod in [*old, *new[wanted:]]:
            if is_ready(pod):
                if spare <= 0:
                    continue
                spare -= 1
            del self.objects[ref_of(pod)]
        pods = self.pods(which)
        new = [pod for pod in pods if labels(pod)["pod-template-hash"] == made]
        item["status"] = {
            "observedGeneration": item["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": len(new),
            "availableReplicas": sum(map(is_ready, pods)),
        }

    def _set(self, which: Ref, item: Manifest) -> None:
        wanted = replicas(item)
        made = digest(template(item))[:8]
        partition = ((spec(item).get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
        pods = {pod["metadata"]["name"]: pod for pod in self.pods(which)}
        names = [f"{which.name}-{number}" for number in range(wanted)]
        missing = [name for name in names if name not in pods]
        current = status(item).get("current") or template(item)
        if missing:
            number = int(missing[0].rpartition("-")[2])
            source = item if number >= partition else {**item, "spec": {**item["spec"], "template": current}}
            self._pod(source, missing[0])
        elif all(map(is_ready, pods.values())):  # OrderedReady: a pod that is not ready stops everything
            for name in reversed(names[partition:]):
                if labels(pods[name])["pod-template-hash"] != made:
                    del self.objects[ref_of(pods[name])]
                    break
        pods = {pod["metadata"]["name"]: pod for pod in self.pods(which)}
        updated = [pod for pod in pods.values() if labels(pod)["pod-template-hash"] == made]
        done = len(updated) == wanted
        item["status"] = {
            "observedGeneration": item["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": len(updated),
            "availableReplicas": sum(map(is_ready, pods.values())),
            "currentRevision": made if done else "old",
            "updateRevision": made,
            "current": template(item) if done else current,
        }

    def _daemons(self, which: Ref, item: Manifest) -> None:
        made = digest(template(item))[:8]
        rolling = (spec(item).get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate"
        pods = {pod["metadata"]["name"]: pod for pod in self.pods(which)}
        for name in (f"{which.name}-n{number}" for number in range(self.nodes)):
            if name not in pods:
                self._pod(item, name)
        old = [pod for pod in pods.values() if labels(pod)["pod-template-hash"] != made]
        down = [pod for pod in pods.values() if not is_ready(pod)]
        if rolling and len(pods) == self.nodes and old and (not down or down[0] in old):
            del self.objects[ref_of((down or old)[0])]
        mine = self.pods(which)
        item["status"] = {
            "observedGeneration": item["metadata"]["generation"],
            "desiredNumberScheduled": self.nodes,
            "updatedNumberScheduled": sum(labels(pod)["pod-template-hash"] == made for pod in mine),
            "numberAvailable": sum(map(is_ready, mine)),
        }

    # ---- what users see

    def serving(self, namespace: str, service: str) -> list[Manifest]:
        leads = self.objects.get(Ref("Service", namespace, service))
        if leads is None:
            return []
        return [
            item
            for one, item in self.objects.items()
            if one.kind == "Pod" and is_ready(item) and selects(spec(leads).get("selector") or {}, labels(item))
        ]


def _written(item: Object) -> Manifest:
    about = {key: metadata(item).get(key) for key in ("labels", "annotations")}
    return {**{key: value for key, value in item.items() if key not in ("status", "metadata")}, "about": about}


def ref_of(pod: Object) -> Ref:
    return Ref("Pod", metadata(pod)["namespace"], metadata(pod)["name"])


def is_ready(pod: Object) -> bool:
    return any(one["type"] == "Ready" for one in status(pod).get("conditions") or [])
