"""A real Prometheus asks a server that is not the platform's, and writes to another, as platform.yml says."""

from __future__ import annotations

import base64
import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform import remote
from ansible_collections.devops.platform.plugins.module_utils.platform.pki import Authority
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Store
from tests.monitoring.alerting.alertmanager import eventually, free_port
from tests.monitoring.harness import prometheus
from tests.monitoring.harness.prometheus import Prometheus

ASKED = "/metrics/detailed?family=queue_metrics&family=queue_coarse_metrics"
WORDS = {"broker": "broker-word", "store": "store-word"}
BASIC = "Basic " + base64.b64encode(b"scraper:broker-word").decode()


@dataclass
class Broker:
    """Metrics for who knows the password, over TLS; and a store to write to. `written` is what that was shown."""

    port: int
    store: str = ""
    written: list[str] = field(default_factory=list)


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    issued = Authority(Store(folder / "pki"), "test").issue("broker.example")
    for name, text in (("tls.crt", issued.certificate), ("tls.key", issued.key), ("ca.crt", issued.authority)):
        (folder / name).write_text(text, encoding="utf-8")
    found = Broker(free_port())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = self.headers.get("Authorization") == BASIC and self.path == ASKED
            self.send_response(200 if right else 401)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(b'rabbitmq_queue_messages_ready{queue="a"} 3\n' if right else b"")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            found.written.append(self.headers.get("Authorization", ""))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", found.port), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.store = f"http://127.0.0.1:{plain.server_port}"
    for each in (server, plain):
        threading.Thread(target=each.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield found
    finally:
        for each in (server, plain):
            each.shutdown()
            each.server_close()


def platform_of(target: Broker, **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "port": target.port,
        "path": "/metrics/detailed",
        "params": {"family": ["queue_metrics", "queue_coarse_metrics"]},
        "scheme": "https",
        "addresses": {"broker1": "127.0.0.1"},
        "user": "scraper",
        "password": "broker",
        "ca": "ca.crt",
        "server_name": "broker.example",
    }
    return {
        "monitoring": {
            "group": "monitoring",
            "prometheus": {"scrape_interval": "300ms", "port": free_port(), **more},
            "targets": {"rabbitmq": asked},
        }
    }


def with_files(folder: Path, platform: dict[str, Any], source: Path) -> None:
    """The files that the role puts beside prometheus.yml."""
    for place in (remote.FOLDER, remote.AUTHORITIES):
        (folder / place).mkdir(parents=True)
    for name in remote.remote_secrets(platform):
        (folder / remote.FOLDER / name).write_text(WORDS[name], encoding="utf-8")
    for name, path in remote.remote_authorities(platform).items():
        (folder / remote.AUTHORITIES / name).write_bytes((source / path).read_bytes())


@pytest.mark.timeout(60)
def test_a_server_is_asked_as_it_wants_to_be(tmp_path: Path) -> None:
    with broker(tmp_path) as target:
        platform = platform_of(target)
        folder = tmp_path / "prometheus"
        prometheus.configure(folder, platform, "mon1", {"mon1": "127.0.0.1"}, {"groups": []})
        with_files(folder, platform, tmp_path)
        server = Prometheus(folder, port=platform["monitoring"]["prometheus"]["port"])
        with prometheus.running(server):
            [(labels, value)] = eventually(
                lambda: server.values("rabbitmq_queue_messages_ready"), "what the broker says of its queues"
            )
            assert value == "3"
            assert dict(labels) == {
                "__name__": "rabbitmq_queue_messages_ready",
                "host": "broker1",
                "instance": f"127.0.0.1:{target.port}",
                "job": "rabbitmq",
                "queue": "a",
            }


@pytest.mark.timeout(60)
def test_what_is_written_elsewhere_shows_its_token(tmp_path: Path) -> None:
    with broker(tmp_path) as target:
        platform = platform_of(target, remote_write=[{"url": f"{target.store}/write", "bearer": "store"}])
        folder = tmp_path / "prometheus"
        prometheus.configure(folder, platform, "mon1", {"mon1": "127.0.0.1"}, {"groups": []})
        with_files(folder, platform, tmp_path)
        server = Prometheus(folder, port=platform["monitoring"]["prometheus"]["port"])
        with prometheus.running(server):
            eventually(lambda: target.written, "what Prometheus writes")
            assert set(target.written) == {"Bearer store-word"}
