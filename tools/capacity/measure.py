"""Runs Prometheus against the generator, asks it about itself, and writes docs/capacity.md."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from lab import unpacked
from tools import REPOSITORY
from tools.capacity.figures import Capacity, Reading, document
from tools.capacity.generator import serving, variants

DOCUMENT = REPOSITORY / "docs" / "capacity.md"
RULES = REPOSITORY / "collections/ansible_collections/devops/platform/roles/prometheus/files/rules"
INTERVAL = 15
READINGS = 3
HOSTS = (100, 300, 1000)
MINUTES = 3.0
QUERIES = {
    "up": 'sum(up{job="node"})',
    "series": "prometheus_tsdb_head_series",
    "samples": "rate(prometheus_tsdb_head_samples_appended_total[1m])",
    "memory": 'process_resident_memory_bytes{job="prometheus"}',
    "processors": 'rate(process_cpu_seconds_total{job="prometheus"}[1m])',
    "rules": "sum(prometheus_rule_group_last_duration_seconds)",
    "missed": "sum(prometheus_rule_group_iterations_missed_total)",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def fetched(url: str, seconds: float = 60) -> bytes:
    """The answer, waited for: a server that was just started takes a moment."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - loopback
                content: bytes = answer.read()
                return content
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def node_text() -> bytes:
    """What the lab's node_exporter says of this machine."""
    port = free_port()
    with started(str(unpacked.ensure("node_exporter") / "node_exporter"), f"--web.listen-address=127.0.0.1:{port}"):
        return fetched(f"http://127.0.0.1:{port}/metrics")


def configuration(hosts: int, generator: int, port: int) -> dict[str, object]:
    targets = [
        {
            "targets": [f"127.0.0.1:{generator}"],
            "labels": {"__metrics_path__": f"/{number:04}", "host": f"host{number:04}", "instance": f"host{number:04}"},
        }
        for number in range(1, hosts + 1)
    ]
    return {
        "global": {"scrape_interval": f"{INTERVAL}s", "evaluation_interval": f"{INTERVAL}s"},
        "rule_files": [str(RULES / "*.yml")],
        "scrape_configs": [
            {"job_name": "node", "static_configs": targets},
            {"job_name": "prometheus", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]},
        ],
    }


def ask(port: int, query: str) -> float:
    url = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    result = json.loads(fetched(url))["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def measure(hosts: int, texts: list[bytes], minutes: float) -> Capacity:
    """After so many minutes, when series and memory have settled, some readings."""
    with serving(texts) as generator, tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration(hosts, generator, port)))
        command = [
            str(unpacked.ensure("prometheus") / "prometheus"),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with started(*command):
            time.sleep(minutes * 60)
            readings = []
            for number in range(READINGS):
                time.sleep(60 if number else 0)
                found = {figure: ask(port, query) for figure, query in QUERIES.items()}
                readings.append(Reading(hosts=hosts, **{**found, "up": int(found["up"])}))  # type: ignore[arg-type]
            return Capacity(tuple(readings))


class CapacityError(Exception):
    """A measure that stands for nothing: something was too slow."""


def run(hosts: Sequence[int] = HOSTS, minutes: float = MINUTES) -> None:
    """One measure for each number of ``hosts``; then docs/capacity.md is written."""
    texts = variants(node_text())
    measured = []
    for count in sorted(hosts):
        capacity = measure(count, texts, minutes)
        wrong = capacity.wrong()
        if wrong:
            raise CapacityError(f"{count} hosts: {'; '.join(wrong)}")
        print(f"{count} hosts: {capacity.spoken()}", flush=True)
        measured.append(capacity)
    where = f"{os.cpu_count()} processors, {platform.machine()}, {dt.datetime.now(dt.UTC):%Y-%m-%d}"
    DOCUMENT.write_text(document(measured, f"{INTERVAL} s", where), encoding="utf-8")
    print(f"written: {DOCUMENT.relative_to(REPOSITORY)}")
