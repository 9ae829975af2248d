"""What a cluster is given, on a real API server: applied by the playbook's own tasks, and meant as it is written."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.kubernetes import permissions
from tools import REPOSITORY

HERE = Path(__file__).parent
PLATFORM = """
name: given
kubernetes:
  cluster:
    version: "1.34.4"
    control_plane: controller
    addons: {metrics_server: {}, kube_state_metrics: {}, local_path: {}, traefik: {}}
  namespaces:
    given-prod:
      quota: {requests.cpu: 1, pods: 3}
      limits: {default_request: {cpu: 100m, memory: 32Mi}, default: {cpu: 200m, memory: 64Mi}, max: {cpu: 2}}
      allow: {monitoring: {from: {namespace: given-monitoring}, ports: [5000]}}
    given-monitoring: {pod_security: baseline}
  roles:
    admin: {groups: [admins]}
    developer: {groups: [developers], namespaces: [given-prod]}
    ci-cd: {accounts: [given-prod/deployer], namespaces: [given-prod]}
    read-only: {users: [auditor]}
"""
MORE = """
---
apiVersion: v1
kind: ConfigMap
metadata: {name: more, namespace: default}
data: {answer: "42"}
---
"""
WHO = {
    "admin": {"user": "anna", "groups": ["admins"]},
    "developer": {"user": "dan", "groups": ["developers"]},
    "ci-cd": {
        "user": "system:serviceaccount:given-prod:deployer",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:given-prod"],
    },
    "read-only": {"user": "auditor", "groups": []},
}


def described(folder: Path) -> dict[str, Any]:
    (folder / "more.yml").write_text(MORE)
    platform = yaml.safe_load(PLATFORM)
    platform["kubernetes"]["cluster"]["manifests"] = [str(folder / "more.yml")]
    return dict(platform)


def play(simulated, folder: Path, *flags: str, platform: Mapping[str, Any] | None = None) -> str:
    """Apply what the platform has, as playbooks/kubernetes.yml does."""
    platform = copy.deepcopy(dict(platform or described(folder)))
    platform["kubernetes"]["cluster"]["kubeconfig"] = str(simulated.kubeconfig())
    tasks = REPOSITORY / "playbooks/tasks/cluster_resources.yml"
    book = [
        {
            "hosts": "controller",
            "gather_facts": False,
            "vars": {"platform": platform, "__kubeconfig": platform["kubernetes"]["cluster"]["kubeconfig"]},
            "tasks": [{"ansible.builtin.import_tasks": str(tasks)}],
        }
    ]
    (folder / "play.yml").write_text(json.dumps(book))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(HERE / "hosts.yml")]
    done = subprocess.run(
        [*command, str(folder / "play.yml"), *flags],
        cwd=REPOSITORY,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def given(simulated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    assert "changed=2" in play(simulated, folder, "--check")
    status, _answer = simulated.ask("GET", "/api/v1/namespaces/given-prod")
    assert status == 404  # check mode made nothing
    assert "changed=2" in play(simulated, folder)
    status, answer = simulated.ask("GET", "/api/v1/namespaces/default/configmaps/more")
    assert (status, answer["data"]) == (200, {"answer": "42"})
    return folder


def test_a_second_run_changes_nothing(simulated, given):
    assert "changed=0" in play(simulated, given)


def test_everybody_may_what_the_table_says_and_nothing_else(simulated, given):
    """Each verb on each resource of the table, asked of the API server's own authorizer."""

    def asked(question: permissions.Question) -> tuple[permissions.Question, bool]:
        resource, _, part = question.resource.partition("/")
        name, _, group = resource.partition(".")
        what = {
            "namespace": "given-prod",
            "verb": question.verb,
            "group": group,
            "resource": name,
            "subresource": part.partition(".")[0],
        }
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {**WHO[question.role], "resourceAttributes": what},
        }
        status, answer = simulated.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
        assert status == 201, answer
        return question, bool(answer["status"]["allowed"])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(asked, permissions.questions()))
    assert len(answers) > 800  # no part of the table is left out
    assert [question for question, allowed in answers if allowed != question.allowed] == []


@pytest.mark.parametrize("role", ["developer", "ci-cd", "read-only"])
def test_nobody_but_an_admin_reaches_beyond_the_namespace(simulated, given, role):
    for what in (
        {"verb": "list", "resource": "secrets", "namespace": "kube-system"},
        {"verb": "get", "resource": "nodes"},
        {"verb": "create", "resource": "clusterrolebindings", "group": "rbac.authorization.k8s.io"},
    ):
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {**WHO[role], "resourceAttributes": what},
        }
        answer = simulated.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)[1]
        assert answer["status"]["allowed"] is False, what


def pod(name: str, cpu: str = "", **security):
    resources = {"resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}} if cpu else {}
    sound = {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "app", "image": "app:1", "securityContext": {**sound, **security}, **resources}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}


def test_quotas_limits_and_security_are_the_api_servers(simulated, given):
    path = "/api/v1/namespaces/given-prod/pods"
    status, answer = simulated.ask("POST", path, pod("small"))
    assert status == 201, answer
    assert answer["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "100m", "memory": "32Mi"}
    for name, item, message in (
        ("root", pod("root", runAsNonRoot=False), "violates PodSecurity"),
        ("big", pod("big", "950m"), "exceeded quota: platform"),
        ("bigger", pod("bigger", "3"), "maximum cpu usage per Container is 2"),
    ):
        status, answer = simulated.ask("POST", path, item)
        assert (status, message in answer["message"]) == (403, True), (name, answer["message"])
    status, answer = simulated.ask("POST", "/api/v1/namespaces/given-monitoring/pods", pod("root", runAsNonRoot=False))
    assert status == 201, answer


def test_pods_of_add_ons_are_admitted(simulated, given):
    """Controllers make pods of them: their namespaces' Pod Security lets them in."""
    for namespace, kind, name in (
        ("kube-flannel", "daemonsets", "flannel"),
        ("traefik", "daemonsets", "traefik"),
        ("kube-system", "deployments", "metrics-server"),
        ("kube-state-metrics", "deployments", "kube-state-metrics"),
        ("local-path-storage", "deployments", "local-path-provisioner"),
    ):
        item = simulated.ask("GET", f"/apis/apps/v1/namespaces/{namespace}/{kind}/{name}")[1]
        template = {"metadata": {"generateName": f"{name}-"}, "spec": item["spec"]["template"]["spec"]}
        body = {"apiVersion": "v1", "kind": "Pod", **template}
        status, answer = simulated.ask("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", body)
        assert status == 201, answer


def test_kube_state_metrics_may_list_what_it_tells_of(simulated, given):
    def allowed(verb: str, resource: str, group: str = "") -> bool:
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": "system:serviceaccount:kube-state-metrics:kube-state-metrics",
                "resourceAttributes": {"verb": verb, "resource": resource, "group": group},
            },
        }
        answer = simulated.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)[1]
        return bool(answer["status"]["allowed"])

    for resource, group in (
        ("nodes", ""), ("pods", ""), ("persistentvolumeclaims", ""),
        ("deployments", "apps"), ("statefulsets", "apps"), ("jobs", "batch"),
    ):  # fmt: skip
        assert allowed("list", resource, group), resource
        assert allowed("watch", resource, group), resource
        assert not allowed("get", resource, group), resource
    assert not allowed("list", "secrets")
    assert not allowed("list", "configmaps")
