"""The module as Ansible runs it, on the model cluster, and its pages."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import Series
from ansible_collections.devops.platform.plugins.module_utils.kubernetes import judging
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.carry import Gate
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.definition import DefinitionError, read
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.plan import PlanError
from ansible_collections.devops.platform.plugins.modules import k8s_rollout
from ansible_collections.devops.platform.tests.unit.kubernetes.model_cluster import ModelCluster

OPTIONS = yaml.safe_load(k8s_rollout.DOCUMENTATION)["options"]
RETURNED = yaml.safe_load(k8s_rollout.RETURN)
TASKS = [task["devops.platform.k8s_rollout"] for task in yaml.safe_load(k8s_rollout.EXAMPLES)]
ONE = """
- apiVersion: apps/v1
  kind: KIND
  metadata: {name: NAME}
  spec:
    replicas: 2
    selector: {matchLabels: {app: NAME}}
    template:
      metadata: {labels: {app: NAME}}
      spec: {containers: [{name: app, image: "good:1"}]}
"""
CHAT = """
apiVersion: v1
kind: Service
metadata: {name: chat-web}
spec: {selector: {app: chat-web}, ports: [{port: 80}]}
---
kind: List
apiVersion: v1
items:
""" + "".join(
    ONE.replace("KIND", kind).replace("NAME", name)
    for name, kind in (("chat-web", "Deployment"), ("chat-api", "Deployment"), ("chat-queue", "StatefulSet"))
)


@pytest.fixture
def cluster(monkeypatch):
    model = ModelCluster()
    monkeypatch.setattr(model, "close", lambda: None, raising=False)
    monkeypatch.setattr(k8s_rollout, "connect", lambda _parameters: model)
    return model


def run(capsys, **arguments):
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        k8s_rollout.main()
    return ended.value.code, json.loads(capsys.readouterr().out)


def test_pages_and_arguments_agree():
    assert set(OPTIONS) == set(k8s_rollout.ARGUMENTS)
    for name, option in OPTIONS.items():
        given = k8s_rollout.ARGUMENTS[name]
        assert given["type"] == option["type"]
        assert given.get("default") == option.get("default")
        assert given.get("required", False) == option.get("required", False)


def test_the_examples_run(cluster, capsys, tmp_path, monkeypatch):
    whole, one, back = ({**task} for task in TASKS)
    whole["src"] = str(tmp_path / "chat.yml")
    (tmp_path / "chat.yml").write_text(CHAT)
    monkeypatch.setattr(judging, "judge", lambda *_arguments: lambda _gate: [])
    code, result = run(capsys, **whole)
    assert code == 0, result
    assert result["changed"]
    assert set(RETURNED) - {"finding"} <= set(result)
    assert result["workloads"]["StatefulSet chat-app-prod/chat-queue"]["changed"]
    one["definition"][0]["spec"]["template"]["spec"]["containers"][0]["image"] = "good:1"
    assert run(capsys, **one)[0] == 0
    code, again = run(capsys, **whole)
    assert (code, again["changed"], again["plan"]) == (0, False, [])
    back["to"] = result["rollout"]
    code, result = run(capsys, **back)
    assert (code, result["changed"]) == (0, False)


def test_a_failure_names_pod_log_and_state(cluster, capsys):
    bad = CHAT.replace("good:1", "bad:1")
    code, result = run(capsys, application="chat", namespace="chat", definition=[bad], patience=1, timeout=60)
    assert code == 1
    assert "CrashLoopBackOff" in result["msg"]
    assert "cannot reach the database" in result["msg"]
    assert result["msg"].endswith("The old state is back and serves.")
    assert set(result["finding"]) == set(RETURNED["finding"]["contains"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"definition": [{"kind": "Service"}]}, "definition[0]: apiVersion, metadata.name is missing"),
        ({"definition": ["a: [b"]}, "definition[0] is no YAML"),
        ({"definition": [3]}, "must be an object with apiVersion and kind, not int"),
        ({"definition": []}, "holds no object"),
        ({"src": "/nowhere/at/all.yml"}, "src: /nowhere/at/all.yml cannot be read"),
        ({"to": "r9"}, "chat has no rollout 'r9'"),
        ({"definition": [CHAT], "gate": {"objective": []}}, "gate.objective: is no option; did you mean 'objectives'?"),
        ({"definition": [CHAT], "strategies": {"chat-wep": {}}}, "did you mean 'chat-web'?"),
    ],
)
def test_mistakes_change_nothing(cluster, capsys, arguments, said):
    code, result = run(capsys, application="chat", namespace="chat", **arguments)
    assert code == 1
    assert said in result["msg"]
    assert cluster.mutations == 0


def test_lists_and_documents_are_taken_apart():
    assert [item["metadata"]["name"] for item in read([CHAT], None)] == [
        "chat-web",
        "chat-web",
        "chat-api",
        "chat-queue",
    ]
    with pytest.raises(DefinitionError, match="holds no object"):
        read(["---\n"], None)


class Measured:
    """A Prometheus that knows one value."""

    def __init__(self, value):
        self.value, self.asked = value, []

    def instant(self, query, at, _lookback):
        self.asked.append(query)
        return [Series({"pod": name}, ((at, self.value),)) for name in ("api-1", "api-2")]

    def range(self, *_arguments):
        return []


@pytest.mark.parametrize(("value", "breaches"), [(0.001, 0), (0.5, 1)])
def test_pods_are_judged_as_hosts_are(value, breaches):
    source, now = Measured(value), [1_000.0]
    gate = {
        "window": "30s",
        "objectives": [{"name": "errors", "query": "rate(e{@hosts}[@window])", "comparison": "<", "threshold": 0.01}],
    }
    sleep = lambda seconds: now.__setitem__(0, now[0] + seconds)  # noqa: E731
    measure = judging.judge(gate, now[0], sleep, lambda _url, _timeout: source, lambda: now[0])
    found = measure(Gate(("api-1", "api-2"), ("api-0",), now[0]))
    assert len(found) == breaches
    assert 'pod=~"api-1|api-2"' in source.asked[-1]
    assert measure(Gate((), (), now[0])) == ["no new pod is ready, so that nothing can be measured"]


def test_a_gate_is_checked_before_anything_changes():
    with pytest.raises(PlanError, match="threshold"):
        judging.judge({"objectives": [{"name": "a", "query": "up", "comparison": "<"}]}, 0.0, lambda _s: None)


def test_no_way_to_a_cluster_is_said(tmp_path, capsys):
    asked = {"kubeconfig": str(tmp_path / "none"), "application": "chat", "namespace": "chat", "definition": []}
    with patch_module_args(asked), pytest.raises(SystemExit):
        k8s_rollout.main()
    said = json.loads(capsys.readouterr().out)
    assert said["failed"]
    assert "the way to the cluster" in said["msg"]
