"""Prometheus' discovery on a real API server: nodes and pods that are there, and no others."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from ansible_collections.devops.platform.plugins.module_utils.platform.topology import scrape_jobs
from tests.kubernetes.simulated.cluster import free_port
from tests.monitoring.harness.programs import program


@pytest.fixture
def prometheus():
    return program("prometheus", "prometheus")


def configuration(simulated, folder: Path) -> Path:
    """What the role prometheus would write of platform.monitoring.kubernetes, with files of this test's."""
    platform = {
        "monitoring": {
            "group": "monitoring",
            "kubernetes": {
                "main": {
                    "api_server": simulated.url,
                    "token": "cluster",
                    "ca": "ca.crt",
                    "jobs": ["apiserver", "kubelet", "pods"],
                    "kubelets": {"through": "api_server"},
                }
            },
        }
    }
    jobs = scrape_jobs(platform, {"all": [], "monitoring": []}, {})
    # As the role lays them out beside prometheus.yml.
    files = {"remote/cluster": simulated.token, "authorities/kubernetes-main.crt": simulated.authority()}
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
    return config


def targets(url: str) -> dict[str, list[dict[str, Any]]]:
    """Job -> targets that are asked."""
    try:
        answer = urllib3.request("GET", f"{url}/api/v1/targets?state=active", retries=False, timeout=5).json()
    except urllib3.exceptions.HTTPError:
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    for target in answer["data"]["activeTargets"]:
        found.setdefault(target["scrapePool"], []).append(target)
    return found


def test_nodes_and_pods_of_the_cluster_are_found(simulated, space, prometheus, tmp_path):
    for number in range(3):
        path = f"/api/v1/nodes/node-{number}/status"
        addresses = {"status": {"addresses": [{"type": "InternalIP", "address": f"10.0.0.{number + 1}"}]}}
        assert simulated.ask("PATCH", path, addresses, "application/merge-patch+json")[0] == 200
    for name, said in (("seen", {"prometheus.io/scrape": "true", "prometheus.io/port": "9100"}), ("not", {})):
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "chat"}, "annotations": said},
            "spec": {"containers": [{"name": "app", "image": "app:1", "ports": [{"containerPort": 5000}]}]},
        }
        assert simulated.ask("POST", f"/api/v1/namespaces/{space}/pods", body)[0] == 201
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(prometheus),
                f"--config.file={configuration(simulated, tmp_path)}",
                f"--storage.tsdb.path={tmp_path}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + 60
        while True:
            found = targets(f"http://127.0.0.1:{port}")
            if found.get("main-apiserver") and len(found.get("main-kubelet", [])) == 3 and found.get("main-pods"):
                break
            assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
            assert time.monotonic() < end, (found, (tmp_path / "log").read_text()[-2000:])
            time.sleep(0.5)
    finally:
        process.terminate()
        process.wait(20)
    # Its address is the machine's, where it does not listen here: it is found, and that is all that is asked.
    assert [one["labels"]["namespace"] for one in found["main-apiserver"]] == ["default"]
    assert {one["labels"]["host"] for one in found["main-kubelet"]} == {"node-0", "node-1", "node-2"}
    assert {one["scrapeUrl"] for one in found["main-kubelet"]} == {
        f"{simulated.url}/api/v1/nodes/node-{number}/proxy/metrics" for number in range(3)
    }
    [pod] = found["main-pods"]
    assert pod["scrapeUrl"] == "http://10.0.0.1:9100/metrics"
    labels = {key: pod["labels"][key] for key in ("cluster", "namespace", "pod", "app")}
    assert labels == {"cluster": "main", "namespace": space, "pod": "seen", "app": "chat"}
