"""What stands in charts/values: rendered, linted, checked against schemas and policies, in each environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.resources import resources
from tests.charts.harness import (
    CHART,
    CHARTS,
    KUBERNETES,
    RELEASES,
    at,
    conftest,
    container,
    one,
    program,
    release,
    run,
    text_of,
    titles,
)

# Workload: pods, requests, limits. What production has.
SIZES = {
    "web": (3, {"cpu": "100m", "memory": "128Mi"}, {"cpu": "200m", "memory": "256Mi"}),
    "api": (3, {"cpu": "200m", "memory": "256Mi"}, {"cpu": "500m", "memory": "512Mi"}),
    "websocket": (2, {"cpu": "150m", "memory": "192Mi"}, {"cpu": "300m", "memory": "384Mi"}),
}


def kubeconform(schemas: Path, text: str) -> str:
    location = f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    done = run(program("kubeconform"), "-strict", "-summary", "-schema-location", location, "-", stdin=text)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("name", RELEASES)
def test_each_release_is_what_kubernetes_takes(name: str, schemas: Path) -> None:
    app, namespace, files = RELEASES[name]
    assert kubeconform(schemas, text_of(files=files, release=app, namespace=namespace)) == ""


def test_kubeconform_refuses_a_slip(schemas: Path) -> None:
    text = text_of(files=("chat/base.yaml",)).replace("podSelector:", "podSelctor:", 1)
    assert "podSelctor" in kubeconform(schemas, text)


def test_what_a_cluster_is_given_is_what_it_takes(schemas: Path) -> None:
    text = """
    namespaces:
      a: {quota: {pods: 1}, limits: {max: {cpu: 1}}, allow: {b: {from: {app: c}, ports: [1]}}}
    roles: {admin: {users: [a]}, developer: {groups: [a]}, ci-cd: {accounts: [a/b]}, read-only: {groups: [a]}}
    certificates: {issuer: a, server: "https://a", email: a@b}
    """
    manifests = resources({"kubernetes": yaml.safe_load(text)})
    assert kubeconform(schemas, yaml.safe_dump_all(manifests)) == ""


@pytest.mark.parametrize("name", RELEASES)
def test_each_release_keeps_the_policies(name: str) -> None:
    assert conftest(release(name)) == []


@pytest.mark.parametrize("name", RELEASES)
def test_helm_has_nothing_against_it(name: str) -> None:
    files = [argument for each in RELEASES[name][2] for argument in ("--values", str(CHARTS / "values" / each))]
    done = run(program("helm"), "lint", "--strict", "--kube-version", KUBERNETES, str(CHART), *files)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SIZES)
def test_sizes_of_the_chat_in_production(name: str) -> None:
    manifests = release("chat-prod")
    pods, requests, limits = SIZES[name]
    assert container(manifests, name)["resources"] == {"requests": requests, "limits": limits}
    replicas = at(one(manifests, "Deployment", f"chat-{name}"), "spec.replicas")
    if name == "api":
        scaler = one(manifests, "HorizontalPodAutoscaler", "chat-api")
        assert replicas is None
        assert (at(scaler, "spec.minReplicas"), at(scaler, "spec.maxReplicas")) == (pods, 10)
        assert [at(metric, "type") for metric in scaler["spec"]["metrics"]] == ["Resource", "Pods"]
    else:
        assert replicas == pods


@pytest.mark.parametrize("name", SIZES)
def test_each_is_asked_by_http(name: str) -> None:
    asked = container(release("chat-prod"), name)
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert at(asked, f"{kind}.httpGet.port") == "http"


def test_the_way_in() -> None:
    ingress = one(release("chat-services"), "Ingress")
    assert at(ingress, "metadata.annotations.cert-manager%io/cluster-issuer") == "letsencrypt"
    assert at(ingress, "spec.tls") == [{"hosts": ["chat.example.com"], "secretName": "chat-tls"}]
    assert at(ingress, "spec.rules.0.host") == "chat.example.com"
    routes = {route["path"]: at(route, "backend.service.name") for route in at(ingress, "spec.rules.0.http.paths")}
    assert routes == {
        "/": "chat-web",
        "/api": "chat-api",
        "/ws": "chat-websocket",
        "/auth": "auth-api",
        "/payment": "payment-api",
        "/analytics": "analytics-api",
    }
    assert {at(route, "pathType") for route in at(ingress, "spec.rules.0.http.paths")} == {"Prefix"}


def reached_by(policy: dict[str, Any]) -> dict[str, list[int]]:
    """Who comes in, and at which ports."""
    found = {}
    for rule in policy["spec"]["ingress"]:
        peer = rule["from"][0]
        labels = at(peer, "podSelector.matchLabels") or at(peer, "namespaceSelector.matchLabels")
        found["/".join(labels[key] for key in sorted(labels, reverse=True))] = [port["port"] for port in rule["ports"]]
    return found


def test_the_stores_are_reached_by_api_and_workers_only() -> None:
    manifests = release("data-prod")
    assert reached_by(one(manifests, "NetworkPolicy", "data-redis")) == {
        "chat/api": [6379],
        "chat/websocket": [6379],
        "data/redis": [6379],
    }
    assert reached_by(one(manifests, "NetworkPolicy", "data-rabbitmq")) == {
        "chat/api": [5672],
        "chat/worker": [5672],
        "data/rabbitmq": [4369, 25672],
        "monitoring": [15692],
    }


@pytest.mark.parametrize(
    ("name", "workload", "pods", "size"),
    [
        ("data-dev", "redis", 1, "10Gi"),
        ("data-staging", "redis", 2, "10Gi"),
        ("data-prod", "redis", 3, "10Gi"),
        ("data-dev", "rabbitmq", 1, "20Gi"),
        ("data-staging", "rabbitmq", 3, "20Gi"),
        ("data-prod", "rabbitmq", 3, "20Gi"),
    ],
)
def test_the_stores_and_their_volumes(name: str, workload: str, pods: int, size: str) -> None:
    store = one(release(name), "StatefulSet", f"data-{workload}")
    assert at(store, "spec.replicas") == pods
    assert at(store, "spec.volumeClaimTemplates.0.spec.resources.requests.storage") == size


def test_the_migration_comes_first_and_with_all_that_it_needs() -> None:
    manifests = release("chat-prod")
    belongs = [made for made in manifests if made["metadata"]["name"] == "chat-migrate"]
    assert titles(belongs) == ["Job/chat-migrate", "NetworkPolicy/chat-migrate", "ServiceAccount/chat-migrate"]
    weights = {made["kind"]: int(at(made, "metadata.annotations.helm%sh/hook-weight")) for made in belongs}
    assert weights["Job"] > max(weights["NetworkPolicy"], weights["ServiceAccount"])
    assert {at(made, "metadata.annotations.helm%sh/hook") for made in belongs} == {"pre-install,pre-upgrade"}


def test_no_secret_stands_in_values() -> None:
    for path in (CHARTS / "values").rglob("*.yaml"):
        assert "secretValues" not in path.read_text(), path
