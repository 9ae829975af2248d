"""A real Prometheus on loopback, which is stopped, killed and started as a service is."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
import yaml

from ansible_collections.devops.platform.plugins.module_utils.monitoring import storage
from ansible_collections.devops.platform.plugins.module_utils.platform import topology
from tests.monitoring.alerting.alertmanager import eventually, free_port
from tests.monitoring.harness.programs import program
from tools import REPOSITORY

ROLE = REPOSITORY / "collections/ansible_collections/devops/platform/roles/prometheus"


@dataclass
class Prometheus:
    """`folder` holds prometheus.yml, and the database in `data`."""

    folder: Path
    address: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    flags: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(program("prometheus", "prometheus")),
                    f"--config.file={self.folder}/prometheus.yml",
                    f"--storage.tsdb.path={self.data}",
                    f"--web.listen-address={self.address}:{self.port}",
                    *self.flags,
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, kill: bool = False) -> None:
        if self.process is not None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(30)
            self.process = None

    def get(self, path: str, **data: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urlencode(data)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def ready(self) -> bool:
        assert self.running(), f"Prometheus ended; its log is {self.folder / 'log'}"
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def metric(self, name: str) -> float:
        """The sum of what it says of itself by this name."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def values(self, query: str) -> list[Any]:
        """What an instant query gives, as (labels, text) in one order."""
        found = self.get("query", query=query)["result"]
        return sorted((sorted(each["metric"].items()), each.get("values") or each["value"][1]) for each in found)


def configure(folder: Path, platform: Mapping[str, Any], host: str, addresses: Mapping[str, str], rules: Any) -> None:
    """prometheus.yml as the role makes it for one of the hosts in `addresses`, all of which watch; and a rule file."""
    groups = {"all": list(addresses), platform["monitoring"]["group"]: list(addresses)}
    environment = jinja2.Environment(autoescape=False, keep_trailing_newline=True, trim_blocks=True)  # noqa: S701
    environment.filters["to_json"] = json.dumps
    environment.filters["to_nice_yaml"] = yaml.safe_dump
    template = environment.from_string((ROLE / "templates/prometheus.yml.j2").read_text(encoding="utf-8"))
    text = template.render(
        prometheus_scrape_interval=platform["monitoring"]["prometheus"]["scrape_interval"],
        prometheus_external_labels=storage.external_labels(platform, host, list(addresses)),
        prometheus_alertmanagers=topology.alertmanagers(platform, groups, addresses),
        prometheus_remote_write=storage.remote_write(platform),
        prometheus_scrape_configs=topology.scrape_jobs(platform, groups, addresses),
    )
    (folder / "rules").mkdir(parents=True)
    (folder / "prometheus.yml").write_text(text, encoding="utf-8")
    (folder / "rules/test.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")


@contextmanager
def running(server: Prometheus) -> Iterator[Prometheus]:
    server.start()
    try:
        eventually(server.ready, f"Prometheus is ready; its log is {server.folder / 'log'}")
        yield server
    finally:
        server.stop(kill=True)
