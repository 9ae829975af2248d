"""What is done on a node: looks, and kubeadm's commands on a tree of files, with a program that is not there."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import authority, kubeadm
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.membership import Seen

TOKEN = "abcdef.0123456789abcdef"
KEY = "01" * 32
INIT = [{"kind": "InitConfiguration"}, {"kind": "ClusterConfiguration"}, {"kind": "KubeletConfiguration"}]
JOIN = [
    {
        "kind": "JoinConfiguration",
        "discovery": {"bootstrapToken": {"apiServerEndpoint": "192.0.2.1:6443"}},
        "controlPlane": {},
    }
]
MANIFEST = "spec:\n  containers:\n  - image: registry.k8s.io/kube-apiserver:v1.34.3\n"


class Recorder:
    """A `run` that keeps what it was told, and what stood in the files that it was told by."""

    def __init__(self, code: int = 0, said: str = "", kubelet: str = "Kubernetes v1.34.4") -> None:
        self.code, self.said, self.kubelet = code, said, kubelet
        self.commands: list[list[str]] = []
        self.documents: list[list[dict[str, Any]]] = []
        self.modes: list[int] = []

    def __call__(self, command):
        words = list(command)
        if words[-1] == "--version":
            return 0, self.kubelet
        self.commands.append([Path(words[0]).name, *words[1:]])
        if "--config" in words:
            path = Path(words[words.index("--config") + 1])
            self.documents.append([json.loads(text) for text in path.read_text().split("\n---\n")])
            self.modes.append(path.stat().st_mode & 0o777)
        return self.code, self.said


def certificate(key=None) -> tuple[str, str]:
    """(PEM, digest of its public key)."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return made.public_bytes(serialization.Encoding.PEM).decode(), hashlib.sha256(spki).hexdigest()


PEM, DIGEST = certificate()


def node(root: Path, run=None, **files: str) -> kubeadm.Node:
    contents = {
        "kubelet": ("usr/local/bin/kubelet", ""),
        "joined": ("etc/kubernetes/kubelet.conf", ""),
        "serves": ("etc/kubernetes/manifests/kube-apiserver.yaml", MANIFEST),
        "ca": ("etc/kubernetes/pki/ca.crt", PEM),
        "key": ("etc/kubernetes/pki/ca.key", ""),
        "data": ("var/lib/etcd/member/wal", ""),
        "note": ("var/lib/devops-platform/kubeadm.json", '{"action": "join"}'),
    }
    for name, own in files.items():
        path, text = contents[name]
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(own or text)
    return kubeadm.Node(run or Recorder(), root)


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        ((), Seen()),
        (("kubelet",), Seen(version="1.34.4")),
        (("joined", "ca"), Seen(joined=True, authority=DIGEST)),
        (("joined", "ca", "serves", "key"), Seen(joined=True, serves=True, authority=DIGEST, data=True)),
        (("data",), Seen(data=True)),
        (("key",), Seen(data=True)),
        (("joined", "note"), Seen(joined=True, attempt="join")),
    ],
)
def test_what_is_seen(tmp_path, files, seen):
    assert kubeadm.look(node(tmp_path, **dict.fromkeys(files, ""))) == seen


def test_a_note_that_was_cut_off_is_an_attempt(tmp_path):
    assert kubeadm.look(node(tmp_path, note='{"acti')).attempt == "init"


def test_a_broken_authority_is_named(tmp_path):
    with pytest.raises(kubeadm.KubeadmError, match=r"pki/ca\.crt: there is no certificate in it; put the cluster's"):
        kubeadm.look(node(tmp_path, ca="nothing"))


@pytest.mark.parametrize("key", [None, rsa.generate_private_key(65537, 2048)])
def test_the_digest_is_that_of_the_public_key(key):
    pem, expected = certificate(key)
    assert authority.digest(f"text before\n{pem}") == expected


@given(st.binary(max_size=200), st.integers(0, 400))
def test_what_is_no_certificate_is_an_error_and_nothing_else(noise, cut):
    der = base64.b64decode("".join(PEM.splitlines()[1:-1]))
    for data in (noise, der[:cut]):
        text = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(data).decode()}\n-----END CERTIFICATE-----\n"
        try:
            authority.digest(text)
        except ValueError:
            continue
        assert len(data) > len(der) // 2  # the key is there, and what follows it is not asked for


def test_init_is_told_by_a_private_file_that_is_gone_afterwards(tmp_path):
    run = Recorder()
    made = node(tmp_path, run)
    kubeadm.init(made, INIT, TOKEN)
    [command] = run.commands
    assert command[:2] == ["kubeadm", "init"]
    assert TOKEN not in " ".join(command)
    assert run.modes == [0o600]
    assert run.documents[0][0]["bootstrapTokens"][0]["token"] == TOKEN
    assert not os.path.exists(command[command.index("--config") + 1])
    assert not made.note.exists()


def test_join_knows_the_cluster_by_its_authority(tmp_path):
    run = Recorder()
    kubeadm.join(node(tmp_path, run), JOIN, {"token": TOKEN, "authority": DIGEST, "certificate_key": KEY})
    assert run.documents[0][0]["discovery"]["bootstrapToken"]["caCertHashes"] == [f"sha256:{DIGEST}"]
    assert run.documents[0][0]["controlPlane"]["certificateKey"] == KEY
    with pytest.raises(kubeadm.KubeadmError, match="has no token"):
        kubeadm.join(node(tmp_path, run), JOIN, {"token": "", "authority": DIGEST})
    assert len(run.commands) == 1


@pytest.mark.parametrize(
    ("key", "commands"),
    [
        ("", [("token", "create")]),
        (KEY, [("token", "create"), ("init", "phase", "upload-certs", "--upload-certs")]),
    ],
)
def test_an_invitation_hands_out_certificates_to_who_needs_them(tmp_path, key, commands):
    run = Recorder()
    kubeadm.invite(node(tmp_path, run), INIT, TOKEN, key)
    assert [
        tuple(command[1 : 1 + len(words)]) for command, words in zip(run.commands, commands, strict=True)
    ] == commands
    assert not any(secret in word for secret in (TOKEN, KEY) for command in run.commands for word in command)
    assert [one["kind"] for one in run.documents[0]] == ["InitConfiguration", "ClusterConfiguration"]


def test_an_invitation_that_the_cluster_knows_already_is_one(tmp_path):
    run = Recorder(1, 'error: a token with id "abcdef" already exists\n')
    kubeadm.invite(node(tmp_path, run), INIT, TOKEN)
    assert len(run.commands) == 1
    run = Recorder(1, 'error: a token with id "fedcba" already exists\n')
    with pytest.raises(kubeadm.KubeadmError, match="fedcba"):
        kubeadm.invite(node(tmp_path, run), INIT, TOKEN)


def test_a_run_that_fails_is_known_afterwards_and_tells_no_secret(tmp_path):
    run = Recorder(1, f"error: token {TOKEN} is not accepted\nkey {KEY}\n")
    made = node(tmp_path, run)
    with pytest.raises(kubeadm.KubeadmError) as error:
        kubeadm.init(made, INIT, TOKEN)
    assert str(error.value) == ("kubeadm init ended with 1:\n    error: token (token) is not accepted\n    key (key)")
    assert kubeadm.look(made).attempt == "init"
    assert made.note.stat().st_mode & 0o777 == 0o600
    run.code = 0
    kubeadm.init(made, INIT, TOKEN, again=True)
    assert [command[1] for command in run.commands] == ["init", "reset", "init"]
    assert kubeadm.look(made).attempt == ""


@pytest.mark.parametrize(
    ("first", "version", "changed", "words"),
    [
        (True, "1.34.4", True, ["kubeadm", "upgrade", "apply", "v1.34.4", "--yes"]),
        (True, "1.34.3", False, None),
        (False, "1.34.4", True, ["kubeadm", "upgrade", "node"]),
    ],
)
def test_upgrades(tmp_path, first, version, changed, words):
    run = Recorder()
    made = node(tmp_path, run, serves="")
    assert kubeadm.served_version(made) == "1.34.3"
    assert kubeadm.upgrade(made, version, first) is changed
    assert run.commands == ([words] if words else [])


@pytest.mark.parametrize(
    ("token", "key", "message"), [("abc", "", "not of the form"), (TOKEN, "xyz", "64 hexadecimal digits")]
)
def test_what_is_no_secret_of_kubeadms_is_refused(tmp_path, token, key, message):
    with pytest.raises(kubeadm.KubeadmError, match=message):
        kubeadm.invite(node(tmp_path), INIT, token, key)


def test_findings_that_are_accepted_are_named_to_an_upgrade(tmp_path):
    run = Recorder()
    kubeadm.upgrade(node(tmp_path, run), "1.34.4", False, ["Swap", "Mem"])
    assert run.commands == [["kubeadm", "upgrade", "node", "--ignore-preflight-errors=Swap,Mem"]]


def test_what_a_look_gives_is_what_the_plan_takes(tmp_path):
    assert set(asdict(kubeadm.look(node(tmp_path)))) == set(Seen.__dataclass_fields__)
