"""The collection's dashboards against a real Prometheus that scrapes what exporters say: samples/, a file for each job.

Samples of node, redis and postgresql are exporters' own words; the others are written after their documentation.
"""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.dashboards import check, exceptions, read
from ansible_collections.devops.platform.plugins.module_utils.dashboards.ask import Source
from ansible_collections.devops.platform.tests.unit.gate.real_prometheus import needed, prometheus

pytestmark = [needed, pytest.mark.slow]
SAMPLES = Path(__file__).parent / "samples"
FILES = Path(__file__).resolve().parents[3] / "roles" / "grafana" / "files"
LABELS = {
    "chat-api": {"host": "app1", "app": "chat", "service": "api"},
    "chat-websocket": {"host": "app1", "app": "chat", "service": "websocket"},
    "shop-api": {"host": "app2", "app": "shop", "service": "api"},
    "blackbox_tcp": {"host": "mon1", "target": "redis"},
    "blackbox_tls": {"host": "mon1", "target": "edge"},
    "alertmanager": {"host": "mon1"},
}
WATCHDOG = {"alert": "Watchdog", "expr": "vector(1)", "labels": {"severity": "none"}}
FEWER = ("node", "alertmanager", "shop-api")


@contextmanager
def exporter(without=()):
    """Every job's sample at a path of its own, leaving out metrics that are called as in `without`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            lines = (SAMPLES / self.path.strip("/")).read_text().splitlines(keepends=True)
            self.wfile.write("".join(line for line in lines if not line.startswith(tuple(without))).encode())

        def log_message(self, *_):
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def job(name, address, path):
    target = {"targets": [address], "labels": LABELS.get(name, {"host": "data1"})}
    return {"job_name": name, "metrics_path": path, "static_configs": [target]}


@contextmanager
def platform(folder, names, without=()):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with exporter(without) as address:
        jobs = [job(name, address, f"/{name}.prom") for name in names]
        own = {"targets": [f"127.0.0.1:{port}"], "labels": {"host": "mon1"}}
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [*jobs, {"job_name": "prometheus", "static_configs": [own]}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "always", "rules": [WATCHDOG]}]}))
        with prometheus(folder, port):
            yield f"http://127.0.0.1:{port}"


def boards():
    return [read.read(path.name, path.read_text()) for path in sorted((FILES / "dashboards").glob("*.json"))]


def allowances():
    return exceptions.parse("exceptions.yml", yaml.safe_load((FILES / "exceptions.yml").read_text()))


def judge(url, boards_, allowances_, seconds=60.0):
    end = time.monotonic() + seconds
    clock = check.Clock(time.time, lambda: end - time.monotonic(), time.sleep)
    return check.check(boards_, allowances_, Source(url, 10), clock, 1.0)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    names = sorted(path.stem for path in SAMPLES.glob("*.prom"))
    with platform(tmp_path_factory.mktemp("everything"), names) as url:
        yield url


def test_where_everything_is_scraped_every_query_has_an_answer(everything):
    outcome = judge(everything, boards(), allowances())
    assert outcome.failures == []
    assert outcome.excused == []
    assert outcome.queries > 200
    assert outcome.asked > outcome.queries


def test_where_little_is_scraped_exceptions_say_why_and_without_them_it_is_named(tmp_path):
    with platform(tmp_path, FEWER) as url:
        outcome = judge(url, boards(), allowances())
        once = check.check(boards(), [], Source(url, 10), check.Clock(time.time, lambda: 1.0, time.sleep), 1.0)
    assert outcome.failures == []
    assert "dashboard 'mysql', panel 'Statements', query A" in outcome.excused
    assert any(line.startswith("dashboard 'mysql', panel 'Statements', query A: ") for line in once.failures)
    assert not any("'hosts'" in line for line in once.failures)


def test_containers_need_no_limits(tmp_path):
    """cAdvisor then has no word of what they were held back, and their memory is no share of anything."""
    limits = ("container_spec_memory_limit_bytes", "container_cpu_cfs_")
    with platform(tmp_path, (*FEWER, "cadvisor"), limits) as url:
        outcome = judge(url, boards(), allowances())
    assert outcome.failures == []
    excused = {line.partition(", query")[0] for line in outcome.excused if "'containers'" in line}
    assert excused == {f"dashboard 'containers', panel '{panel}'" for panel in ("Held back", "Memory of its limit")}


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        ("rate(up[$__rate_interval]", "does not understand the query"),
        ("up[5m]", "does not understand the query"),
        ('up{job="nowhere"}', 'has no answer: up{job="nowhere"}'),
        ('up{job="$job"}', "no variable 'job' is defined"),
    ],
)
def test_a_broken_panel_is_named(everything, expr, words):
    panel = {"title": "Broken", "targets": [{"refId": "A", "expr": expr}]}
    board = read.read("b.json", json.dumps({"uid": "b", "panels": [panel], "time": {"from": "now-1h"}}))
    [line] = judge(everything, [board], [], 1.0).failures
    assert line.startswith("dashboard 'b', panel 'Broken', query A: ")
    assert words in line
