"""A real Loki on loopback with the configuration and certificates that the product makes, and the gateway before it."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.logging import gateway, shipper
from ansible_collections.devops.platform.plugins.module_utils.logging.model import logging_of
from ansible_collections.devops.platform.plugins.module_utils.loki import server
from ansible_collections.devops.platform.plugins.module_utils.loki.settings import loki_url
from ansible_collections.devops.platform.plugins.module_utils.platform.pki import Authority
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Store

HOST, ADDRESS = "log1", "127.0.0.1"
START = 60
# Small enough that a test can go beyond them.
LIMITS = {"rate": "1MB", "burst": "2MB", "stream_rate": "1MB", "line": "2KB", "streams": 6, "labels": 10}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


@dataclass
class Loki:
    """``folder`` stands for the host's file system."""

    program: Path
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    groups: dict[str, list[str]] = field(default_factory=lambda: {"all": [HOST], "logging": [HOST]})
    addresses: dict[str, str] = field(default_factory=lambda: {HOST: ADDRESS})

    def __post_init__(self) -> None:
        self.platform: dict[str, Any] = {
            "name": "chat",
            "environment": "lab",
            "logging": {
                "group": "logging",
                "loki": {
                    "version": "3.7.8",
                    "port": free_port(),
                    "directory": f"{self.folder}/data",
                    "limits": LIMITS,
                },
                "retention": {"default": "14d", "apps": {"shop": "4w"}},
                "sources": {"chat": {"type": "docker"}},
                "outputs": {"loki": {}},
            },
        }
        issued = Authority(Store(self.folder / "pki"), "chat loki", peers=True).issue(HOST, [ADDRESS])
        self.tls = {"certificate": issued.certificate, "key": issued.key, "authority": issued.authority}
        self.component = server.loki_component(self.platform, HOST, self.addresses, self.tls)
        for file in self.component["files"]:
            path = self.folder / Path(file["path"]).name
            path.write_text(self._moved(path, file["content"]))
        (self.folder / "data").mkdir()
        self.url = loki_url(self.platform, self.groups, self.addresses)

    def _moved(self, path: Path, content: str) -> str:
        """Paths and ports of one machine, instead of a host of its own."""
        content = content.replace(server.CONFIG, str(self.folder))
        if path.name != "loki.yml":
            return content
        config = yaml.safe_load(content)
        config["server"] |= {"http_listen_address": ADDRESS, "grpc_listen_port": free_port()}
        return yaml.safe_dump(config)

    @property
    def config(self) -> Path:
        return self.folder / "loki.yml"

    def start(self) -> None:
        with (self.folder / "output.log").open("ab") as log:
            self.process = subprocess.Popen([self.program, f"-config.file={self.config}"], stdout=log, stderr=log)
        deadline = time.monotonic() + START
        while not self._ready():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.2)

    def _ready(self) -> bool:
        try:
            return self.ask("/ready").strip() == "ready"
        except OSError:
            return False

    def said(self) -> str:
        return "\n".join((self.folder / "output.log").read_text(errors="replace").splitlines()[-30:])

    def kill(self) -> None:
        """As a host that loses its power."""
        if self.process:
            self.process.kill()
            self.process.wait(20)
            self.process = None

    def context(self, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        made.load_cert_chain(certificate or self.folder / "tls.crt", key or self.folder / "tls.key")
        return made

    def ask(self, path: str, context: ssl.SSLContext | None = None) -> str:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10, context=context or self.context()) as answer:
            return str(answer.read().decode())

    def lines(self, selector: str) -> list[dict[str, Any]]:
        """The documents of a selector, from all of the last day."""
        query = {"query": selector, "limit": "5000", "since": "24h"}
        answer = json.loads(self.ask(f"/loki/api/v1/query_range?{urllib.parse.urlencode(query)}"))
        return [json.loads(text) for stream in answer["data"]["result"] for _at, text in stream["values"]]

    def discarded(self, reason: str) -> float:
        values = [
            float(line.rpartition(" ")[2])
            for line in self.ask("/metrics").splitlines()
            if line.startswith("loki_discarded_samples_total{") and f'reason="{reason}"' in line
        ]
        return sum(values)

    def gateway(self, host: str = "app1") -> gateway.Gateway:
        """As the log shipper's component configures it on a host, but for where its files are."""
        logging = logging_of(self.platform, self.groups, self.addresses)
        config = shipper.gateway_config(logging, host, {"loki": 1}, {}, "", "")
        config |= {"refused": str(self.refused), "pid_file": ""}
        names = {"ca": "ca.crt", "certificate": "tls.crt", "key": "tls.key"}
        config["outputs"] = [
            {**output, **{key: str(self.folder / name) for key, name in names.items()}} for output in config["outputs"]
        ]
        return gateway.Gateway(config)

    @property
    def refused(self) -> Path:
        return self.folder / "refused.ndjson"

    def taken_back(self) -> list[dict[str, Any]]:
        """What the gateway kept of what Loki refused; the next look sees what came after."""
        if not self.refused.exists():
            return []
        found = [json.loads(line) for line in self.refused.read_text().splitlines()]
        self.refused.unlink()
        return found
