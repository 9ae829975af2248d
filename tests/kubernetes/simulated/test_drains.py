"""Nodes are emptied on a real API server: its own eviction, its own budgets."""

from __future__ import annotations

import json
import threading
import time

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import disruption
from ansible_collections.devops.platform.plugins.modules import k8s_node_drain


def deployment(name, node="", replicas=2):
    """Pods that only fit the one node, where one is named."""
    where = {"nodeSelector": {"kubernetes.io/hostname": node}} if node else {}
    spec = {"containers": [{"name": "app", "image": "app:1"}], **where}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    }


def budget(name, **rule):
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, **rule},
    }


@pytest.fixture
def drain(simulated, space, capsys):
    def once(node="node-0", **arguments):
        asked = {"kubeconfig": str(simulated.kubeconfig()), "name": node, "timeout": 30, **arguments}
        with patch_module_args(asked), pytest.raises(SystemExit) as ended:
            k8s_node_drain.main()
        return ended.value.code, json.loads(capsys.readouterr().out)

    yield once
    once(state="schedulable")
    # Others empty the same nodes.
    for path in ("apis/policy/v1", "apis/apps/v1", "api/v1"):
        kind = {"apis/policy/v1": "poddisruptionbudgets", "apis/apps/v1": "deployments", "api/v1": "pods"}[path]
        simulated.ask("DELETE", f"/{path}/namespaces/{space}/{kind}")
    running(simulated, space, 0)


def running(simulated, space, wanted):
    end = time.monotonic() + 30
    while True:
        pods = simulated.ask("GET", f"/api/v1/namespaces/{space}/pods")[1]["items"]
        if len([one for one in pods if disruption.is_ready(one)]) == wanted == len(pods):
            return pods
        assert time.monotonic() < end, pods
        time.sleep(0.2)


def judged(simulated, space, name):
    """The budget, when its controller has seen its pods."""
    end = time.monotonic() + 30
    while True:
        found = simulated.ask("GET", f"/apis/policy/v1/namespaces/{space}/poddisruptionbudgets/{name}")[1]
        if found.get("status", {}).get("expectedPods"):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.2)


def make(simulated, space, *items):
    for item in items:
        group = "apps/v1" if item["kind"] == "Deployment" else "policy/v1"
        kind = "deployments" if item["kind"] == "Deployment" else "poddisruptionbudgets"
        status, answer = simulated.ask("POST", f"/apis/{group}/namespaces/{space}/{kind}", item)
        assert status == 201, answer


def test_pods_go_to_other_nodes_and_none_comes(simulated, space, drain):
    make(simulated, space, deployment("web", replicas=6), budget("web", maxUnavailable=1))
    judged(simulated, space, "web")
    running(simulated, space, 6)
    code, said = drain()
    assert (code, said["changed"]) == (0, True), said
    pods = running(simulated, space, 6)
    assert "node-0" not in {one["spec"]["nodeName"] for one in pods}
    code, said = drain()
    assert (code, said["changed"], said["left"]) == (0, False, [])
    code, said = drain(state="schedulable")
    assert (code, said["changed"]) == (0, True)
    assert simulated.ask("GET", "/api/v1/nodes/node-0")[1]["spec"].get("unschedulable") is None


def test_a_pod_that_may_not_go_is_named_with_its_budget(simulated, space, drain):
    make(simulated, space, deployment("web", "node-0"), budget("web", minAvailable=2))
    pods = running(simulated, space, 2)
    held = judged(simulated, space, "web")
    [blocker] = disruption.blockers([held], pods, ["node-0"])
    assert f"{space}/web never lets a pod go: minAvailable: 2 wants 2 of 2 pods; lower it" in blocker
    code, said = drain(timeout=3)
    assert code == 1
    assert said["msg"].startswith("after 3 s there are still on node node-0:")
    assert f"PodDisruptionBudget {space}/web never lets a pod go" in said["msg"]
    assert len(running(simulated, space, 2)) == 2


def test_a_budget_that_gives_in_meanwhile_is_heeded(simulated, space, drain):
    make(simulated, space, deployment("web", replicas=3), budget("web", minAvailable=3))
    running(simulated, space, 3)
    judged(simulated, space, "web")

    def relent():
        time.sleep(3)
        simulated.ask(
            "PATCH",
            f"/apis/policy/v1/namespaces/{space}/poddisruptionbudgets/web",
            {"spec": {"minAvailable": 1}},
            "application/merge-patch+json",
        )

    meanwhile = threading.Thread(target=relent)
    meanwhile.start()
    code, said = drain()
    meanwhile.join()
    assert code == 0, said
    assert "node-0" not in {one["spec"]["nodeName"] for one in running(simulated, space, 3)}


def test_check_mode_leaves_the_node_as_it_is(simulated, space, drain):
    make(simulated, space, deployment("web", "node-0"))
    running(simulated, space, 2)
    code, said = drain(_ansible_check_mode=True)
    assert (code, said["changed"]) == (0, True)
    assert not simulated.ask("GET", "/api/v1/nodes/node-0")[1]["spec"].get("unschedulable")


def test_a_pod_of_nobody_is_not_taken(simulated, space, drain):
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "alone"},
        "spec": {"nodeName": "node-0", "containers": [{"name": "app", "image": "app:1"}]},
    }
    assert simulated.ask("POST", f"/api/v1/namespaces/{space}/pods", body)[0] == 201
    code, said = drain()
    assert (code, "has no controller: nothing would make it anew" in said["msg"]) == (1, True)
    code, said = drain(force=True)
    assert (code, said["left"]) == (0, [f"Pod {space}/alone"])
