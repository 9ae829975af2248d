"""Exporters tell Prometheus what they know, and nobody else."""

from __future__ import annotations

import pytest

from tests.lab.harness.fleet import Fleet

FOLDER = "/etc/prometheus/exporters"
# (host, port, what its metrics must hold)
TOLD = [
    pytest.param("app1", 9100, "node_memory_MemTotal_bytes", id="node_exporter"),
    pytest.param("data1", 9187, "pg_up 1", id="postgres_exporter"),
    pytest.param("data1", 9121, "redis_up 1", id="redis_exporter"),
    pytest.param("edge1", 9113, "nginx_up 1", id="nginx_exporter"),
    pytest.param("mon1", 9115, "blackbox_exporter_build_info", id="blackbox_exporter"),
]
# As docs/monitoring.md tells how to ask by hand.
WITH_PASSWORD = f'printf "user = prometheus:%s" "$(cat {FOLDER}/password)" | curl --config -'
AUTHORITY = f"--cacert {FOLDER}/ca.crt"


def ask(fleet: Fleet, program: str, url: str) -> tuple[int, str]:
    """(HTTP status, text) of the answer that the monitoring host gets; 0 where there is none."""
    line = f"{program} --silent --max-time 10 --write-out '\\n%{{http_code}}' {url}"
    text, _, status = fleet.attempt("mon1", "sh", "-c", line).stdout.rpartition("\n")
    return int(status), text


@pytest.mark.parametrize(("host", "port", "metric"), TOLD)
def test_they_speak_tls_and_want_the_password(fleet: Fleet, host: str, port: int, metric: str) -> None:
    address = f"{fleet.address(host)}:{port}/metrics"
    status, text = ask(fleet, f"{WITH_PASSWORD} {AUTHORITY}", f"https://{address}")
    assert (status, metric in text) == (200, True)
    assert ask(fleet, f"curl {AUTHORITY}", f"https://{address}")[0] == 401
    assert ask(fleet, f"curl {AUTHORITY} --user prometheus:guessed", f"https://{address}")[0] == 401
    assert ask(fleet, "curl", f"http://{address}")[0] == 400
    assert ask(fleet, WITH_PASSWORD, f"https://{address}")[0] == 0, "nobody but their authority vouches for them"


@pytest.mark.parametrize(("host", "port", "metric"), TOLD)
def test_no_other_host_gets_through_to_them(fleet: Fleet, host: str, port: int, metric: str) -> None:
    other = "edge1" if host != "edge1" else "data1"
    assert fleet.reaches("mon1", fleet.address(host), port)
    assert not fleet.reaches(other, fleet.address(host), port)
