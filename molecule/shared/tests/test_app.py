"""What the role app promises, asked of the host: the chat application works from end to end on one host."""

from __future__ import annotations

import json


def test_every_container_is_healthy(host):
    lines = host.check_output("docker ps --format json").splitlines()
    states = {row["Names"]: row["Status"] for row in map(json.loads, lines)}
    assert len(states) == 3
    assert all("(healthy)" in state for state in states.values()), states


def test_the_application_answers_through_the_edge(fetch):
    assert "<html" in fetch("http://127.0.0.1/").lower()
    assert fetch("http://127.0.0.1/api/session").startswith("200 ")


def test_secrets_are_files_that_users_of_the_host_cannot_read(host):
    folder = host.file("/etc/devops-platform/apps/chat/secrets")
    assert folder.mode == 0o700
    assert folder.user == "root"
    assert host.run("docker inspect $(docker ps -q) | grep -F molecule-database").failed
