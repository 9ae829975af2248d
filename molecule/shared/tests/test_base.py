"""What the role base promises, asked of the host."""

from __future__ import annotations

import pytest

PORT = 9999
LISTEN = """
import socket
server = socket.create_server(("0.0.0.0", 9999))
while True:
    server.accept()[0].close()
"""
CONNECT = """
import socket, time
for attempt in range(100):
    try:
        socket.create_connection(("127.0.0.1", 9999)).close()
        break
    except OSError:
        time.sleep(0.1)
else:
    raise SystemExit("nothing listens")
"""


@pytest.mark.parametrize("name", ["chrony", "nftables", "unattended-upgrades", "curl", "jq"])
def test_packages_are_installed(host, name):
    assert host.package(name).is_installed


@pytest.mark.parametrize("name", ["chrony", "ssh", "base_sysctl", "base_firewall"])
def test_services_run_and_start_with_the_host(host, name):
    assert host.service(name).is_running
    assert host.service(name).is_enabled


def test_apt_uses_the_proxy_and_unattended_upgrades_are_on(host):
    settings = host.check_output("apt-config dump")
    assert 'Acquire::http::Proxy "http://mirror:3142";' in settings
    assert 'APT::Periodic::Unattended-Upgrade "1";' in settings


def test_ssh_takes_keys_of_the_allowed_users_only(host):
    settings = host.check_output("sshd -T").splitlines()
    assert "passwordauthentication no" in settings
    assert "permitrootlogin no" in settings
    assert "allowusers admin" in settings


def test_kernel_settings_are_in_force(host):
    assert host.sysctl("net.core.somaxconn") == 4096
    assert host.sysctl("net.ipv4.conf.all.accept_redirects") == 0


def test_ports_without_a_rule_are_closed_to_others(host, reachable):
    host.check_output("systemd-run --unit=molecule-listener python3 -c %s", LISTEN)
    try:
        host.check_output("python3 -c %s", CONNECT)
        assert not reachable(PORT)
        assert reachable(22)
    finally:
        host.check_output("systemctl stop molecule-listener")


def test_the_time_zone_is_set(host):
    assert host.file("/etc/timezone").content_string == "Etc/UTC\n"
    assert host.file("/etc/localtime").linked_to == "/usr/share/zoneinfo/Etc/UTC"
