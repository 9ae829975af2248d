"""platform.kubernetes as manifests."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from kubernetes.client import models

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.resources import (
    applicable,
    autoscaler_values,
    resources,
)

FULL = """
name: chat
kubernetes:
  namespaces:
    chat-app-prod:
      team: applications
      quota: {requests.cpu: 8, limits.memory: 32Gi, pods: "60"}
      limits:
        default_request: {cpu: 100m, memory: 128Mi}
        default: {memory: 256Mi}
      allow:
        prometheus: {from: {namespace: monitoring}, ports: [5000, 5001]}
        database: {to: {cidr: 10.30.0.0/16}, ports: [5432]}
        neighbours: {from: {app: data}}
    ingress: {pod_security: baseline, isolated: false}
  roles:
    admin: {groups: [admins]}
    developer: {groups: [developers], users: [ann@example.com], namespaces: [chat-app-prod]}
    ci-cd: {accounts: [chat-app-prod/deployer]}
  certificates: {issuer: internal, server: https://acme.example/directory, email: ops@example.com}
"""


def made(text: str = FULL) -> dict[str, dict[str, Any]]:
    """[NAMESPACE/]KIND/NAME -> manifest."""
    found = {}
    for manifest in resources(yaml.safe_load(text)):
        about = manifest["metadata"]
        key = "/".join(filter(None, (about.get("namespace"), manifest["kind"], about["name"])))
        assert key not in found
        found[key] = manifest
    return found


def test_what_there_is():
    assert list(made()) == [
        "Namespace/chat-app-prod",
        "Namespace/ingress",
        "chat-app-prod/ResourceQuota/platform",
        "chat-app-prod/LimitRange/platform",
        "chat-app-prod/NetworkPolicy/default-deny",
        "chat-app-prod/NetworkPolicy/allow-dns",
        "chat-app-prod/NetworkPolicy/allow-database",
        "chat-app-prod/NetworkPolicy/allow-neighbours",
        "chat-app-prod/NetworkPolicy/allow-prometheus",
        "chat-app-prod/ServiceAccount/deployer",
        "ClusterRole/platform-developer",
        "ClusterRole/platform-ci-cd",
        "ClusterRoleBinding/platform-admin",
        "chat-app-prod/RoleBinding/platform-developer",
        "chat-app-prod/RoleBinding/platform-ci-cd",
        "ingress/RoleBinding/platform-ci-cd",
        "ClusterIssuer/internal",
    ]


@pytest.mark.parametrize(
    ("key", "path", "value"),
    [
        ("Namespace/chat-app-prod", "metadata.labels.team", "applications"),
        ("Namespace/chat-app-prod", "metadata.labels.pod-security%kubernetes%io/enforce", "restricted"),
        ("Namespace/ingress", "metadata.labels.pod-security%kubernetes%io/enforce", "baseline"),
        ("Namespace/ingress", "metadata.labels.pod-security%kubernetes%io/warn", "restricted"),
        (
            "chat-app-prod/ResourceQuota/platform",
            "spec.hard",
            {"requests.cpu": "8", "limits.memory": "32Gi", "pods": "60"},
        ),
        (
            "chat-app-prod/LimitRange/platform",
            "spec.limits",
            [
                {
                    "type": "Container",
                    "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
                    "default": {"memory": "256Mi"},
                }
            ],
        ),
        (
            "chat-app-prod/NetworkPolicy/default-deny",
            "spec",
            {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        ),
        ("chat-app-prod/NetworkPolicy/allow-dns", "spec.policyTypes", ["Egress"]),
        (
            "chat-app-prod/NetworkPolicy/allow-prometheus",
            "spec",
            {
                "podSelector": {},
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
                        "ports": [{"port": 5000, "protocol": "TCP"}, {"port": 5001, "protocol": "TCP"}],
                    }
                ],
            },
        ),
        (
            "chat-app-prod/NetworkPolicy/allow-database",
            "spec.egress",
            [{"to": [{"ipBlock": {"cidr": "10.30.0.0/16"}}], "ports": [{"port": 5432, "protocol": "TCP"}]}],
        ),
        (
            "chat-app-prod/NetworkPolicy/allow-neighbours",
            "spec.ingress",
            [{"from": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "data"}}}]}],
        ),
        ("chat-app-prod/ServiceAccount/deployer", "automountServiceAccountToken", False),
        ("ClusterRoleBinding/platform-admin", "roleRef.name", "cluster-admin"),
        ("chat-app-prod/RoleBinding/platform-developer", "roleRef.name", "platform-developer"),
        (
            "chat-app-prod/RoleBinding/platform-developer",
            "subjects",
            [
                {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "developers"},
                {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ann@example.com"},
            ],
        ),
        (
            "ingress/RoleBinding/platform-ci-cd",
            "subjects",
            [{"kind": "ServiceAccount", "namespace": "chat-app-prod", "name": "deployer"}],
        ),
        (
            "ClusterIssuer/internal",
            "spec.acme.solvers",
            [{"http01": {"ingress": {"ingressClassName": "traefik"}}}],
        ),
    ],
)
def test_what_each_says(key, path, value):
    node: Any = made()[key]
    for part in path.split("."):
        node = node[part.replace("%", ".")]
    assert node == value


@pytest.mark.parametrize("key", [key for key in made() if "ClusterIssuer" not in key])
def test_each_is_what_kubernetes_calls_one(key):
    manifest = made()[key]
    model = getattr(models, f"V1{manifest['kind']}")
    model.model_validate(manifest)
    assert manifest["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "devops-platform"


def test_an_isolated_namespace_is_the_default_and_the_other_has_no_policies():
    assert [key for key in made() if key.startswith("ingress/NetworkPolicy")] == []
    assert "a/NetworkPolicy/default-deny" in made("{kubernetes: {namespaces: {a: {}}}}")


def test_nothing_is_made_of_nothing():
    assert resources({}) == []
    assert autoscaler_values({}) == {}


def test_the_autoscaler_of_nodes():
    nodes = {"cluster": "prod", "region": "eu-west-1", "role": "arn:aws:iam::123456789012:role/a", "idle": "5m"}
    values = autoscaler_values({"kubernetes": {"node_autoscaling": nodes}})
    assert values["autoDiscovery"] == {"clusterName": "prod"}
    account = values["rbac"]["serviceAccount"]["annotations"]
    assert account == {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/a"}
    assert values["extraArgs"]["scale-down-unneeded-time"] == "5m"
    assert values["extraArgs"]["expander"] == "least-waste"


def test_what_is_in_a_namespace_to_come_cannot_be_tried():
    quota = {"quota": {"pods": 1}}
    platform = {"name": "chat", "kubernetes": {"namespaces": {"old": quota, "new": quota}}}
    made = applicable(resources(platform), ["old", "default"])
    assert {one["metadata"].get("namespace", "") for one in made} == {"", "old"}
    assert {one["metadata"]["name"] for one in made if one["kind"] == "Namespace"} == {"old", "new"}


ISSUER = "{kubernetes: {certificates: {email: ops@example.com}}}"


@pytest.mark.parametrize(
    ("coming", "present", "asked"),
    [
        ([], [], True),  # somebody has defined it, or the server says so
        ([("cert-manager.io", "ClusterIssuer")], [], False),
        ([("cert-manager.io", "ClusterIssuer")], [("cert-manager.io", "ClusterIssuer")], True),
        ([("cert-manager.io", "Issuer"), ("example.io", "ClusterIssuer")], [], True),
    ],
)
def test_what_is_of_a_kind_to_come_is_not_tried(coming, present, asked):
    def definitions(kinds):
        body = {"kind": "CustomResourceDefinition"}
        return [{**body, "spec": {"group": group, "names": {"kind": kind}}} for group, kind in kinds]

    made = applicable(
        resources(yaml.safe_load(ISSUER)), [], [{"kind": "Secret"}, *definitions(coming)], definitions(present)
    )
    assert [one["kind"] for one in made] == (["ClusterIssuer"] if asked else [])


def test_an_issuer_is_lets_encrypts_unless_it_says_otherwise():
    issuer = made("{name: chat, kubernetes: {certificates: {email: ops@example.com}}}")["ClusterIssuer/letsencrypt"]
    acme = issuer["spec"]["acme"]
    assert acme["server"] == "https://acme-v02.api.letsencrypt.org/directory"
    assert acme["privateKeySecretRef"] == {"name": "letsencrypt-account"}


@pytest.mark.parametrize(
    ("cluster", "key"),
    [
        ("{}", "ingressClassName"),
        ("{version: '1.34.4', control_plane: a, addons: {cert_manager: {}}}", "class"),  # 1.11 knows no other
        ("{version: '1.34.4', control_plane: a, addons: {cert_manager: {version: 1.12.0}}}", "ingressClassName"),
        ("{version: '1.34.4', control_plane: a, addons: {cert_manager: {version: 1.9.2}}}", "class"),
        ("{provider: eks, addons: {cert_manager: {}}}", "class"),
    ],
)
def test_a_solver_names_its_class_as_cert_manager_knows_it(cluster, key):
    given = f"{{kubernetes: {{cluster: {cluster}, ingress_class: web, certificates: {{email: ops@example.com}}}}}}"
    issuer = made(given)["ClusterIssuer/letsencrypt"]
    assert issuer["spec"]["acme"]["solvers"] == [{"http01": {"ingress": {key: "web"}}}]
