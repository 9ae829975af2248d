"""An application of platform.yml as values of charts/service. Pure.

Only what platform.yml knows: sizes, numbers and neighbours in a cluster are the values files' (charts/values).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.compose import image_reference
from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Data,
    PlatformError,
    section,
    services_of,
)


def chart_values(platform: Data, app: str, images: Mapping[str, Data] | None = None) -> dict[str, Any]:
    """Values for `app`; with `images`, the image lock, also which images, each by its digest.

    A task that comes before services is a Job before the release, as it is a container before them on hosts. Others run
    when asked for, which a release has no place for.
    """
    if app not in section(platform, "apps"):
        known = ", ".join(sorted(section(platform, "apps"))) or "none"
        raise PlatformError(f"platform.apps has no app '{app}' (it has: {known})")
    workloads = {name: _workload(service, images) for name, service in services_of(platform, app).items()}
    tasks = section(platform, "apps", app, "tasks")
    for name in sorted(map(str, tasks)):
        task = section(tasks, name)
        if task.get("before"):
            workloads[name] = {"kind": "Job", **_workload(task, images)}
    # Said only where it is not the chart's own default, which is the add-on's.
    given = section(platform, "kubernetes").get("ingress_class")
    return {"app": app, "workloads": workloads, **({"ingress": {"className": str(given)}} if given else {})}


def _workload(part: Data, images: Mapping[str, Data] | None) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if images is not None:
        made["image"] = _image(images, str(part["image"]))
    if part.get("command"):
        made["args"] = [str(word) for word in part["command"]]
    if part.get("port") is not None:
        made["ports"] = {"http": int(part["port"])}
    if part.get("health"):
        made["probes"] = {"readiness": {"path": str(part["health"])}}
    if part.get("metrics"):
        made["metrics"] = {"path": str(part["metrics"]), "port": "http"}
    for key in ("environment", "secrets"):
        if section(part, key):
            made[key] = dict(section(part, key))
    return made


def _image(images: Mapping[str, Data], name: str) -> dict[str, str]:
    image_reference(images, name)  # says what is wrong with the lock
    entry = images[name]
    return {"repository": str(entry["ref"]), "tag": str(entry["tag"]), "digest": str(entry["digest"])}
