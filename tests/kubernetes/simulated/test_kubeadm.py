"""What kubeadm is told, judged by kubeadm itself; images called as it asks for them; invitations to a real cluster."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import authority, configuration
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.kubeadm import (
    Node,
    invite,
    served_version,
)
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.settings import cluster
from lab import cluster_images
from lab.recipes import find, read_mod, version_of
from tests.kubernetes.programs import program

GROUPS = {"servers": ["c1", "c2"], "workers": ["w1"]}
ADDRESSES = {"c1": "192.0.2.1", "c2": "192.0.2.2", "w1": "192.0.2.11"}
TOKEN, KEY = "abcdef.0123456789abcdef", "0" * 64
VERSION = version_of(find("kubeadm"), read_mod(find("kubeadm")))
SETTINGS = {
    "defaults": {},
    "all": {
        "endpoint": "api.example:443",
        "certificate_names": ["api.internal"],
        "kubelet": {"failSwapOn": False, "cgroupDriver": "cgroupfs", "featureGates": {"KubeletInUserNamespace": True}},
        "kubelet_arguments": {"v": "2"},
        "cgroup_root": "kube",
        "proxy": {"conntrack": {"maxPerCore": 0, "min": 0}},
        "ignore_preflight": ["SystemVerification"],
    },
}


@pytest.fixture
def kubeadm():
    def run(*words: str) -> str:
        done = subprocess.run([str(program("kubeadm")), *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "unknown field" not in done.stderr
        return done.stdout

    return run


def platform(**given):
    wanted = {"version": VERSION, "control_plane": "servers", "workers": "workers", **given}
    return {"name": "chat", "kubernetes": {"cluster": wanted}}


def said(*command: str, given: bytes = b"") -> bytes:
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def written(folder: Path, documents) -> str:
    """As the module hands it over."""
    path = folder / "config.yaml"
    path.write_text("\n---\n".join(json.dumps(document) for document in documents))
    return str(path)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize(
    ("host", "action", "role"),
    [("c1", "init", "control_plane"), ("c2", "join", "control_plane"), ("w1", "join", "worker")],
)
def test_kubeadm_takes_it(kubeadm, tmp_path, settings, host, action, role):
    made = configuration.kubeadm_config(platform(**settings), host, action, role, GROUPS, ADDRESSES)
    made = configuration.with_token(made, TOKEN, KEY)
    made = configuration.invited(made, {"token": TOKEN, "authority": "ab" * 32, "certificate_key": KEY})
    kubeadm("config", "validate", "--config", written(tmp_path, made))


def test_the_images_that_it_wants_are_those_that_the_lab_makes(kubeadm, tmp_path):
    config = written(tmp_path, [configuration.cluster_document(cluster(platform(), GROUPS, ADDRESSES))])
    wanted = set(kubeadm("config", "images", "list", "--config", config).split())
    made = set()
    for each in (one for one in cluster_images.IMAGES if one.recipe):
        recipe = find(each.recipe)
        made.add(f"{each.name}:{each.tag.format(version=version_of(recipe, read_mod(recipe)))}")
    assert wanted <= made


def test_the_files_of_a_control_plane_are_what_was_asked_for(kubeadm, tmp_path, monkeypatch):
    """Phases of init that need no node: certificates, and what the kubelet would run."""
    documents = configuration.init_documents(cluster(platform(**SETTINGS["all"]), GROUPS, ADDRESSES), "c1", "192.0.2.1")
    documents[1]["certificatesDir"] = str(tmp_path / "pki")
    config = written(tmp_path, documents)
    kubeadm("init", "phase", "certs", "all", "--config", config)
    root = tmp_path / "pki/ca.crt"
    shown = said("openssl", "x509", "-in", str(tmp_path / "pki/apiserver.crt"), "-noout", "-ext", "subjectAltName")
    names = {name.strip() for name in shown.decode().replace("\n", ",").split(",")}
    assert {"DNS:api.example", "DNS:api.internal", "IP Address:192.0.2.1"} <= names
    # What kubeadm itself would tell a node to know the cluster by.
    key = said("openssl", "x509", "-in", str(root), "-pubkey", "-noout")
    der = said("openssl", "pkey", "-pubin", "-outform", "der", given=key)
    assert authority.digest(root.read_text()) == hashlib.sha256(der).hexdigest()
    monkeypatch.setenv("KUBEADM_INIT_DRYRUN_DIR", str(tmp_path))
    kubeadm("init", "phase", "control-plane", "all", "--config", config, "--dry-run")
    server = yaml.safe_load((tmp_path / "kube-apiserver.yaml").read_text())
    command = set(server["spec"]["containers"][0]["command"])
    assert {"--profiling=false", "--service-cluster-ip-range=10.96.0.0/12"} <= command
    assert "--advertise-address=192.0.2.1" in command
    # Where the module looks for the version that a node serves.
    manifests = tmp_path / "etc/kubernetes/manifests"
    manifests.mkdir(parents=True)
    (tmp_path / "kube-apiserver.yaml").rename(manifests / "kube-apiserver.yaml")
    assert served_version(Node(lambda _command: (0, ""), tmp_path)) == VERSION


def test_an_invitation_is_what_the_cluster_knows_and_forgets(kubeadm, simulated, tmp_path):
    """Tokens and certificates reach a real API server by the module's own commands, which hold no secret."""
    documents = configuration.init_documents(cluster(platform(), GROUPS, ADDRESSES), "c1", "192.0.2.1")
    documents[1]["certificatesDir"] = str(tmp_path / "pki")
    kubeadm("init", "phase", "certs", "all", "--config", written(tmp_path, documents))
    commands: list[str] = []

    def run(command):
        words = [*command[1:], f"--kubeconfig={simulated.kubeconfig()}"]
        commands.extend(words)
        return 0, kubeadm(*words)

    invite(Node(run, tmp_path), documents, TOKEN, KEY)
    assert not [word for word in commands if TOKEN in word or KEY in word]
    token = simulated.ask("GET", f"/api/v1/namespaces/kube-system/secrets/bootstrap-token-{TOKEN[:6]}")[1]["data"]
    ends = datetime.fromisoformat(base64.b64decode(token["expiration"]).decode())
    left = ends - datetime.now(UTC)
    assert timedelta(minutes=10) < left <= timedelta(seconds=configuration.LIFETIME)
    handed = simulated.ask("GET", "/api/v1/namespaces/kube-system/secrets/kubeadm-certs")[1]["data"]
    assert {"ca.crt", "ca.key", "sa.key", "etcd-ca.key"} <= set(handed)
    assert b"PRIVATE KEY" not in base64.b64decode(handed["ca.key"])  # under the key, which nobody but nodes has
