"""cert-manager as its makers release it, on a real API server: applied twice by the playbook's own tasks, and admitted.

CERT_MANAGER names the file, cert-manager.yaml of the version that the add-on has; without it this is skipped.
"""

from __future__ import annotations

import copy
import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.addons.released import CERT_MANAGER
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.resources import resources
from tests.kubernetes.simulated.test_given import play

FILE = os.environ.get("CERT_MANAGER", "")
NAMES = ("cert-manager", "cert-manager-cainjector", "cert-manager-webhook")
PLATFORM = """
name: certified
kubernetes:
  cluster:
    version: "1.34.4"
    control_plane: controller
    network: none
    addons: {cert_manager: {}}
  namespaces:
    cert-manager: {isolated: false}
"""
pytestmark = pytest.mark.skipif(not FILE, reason="there is no cert-manager.yaml; CERT_MANAGER=/path/to/it names one")


def described(folder: Path) -> dict[str, Any]:
    """With a lock that pins the file."""
    path = Path(FILE).resolve()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = {"path": path.name, "sha256": {"amd64": digest}, "binaries": [path.name]}
    lock = {"format": 1, "artifacts": {CERT_MANAGER.artifact: {CERT_MANAGER.version: entry}}}
    (folder / "lock.yml").write_text(yaml.safe_dump(lock))
    sources = {"locks": [str(folder / "lock.yml")], "sources": [f"file://{path.parent}"]}
    return {**yaml.safe_load(PLATFORM), "artifacts": sources}


def test_it_is_applied_and_stays(simulated, tmp_path):
    platform = described(tmp_path)
    certified = copy.deepcopy(platform)
    certified["kubernetes"]["certificates"] = {"email": "ops@example.com"}
    # On a cluster that has never heard of an issuer, check mode says what would be, too.
    assert "changed=2" in play(simulated, tmp_path, "--check", platform=certified)
    assert "changed=1" in play(simulated, tmp_path, platform=platform)
    assert "changed=0" in play(simulated, tmp_path, platform=platform)
    namespace = simulated.ask("GET", "/api/v1/namespaces/cert-manager")[1]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    end = time.monotonic() + 60
    while True:  # the namespace is restricted, and takes its pods
        found = [
            simulated.ask("GET", f"/apis/apps/v1/namespaces/cert-manager/deployments/{name}")[1]["status"]
            for name in NAMES
        ]
        if all(each.get("replicas") for each in found):
            break
        assert time.monotonic() < end, found
        time.sleep(0.5)
    issuer = next(each for each in resources(certified) if each["kind"] == "ClusterIssuer")
    # Nobody is behind its webhook here, which is asked about its own kinds otherwise.
    path = "/apis/admissionregistration.k8s.io/v1"
    for kind in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations"):
        assert simulated.ask("DELETE", f"{path}/{kind}/cert-manager-webhook")[0] == 200
    path = "/apis/cert-manager.io/v1/clusterissuers?fieldValidation=Strict"
    status, answer = simulated.ask("POST", path, issuer)
    assert status == 201, answer
    assert answer["spec"] == issuer["spec"]
