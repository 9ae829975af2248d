"""What the role docker promises, asked of the host."""

from __future__ import annotations

import json


def test_the_daemon_runs_with_the_declared_settings(host):
    assert host.service("docker").is_running
    assert host.service("docker").is_enabled
    info = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert info["LiveRestoreEnabled"] is True
    assert info["LoggingDriver"] == "local"
    assert "http://mirror:5000/" in info["RegistryConfig"]["Mirrors"]
    assert int(info["ServerVersion"].split(".")[0]) >= 24


def test_compose_is_the_second_version(host):
    assert int(host.check_output("docker compose version --short").lstrip("v").split(".")[0]) >= 2


def test_users_are_in_the_group(host):
    assert "docker" in host.user("admin").groups


def test_containers_outlive_a_restart_of_the_daemon(host):
    """An image made from two of the host's own programs; it takes no registry."""
    host.check_output(
        "tar -C / -ch usr/bin/sleep usr/bin/true $(ldd /usr/bin/sleep | grep -o '/[^ ]*') 2>/dev/null"
        " | docker import - molecule:latest"
    )
    try:
        host.check_output("docker run --detach --name molecule --memory 32m molecule /usr/bin/sleep 60")
        before = host.check_output("docker inspect --format '{{.State.Pid}}' molecule")
        host.check_output("systemctl restart docker")
        assert host.check_output("docker inspect --format '{{.State.Pid}}' molecule") == before
        assert host.file(f"/proc/{before}").exists
    finally:
        host.run("docker rm --force molecule; docker rmi molecule")
