"""The gate against a real Prometheus: the one on PATH, or where PROMETHEUS says. Skipped where there is none."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from contextlib import contextmanager

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.gate import watch
from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import Prometheus
from ansible_collections.devops.platform.plugins.module_utils.gate.spec import Scope, parse
from ansible_collections.devops.platform.tests.unit.gate.real_prometheus import needed, prometheus

pytestmark = needed

RATIO = "sum by (host) (rate(errors_total{@hosts}[@window])) / sum by (host) (rate(requests_total{@hosts}[@window]))"
TRAFFIC = {"query": "sum(increase(requests_total{@hosts}[@window]))", "at_least": 10}


@contextmanager
def exporter(errors):
    """100 requests a second; `errors[host]` is the share of them that fail, and may be changed."""
    began, failed, seen = time.time(), dict.fromkeys(errors, 0.0), dict.fromkeys(errors, time.time())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            host, now = self.path.strip("/"), time.time()
            failed[host] += 100 * (now - seen[host]) * errors[host]
            seen[host] = now
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(f"requests_total {100 * (now - began)}\nerrors_total {failed[host]}\n".encode())

        def log_message(self, *_):
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """Prometheus' URL, the shares of errors, its folder and its port."""
    folder = tmp_path_factory.mktemp("prometheus")
    errors = {"app1": 0.0, "app2": 0.0, "app.3": 0.0}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with exporter(errors) as address:
        jobs = [
            {
                "job_name": host,
                "metrics_path": f"/{host}",
                "static_configs": [{"targets": [address], "labels": {"host": host}}],
            }
            for host in errors
        ]
        config = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"}, "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        with prometheus(folder, port):
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 30
            # It scrapes its first targets some seconds after it says that it is ready.
            while len(Prometheus(url).instant("up == 1", time.time(), 300)) < len(errors):
                assert time.monotonic() < deadline, "Prometheus does not scrape"
                time.sleep(0.2)
            yield url, errors


def judge(url, *objectives, hosts=("app1", "app.3"), others=("app2",)):
    return watch.watch(
        parse(list(objectives), "4s"), Scope(hosts, others), time.time(), Prometheus(url), time.time, time.sleep, 0.4
    )


@pytest.mark.slow
def test_all_is_well_though_it_was_not_before_the_change(platform):
    url, errors = platform
    errors.update({"app.3": 0.5})
    time.sleep(2)
    errors.update({"app.3": 0.0})
    time.sleep(0.5)  # the last scrape that knows of errors
    verdicts = judge(
        url,
        {"name": "errors", "query": RATIO, "comparison": "<", "threshold": 0.01, "traffic": TRAFFIC},
        {
            "name": "throughput",
            "query": "sum by (host) (rate(requests_total{@hosts}[@window]))",
            "comparison": ">",
            "window": "5s",
            "baseline": {"test": "mann_whitney"},
        },
        {"name": "up", "query": "up{@hosts}", "comparison": ">=", "threshold": 1, "baseline": {"ratio": 1.5}},
    )
    assert [item.verdict for item in verdicts] == ["passed"] * 3, [item.reason for item in verdicts]
    assert verdicts[1].comparison.ratio == pytest.approx(1, abs=0.1)
    assert verdicts[1].comparison.p_value is not None


@pytest.mark.slow
def test_one_bad_host_is_found_early_and_named(platform):
    url, errors = platform
    errors.update({"app.3": 0.3})
    began = time.time()
    [verdict] = judge(url, {"name": "errors", "query": RATIO, "comparison": "<", "threshold": 0.01, "window": "20s"})
    errors.update({"app.3": 0.0})
    assert verdict.failed
    assert '{host="app.3"}, not < 0.01' in verdict.reason
    assert time.time() - began < 18


@pytest.mark.slow
def test_worse_than_the_others(platform):
    url, errors = platform
    errors.update({"app1": 0.2, "app.3": 0.2, "app2": 0.1})
    time.sleep(0.5)
    found = judge(
        url,
        {"name": "tested", "query": RATIO, "comparison": "<", "window": "6s", "baseline": {"test": "mann_whitney"}},
        {"name": "by ratio", "query": RATIO, "comparison": "<", "window": "6s", "baseline": {"ratio": 1.5}},
    )
    errors.update(dict.fromkeys(errors, 0.0))
    assert [item.verdict for item in found] == ["failed"] * 2, [item.reason for item in found]
    for item in found:
        assert item.comparison.ratio == pytest.approx(2, abs=0.4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"query": "rate(errors_total{@hosts}[@window]"}, "does not understand the query (bad_data: "),
        ({"query": "errors_total{@hosts}[@window]"}, "the query gives a matrix"),
        ({"query": "nothing{@hosts}"}, "no data since the change from app1, app.3"),
        ({"query": "sum(up{@hosts}) * 0 / 0"}, "no number (NaN)"),
        ({"query": "sum(up{@hosts}) / 0"}, "infinite"),
        ({"query": RATIO, "traffic": {**TRAFFIC, "at_least": 1e6}}, "not enough traffic to judge"),
    ],
)
def test_words(platform, keys, words):
    [verdict] = judge(platform[0], {"name": "x", "comparison": "<", "threshold": 1e9, "window": "2s", **keys})
    assert verdict.failed
    assert words in verdict.reason
