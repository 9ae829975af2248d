"""A real API server with etcd and controllers on loopback; kwok says that nodes and pods are well.

What runs in pods is simulated, and nothing else: admission, server-side apply, quotas, scheduling, ReplicaSets and
watches are Kubernetes' own.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import urllib3

from tests.kubernetes.programs import program

PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


STAGES = Path(__file__).with_name("stages.yml")


class Simulated:
    """The processes of one cluster, below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.pool = urllib3.PoolManager(cert_reqs="CERT_NONE")
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        client, peer = free_port(), free_port()
        self._run(
            "etcd",
            f"--data-dir={self.folder}/etcd",
            f"--listen-client-urls=http://127.0.0.1:{client}",
            f"--advertise-client-urls=http://127.0.0.1:{client}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync",
        )
        tokens = self.folder / "tokens.csv"
        tokens.write_text(f"{self.token},admin,admin,system:masters\n")
        key = self.folder / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        self._run(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{client}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self.folder}/certs",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--disable-admission-plugins=ServiceAccount",
            "--max-requests-inflight=2000",
        )
        self._until(lambda: self.ask("GET", "/readyz")[0] == 200, "the API server is ready")
        config = self.kubeconfig()
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={config}",
            f"--secure-port={free_port()}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self.folder}/kcm",
            f"--service-account-private-key-file={key}",
            "--leader-elect=false",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        )
        self._run(
            "kube-scheduler",
            f"--kubeconfig={config}",
            f"--secure-port={free_port()}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self.folder}/sched",
            "--leader-elect=false",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        )
        self._run(
            "kwok",
            f"--kubeconfig={config}",
            f"--config={STAGES}",
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
            f"--server-address=127.0.0.1:{free_port()}",
        )
        for number in range(3):
            name = f"node-{number}"
            node = {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            }
            self.ask("POST", "/api/v1/nodes", node)
        self._until(self._nodes_ready, "the nodes are ready")

    def _nodes_ready(self) -> bool:
        nodes = self.ask("GET", "/api/v1/nodes")[1].get("items") or []
        return len(nodes) == 3 and all(
            any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"].get("conditions", []))
            and not node["spec"].get("taints")
            for node in nodes
        )

    def authority(self) -> str:
        """What vouches for the API server: it has signed for itself."""
        return (self.folder / "certs/apiserver.crt").read_text()

    def kubeconfig(self) -> Path:
        path = self.folder / "kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "simulated",
                    "contexts": [{"name": "simulated", "context": {"cluster": "simulated", "user": "admin"}}],
                    "clusters": [
                        {"name": "simulated", "cluster": {"server": self.url, "insecure-skip-tls-verify": True}}
                    ],
                    "users": [{"name": "admin", "user": {"token": self.token}}],
                }
            )
        )
        return path

    def _run(self, name: str, *arguments: str) -> None:
        log = (self.folder / f"{name}.log").open("wb")
        self.running.append(subprocess.Popen([str(program(name)), *arguments], stdout=log, stderr=log, cwd=self.folder))

    def _until(self, fits: Any, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if fits():
                    return
            except (urllib3.exceptions.HTTPError, KeyError):
                pass
            for process in self.running:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args!r} ended; see {self.folder}")
            if time.monotonic() > end:
                raise RuntimeError(f"not after {PATIENCE:g} s: {what}; see {self.folder}")
            time.sleep(0.2)

    def ask(
        self, method: str, path: str, body: Any = None, kind: str = "application/json"
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        answer = self.pool.request(
            method, self.url + path, body=None if body is None else json.dumps(body), headers=headers, retries=False
        )
        try:
            return answer.status, json.loads(answer.data)
        except ValueError:
            return answer.status, {}

    def stop(self) -> None:
        for process in reversed(self.running):
            process.terminate()
        for process in reversed(self.running):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
