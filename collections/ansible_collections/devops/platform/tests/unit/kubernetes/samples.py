"""Manifests for tests, as short as they can be."""

from __future__ import annotations

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import Manifest, normal

SPACE, APP = "chat", "chat"


def workload(
    name: str = "api", image: str = "good:1", replicas: int = 3, kind: str = "Deployment", **more: object
) -> Manifest:
    mark = {"app": name}
    body: Manifest = {
        "selector": {"matchLabels": mark},
        "template": {"metadata": {"labels": mark}, "spec": {"containers": [{"name": "app", "image": image}]}},
        **more,
    }
    if kind != "DaemonSet":
        body["replicas"] = replicas
    return normal({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}, SPACE, APP)


def service(name: str = "api") -> Manifest:
    body = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return normal({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": body}, SPACE, APP)


def config(value: str = "1", name: str = "settings") -> Manifest:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}}
    return normal(item, SPACE, APP)


def secret(value: str = "tr0ub4dor", name: str = "credentials") -> Manifest:
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"password": value}}
    return normal(item, SPACE, APP)


def job(image: str = "good:1", name: str = "migrate") -> Manifest:
    body = {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}
    return normal({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": body}, SPACE, APP)
