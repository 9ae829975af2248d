"""Two Prometheus watch the same, as those of two monitoring hosts do, and tell two Alertmanagers: people are told once,
also when a Prometheus and then an Alertmanager is gone."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.alerting.alertmanager import Alertmanager, eventually, free_port
from tests.monitoring.alerting.alertmanager import running as running_alertmanager
from tests.monitoring.alerting.cluster import ADDRESSES, FAST, flags, settled
from tests.monitoring.alerting.sinks import http_sink
from tests.monitoring.harness import prometheus
from tests.monitoring.harness.prometheus import Prometheus

FIRST, SECOND = ADDRESSES
RULES = {
    "groups": [
        {
            "name": "test",
            "rules": [
                {
                    "alert": "Gone",
                    "expr": 'up{job="thing"} == 0',
                    "labels": {"severity": "high", "team": "platform"},
                    "annotations": {"summary": "{{ $labels.host }} is gone"},
                }
            ],
        }
    ]
}
QUICKLY = "--rules.alert.resend-delay=1s"
TOLD = 3  # times that a group is looked at again before it counts as silent


class Thing:
    """A server with metrics, which comes and goes."""

    def __init__(self) -> None:
        self.port = free_port()
        self.server: http.server.ThreadingHTTPServer | None = None

    def come(self) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(b"thing 1\n")

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def go(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@contextmanager
def thing() -> Iterator[Thing]:
    found = Thing()
    found.come()
    try:
        yield found
    finally:
        found.go()


def common_port() -> int:
    """A port that is free at both addresses: platform.yml has one for all hosts."""
    while True:
        port = free_port(ADDRESSES[FIRST])
        with socket.socket() as probe:
            try:
                probe.bind((ADDRESSES[SECOND], port))
            except OSError:
                continue
            return port


def platform_of(thing_port: int, sink: str) -> dict[str, Any]:
    return {
        "name": "chat",
        "environment": "test",
        "monitoring": {
            "group": "monitoring",
            "prometheus": {"port": common_port(), "scrape_interval": "500ms"},
            "alertmanager": {"port": common_port(), "cluster_port": common_port()},
            "targets": {"thing": {"port": thing_port, "addresses": {"thing1": "127.0.0.1"}}},
            "alerting": {
                "receivers": {"ops": {"webhook": {"url": f"{sink}/ops"}}},
                "default": ["ops"],
                "timing": dict.fromkeys(("high", "medium", "low"), FAST),
            },
        },
    }


def start(
    stack: ExitStack, folder: Path, platform: dict[str, Any]
) -> tuple[dict[str, Prometheus], dict[str, Alertmanager]]:
    monitoring = platform["monitoring"]
    alertmanagers = {
        host: stack.enter_context(
            running_alertmanager(
                folder / host / "alertmanager",
                platform,
                {},
                flags(platform, host),
                address,
                monitoring["alertmanager"]["port"],
            )
        )
        for host, address in ADDRESSES.items()
    }
    for each in alertmanagers.values():
        eventually(partial(settled, each), "two Alertmanagers that know each other")
    found = {}
    for host, address in ADDRESSES.items():
        prometheus.configure(folder / host, platform, host, ADDRESSES, RULES)
        server = Prometheus(folder / host, address, monitoring["prometheus"]["port"], [QUICKLY])
        found[host] = stack.enter_context(prometheus.running(server))
    return found, alertmanagers


def grown(read: Any, by: float, what: str) -> None:
    """Wait until a counter has grown."""
    begin = read()
    eventually(lambda: read() >= begin + by, what)


def active(alertmanager: Alertmanager) -> list[dict[str, str]]:
    return [alert["labels"] for alert in alertmanager.get("/api/v2/alerts?active=true")]


@pytest.mark.timeout(120)
def test_an_alert_that_two_see_is_told_once_whoever_is_lost(tmp_path: Path) -> None:
    began = time.monotonic()
    with http_sink() as sink, thing() as watched, ExitStack() as stack:
        platform = platform_of(watched.port, sink.url)
        servers, alertmanagers = start(stack, tmp_path, platform)
        for server in servers.values():
            eventually(partial(server.values, 'up{job="thing"} == 1'), "the target is up")
        assert {server.get("status/config")["yaml"].count(f"replica: {host}") for host, server in servers.items()} == {
            1
        }

        watched.go()
        eventually(lambda: sink.alerts("/ops"), "the message")
        for server in servers.values():
            eventually(partial(server.metric, "prometheus_notifications_sent_total"), "each Prometheus has told")
        [alert] = sink.alerts("/ops")
        assert alert == {
            "alertname": "Gone",
            "environment": "test",
            "host": "thing1",
            "instance": f"127.0.0.1:{watched.port}",
            "job": "thing",
            "platform": "chat",
            "severity": "high",
            "team": "platform",
        }

        def silent(left: Alertmanager, teller: Prometheus) -> None:
            """It is told of the alert again, looks at its group again and again, and keeps it to itself."""
            grown(lambda: teller.metric("prometheus_notifications_sent_total"), 2, "it is told again")
            grown(lambda: left.metric("alertmanager_nflog_queries_total"), TOLD, "it looks at its group again")
            assert active(left) == [alert]
            assert sink.alerts("/ops") == [alert]

        for each in alertmanagers.values():
            silent(each, servers[FIRST])
        servers[FIRST].stop(kill=True)
        for each in alertmanagers.values():
            silent(each, servers[SECOND])
        # The one that has told.
        alertmanagers[FIRST].stop()
        silent(alertmanagers[SECOND], servers[SECOND])
        assert servers[SECOND].values('ALERTS{alertname="Gone", alertstate="firing"}')

        watched.come()
        eventually(lambda: sink.alerts("/ops", "resolved"), "the end")
        # Prometheus says so again and again, and each time it is a reason to look.
        grown(
            lambda: alertmanagers[SECOND].metric("alertmanager_nflog_queries_total"), TOLD, "it looks at the end again"
        )
        eventually(lambda: not active(alertmanagers[SECOND]), "nothing is left")
        assert sink.alerts("/ops", "resolved") == [alert]
        assert sink.alerts("/ops") == [alert]
    assert time.monotonic() - began < 90
