"""Emptying a node: no new pods, those that are there go by eviction, and who stays is named with the reason.

kubernetes.core.k8s_drain gives up at the first pod that a budget holds, and takes a pod that does not leave for a
warning; here a budget is asked again until time is over, and the reasons are told.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.api import Api, refusal
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import Object, metadata, spec

from .disruption import leaving, named, stays

PAUSE = 2.0
HELD = 429  # a budget does not allow it now


class DrainError(Exception):
    """Who stays on the node, and why."""


@dataclass(frozen=True)
class Asked:
    node: str
    timeout: float = 300.0
    force: bool = False
    delete_emptydir_data: bool = False


@dataclass
class Drained:
    """What became of it. `left` are the pods that have gone."""

    changed: bool = False
    left: list[str] = field(default_factory=list)


def node_path(name: str) -> str:
    return f"/api/v1/nodes/{quote(name)}"


def schedulable(api: Api, name: str, wanted: bool, check: bool = False) -> bool:
    """Whether new pods may come; True where that was, or would be, changed."""
    node = api.ask("GET", node_path(name))
    if bool(spec(node).get("unschedulable")) != wanted:
        return False
    if not check:
        body = {"spec": {"unschedulable": None if wanted else True}}
        api.ask("PATCH", node_path(name), None, body, "application/merge-patch+json")
    return True


def drain(api: Api, asked: Asked, check: bool = False, sleep: Callable[[float], None] = time.sleep) -> Drained:
    """Empty the node. DrainError where pods stay; the node takes no new ones then, until somebody allows it."""
    first = leaving(_pods(api, asked.node), asked.force, asked.delete_emptydir_data)
    if first.refused:
        raise DrainError("\n".join(first.refused))
    done = Drained(changed=schedulable(api, asked.node, False, check))
    if check:
        done.changed = done.changed or bool(first.pods)
        return done
    began, said = api.now(), dict[str, str]()
    known: dict[str, str] = {}
    while True:
        going = leaving(_pods(api, asked.node), True, True).pods
        uids = {str(metadata(pod).get("uid")) for pod in going}
        done.left += [known.pop(uid) for uid in sorted(set(known) - uids)]
        if not going:
            return done
        for pod in going:
            uid = str(metadata(pod).get("uid"))
            known.setdefault(uid, named(pod))
            if not metadata(pod).get("deletionTimestamp"):
                said[uid] = _evict(api, pod)
                done.changed = True
        if api.now() - began >= asked.timeout:
            raise DrainError(_stuck(api, asked, said))
        sleep(PAUSE)


def _pods(api: Api, node: str) -> list[Object]:
    found = api.ask("GET", "/api/v1/pods", {"fieldSelector": f"spec.nodeName={node}"})
    return found.get("items") or []


def _evict(api: Api, pod: Object) -> str:
    """What the API server says against it; '' where the pod goes. Not by `Api.ask`, which would wait for budgets."""
    about = metadata(pod)
    name, namespace = str(about.get("name")), str(about.get("namespace"))
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        # This very pod: another of its name is new, and may stay.
        "deleteOptions": {"preconditions": {"uid": about.get("uid")}},
    }
    path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(name)}/eviction"
    api.count()
    code, answer = api.transport.send("POST", path, json.dumps(body).encode(), "application/json")
    if 200 <= code < 300 or code in (404, 409):
        return ""
    error = refusal(f"POST {path}", code, answer)
    if code in (401, 403):
        raise error
    return error.message if code == HELD else f"{error.reason}: {error.message}"


def _stuck(api: Api, asked: Asked, said: Mapping[str, str]) -> str:
    """One line for each pod that is still there."""
    everywhere = api.ask("GET", "/api/v1/pods").get("items") or []
    budgets = api.ask("GET", "/apis/policy/v1/poddisruptionbudgets").get("items") or []
    here = [pod for pod in everywhere if spec(pod).get("nodeName") == asked.node]
    lines = [
        stays(pod, said.get(str(metadata(pod).get("uid")), ""), budgets, everywhere, api.now())
        for pod in leaving(here, True, True).pods
    ]
    return "\n".join([f"after {asked.timeout:g} s there are still on node {asked.node}:", *lines])
