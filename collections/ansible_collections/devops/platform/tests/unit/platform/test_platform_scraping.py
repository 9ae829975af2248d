"""Targets that are not the platform's own: servers with metrics, and Kubernetes clusters."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.monitoring import rulefiles
from ansible_collections.devops.platform.plugins.module_utils.platform import kubernetes, remote, topology
from ansible_collections.devops.platform.tests.unit.platform import example
from ansible_collections.devops.platform.tests.unit.platform.example import ADDRESSES, GROUPS

PROMTOOL = os.environ.get("PROMTOOL") or shutil.which("promtool") or ""
FULL: dict[str, Any] = {
    "port": 15692,
    "path": "/metrics/detailed",
    "params": {"family": ["queue_metrics", "queue_coarse_metrics"]},
    "scheme": "https",
    "groups": ["data"],
    "addresses": {"broker10": "2001:db8::1", "broker2": "broker2.example"},
    "user": "scraper",
    "password": "rabbitmq_metrics",
    "ca": "pki/rabbitmq.crt",
    "server_name": "rabbitmq.example",
}
CLUSTER = {"api_server": "https://k8s.example:6443", "token": "k8s_token", "ca": "pki/k8s.crt"}


def job(**monitoring: Any) -> list[dict[str, Any]]:
    return topology.scrape_jobs({"monitoring": {"group": "monitoring", **monitoring}}, GROUPS, ADDRESSES)


def test_a_target_with_all_that_may_be_said_of_it() -> None:
    assert job(targets={"rabbitmq": FULL}) == [
        {
            "job_name": "rabbitmq",
            "metrics_path": "/metrics/detailed",
            "params": {"family": ["queue_metrics", "queue_coarse_metrics"]},
            "scheme": "https",
            "static_configs": [
                {"targets": ["192.0.2.20:15692"], "labels": {"host": "data1"}},
                {"targets": ["broker2.example:15692"], "labels": {"host": "broker2"}},
                {"targets": ["[2001:db8::1]:15692"], "labels": {"host": "broker10"}},
            ],
            "basic_auth": {"username": "scraper", "password_file": "remote/rabbitmq_metrics"},
            "tls_config": {"ca_file": "authorities/targets-rabbitmq.crt", "server_name": "rabbitmq.example"},
        }
    ]


def test_files_that_jobs_name_are_those_that_are_written() -> None:
    platform = {
        "monitoring": {
            "prometheus": {"remote_write": [{"url": "https://x", "bearer": "other"}]},
            "targets": {"rabbitmq": FULL, "plain": {"port": 1}, "api": {"port": 2, "bearer": "other"}},
            "kubernetes": {"main": CLUSTER},
        }
    }
    assert remote.remote_secrets(platform) == ["other", "rabbitmq_metrics", "k8s_token"]
    assert remote.remote_authorities(platform) == {
        "targets-rabbitmq.crt": "pki/rabbitmq.crt",
        "kubernetes-main.crt": "pki/k8s.crt",
    }
    assert remote.remote_authorities({}) == {}


def test_hosts_outside_the_inventory_open_no_port() -> None:
    platform = {"monitoring": {"group": "monitoring", "targets": {"db": {"port": 9999, "addresses": {"a": "b"}}}}}
    assert all(topology.firewall_rules(platform, host, GROUPS, ADDRESSES) == [] for host in GROUPS["all"])


# Kubernetes


def clusters(**more: Any) -> dict[str, dict[str, Any]]:
    return {made["job_name"]: made for made in job(kubernetes={"main": {**CLUSTER, **more}})}


def test_every_part_of_a_cluster_is_asked() -> None:
    found = clusters()
    assert list(found) == [f"main-{part}" for part in kubernetes.PARTS]
    for made in found.values():
        [discovery] = made["kubernetes_sd_configs"]
        assert discovery["api_server"] == CLUSTER["api_server"]
        assert discovery["authorization"] == {"credentials_file": "remote/k8s_token"}
        assert discovery["tls_config"] == {"ca_file": "authorities/kubernetes-main.crt"}
        assert made["relabel_configs"][-1] == {"target_label": "cluster", "replacement": "main"}
    assert list(clusters(jobs=["pods", "kubelet"])) == ["main-kubelet", "main-pods"]


def test_the_token_is_shown_to_kubernetes_alone() -> None:
    shown = {name for name, made in clusters().items() if "authorization" in made}
    assert shown == {"main-apiserver", "main-kubelet", "main-cadvisor"}


@pytest.mark.parametrize(
    ("kubelets", "unverified"),
    [
        ({}, set()),
        ({"verify": False}, {"main-kubelet", "main-cadvisor"}),
        ({"verify": False, "through": "api_server"}, set()),
    ],
)
def test_only_kubelets_may_be_taken_on_trust(kubelets: dict[str, Any], unverified: set[str]) -> None:
    found = clusters(kubelets=kubelets)
    assert {name for name, made in found.items() if made.get("tls_config") == {"insecure_skip_verify": True}} == (
        unverified
    )
    assert all(made["kubernetes_sd_configs"][0]["tls_config"].get("ca_file") for made in found.values())


def test_containers_have_names_that_people_know() -> None:
    changed = {
        name: made["metric_relabel_configs"] for name, made in clusters().items() if "metric_relabel_configs" in made
    }
    assert list(changed) == ["main-cadvisor"]
    [rule] = changed["main-cadvisor"]
    assert (rule["replacement"], rule["target_label"]) == ("$1/$2/$3", "name")
    # The number stays where there is no container: a pod's sandbox.
    assert re.fullmatch(rule["regex"], "shop;api-1;api")
    assert not re.fullmatch(rule["regex"], "shop;api-1;")


def test_namespaces_are_for_what_runs_in_them() -> None:
    found = clusters(namespaces=["shop"])
    limited = {name for name, made in found.items() if "namespaces" in made["kubernetes_sd_configs"][0]}
    assert limited == {"main-pods", "main-services"}


def test_nothing_announced_is_no_alert() -> None:
    rules = rulefiles.no_data_rules(list(clusters().values()))["no_data"]["groups"][0]["rules"]
    assert [rule["labels"]["job"] for rule in rules] == [
        "main-apiserver", "main-kubelet", "main-cadvisor", "main-kube-state-metrics"
    ]  # fmt: skip


@pytest.mark.skipif(not PROMTOOL, reason="no promtool: name one by PROMTOOL")
def test_prometheus_takes_it(tmp_path: Path) -> None:
    """With the files at the very places that jobs name, and not without them."""
    platform = {
        "monitoring": {
            "group": "monitoring",
            "targets": {"rabbitmq": FULL},
            "kubernetes": {
                "main": CLUSTER,
                "other": {**CLUSTER, "kubelets": {"through": "api_server"}, "namespaces": ["a"]},
                "third": {**CLUSTER, "kubelets": {"verify": False}},
            },
        }
    }
    made = topology.scrape_jobs(platform, GROUPS, ADDRESSES)
    config = tmp_path / "prometheus.yml"
    config.write_text(yaml.safe_dump({"scrape_configs": made}), encoding="utf-8")

    def accepted() -> bool:
        return subprocess.run([PROMTOOL, "check", "config", str(config)], capture_output=True).returncode == 0

    assert not accepted()
    for folder, names in (
        ("remote", remote.remote_secrets(platform)),
        ("authorities", remote.remote_authorities(platform)),
    ):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text("x", encoding="utf-8")
    assert accepted()


# What is found, as Prometheus' relabelling does it


def relabelled(part: str, found: dict[str, str], **more: Any) -> dict[str, str] | None:
    """The labels of a target, by a small model of relabelling: `replace`, `keep` and `drop`."""
    labels = {"__address__": "10.0.0.1:8080", "__metrics_path__": "/metrics", "__scheme__": "http"}
    labels |= {name if name.startswith("__") else f"__meta_kubernetes_{name}": text for name, text in found.items()}
    for rule in clusters(**more)[f"main-{part}"]["relabel_configs"]:
        said = ";".join(labels.get(name, "") for name in rule.get("source_labels", ()))
        match = re.fullmatch(rule.get("regex", "(.*)"), said)
        action = rule.get("action", "replace")
        if action in ("keep", "drop"):
            if bool(match) == (action == "drop"):
                return None
        elif match:
            text = match.expand(rule.get("replacement", "$1").replace("$", "\\"))
            labels[rule["target_label"]] = text
    return {name: text for name, text in labels.items() if not name.startswith("__meta") and text}


POD = {
    "namespace": "shop",
    "pod_name": "api-1",
    "pod_container_name": "api",
    "pod_node_name": "node1",
    "pod_label_app_kubernetes_io_name": "api",
    "pod_label_app": "old",
    "pod_phase": "Running",
    "pod_annotation_prometheus_io_scrape": "true",
}
TARGET = {"__address__": "10.0.0.1:8080", "__metrics_path__": "/metrics", "__scheme__": "http", "cluster": "main"}
NAMED = {**TARGET, "namespace": "shop", "pod": "api-1", "host": "node1", "app": "api"}


@pytest.mark.parametrize(
    ("part", "found", "labels"),
    [
        ("pods", POD, {**NAMED, "container": "api"}),
        ("pods", {**POD, "pod_label_app_kubernetes_io_name": ""}, {**NAMED, "container": "api", "app": "old"}),
        (
            "pods",
            {**POD, "pod_label_app_kubernetes_io_component": "backend"},
            {**NAMED, "container": "api", "service": "backend"},
        ),
        ("pods", {**POD, "pod_annotation_prometheus_io_scrape": ""}, None),
        ("pods", {**POD, "pod_annotation_prometheus_io_scrape": "false"}, None),
        ("pods", {**POD, "pod_phase": "Succeeded"}, None),
        ("pods", {**POD, "pod_container_init": "true"}, None),
        (
            "pods",
            {
                **POD,
                "pod_annotation_prometheus_io_port": "9999",
                "pod_annotation_prometheus_io_path": "/m",
                "pod_annotation_prometheus_io_scheme": "https",
            },
            {**NAMED, "__address__": "10.0.0.1:9999", "__metrics_path__": "/m", "__scheme__": "https"},
        ),
        (
            "pods",
            {**POD, "__address__": "[fd00::1]:80", "pod_annotation_prometheus_io_port": "81"},
            {**NAMED, "__address__": "[fd00::1]:81"},
        ),
        (
            "pods",
            {**POD, "__address__": "10.0.0.2", "pod_annotation_prometheus_io_port": "81"},
            {**NAMED, "__address__": "10.0.0.2:81"},
        ),
        (
            "services",
            {**POD, "service_annotation_prometheus_io_scrape": "true", "service_name": "api"},
            {**NAMED, "container": "api", "service": "api"},
        ),
        ("services", POD, None),
        ("kubelet", {"node_name": "node1"}, {**TARGET, "host": "node1"}),
        ("cadvisor", {"node_name": "node1"}, {**TARGET, "host": "node1", "__metrics_path__": "/metrics/cadvisor"}),
        (
            "kube-state-metrics",
            {**POD, "service_label_app_kubernetes_io_name": "kube-state-metrics", "endpointslice_port_name": "http"},
            {**TARGET, "host": "node1"},
        ),
        (
            "kube-state-metrics",
            {"service_label_app_kubernetes_io_name": "kube-state-metrics", "endpointslice_port_name": "telemetry"},
            None,
        ),
        (
            "apiserver",
            {"namespace": "default", "service_name": "kubernetes", "endpointslice_port_name": "https"},
            {**TARGET, "namespace": "default"},
        ),
        ("apiserver", {"namespace": "shop", "service_name": "kubernetes", "endpointslice_port_name": "https"}, None),
    ],
)
def test_labels(part: str, found: dict[str, str], labels: dict[str, str] | None) -> None:
    assert relabelled(part, found) == labels


def test_kubelets_through_the_api_server() -> None:
    found = relabelled("cadvisor", {"node_name": "node1"}, kubelets={"through": "api_server"})
    assert found == {
        **TARGET,
        "host": "node1",
        "instance": "node1",
        "__address__": "k8s.example:6443",
        "__metrics_path__": "/api/v1/nodes/node1/proxy/metrics/cadvisor",
    }


# Preflight

OLD = "database: {port: 9187, groups: [data]}"


def monitored(tmp_path: Path, text: str, *more: tuple[str, str]) -> list[str]:
    (tmp_path / "ca.crt").write_text("", encoding="utf-8")
    return example.problems(tmp_path, *more, (OLD, text))


def in_target(keys: str) -> str:
    return f"rabbitmq: {{port: 15692, {keys}}}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (in_target("path: /metrics"), "rabbitmq: is nowhere; give it groups of the inventory, or addresses"),
        (in_target("groups: [dta]"), "the inventory has no group 'dta'; did you mean 'data'?"),
        (in_target("addresses: {a: 'b:1'}"), "'b:1' is no host name or IP address; a port stands beside it"),
        (in_target("addresses: {a: b}, user: u"), "password"),
        (in_target("addresses: {a: b}, scheme: https, bearer: nobody"), "no secret 'nobody' is declared"),
        (in_target("addresses: {a: b}, ca: ca.crt"), "is for TLS, and this target is asked without"),
        (in_target("addresses: {a: b}, scheme: https, ca: none.crt"), "no such file none.crt"),
        (
            in_target("addresses: {a: b}, user: u, password: chat_redis"),
            "warning: platform.monitoring.targets.rabbitmq",
        ),
        (
            in_target("addresses: {a: b}, scheme: https, user: u, password: chat_redis, bearer: chat_redis"),
            "Prometheus shows one thing only",
        ),
    ],
)
def test_targets_that_cannot_work(tmp_path: Path, text: str, words: str) -> None:
    found = monitored(tmp_path, text)
    assert len(found) == 1, found
    assert words in found[0]


def test_targets_that_can(tmp_path: Path) -> None:
    keys = "scheme: https, addresses: {a: 10.0.0.1, b: '2001:db8::1', c: c.example}, user: u, password: chat_redis"
    assert monitored(tmp_path, in_target(f"{keys}, ca: ca.crt, server_name: x, params: {{family: [a]}}")) == []


def cluster(name: str = "main", **keys: Any) -> tuple[str, str]:
    given = {"api_server": "https://k", "token": "chat_redis", "ca": "ca.crt", **keys}
    # JSON is YAML, too.
    return "    targets:\n", f"    kubernetes: {json.dumps({name: given})}\n    targets:\n"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (cluster(api_server="http://k"), "would be shown the token without TLS; it begins with https://"),
        (cluster(api_server="k:6443"), "'k:6443' is not a URL"),
        (cluster(token="nobody"), "no secret 'nobody' is declared"),
        (cluster(ca="none.crt"), "no such file none.crt"),
        (cluster(jobs=["pod"]), "did you mean 'pods'?"),
        (cluster(kubelets={"through": "nodes"}), "did you mean 'node'?"),
    ],
)
def test_clusters_that_cannot_work(tmp_path: Path, edit: tuple[str, str], words: str) -> None:
    found = monitored(tmp_path, OLD, edit)
    assert len(found) == 1, found
    assert words in found[0]


def test_a_job_has_one_name(tmp_path: Path) -> None:
    named = ("        api:\n", "        kubelet:\n")
    routed = ("service: api}", "service: kubelet}")
    tasks = ("before: [api, websocket]", "before: [kubelet, websocket]")
    [found] = monitored(tmp_path, OLD, cluster("chat"), named, routed, tasks)
    assert "its job chat-kubelet would be called like that of a service (line" in found


def test_a_cluster_that_can(tmp_path: Path) -> None:
    assert monitored(tmp_path, OLD, cluster()) == []
