"""Each value, and what it is in the objects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.charts.harness import at, one, render, titles

WEB: dict[str, Any] = {
    "image": {"repository": "web", "tag": "1.2.3"},
    "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "2m", "memory": "2Mi"}},
    "ports": {"http": 80},
}
DIGEST = "sha256:" + "0123456789abcdef" * 4


def shop(more: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """Values of a shop with one workload, `web`."""
    return {**values, "workloads": {"web": {**WEB, **(more or {})}, **values.get("workloads", {})}}


def test_the_least_that_there_is() -> None:
    assert titles(render(shop())) == [
        "Deployment/shop-web",
        "NetworkPolicy/shop-web",
        "Service/shop-web",
        "ServiceAccount/shop-web",
    ]


POD = "spec.template.spec"
MAIN = f"{POD}.containers.0"


@pytest.mark.parametrize(
    ("more", "path", "expected"),
    [
        # Always.
        ({}, f"{POD}.automountServiceAccountToken", False),
        ({}, f"{POD}.enableServiceLinks", False),
        ({}, f"{POD}.serviceAccountName", "shop-web"),
        ({}, f"{POD}.securityContext.runAsNonRoot", True),
        ({}, f"{POD}.securityContext.runAsUser", 10001),
        ({}, f"{POD}.securityContext.seccompProfile", {"type": "RuntimeDefault"}),
        ({}, f"{MAIN}.securityContext.readOnlyRootFilesystem", True),
        ({}, f"{MAIN}.securityContext.allowPrivilegeEscalation", False),
        ({}, f"{MAIN}.securityContext.capabilities", {"drop": ["ALL"]}),
        ({}, "spec.replicas", 1),
        ({}, "spec.strategy.rollingUpdate", {"maxUnavailable": 0, "maxSurge": 1}),
        ({}, "metadata.namespace", "shop-prod"),
        ({}, "metadata.labels.app%kubernetes%io/component", "web"),
        ({}, f"{POD}.topologySpreadConstraints", None),
        ({}, "spec.template.metadata.annotations", None),
        # The image.
        ({}, f"{MAIN}.image", "web:1.2.3"),
        ({"image": {"repository": "r.example/web", "digest": DIGEST}}, f"{MAIN}.image", f"r.example/web@{DIGEST}"),
        (
            {"image": {"repository": "web", "tag": "1.2.3", "digest": DIGEST}},
            f"{MAIN}.image",
            f"web:1.2.3@{DIGEST}",
        ),
        # Its own over the defaults, also where that is nothing.
        ({"replicas": 0}, "spec.replicas", 0),
        ({"user": 999}, f"{POD}.securityContext.fsGroup", 999),
        ({"stopSeconds": 90}, f"{POD}.terminationGracePeriodSeconds", 90),
        ({"command": ["a", "b"]}, f"{MAIN}.command", ["a", "b"]),
        ({"args": ["a"]}, f"{MAIN}.args", ["a"]),
        ({"priorityClass": "high"}, f"{POD}.priorityClassName", "high"),
        ({"nodeSelector": {"disk": "ssd"}}, f"{POD}.nodeSelector", {"disk": "ssd"}),
        ({"tolerations": [{"operator": "Exists"}]}, f"{POD}.tolerations", [{"operator": "Exists"}]),
        # What it is told.
        (
            {"environment": {"A": "b", "C": True, "D": 1234567}},
            f"{MAIN}.env",
            [{"name": "A", "value": "b"}, {"name": "C", "value": "true"}, {"name": "D", "value": "1234567"}],
        ),
        (
            {"fields": {"POD": "metadata.name"}, "environment": {"NAME": "a-$(POD)"}},
            f"{MAIN}.env",
            [
                {"name": "POD", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
                {"name": "NAME", "value": "a-$(POD)"},
            ],
        ),
        (
            {"secrets": {"DB": "shop_db"}},
            f"{MAIN}.env",
            [{"name": "DB_FILE", "value": "/run/secrets/shop_db"}],
        ),
        (
            {"secrets": {"DB": "shop_db", "OTHER": "shop_db", "KEY": "shop_a"}},
            f"{POD}.volumes.0",
            {
                "name": "secrets",
                "secret": {
                    "secretName": "shop",
                    "defaultMode": 0o440,
                    "items": [{"key": "shop_a", "path": "shop_a"}, {"key": "shop_db", "path": "shop_db"}],
                },
            },
        ),
        (
            {"secrets": {"DB": "shop_db"}},
            f"{MAIN}.volumeMounts.0",
            {"name": "secrets", "mountPath": "/run/secrets", "readOnly": True},
        ),
        (
            {"files": {"path": "/etc/web", "content": {"a.conf": "x\n"}}},
            f"{MAIN}.volumeMounts.0",
            {"name": "files", "mountPath": "/etc/web", "readOnly": True},
        ),
        # Where it writes.
        (
            {},
            f"{POD}.volumes",
            [{"name": "scratch-tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
        ),
        (
            {"scratch": {"/var/cache/x": "1Gi"}},
            f"{MAIN}.volumeMounts",
            [
                {"name": "scratch-tmp", "mountPath": "/tmp"},
                {"name": "scratch-var-cache-x", "mountPath": "/var/cache/x"},
            ],
        ),
        (
            {"volumes": {"data": {"path": "/data", "size": "1Gi"}}},
            f"{POD}.volumes.1",
            {"name": "data", "persistentVolumeClaim": {"claimName": "shop-web-data"}},
        ),
        ({"volumes": {"data": {"path": "/data", "size": "1Gi"}}}, "spec.strategy", {"type": "Recreate"}),
        # How it is asked.
        (
            {"probes": {"readiness": {"path": "/ready", "timeout": 7}}},
            f"{MAIN}.readinessProbe",
            {
                "httpGet": {"path": "/ready", "port": "http"},
                "periodSeconds": 10,
                "timeoutSeconds": 7,
                "failureThreshold": 3,
            },
        ),
        ({"probes": {"liveness": {"exec": ["a"]}}}, f"{MAIN}.livenessProbe.exec", {"command": ["a"]}),
        ({"probes": {"startup": {"tcp": True}}}, f"{MAIN}.startupProbe.tcpSocket", {"port": "http"}),
        ({"probes": {"startup": {"tcp": True, "failures": 30}}}, f"{MAIN}.startupProbe.failureThreshold", 30),
        # Where Prometheus finds it.
        (
            {"metrics": {"path": "/m", "port": "http"}},
            "spec.template.metadata.annotations",
            {"prometheus.io/scrape": "true", "prometheus.io/path": "/m", "prometheus.io/port": "80"},
        ),
        # Many of it.
        ({"scaling": {"min": 2, "max": 5, "cpu": 70}}, "spec.replicas", None),
        ({"replicas": 2}, f"{POD}.topologySpreadConstraints.0.topologyKey", "kubernetes.io/hostname"),
        ({"replicas": 2}, f"{POD}.topologySpreadConstraints.1.whenUnsatisfiable", "ScheduleAnyway"),
        ({"replicas": 2}, f"{POD}.topologySpreadConstraints.0.matchLabelKeys", ["pod-template-hash"]),
    ],
)
def test_a_deployment(more: dict[str, Any], path: str, expected: Any) -> None:
    assert at(one(render(shop(more)), "Deployment"), path) == expected


def test_two_environments_and_the_own_one_counts() -> None:
    made = render({**shop({"environment": {"A": "own"}}), "environment": {"A": "all", "B": "all"}})
    assert at(one(made, "Deployment"), f"{MAIN}.env") == [{"name": "A", "value": "own"}, {"name": "B", "value": "all"}]


@pytest.mark.parametrize("more", [{"enabled": False}, {"kind": "Job"}], ids=str)
def test_false_wins_over_a_default(more: dict[str, Any]) -> None:
    assert "Deployment/shop-web" not in titles(render(shop(more)))


@pytest.mark.parametrize(
    ("values", "kind", "path", "expected"),
    [
        (shop(app="kiosk"), "Deployment", "metadata.name", "kiosk-web"),
        (shop(registry="r.example"), "Deployment", f"{MAIN}.image", "r.example/web:1.2.3"),
        (shop(imagePullSecrets=["a"]), "Deployment", f"{POD}.imagePullSecrets", [{"name": "a"}]),
        (shop({"secrets": {"A": "b"}}, secretName="c"), "Deployment", f"{POD}.volumes.0.secret.secretName", "c"),
        (shop(secretValues={"a": "b"}), "Secret", "data", {"a": "Yg=="}),
        (shop({"files": {"path": "/e", "content": {"a": "b\n"}}}), "ConfigMap", "data", {"a": "b\n"}),
        (shop(), "Service", "spec.ports", [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]),
        (shop({"only": {"a": "b"}}), "Service", "spec.selector.a", "b"),
        (shop(), "ServiceAccount", "automountServiceAccountToken", False),
        (shop({"accountAnnotations": {"a": "b"}}), "ServiceAccount", "metadata.annotations", {"a": "b"}),
        (shop({"replicas": 2}), "PodDisruptionBudget", "spec.maxUnavailable", 1),
        (shop({"replicas": 9, "disruption": {"maxUnavailable": 3}}), "PodDisruptionBudget", "spec.maxUnavailable", 3),
        (shop({"scaling": {"min": 2, "max": 5, "cpu": 70}}), "PodDisruptionBudget", "spec.maxUnavailable", 1),
        (
            shop({"scaling": {"min": 1, "max": 5, "cpu": 70}}),
            "HorizontalPodAutoscaler",
            "spec.metrics",
            [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
                }
            ],
        ),
        (
            shop({"scaling": {"min": 1, "max": 5, "metrics": {"http_requests_in_progress": "8"}}}),
            "HorizontalPodAutoscaler",
            "spec.metrics",
            [
                {
                    "type": "Pods",
                    "pods": {
                        "metric": {"name": "http_requests_in_progress"},
                        "target": {"type": "AverageValue", "averageValue": "8"},
                    },
                }
            ],
        ),
        (
            shop({"scaling": {"min": 1, "max": 5, "cpu": 70}}),
            "HorizontalPodAutoscaler",
            "spec.scaleTargetRef",
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop-web"},
        ),
        (shop({"vpa": "Off"}), "VerticalPodAutoscaler", "spec.updatePolicy.updateMode", "Off"),
        (
            shop({"volumes": {"data": {"path": "/d", "size": "3Gi", "storageClass": "fast"}}}),
            "PersistentVolumeClaim",
            "spec",
            {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "fast",
                "resources": {"requests": {"storage": "3Gi"}},
            },
        ),
        (
            shop({"volumes": {"data": {"path": "/d", "size": "3Gi"}}}),
            "PersistentVolumeClaim",
            "metadata.annotations",
            {"helm.sh/resource-policy": "keep"},
        ),
        (
            shop({"metrics": {"path": "/m", "port": "http"}}, monitoring={"discovery": "serviceMonitor"}),
            "ServiceMonitor",
            "spec.endpoints",
            [{"port": "http", "path": "/m", "interval": "30s"}],
        ),
        (
            shop(
                {"metrics": {"path": "/m", "port": "http"}},
                monitoring={"discovery": "serviceMonitor", "labels": {"release": "prometheus"}},
            ),
            "ServiceMonitor",
            "metadata.labels.release",
            "prometheus",
        ),
        (
            shop({"metrics": {"path": "/m", "port": "http"}}, monitoring={"discovery": "serviceMonitor"}),
            "Deployment",
            "spec.template.metadata.annotations",
            None,
        ),
    ],
)
def test_what_belongs_to_it(values: dict[str, Any], kind: str, path: str, expected: Any) -> None:
    assert at(one(render(values), kind), path) == expected


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (shop({"replicas": 1}), "PodDisruptionBudget"),
        (shop({"scaling": {"min": 1, "max": 5, "cpu": 70}}), "PodDisruptionBudget"),
        (shop({"ports": {}}), "Service"),
        (shop(), "Ingress"),
        (shop(), "HorizontalPodAutoscaler"),
        (shop({"metrics": {"path": "/m", "port": "http"}}), "ServiceMonitor"),
        (shop(), "Secret"),
        (shop({"kind": "Job"}), "Service"),
    ],
)
def test_what_is_not_made(values: dict[str, Any], kind: str) -> None:
    assert kind not in {made["kind"] for made in render(values)}


STATEFUL = {"kind": "StatefulSet", "replicas": 3, "volumes": {"data": {"path": "/d", "size": "3Gi"}}}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.replicas", 3),
        ("spec.serviceName", "shop-web-headless"),
        ("spec.podManagementPolicy", "Parallel"),
        ("spec.volumeClaimTemplates.0.metadata.name", "data"),
        ("spec.volumeClaimTemplates.0.spec.resources.requests.storage", "3Gi"),
        (f"{POD}.containers.0.volumeMounts.1", {"name": "data", "mountPath": "/d"}),
        (f"{POD}.volumes.1", None),
        (f"{POD}.topologySpreadConstraints.0.matchLabelKeys", None),
        ("spec.persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"}),
    ],
)
def test_a_stateful_set(path: str, expected: Any) -> None:
    made = render(shop(STATEFUL))
    assert at(one(made, "StatefulSet"), path) == expected
    assert "PersistentVolumeClaim" not in {each["kind"] for each in made}


def test_a_stateful_set_has_two_services_of_which_one_is_asked_for_metrics() -> None:
    metrics = {"metrics": {"path": "/m", "port": "http"}, "only": {"a": "b"}}
    made = render(shop({**STATEFUL, **metrics}, monitoring={"discovery": "serviceMonitor"}))
    headless, client = one(made, "Service", "shop-web-headless"), one(made, "Service", "shop-web")
    assert at(headless, "spec.clusterIP") == "None"
    assert at(headless, "spec.publishNotReadyAddresses") is True
    assert at(headless, "spec.selector.a") is None
    assert at(client, "spec.selector.a") == "b"
    label = "service.kubernetes.io/headless"
    assert label in headless["metadata"]["labels"]
    assert label not in client["metadata"]["labels"]
    chosen = at(one(made, "ServiceMonitor"), "spec.selector.matchExpressions")
    assert chosen == [{"key": label, "operator": "Exists"}]


def test_a_cron_job() -> None:
    made = one(render(shop({"kind": "CronJob", "schedule": "1 2 * * *", "ports": {}})), "CronJob")
    assert at(made, "spec.schedule") == "1 2 * * *"
    assert at(made, "spec.concurrencyPolicy") == "Forbid"
    assert at(made, "spec.jobTemplate.spec.template.spec.restartPolicy") == "Never"
    assert at(made, "metadata.annotations") is None


def test_what_a_job_needs_comes_before_it() -> None:
    job = {"kind": "Job", "ports": {}, "files": {"path": "/e", "content": {"a": "b"}}, "secrets": {"A": "b"}}
    made = render(shop(job, secretValues={"b": "c"}))
    weights = {each["kind"]: int(at(each, "metadata.annotations.helm%sh/hook-weight")) for each in made}
    assert sorted(weights) == ["ConfigMap", "Job", "NetworkPolicy", "Secret", "ServiceAccount"]
    assert all(weight < weights["Job"] for kind, weight in weights.items() if kind != "Job")


@pytest.mark.parametrize("values", [{"b": "c"}, {"b": "d"}], ids=str)
def test_pods_start_anew_when_what_they_read_changes(values: dict[str, str]) -> None:
    def digests(content: str, secret: dict[str, str]) -> list[Any]:
        more = {"files": {"path": "/e", "content": {"a": content}}, "secrets": {"A": "b"}}
        made = one(render(shop(more, secretValues=secret)), "Deployment")
        return sorted(at(made, "spec.template.metadata.annotations").values())

    assert digests("x", values) == digests("x", values)
    assert digests("x", values) != digests("y", values)
    assert digests("x", {"b": "c"}) != digests("x", {"b": "d"})


MONITORING = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
INGRESS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "traefik"}}}


def peer(app: str, component: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": app, "app.kubernetes.io/component": component}
    return {"podSelector": {"matchLabels": labels}}


def port(*numbers: int) -> list[dict[str, Any]]:
    return [{"port": number, "protocol": "TCP"} for number in numbers]


@pytest.mark.parametrize(
    ("values", "path", "expected"),
    [
        (shop(), "policyTypes", ["Ingress", "Egress"]),
        (shop(), "ingress", []),
        (shop(), "egress.0.ports", [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]),
        (shop(), "egress.1", None),
        (shop({"from": {"a": {"workload": "api"}}}), "ingress", [{"from": [peer("shop", "api")], "ports": port(80)}]),
        (
            shop({"from": {"a": {"app": "x", "workload": "api", "ports": [1, 2]}}}),
            "ingress",
            [{"from": [peer("x", "api")], "ports": port(1, 2)}],
        ),
        (
            shop({"from": {"a": {"namespace": "n"}}}),
            "ingress.0.from",
            [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "n"}}}],
        ),
        (
            shop({"from": {"a": {"namespace": "n", "app": "x"}}}),
            "ingress.0.from.0",
            {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "n"}},
                "podSelector": {"matchLabels": {"app.kubernetes.io/name": "x"}},
            },
        ),
        (
            shop({"to": {"a": {"cidr": "10.0.0.0/8", "ports": [5432]}}}),
            "egress.1",
            {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": port(5432)},
        ),
        (
            shop({"metrics": {"path": "/m", "port": "http"}}),
            "ingress",
            [{"from": [MONITORING], "ports": port(80)}],
        ),
        (
            shop(ingress={"host": "a.example", "routes": {"/": {"workload": "web"}, "/b": {"workload": "web"}}}),
            "ingress",
            [{"from": [INGRESS], "ports": port(80)}],
        ),
    ],
)
def test_who_may_reach_it_and_what_it_may_reach(values: dict[str, Any], path: str, expected: Any) -> None:
    assert at(one(render(values), "NetworkPolicy"), f"spec.{path}") == expected


def test_an_ingress_by_default_values() -> None:
    made = one(render(shop(ingress={"host": "a.example", "routes": {"/": {"workload": "web"}}})), "Ingress")
    assert at(made, "metadata.name") == "shop"
    assert at(made, "metadata.annotations") is None
    assert at(made, "spec.ingressClassName") == "traefik"
    assert at(made, "spec.tls.0.secretName") == "shop-tls"
    assert at(made, "spec.rules.0.http.paths.0.backend.service") == {"name": "shop-web", "port": {"name": "http"}}


NGINX = "nginx.ingress.kubernetes.io/proxy-read-timeout"
SENDING = "nginx.ingress.kubernetes.io/proxy-send-timeout"


@pytest.mark.parametrize(
    ("ingress", "annotations"),
    [
        ({"silence": 60}, None),
        ({"className": "nginx"}, None),
        ({"className": "nginx", "silence": 60}, {NGINX: "60", SENDING: "60"}),
        ({"className": "nginx", "silence": 3600000}, {NGINX: "3600000", SENDING: "3600000"}),
        (
            {"className": "nginx", "silence": 60, "annotations": {NGINX: "90"}, "issuer": "a"},
            {"cert-manager.io/cluster-issuer": "a", NGINX: "90", SENDING: "60"},
        ),
        ({"silence": 60, "annotations": {"a": "b"}}, {"a": "b"}),
    ],
)
def test_only_nginx_is_told_of_silence(ingress: dict[str, Any], annotations: dict[str, str] | None) -> None:
    values = shop(ingress={"host": "a.example", "routes": {"/": {"workload": "web"}}, **ingress})
    assert at(one(render(values), "Ingress"), "metadata.annotations") == annotations


@pytest.mark.parametrize("word", ["on", "null", "true", "yes"])
def test_a_name_that_yaml_takes_for_something_else_stays_a_name(word: str) -> None:
    values = {"app": word, "workloads": {word: {**WEB, "from": {"a": {"workload": word, "app": word}}}}}
    made = render(values)
    assert at(one(made, "Deployment"), "spec.selector.matchLabels.app%kubernetes%io/component") == word
    assert at(one(made, "Deployment"), f"{MAIN}.name") == word
    assert at(one(made, "NetworkPolicy"), "spec.ingress.0.from") == [peer(word, word)]
