"""JSON schemas of Kubernetes' own kinds, made of the locked Python client: strict, and without asking anybody.

    python -m tools.kubernetes_schemas FOLDER

writes what `kubeconform -schema-location "FOLDER/{{.ResourceKind}}{{.KindSuffix}}.json"` looks for. The client's models
are generated from Kubernetes' OpenAPI document; which version of it, `VERSION` says.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes
from kubernetes.client import models

# A client of version 34.1 speaks the API of Kubernetes 1.34.
VERSION = f"1.{kubernetes.__version__.partition('.')[0]}"
# What charts/ and module_utils/kubernetes make.
KINDS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("v1", "ConfigMap"),
    ("v1", "LimitRange"),
    ("v1", "Namespace"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ResourceQuota"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
)


@cache
def schema(api_version: str, kind: str) -> dict[str, Any]:
    """The schema of a kind: unknown keys are refused, and so is a null, which is mostly a template's mistake."""
    version = api_version.rpartition("/")[2]
    model = getattr(models, f"{version.capitalize()}{kind}", None)
    if model is None:
        raise LookupError(f"the client of Kubernetes {VERSION} knows no {kind} of {api_version}")
    made: dict[str, Any] = _without_null(model.model_json_schema(by_alias=True, mode="serialization"))
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"  # kubeconform takes it for draft 4 otherwise
    made["required"] = sorted({*made.get("required", ()), "apiVersion", "kind", "metadata"})
    made["properties"]["apiVersion"] = {"const": api_version}
    made["properties"]["kind"] = {"const": kind}
    return made


def _without_null(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    left = {key: _without_null(value) for key, value in node.items() if not (key == "default" and value is None)}
    choices = left.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [choice for choice in choices if choice != {"type": "null"}]
        del left["anyOf"]
        left = {**left, **rest[0]} if len(rest) == 1 else {**left, "anyOf": rest}
    return left


def file_name(api_version: str, kind: str) -> str:
    """As kubeconform calls it: the first part of the group, and the version."""
    group, _, version = api_version.rpartition("/")
    return "-".join(filter(None, (kind.lower(), group.partition(".")[0], version))) + ".json"


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for api_version, kind in KINDS:
        (folder / file_name(api_version, kind)).write_text(json.dumps(schema(api_version, kind)), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tools.kubernetes_schemas FOLDER")
    write(Path(sys.argv[1]))
