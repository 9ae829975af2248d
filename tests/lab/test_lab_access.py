"""Who reaches what: firewall, databases, SSH."""

from __future__ import annotations

import subprocess

import pytest

from lab.runtime import PREFIX
from tests.lab.harness.fleet import Fleet, reachable_from_here, until

LISTEN = "import socket, time; server = socket.create_server(('0.0.0.0', {port})); time.sleep(60)"
OTHER = 4444


@pytest.mark.parametrize("port", [5432, 6379], ids=["postgresql", "redis"])
def test_only_application_hosts_reach_the_databases(fleet: Fleet, port: int) -> None:
    data = fleet.address("data1")
    assert {host: fleet.reaches(host, data, port) for host in fleet.hosts if host != "data1"} == {
        host: host in fleet.of("app") for host in fleet.hosts if host != "data1"
    }
    assert not reachable_from_here(data, port)


def test_a_database_wants_a_password_from_those_too(fleet: Fleet) -> None:
    ask = (
        "import socket; s = socket.create_connection(('{}', 6379), 2); s.sendall(b'PING\\r\\n'); print(s.recv(99))"
    ).format(fleet.address("data1"))
    assert "NOAUTH" in fleet.on("app1", "python3", "-c", ask)
    rules = fleet.on("data1", "runuser", "-u", "postgres", "--", "psql", "-XAtc", "table pg_hba_file_rules")
    assert "trust" not in rules
    assert "0.0.0.0" not in rules


def test_a_port_that_nobody_declared_is_closed(fleet: Fleet) -> None:
    server = subprocess.Popen(["docker", "exec", f"{PREFIX}-app1", "python3", "-c", LISTEN.format(port=OTHER)])
    try:
        until("the listener", lambda: fleet.reaches("app1", "127.0.0.1", OTHER), seconds=20)
        assert not fleet.reaches("mon1", fleet.address("app1"), OTHER)
        assert not reachable_from_here(fleet.address("app1"), OTHER)
    finally:
        fleet.attempt("app1", "pkill", "-f", "create_server")
        server.wait(timeout=20)


def test_a_port_that_docker_publishes_is_closed_too(fleet: Fleet) -> None:
    """Docker rewrites such connections before the input chain sees them."""
    image = fleet.on("app1", "docker", "inspect", "--format", "{{.Image}}", "chat-web-1").strip()
    where = fleet.address("app1")
    publish = ["--publish", f"{where}:{OTHER}:3000", "--read-only", "--tmpfs", "/tmp"]
    fleet.on("app1", "docker", "run", "--detach", "--rm", "--name", "t-published", *publish, image)
    try:
        until("the container", lambda: fleet.reaches("app1", where, OTHER), seconds=20)
        assert not fleet.reaches("edge1", where, OTHER)
        assert fleet.reaches("edge1", where, 3000), "a declared port, for comparison"
        assert not fleet.reaches("mon1", where, 3000), "declared, but for the edge alone"
    finally:
        fleet.on("app1", "docker", "rm", "--force", "t-published")


def test_a_flush_of_all_rules_does_not_open_a_host(fleet: Fleet) -> None:
    """Debian's nftables.service begins and ends with 'flush ruleset'."""
    table = ("nft", "--stateless", "list", "table", "inet", "devops_platform")
    before = fleet.on("mon1", *table)
    for order in ("restart", "reload"):
        # systemctl waits for nftables alone, not for what comes after it.
        fleet.on("mon1", "systemctl", order, "nftables")
        until(f"the table after a {order}", lambda: fleet.attempt("mon1", *table).stdout == before, seconds=10)
    fleet.on("mon1", "systemctl", "stop", "nftables")
    play = fleet.play("playbooks/hosts.yml", "--tags", "base", "--limit", "mon1").expect_ok()
    assert play.changes == {"mon1": 1}
    assert fleet.on("mon1", *table) == before


def test_metrics_are_for_the_monitoring_host(fleet: Fleet) -> None:
    assert fleet.reaches("mon1", fleet.address("app1"), 9100)
    assert not fleet.reaches("edge1", fleet.address("app1"), 9100)
    assert not fleet.reaches("app1", fleet.address("mon1"), 9090)


@pytest.mark.parametrize("host", ["edge1", "data1"])
def test_nobody_logs_in_with_a_password(fleet: Fleet, host: str) -> None:
    done = fleet.ssh(host, "-l", "admin", "-o", "PreferredAuthentications=password,keyboard-interactive")
    assert done.returncode == 255
    assert "Authentications that can continue: publickey\n" in done.stderr.replace("\r", "")


def test_root_does_not_log_in_at_all(fleet: Fleet) -> None:
    key = str(fleet.state.key)
    fleet.on("edge1", "sh", "-c", "mkdir -p -m 700 /root/.ssh && cp /home/admin/.ssh/authorized_keys /root/.ssh/")
    try:
        assert fleet.ssh("edge1", "-l", "root", "-i", key).returncode == 255
        assert fleet.ssh("edge1", "-l", "admin", "-i", key).returncode == 0, "the same key, for comparison"
    finally:
        fleet.on("edge1", "rm", "-r", "/root/.ssh")
