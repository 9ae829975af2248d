"""What the role redis promises, asked of the host."""

from __future__ import annotations


def ask(host, command: str) -> str:
    return str(host.check_output(f"redis-cli {command} 2>&1")).strip()


def test_the_password_is_needed(host):
    assert host.service("redis-server").is_running
    assert host.service("redis-server").is_enabled
    assert ask(host, "ping").startswith("NOAUTH")
    assert ask(host, "--no-auth-warning -a molecule-redis ping") == "PONG"


def test_memory_is_bounded_and_writes_are_kept(host):
    assert ask(host, "--no-auth-warning -a molecule-redis config get maxmemory").split() == ["maxmemory", "134217728"]
    assert ask(host, "--no-auth-warning -a molecule-redis config get appendonly").split() == ["appendonly", "yes"]


def test_the_password_is_in_no_file(host):
    assert host.run("grep -rF molecule-redis /etc/redis /var/lib/redis").failed
