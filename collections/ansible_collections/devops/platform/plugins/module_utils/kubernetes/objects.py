# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kubernetes objects: which one it is, whose, in which order, and what of it changes. Pure."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]
Manifest = dict[str, Any]

MANAGER = "devops.platform"  # the field manager of server-side apply
OWNER = "devops.platform/application"  # label: the application that an object belongs to
TEMPLATE = "devops.platform/template"  # label of pods: digest of the template that they were made from
COLOUR = "devops.platform/colour"
TRACK = "devops.platform/track"
CANARY = "canary"
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
# Pruning these would take data, or all that others have put there.
KEPT = ("Namespace", "PersistentVolumeClaim", "PersistentVolume", "CustomResourceDefinition", "StorageClass")


@dataclass(frozen=True)
class Kind:
    """How a kind is addressed, and when its turn comes."""

    group: str
    version: str
    plural: str
    namespaced: bool = True
    order: int = 50

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


def _kinds() -> dict[tuple[str, str], Kind]:
    rows = (
        # order, group, version, namespaced, kind, plural
        (0, "", "v1", False, "Namespace", "namespaces"),
        (1, "apiextensions.k8s.io", "v1", False, "CustomResourceDefinition", "customresourcedefinitions"),
        (2, "scheduling.k8s.io", "v1", False, "PriorityClass", "priorityclasses"),
        (2, "storage.k8s.io", "v1", False, "StorageClass", "storageclasses"),
        (3, "", "v1", True, "ResourceQuota", "resourcequotas"),
        (3, "", "v1", True, "LimitRange", "limitranges"),
        (4, "networking.k8s.io", "v1", True, "NetworkPolicy", "networkpolicies"),
        (5, "", "v1", True, "ServiceAccount", "serviceaccounts"),
        (6, "rbac.authorization.k8s.io", "v1", False, "ClusterRole", "clusterroles"),
        (6, "rbac.authorization.k8s.io", "v1", True, "Role", "roles"),
        (7, "rbac.authorization.k8s.io", "v1", False, "ClusterRoleBinding", "clusterrolebindings"),
        (7, "rbac.authorization.k8s.io", "v1", True, "RoleBinding", "rolebindings"),
        (8, "", "v1", True, "Secret", "secrets"),
        (8, "", "v1", True, "ConfigMap", "configmaps"),
        (9, "", "v1", False, "PersistentVolume", "persistentvolumes"),
        (10, "", "v1", True, "PersistentVolumeClaim", "persistentvolumeclaims"),
        (11, "", "v1", True, "Service", "services"),
        (12, "policy", "v1", True, "PodDisruptionBudget", "poddisruptionbudgets"),
        (13, "batch", "v1", True, "Job", "jobs"),
        (14, "", "v1", True, "Pod", "pods"),
        (20, "apps", "v1", True, "StatefulSet", "statefulsets"),
        (20, "apps", "v1", True, "DaemonSet", "daemonsets"),
        (20, "apps", "v1", True, "Deployment", "deployments"),
        (60, "autoscaling", "v2", True, "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
        (61, "batch", "v1", True, "CronJob", "cronjobs"),
        (62, "networking.k8s.io", "v1", True, "Ingress", "ingresses"),
    )
    return {
        (group, kind): Kind(group, version, plural, namespaced, order)
        for order, group, version, namespaced, kind, plural in rows
    }


KINDS = _kinds()  # those that need no discovery


@dataclass(frozen=True, order=True)
class Ref:
    """Which object: its kind's group, so that two versions of one kind are one."""

    kind: str
    namespace: str
    name: str
    group: str = ""

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}"


def group_of(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def metadata(item: Object) -> Mapping[str, Any]:
    return item.get("metadata") or {}


def labels(item: Object) -> Mapping[str, str]:
    return metadata(item).get("labels") or {}


def spec(item: Object) -> Mapping[str, Any]:
    return item.get("spec") or {}


def status(item: Object) -> Mapping[str, Any]:
    return item.get("status") or {}


def template(item: Object) -> Mapping[str, Any]:
    return spec(item).get("template") or {}


def ref(item: Object) -> Ref:
    about = metadata(item)
    return Ref(
        str(item.get("kind") or ""),
        str(about.get("namespace") or ""),
        str(about.get("name") or ""),
        group_of(str(item.get("apiVersion") or "")),
    )


def kind_of(which: Ref) -> Kind | None:
    return KINDS.get((which.group, which.kind))


def order(which: Ref) -> tuple[int, Ref]:
    known = kind_of(which)
    return (known.order if known else 50, which)


def is_workload(which: Ref) -> bool:
    return which.group == "apps" and which.kind in WORKLOADS


def application_of(item: Object) -> str:
    return str(labels(item).get(OWNER, ""))


def replicas(item: Object) -> int:
    declared = spec(item).get("replicas")
    return 1 if declared is None else int(declared)


def canonical(value: Any) -> bytes:
    """The same bytes for the same value, whatever the order of keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def changed(item: Object, path: tuple[str, ...], value: Any) -> Manifest:
    """A copy with one field set."""
    result = copy.deepcopy(dict(item))
    inner = result
    for key in path[:-1]:
        inner[key] = dict(inner.get(key) or {})
        inner = inner[key]
    inner[path[-1]] = value
    return result


def without(item: Object, path: tuple[str, ...]) -> Manifest:
    """A copy without one field."""
    result = copy.deepcopy(dict(item))
    inner: Any = result
    for key in path[:-1]:
        inner = inner.get(key)
        if not isinstance(inner, dict):
            return result
    inner.pop(path[-1], None)
    return result


def named(item: Object, name: str) -> Manifest:
    return changed(item, ("metadata", "name"), name)


def normal(item: Object, namespace: str, application: str) -> Manifest:
    """What is applied: with namespace and owner, secrets in base64, without what the API server writes."""
    result = copy.deepcopy(dict(item))
    result.pop("status", None)
    about = {
        key: value
        for key, value in (result.get("metadata") or {}).items()
        if key not in ("creationTimestamp", "managedFields", "resourceVersion", "uid", "generation", "selfLink")
    }
    result["metadata"] = about
    known = kind_of(ref(result))
    if known is None or known.namespaced:
        about.setdefault("namespace", namespace)
    about["labels"] = {**(about.get("labels") or {}), OWNER: application}
    if result.get("kind") == "Secret" and "stringData" in result:
        texts = result.pop("stringData") or {}
        coded = {key: base64.b64encode(str(value).encode()).decode() for key, value in texts.items()}
        result["data"] = {**(result.get("data") or {}), **coded}
    if is_workload(ref(result)):
        return stamped(result)
    return result


def stamped(workload: Object) -> Manifest:
    """The workload with its template's digest as a label of its pods: new pods can be told from old ones by it."""
    bare = without(workload, ("spec", "template", "metadata", "labels", TEMPLATE))
    tag = digest(template(bare))[:10]
    pods = {**(metadata(template(bare)).get("labels") or {}), TEMPLATE: tag}
    return changed(bare, ("spec", "template", "metadata", "labels"), pods)


def template_of(item: Object) -> str:
    """The digest that a workload's pods, or a pod, bear."""
    where = template(item) if item.get("kind") in WORKLOADS else item
    return str(labels(where).get(TEMPLATE, ""))


def selects(selector: Mapping[str, str], pod_labels: Mapping[str, str]) -> bool:
    return bool(selector) and all(pod_labels.get(key) == value for key, value in selector.items())


def workload_of(pod: Object) -> Ref | None:
    """The workload that a pod belongs to. A ReplicaSet bears its Deployment's name and the pod's hash."""
    for owner in metadata(pod).get("ownerReferences") or []:
        if not owner.get("controller"):
            continue
        kind, name = str(owner["kind"]), str(owner["name"])
        if kind == "ReplicaSet":
            mark = "-" + str(labels(pod).get("pod-template-hash", ""))
            if not name.endswith(mark):
                return None
            kind, name = "Deployment", name[: -len(mark)]
        if kind in WORKLOADS:
            return Ref(kind, str(metadata(pod).get("namespace") or ""), name, "apps")
        if kind == "Job":
            return Ref(kind, str(metadata(pod).get("namespace") or ""), name, "batch")
    return None


def condition(item: Object, kind: str) -> Mapping[str, Any]:
    return next((one for one in status(item).get("conditions") or [] if one.get("type") == kind), {})


def in_order(items: Iterable[Object]) -> list[Object]:
    return sorted(items, key=lambda item: order(ref(item)))


def holds(wanted: Any, live: Any) -> bool:
    """Whether `live` has all that is wanted. False proves nothing: the server writes 0.5 CPUs as 500m."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(_holds_key(wanted[key], live, key) for key in wanted)
    if isinstance(wanted, (list, tuple)):
        return (
            isinstance(live, (list, tuple))
            and len(wanted) == len(live)
            and all(holds(one, other) for one, other in zip(wanted, live))
        )
    return bool(wanted == live and isinstance(wanted, bool) == isinstance(live, bool))


def _holds_key(value: Any, live: Mapping[str, Any], key: str) -> bool:
    # A null or an empty mapping that was asked for is what a missing key is.
    if key not in live:
        return value is None or value in ({}, [])
    return holds(value, live[key])
