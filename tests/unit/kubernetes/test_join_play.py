"""The tasks that bring hosts into a cluster, in check mode on this machine: who would do what, from what each has."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import REPOSITORY

NOTHING = {"joined": False, "serves": False, "authority": "", "data": False, "attempt": "", "version": ""}
SERVER = {**NOTHING, "joined": True, "serves": True, "authority": "aa", "data": True, "version": "1.34.4"}
NODE = {**NOTHING, "joined": True, "authority": "aa", "version": "1.34.4"}
PLATFORM = {
    "name": "chat",
    "kubernetes": {"cluster": {"version": "1.34.4", "control_plane": "servers", "workers": "workers"}},
}


def play(folder: Path, looks: dict[str, dict[str, object]]) -> tuple[str, dict[str, set[str]]]:
    """(what was said, task -> hosts that would change)."""
    hosts = {
        name: {"__kubeadm_look": look, "ansible_host": f"192.0.2.{10 + n}"}
        for n, (name, look) in enumerate(looks.items())
    }
    groups: dict[str, dict[str, dict[str, object]]] = {
        "servers": {"hosts": {name: {} for name in looks if name.startswith("s")}},
        "workers": {"hosts": {name: {} for name in looks if name.startswith("w")}},
    }
    shared = {"ansible_connection": "local", "platform": PLATFORM, "ansible_python_interpreter": sys.executable}
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "children": groups, "vars": shared}}))
    book = [
        {
            "hosts": "all",
            "gather_facts": False,
            "any_errors_fatal": True,
            "tasks": [{"ansible.builtin.import_tasks": str(REPOSITORY / "playbooks/tasks/join_nodes.yml")}],
        }
    ]
    (folder / "play.yml").write_text(json.dumps(book))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(folder / "hosts.json")]
    done = subprocess.run(
        [*command, "--check", "-v", str(folder / "play.yml")],
        cwd=REPOSITORY,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_INVENTORY_ENABLED": "yaml"},
        capture_output=True,
        text=True,
        check=False,
    )
    changed: dict[str, set[str]] = {}
    task = ""
    for line in done.stdout.splitlines():
        begun = re.match(r"TASK \[(.+)\]", line)
        task = begun[1] if begun else task
        host = re.match(r"changed: \[([^\]]+)\]", line)
        if host:
            changed.setdefault(task, set()).add(host[1])
    return done.stdout, changed


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param(
            {"s1": NOTHING, "w1": NOTHING},
            {"Make the cluster": {"s1"}, "Invite the others": {"s1"}, "Join as a worker": {"w1"}},
            id="from nothing",
        ),
        pytest.param(
            {"s1": NOTHING, "s2": SERVER, "w1": NODE},
            {"Invite the others": {"s2"}, "Join the control plane": {"s1"}},
            id="a server lost its disk",
        ),
        pytest.param({"s1": SERVER, "w1": NODE}, {}, id="nothing to do"),
    ],
)
def test_each_host_does_its_part(tmp_path, looks, expected):
    said, changed = play(tmp_path, looks)
    assert changed == expected, said
    assert not re.search(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b|\b[0-9a-f]{64}\b", said)


def test_nothing_is_done_where_one_is_refused(tmp_path):
    said, changed = play(tmp_path, {"s1": {**NOTHING, "data": True}, "w1": NOTHING})
    assert changed == {}
    assert "it holds a certificate authority or etcd's data, and is in no cluster" in said
