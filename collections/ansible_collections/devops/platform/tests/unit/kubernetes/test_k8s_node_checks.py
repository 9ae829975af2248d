"""What preflight says of platform.kubernetes.cluster, and who may reach nodes."""

from __future__ import annotations

import copy
import json
from dataclasses import fields
from importlib import resources

import pytest

from ansible_collections.devops.platform.plugins.module_utils import platform as platform_package
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.addons import VERSIONS, addons, released
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import settings
from ansible_collections.devops.platform.plugins.module_utils.platform.checks import nodes
from ansible_collections.devops.platform.plugins.module_utils.platform.topology import firewall_rules
from ansible_collections.devops.platform.plugins.module_utils.roles.placement import phase_groups
from ansible_collections.devops.platform.tests.unit.platform import example

RIGHT = """\
  kubernetes:
    cluster:
      provider: kubeadm
      version: "1.34.4"
      control_plane: data
      workers: app
      pods: 10.244.0.0/16
      kubelet: {failSwapOn: false}
      containerd: {systemd_cgroup: true}
      snapshots: {directory: /var/backups/etcd, version: "3.6.5"}
      addons: {metrics_server: {}}
  edge:
"""
MANAGED = ("cert_manager_manifests", "1.11.5")
LOCK = copy.deepcopy(example.ARTIFACTS)
for artifact, number in (
    ("kubeadm", "1.34.4"),
    ("kubelet", "1.34.4"),
    ("kubectl", "1.34.4"),
    ("etcd", "3.6.5"),
    MANAGED,
):
    LOCK["artifacts"][artifact] = {number: LOCK["artifacts"]["node_exporter"]["1.9.0"]}
EKS = ('      provider: kubeadm\n      version: "1.34.4"\n      control_plane: data\n', "      provider: eks\n")
REST = (RIGHT[RIGHT.index("      workers") : RIGHT.index("      addons")], "")


def said(root, *edits, **inventory):
    given = {"artifacts": LOCK, **inventory}
    return example.problems(root, ("  edge:\n", RIGHT), *edits, **given)


def test_what_is_right_passes(tmp_path):
    assert said(tmp_path) == []
    assert said(tmp_path, EKS, REST) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version: "1.34.4"', 'version: "1.34.5"', "cluster.version: artifacts.lock.yml has no kubeadm 1.34.5"),
        ('version: "1.34.4"', 'version: "1.34"', "'1.34' is no version of Kubernetes, such as 1.34.4"),
        ('version: "3.6.5"', 'version: "3.6.4"', "snapshots.version: artifacts.lock.yml has no etcd 3.6.4"),
        ('      version: "1.34.4"\n', "", "lacks the key 'version': a version of Kubernetes"),
        ("      control_plane: data\n", "", "lacks the key 'control_plane': the group of the hosts"),
        ("control_plane: data", "control_plane: dta", "the inventory has no group 'dta'; did you mean 'data'?"),
        ("workers: app", "workers: ap", "the inventory has no group 'ap'; did you mean 'app'?"),
        ("workers: app", "workers: data", "data1 is in the control plane's group as well"),
        ("control_plane: data", "control_plane: app", "2 hosts, and no endpoint"),
        (
            "control_plane: data",
            "control_plane: app",
            "cluster.control_plane: 2 hosts: etcd stands still",
        ),
        ("pods: 10.244.0.0/16", "pods: 10.96.1.0/24", "pods (10.96.1.0/24) and services (10.96.0.0/12) overlap"),
        ("pods: 10.244.0.0/16", "pods: 192.0.2.0/24", "192.0.2.0/24 holds 192.0.2.101, the address of app1"),
        ("pods: 10.244.0.0/16", "services: 192.0.2.0/24", "services: 192.0.2.0/24 holds 192.0.2.101"),
        ("pods: 10.244.0.0/16", "pods: 10.244.0.1/16", "has bits set beyond its prefix"),
        ("{failSwapOn: false}", "{cgroupDriver: cgroupfs}", "the kubelet has cgroupDriver: cgroupfs; set"),
        ("{systemd_cgroup: true}", "{systemd_cgroup: false}", "containerd has systemd_cgroup: false, the kubelet has"),
        ("provider: kubeadm", "provider: eks", "AWS makes the nodes of EKS, and would not see this; remove it"),
        ("metrics_server", "metric_server", "unknown key; did you mean 'metrics_server'?"),
        ("workers: app", "workrs: app", "unknown key; did you mean 'workers'?"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, message):
    found = said(tmp_path, (old, new))
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apiVersion: v1\nkind: ConfigMap\n---\n", ""),
        (None, "crds.yml cannot be read: No such file or directory"),
        ("a: [", "crds.yml is no YAML: while parsing"),
        ("- a\n", "crds.yml holds what is no object with apiVersion and kind"),
        ("---\n", "crds.yml holds what is no object"),
    ],
)
def test_manifests_are_read_before_anything_is_done(tmp_path, text, message):
    if text is not None:
        (tmp_path / "crds.yml").write_text(text)
    found = said(tmp_path, ("workers: app", "workers: app\n      manifests: [crds.yml]"))
    assert any(message in problem for problem in found) if message else found == [], found


ASKED = (
    "    targets:\n",
    "    kubernetes: {main: {api_server: 'https://k8s.example', token: k8s, jobs: [pods]}}\n    targets:\n",
)


@pytest.mark.parametrize(
    ("edits", "warned"),
    [
        ((), True),
        ((ASKED,), True),
        ((ASKED, ("[pods]", "[kube-state-metrics]")), False),
        ((ASKED, (", jobs: [pods]", "")), False),  # all of them
        ((("{kube_state_metrics: {}}", "{metrics_server: {}}"),), False),
    ],
)
def test_metrics_that_nobody_asks_for_are_named(tmp_path, edits, warned):
    found = said(tmp_path, ("{metrics_server: {}}", "{kube_state_metrics: {}}"), *edits)
    text = "warning: platform.kubernetes.cluster.addons.kube_state_metrics: nobody asks for its metrics"
    assert any(text in problem for problem in found) == warned, found


CERT_MANAGER = ("{metrics_server: {}}", "{cert_manager: {}}")
ISSUER = ("  edge:\n", "    certificates: {email: ops@example.com}\n  edge:\n")
HOME = ("  edge:\n", "    namespaces: {cert-manager: {isolated: false}}\n  edge:\n")


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ((CERT_MANAGER,), ""),
        ((("{metrics_server: {}}", "{cert_manager: {}, traefik: {}}"), ISSUER), ""),
        ((CERT_MANAGER, ISSUER, ("certificates:", "ingress_class: nginx\n    certificates:")), ""),
        (
            (CERT_MANAGER, ISSUER),
            "warning: platform.kubernetes.certificates: names are proved through Ingresses of class traefik",
        ),
        (
            (ISSUER, ("certificates:", "ingress_class: nginx\n    certificates:")),
            "warning: platform.kubernetes.certificates: nobody answers for an issuer",
        ),
        ((CERT_MANAGER, HOME), ""),
        ((ISSUER,), "warning: platform.kubernetes.certificates: nobody answers for an issuer"),
        ((ISSUER, EKS, REST, ("{metrics_server: {}}", "{cert_manager: {}, traefik: {}}")), ""),
        (
            (CERT_MANAGER, HOME, ("isolated: false", "pod_security: baseline")),
            "platform.kubernetes.namespaces.cert-manager: the add-on cert_manager runs here: neither could the",
        ),
        (
            (("{metrics_server: {}}", "{cert_manager: {version: 1.11.6}}"),),
            "addons.cert_manager: artifacts.lock.yml has no cert_manager_manifests 1.11.6",
        ),
    ],
)
def test_cert_manager_has_what_it_needs(tmp_path, edits, message):
    found = said(tmp_path, *edits)
    assert any(message in problem for problem in found) if message else found == [], found


def test_hosts_that_cannot_be_nodes_are_named(tmp_path):
    groups = {**example.GROUPS, "app": ["app_1"], "all": ["app_1", "data1", "mon1", "edge1"]}
    found = said(tmp_path, groups=groups, addresses={**example.ADDRESSES, "app_1": "192.0.2.103"})
    assert any("the host 'app_1' cannot be a node" in problem for problem in found), found


def rules(host, *edits):
    platform = example.data(("  edge:\n", RIGHT), *edits)
    found = firewall_rules(platform, host, example.GROUPS, example.ADDRESSES)
    return {(rule["port"], rule["protocol"]): rule["sources"] for rule in found}


WORKERS = ["192.0.2.101/32", "192.0.2.102/32"]


def test_nodes_reach_each_other_and_pods_reach_them():
    server, node = rules("data1"), rules("app1")
    assert server[6443, "tcp"] == ["10.244.0.0/16", "192.0.2.1/32", "192.0.2.20/32", "192.0.2.30/32", *WORKERS]
    assert node[10250, "tcp"] == ["10.244.0.0/16", "192.0.2.20/32", "192.0.2.30/32"]
    assert node[8472, "udp"] == ["192.0.2.20/32", *WORKERS]
    assert (6443, "tcp") not in node
    # One member of etcd talks to nobody; several to each other.
    assert (2380, "tcp") not in server
    assert (
        rules("app1", ("control_plane: data", "control_plane: app"), ("workers: app", "workers: data"))[2380, "tcp"]
        == WORKERS
    )


def test_a_network_of_others_needs_no_port_of_ours():
    assert (8472, "udp") not in rules("app1", ("pods: 10", "network: none\n      pods: 10"))


def test_the_ingress_is_open_on_workers():
    found = rules("app1", ("{metrics_server: {}}", "{traefik: {}}"))
    assert found[443, "tcp"] == ["0.0.0.0/0", "::/0"]
    assert (443, "tcp") not in rules("data1", ("{metrics_server: {}}", "{traefik: {}}"))


def test_nodes_are_a_phase_of_their_own():
    platform = example.data(("  edge:\n", RIGHT))
    assert "platform_kubernetes" in phase_groups(platform, "data1", example.GROUPS)
    assert "platform_kubernetes" in phase_groups(platform, "app1", example.GROUPS)
    assert "platform_kubernetes" not in phase_groups(platform, "mon1", example.GROUPS)
    eks = example.data(("  edge:\n", RIGHT), EKS)
    assert "platform_kubernetes" not in phase_groups(eks, "app1", example.GROUPS)


@pytest.mark.parametrize(
    ("edits", "namespaces"),
    [
        ((), ["kube-flannel"]),
        ((("pods: 10", "network: none\n      pods: 10"),), []),
        (
            (("{metrics_server: {}}", "{traefik: {}, local_path: {}}"),),
            ["kube-flannel", "local-path-storage", "traefik"],
        ),
        ((EKS,), []),
        ((EKS, ("{metrics_server: {}}", "{flannel: {}, kube_state_metrics: {}}")), ["kube-state-metrics"]),
    ],
)
def test_add_ons_are_those_that_are_asked_for(edits, namespaces):
    made = addons(example.data(("  edge:\n", RIGHT), *edits))
    assert [one["metadata"]["name"] for one in made if one["kind"] == "Namespace"] == namespaces
    text = str(made)
    assert "${" not in text
    assert ("10.244.0.0/16" in text) == ("kube-flannel" in namespaces)


def test_images_have_the_version_that_is_asked_for_and_never_latest():
    made = addons(
        example.data(("  edge:\n", RIGHT), ("{metrics_server: {}}", "{flannel: {version: 0.99.1}, local_path: {}}"))
    )
    pods = [one["spec"]["template"]["spec"] for one in made if one["kind"] in ("Deployment", "DaemonSet")]
    images = [
        container["image"] for pod in pods for key in ("initContainers", "containers") for container in pod.get(key, [])
    ]
    assert "ghcr.io/flannel-io/flannel:v0.99.1" in images
    assert all(image.rpartition(":")[2] not in ("", "latest") and ":" in image for image in images)
    assert all("resources" in container for pod in pods for container in pod["containers"])


def test_what_may_be_written_is_what_is_read():
    """Each key of the schema has its reader, and each setting its key."""
    schema = json.loads(resources.files(platform_package).joinpath("schema.json").read_text())
    declared = schema["properties"]["platform"]["properties"]["kubernetes"]["properties"]["cluster"]["properties"]
    elsewhere = {"provider", "addons", "manifests", "kubeconfig"}
    read = {"ignore_preflight" if one.name == "ignore" else one.name for one in fields(settings.Cluster)}
    assert set(declared) == read | elsewhere
    assert set(declared["addons"]["properties"]) == {*VERSIONS, *(each.name for each in released.RELEASED)}
    for key, kind in (("snapshots", settings.Snapshots), ("upgrade", settings.Upgrade)):
        assert set(declared[key]["properties"]) == {one.name for one in fields(kind)}
    assert set(nodes.OURS) <= set(declared)
