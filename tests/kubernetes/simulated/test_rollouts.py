"""k8s_rollout against a real API server, controllers and scheduler; only what runs in pods is simulated."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.devops.platform.plugins.modules import k8s_rollout

WAYS = {
    "rolling": {"type": "rolling", "max_surge": 1},
    "blue_green": {"type": "blue_green"},
    "canary": {"type": "canary", "steps": [1, "50%"]},
}


def workload(name="api", image="app:1", replicas=3, kind="Deployment", simulate="", cpu="10m"):
    mark = {"app": name}
    notes = {"simulate": simulate} if simulate else {}
    container = {"name": "app", "image": image, "resources": {"requests": {"cpu": cpu}}}
    body: dict[str, object] = {
        "selector": {"matchLabels": mark},
        "template": {"metadata": {"labels": mark, "annotations": notes}, "spec": {"containers": [container]}},
    }
    if kind != "DaemonSet":
        body["replicas"] = replicas
    if kind == "StatefulSet":
        body["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


def service(name="api"):
    body = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": body}


def config(name="settings", value="1"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}}


@pytest.fixture
def run(simulated, space, capsys):
    def once(definition, **arguments):
        asked = {
            "kubeconfig": str(simulated.kubeconfig()),
            "application": "chat",
            "namespace": space,
            **({"definition": definition} if definition else {}),
            "timeout": 60,
            "patience": 5,
            **arguments,
        }
        with patch_module_args(asked), pytest.raises(SystemExit) as ended:
            k8s_rollout.main()
        return ended.value.code, json.loads(capsys.readouterr().out)

    return once


@pytest.fixture
def tell(capsys):
    """Figures, for people: what a module prints is read by the test."""

    def say(text):
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return say


def images(simulated, space):
    pods = simulated.ask("GET", f"/api/v1/namespaces/{space}/pods")[1]["items"]
    return sorted(pod["spec"]["containers"][0]["image"] for pod in pods if not pod["metadata"].get("deletionTimestamp"))


def settles(fits, what=lambda: ""):
    """What a controller does a moment later, such as deleting the pods of a Deployment that is gone."""
    end = time.monotonic() + 15
    while not fits():
        assert time.monotonic() < end, what()
        time.sleep(0.2)


def selected(simulated, space, name="api"):
    return simulated.ask("GET", f"/api/v1/namespaces/{space}/services/{name}")[1]["spec"]["selector"]


@pytest.mark.parametrize("way", WAYS)
def test_forward_again_bad_and_better(simulated, space, run, tell, way):
    ways = {"api": WAYS[way]}
    code, result = run([service(), config(), workload()], strategies=ways)
    assert code == 0, result.get("msg", result)
    code, result = run([service(), config(), workload()], strategies=ways)
    assert (code, result["changed"], result["plan"]) == (0, False, []), result
    tell(f"{way}: {result['requests']} requests of a run that changes nothing")
    assert result["requests"] <= 8
    before = images(simulated, space)
    was = selected(simulated, space)
    bad = [service(), config(value="2"), workload(image="app:nope", simulate="ImagePullBackOff")]
    code, result = run(bad, strategies=ways)
    assert code == 1
    assert "ImagePullBackOff" in result["msg"]
    assert "container app" in result["msg"]
    assert result["rolled_back"], result
    assert selected(simulated, space) == was
    settles(lambda: images(simulated, space) == before, lambda: images(simulated, space))
    assert simulated.ask("GET", f"/api/v1/namespaces/{space}/configmaps/settings")[1]["data"] == {"value": "1"}
    code, result = run([service(), config(), workload(image="app:2")], strategies=ways)
    assert code == 0, result.get("msg", result)
    assert "app:2" in images(simulated, space)
    code, result = run([service(), config(), workload(image="app:2")], strategies=ways)
    assert (code, result["changed"], result["plan"]) == (0, False, []), result


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_partitions(simulated, space, run, kind):
    ways = {"db": {"type": "partition", "steps": [1, "100%"]}}
    assert run([workload("db", kind=kind)], strategies=ways)[0] == 0
    code, result = run([workload("db", kind=kind, image="app:2")], strategies=ways)
    assert code == 0, result.get("msg", result)
    assert images(simulated, space) == ["app:2"] * 3
    code, result = run([workload("db", kind=kind, image="app:3", simulate="CrashLoopBackOff")], strategies=ways)
    assert code == 1
    assert "CrashLoopBackOff" in result["msg"]
    assert result["rolled_back"], result
    assert images(simulated, space) == ["app:2"] * 3


def test_unschedulable(run):
    code, result = run([workload(cpu="900")])
    assert code == 1
    assert "Unschedulable" in result["msg"]
    assert "Insufficient cpu" in result["msg"]


def test_quota(simulated, space, run):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "3"}}}
    simulated.ask("POST", f"/api/v1/namespaces/{space}/resourcequotas", quota)
    assert run([workload()])[0] == 0
    code, result = run([workload(image="app:2")])
    assert code == 1
    assert "QuotaExceeded" in result["msg"]
    assert result["rolled_back"], result["msg"]
    assert images(simulated, space) == ["app:1"] * 3


def test_check_mode_changes_nothing(simulated, space, run):
    code, result = run([service(), workload()], _ansible_check_mode=True, _ansible_diff=True)
    assert (code, result["changed"]) == (0, True), result
    assert result["plan"] == [f"create Service {space}/api", f"create Deployment {space}/api"]
    assert "+  replicas: 3" in result["diff"]["prepared"]
    assert simulated.ask("GET", f"/api/v1/namespaces/{space}/services/api")[0] == 404
    assert simulated.ask("GET", f"/api/v1/namespaces/{space}/configmaps/devops.platform.chat")[0] == 404


def test_a_namespace_that_is_not_there_yet(simulated, space, run):
    name = f"{space}-new"
    definition = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        workload(),
    ]
    code, result = run(definition, namespace=name, _ansible_check_mode=True)
    assert (code, result["changed"]) == (0, True), result
    code, result = run(definition, namespace=name)
    assert code == 0, result.get("msg", result)
    code, result = run([workload()], namespace=f"{space}-nowhere")
    assert code == 1
    assert "declare the namespace" in result["msg"]


def test_prunes_only_what_is_ours(simulated, space, run):
    simulated.ask("POST", f"/api/v1/namespaces/{space}/configmaps", config("theirs"))
    assert run([config("a"), config("b"), workload()])[0] == 0
    code, result = run([config("a"), workload()])
    assert (code, result["plan"]) == (0, [f"prune ConfigMap {space}/b"]), result
    assert simulated.ask("GET", f"/api/v1/namespaces/{space}/configmaps/theirs")[0] == 200


def test_fields_of_others_are_named(simulated, space, run):
    assert run([workload()])[0] == 0
    path = f"/apis/apps/v1/namespaces/{space}/deployments/api?fieldManager=somebody"
    simulated.ask("PATCH", path, {"spec": {"minReadySeconds": 1}}, "application/merge-patch+json")
    new = workload()
    new["spec"]["minReadySeconds"] = 2
    code, result = run([new])
    assert code == 1
    assert ".spec.minReadySeconds (of somebody)" in result["msg"]
    # What was ours and somebody changed is put right.
    simulated.ask("PATCH", path, {"spec": {"replicas": 1}}, "application/merge-patch+json")
    code, result = run([workload()])
    assert (code, result["changed"]) == (0, True), result
    assert len(images(simulated, space)) == 3


def test_secrets_stay_secret_and_come_back(simulated, space, run):
    def secret(value):
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "stringData": {"password": value}}

    code, first = run([secret("tr0ub4dor"), workload()], _ansible_diff=True)
    assert code == 0, first
    assert "tr0ub4dor" not in json.dumps(first["diff"])
    assert run([secret("correct-horse"), workload(image="app:2")])[0] == 0
    kept = simulated.ask("GET", f"/api/v1/namespaces/{space}/configmaps/devops.platform.chat")[1]
    assert "dHIwdWI0ZG9y" not in json.dumps(kept)
    code, result = run(None, to=first["rollout"])
    assert code == 0, result.get("msg", result)
    assert images(simulated, space) == ["app:1"] * 3
    live = simulated.ask("GET", f"/api/v1/namespaces/{space}/secrets/login")[1]
    assert live["data"] == {"password": "dHIwdWI0ZG9y"}


KILLED = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.devops.platform.plugins.modules import k8s_rollout
with patch_module_args(json.load(sys.stdin)):
    k8s_rollout.main()
"""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seconds", [1.0, 1.8, 2.6])
def test_a_killed_controller_is_gone_on_with(simulated, space, run, way, seconds):
    ways = {"api": WAYS[way]}
    assert run([service(), workload()], strategies=ways)[0] == 0
    new = [service(), workload(image="app:2")]
    asked = {
        "kubeconfig": str(simulated.kubeconfig()),
        "application": "chat",
        "namespace": space,
        "definition": new,
        "strategies": ways,
    }
    environment = {**os.environ, "PYTHONPATH": str(Path("collections").resolve())}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdin
        process.stdin.write(json.dumps(asked).encode())
        process.stdin.close()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    code, result = run(new, strategies=ways)
    assert code == 0, result.get("msg", result)
    assert "app:2" in images(simulated, space)
    assert simulated.ask("GET", f"/apis/apps/v1/namespaces/{space}/deployments/api-canary")[0] == 404
    code, result = run(new, strategies=ways)
    assert (code, result["changed"]) == (0, False), result


def test_a_thousand_pods_in_one_call(simulated, space, run, tell):
    many = [workload(f"app-{number:02}", replicas=20, cpu="1m") for number in range(50)]
    code, result = run(many, timeout=600, patience=300)
    assert code == 0, result.get("msg", result)
    assert len(images(simulated, space)) == 1000
    tell(f"1,000 pods, 50 workloads, new: {result['requests']} requests, {result['seconds']} s")
    assert result["requests"] <= 2 * 50 + 20
    code, result = run(many, timeout=600)
    assert (code, result["changed"]) == (0, False)
    tell(f"again: {result['requests']} requests, {result['seconds']} s")
    assert result["requests"] <= 6
    newer = [workload(f"app-{number:02}", image="app:2", replicas=20, cpu="1m") for number in range(50)]
    code, result = run(newer, timeout=600, patience=300)
    assert code == 0, result.get("msg", result)
    assert set(images(simulated, space)) == {"app:2"}
    tell(f"all new: {result['requests']} requests, {result['seconds']} s")
    assert result["requests"] <= 2 * 50 + 20
