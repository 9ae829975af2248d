"""A host on loopback that ships its logs to a real cluster: what the product makes for it of one platform.yml, the real
rsyslog and the real gateway. Only paths are another host's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import cluster as objects
from ansible_collections.devops.platform.plugins.module_utils.logging import rsyslog, shipper
from tests.elasticsearch import counting
from tests.elasticsearch.cluster import Cluster
from tests.logging.shipper import programs

NAME = "app1"
SECRET = "es_shipper"
EVERYTHING = "logs-lab-*"


def describe(cluster: Cluster, folder: Path) -> dict[str, Any]:
    """The cluster's platform.yml, with what is shipped to it added; `folder` has the files of logs."""
    cluster.platform["logging"] |= {
        "shipper": {"spool": "512MB"},
        "sources": {
            "api": {"type": "file", "groups": ["app"], "path": f"{folder}/api*.log", "parser": "json", "app": "chat"},
            "text": {"type": "file", "groups": ["app"], "path": f"{folder}/text*.log", "app": "edge"},
        },
        "outputs": {"elasticsearch": {}},
    }
    cluster.platform["monitoring"] = {"node_exporter": {"version": "1.9.0"}}  # who reads the gateway's metrics
    cluster.groups |= {"all": [*cluster.names, NAME], "app": [NAME]}
    return cluster.platform


class Host:
    """`platform` is a platform.yml's data; `cluster` has the authority, the addresses and the passwords."""

    def __init__(self, folder: Path, platform: Mapping[str, Any], cluster: Cluster) -> None:
        self.folder, self.cluster = folder, cluster
        self.moved = {
            shipper.DIRECTORY: folder / "etc",
            shipper.SPOOL: folder / "spool",
            shipper.GATEWAY_SPOOL: folder / "gateway",
            shipper.LEDGER: folder / "ledger",
            shipper.METRICS.rpartition("/")[0]: folder / "metrics",
        }
        secrets = {SECRET: cluster.passwords["shipper"]}
        authority = cluster.ca.read_text()
        components = shipper.log_shipper_components(
            platform, NAME, cluster.groups, cluster.addresses, secrets, authority
        )
        for path in (*self.moved.values(), folder / "spool/queue", folder / "spool/state"):
            path.mkdir(parents=True, exist_ok=True)
        for component in components:
            for file in component["files"]:
                if file["path"].startswith(shipper.DIRECTORY):
                    Path(self._here(file["path"])).write_text(self._here(file["content"]))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def _here(self, text: str) -> str:
        for path, folder in self.moved.items():
            text = text.replace(path, str(folder))
        return text

    def log(self, name: str) -> Path:
        return self.folder / name

    def start(self, *names: str) -> None:
        etc = self.moved[shipper.DIRECTORY]
        for name in names or ("gateway", "rsyslog"):
            command = (
                programs.gateway(self.folder, etc / "gateway.json")
                if name == "gateway"
                else [*programs.rsyslogd(programs.root()), "-n", "-i", self._here(shipper.PID_FILE),
                      "-f", f"{etc}/rsyslog.conf"]
            )  # fmt: skip
            environment = {**os.environ, **rsyslog.environment(str(self.moved[shipper.SPOOL]))}
            with (self.folder / f"{name}.out").open("ab") as output:
                self.processes[name] = subprocess.Popen(command, stdout=output, stderr=output, env=environment)

    def stop(self, *names: str, how: signal.Signals = signal.SIGTERM) -> None:
        for name in names or ("rsyslog", "gateway"):
            process = self.processes.pop(name, None)
            if process:
                process.send_signal(how)
                process.wait(30)
        if "rsyslog" not in self.processes:
            Path(self._here(shipper.PID_FILE)).unlink(missing_ok=True)

    def processor_seconds(self) -> dict[str, float]:
        """What each process has used so far."""
        ticks = os.sysconf("SC_CLK_TCK")
        found = {}
        for name, process in self.processes.items():
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            found[name] = (int(fields[11]) + int(fields[12])) / ticks
        return found

    def metric(self, name: str) -> float:
        """The sum of a counter over its labels; the gateway writes it every five seconds."""
        path = Path(self._here(shipper.METRICS))
        lines = path.read_text().splitlines() if path.exists() else []
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))

    def said(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(self.folder.glob("*.out")))


def prepare(cluster: Cluster) -> None:
    """What the cluster should hold, as the role does it."""
    actual = objects.observe(cluster.client(), cluster.settings, {})
    objects.carry_out(cluster.client(), objects.plan(cluster.settings, len(cluster.names), actual, {}))


def count(cluster: Cluster, query: dict[str, Any]) -> int:
    return counting.count(cluster.client(), EVERYTHING, query)


def messages(cluster: Cluster, query: dict[str, Any]) -> list[str]:
    """Of every document that is found."""
    return [document["message"] for document in counting.documents(cluster.client(), EVERYTHING, query)]


def lines(name: str, first: int, last: int) -> str:
    """As an application writes them; `name` is one test's."""
    return "".join(
        json.dumps({"level": "info", "message": f"{name} {number:06d}", "logger": name, "status": 200}) + "\n"
        for number in range(first, last)
    )
