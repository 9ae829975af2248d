"""A cluster on three hosts, in the order of its life; each test goes on from the one before."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.kubernetes.cluster.conftest import SERVER, WORKERS, Cluster

SITE = ("site.yml", "--tags", "hosts,kubernetes")
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: DoNotSchedule
          nodeTaintsPolicy: Honor # the server takes no pods of others
          labelSelector: {matchLabels: {app: web}}
      containers:
        - name: web
          image: docker.io/library/busybox:1.37.0
          command: [busybox, httpd, -f, -p, "8080"]
          readinessProbe: {tcpSocket: {port: 8080}}
"""


def tell(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")


def test_check_mode_says_what_would_be_done_and_does_nothing(cluster: Cluster) -> None:
    run = cluster.play(*SITE, "--check")
    assert run.changed
    assert cluster.ready() == []


def test_a_cluster_comes_from_nothing(cluster: Cluster) -> None:
    run = cluster.play(*SITE)
    waited = cluster.until(lambda: len(cluster.ready()) == 3, "three nodes are ready")
    tell(f"from nothing to three nodes that are ready: {run.seconds + waited:.0f} s, of which {waited:.0f} s waiting")
    dns = ("-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns")
    cluster.until(lambda: "Running" in cluster.kubectl(*dns), "the cluster's DNS runs")


def test_a_second_run_changes_nothing(cluster: Cluster) -> None:
    run = cluster.play(*SITE)
    assert run.changed == 0, run.text[-4000:]
    tell(f"a second run: {run.seconds:.0f} s")


def test_pods_run_and_a_node_that_dies_comes_back(cluster: Cluster) -> None:
    cluster.apply(WEB)

    def available() -> int:
        found = cluster.kubectl("-n", "default", "get", "deployment", "web", "-o", "json")
        return int(json.loads(found or "{}").get("status", {}).get("availableReplicas", 0))

    cluster.until(lambda: available() == 4, "four pods are available")
    subprocess.run(["docker", "kill", f"devops-lab-{WORKERS[1]}"], check=True, capture_output=True)
    lost = cluster.until(lambda: WORKERS[1] not in cluster.ready(), "the node is seen to be away")
    subprocess.run(["docker", "start", f"devops-lab-{WORKERS[1]}"], check=True, capture_output=True)
    back = cluster.until(lambda: len(cluster.ready()) == 3 and available() == 4, "the node and its pods are back")
    tell(f"a node that died: seen after {lost:.0f} s, back {back:.0f} s after its start")


def test_etcd_comes_back_from_its_snapshot(cluster: Cluster) -> None:
    cluster.on(SERVER, "systemctl", "start", "etcd_snapshot.service")
    assert cluster.kubectl("create", "namespace", "later")
    run = cluster.play("playbooks/restore_etcd.yml")
    cluster.until(lambda: "web" in cluster.kubectl("get", "deployments", "-n", "default"), "the API server answers")
    assert "later" not in cluster.kubectl("get", "namespaces")
    cluster.until(lambda: len(cluster.ready()) == 3, "nodes are ready")
    tell(f"etcd restored in {run.seconds:.0f} s")


def test_an_upgrade_to_what_is_there_has_nothing_to_do(cluster: Cluster) -> None:
    assert cluster.play("playbooks/upgrade_kubernetes.yml").changed == 0


def test_what_is_rolled_out_has_not_drifted(cluster: Cluster) -> None:
    cluster.play("playbooks/drift.yml", "--tags", "hosts,kubernetes,always")
