"""playbooks/preflight.yml as a user runs it, on hosts that do not exist: nothing may even try to reach them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform import paths, preflight
from ansible_collections.devops.platform.tests.unit.platform import example

ROOT = paths.find_root(Path(preflight.__file__))
HOSTS = """\
all:
  vars: {ansible_user: admin}
  children:
    edge: {hosts: {edge1: {ansible_host: 192.0.2.10}}}
    app: {hosts: {app1: {ansible_host: 192.0.2.101}, app2: {ansible_host: 192.0.2.102}}}
    data: {hosts: {data1: {ansible_host: 192.0.2.20}}}
    monitoring: {hosts: {mon1: {ansible_host: 192.0.2.30}}}
"""
MISTAKES = (
    ("timezone: Etc/UTC", "timezne: Etc/UTC"),
    ("clients: [app]", "clients: [apps]"),
    ("port: 5001", "port: 5000"),
    ("image: chat-web,", "image: chat-wbe,"),
    ("LOG_LEVEL: info", 'LOG_LEVEL: "{{ level }}"'),
)
PLACE = "inventory/group_vars/all/platform.yml"
LINES = [
    f"{PLACE}:5:5: error: platform.hosts.timezne: unknown key; did you mean 'timezone'?",
    f"{PLACE}:27:17: error: platform.data.postgresql.clients[0]: the inventory has no group 'apps'; did you mean",
    f"{PLACE}:51:20: error: platform.apps.chat.environment.LOG_LEVEL: holds '{{{{', but platform.yml is plain data",
    f"{PLACE}:55:22: error: platform.apps.chat.services.web.image: images.lock.yml has no image 'chat-wbe'; did you",
    f"{PLACE}:65:17: error: platform.apps.chat.services.websocket.port: port 5000 is chat/api's (line 58) already on",
]


@pytest.fixture
def inventory(tmp_path):
    """A repository of its own: ansible.cfg, locks, and an inventory with a right platform.yml."""
    example.write(tmp_path).unlink()
    folder = tmp_path / "inventory"
    (folder / "group_vars" / "all").mkdir(parents=True)
    (folder / "hosts.yml").write_text(HOSTS, encoding="utf-8")
    (folder / "group_vars" / "all" / "platform.yml").write_text(example.TEXT, encoding="utf-8")
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/reached\nexit 255\n', encoding="utf-8")
    ssh.chmod(0o755)
    return folder


def play(inventory: Path, *arguments: str, playbook: Path | None = None) -> tuple[int, str]:
    """(exit code, output) of ansible-playbook in the directory above the inventory."""
    root = inventory.parent
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", playbook or ROOT / "playbooks" / "preflight.yml",
         "--inventory", inventory, *arguments],
        cwd=root,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "LAB_"))},
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_SSH_EXECUTABLE": str(root / "ssh"),
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "500",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )  # fmt: skip
    assert not (root / "reached").exists(), (root / "reached").read_text(encoding="utf-8")
    return done.returncode, done.stdout


def break_it(inventory: Path, *edits: tuple[str, str]) -> None:
    (inventory / "group_vars" / "all" / "platform.yml").write_text(example.edited(*edits), encoding="utf-8")


@pytest.mark.parametrize("arguments", [(), ("--limit", "app1", "--tags", "nothing", "--check", "--diff")])
def test_all_mistakes_are_told_once_and_no_host_is_reached(arguments, inventory):
    break_it(inventory, *MISTAKES)
    code, output = play(inventory, *arguments)
    assert code == 2
    assert "5 mistakes; no host was touched." in output
    assert [output.count(line) for line in LINES] == [1] * len(LINES), output
    places = [output.index(line) for line in LINES]
    assert places == sorted(places)
    assert "    clients: [apps]\n" in output


def test_a_right_file_passes(inventory):
    code, output = play(inventory, "-v")
    assert code == 0, output
    assert "chat (lab): 5 hosts, 1 app with 3 services, 2 secrets" in output


def test_files_that_are_no_yaml_are_named_with_their_lines(inventory):
    break_it(inventory, ("name: chat", "name: @chat"))
    (inventory / "host_vars").mkdir()
    (inventory / "host_vars" / "app1.yml").write_text("a: b: c\n", encoding="utf-8")
    code, output = play(inventory, "--limit", "app1")
    assert code != 0
    assert "2 mistakes; no host was touched." in output
    assert f"{PLACE}:2:9: error: not YAML: found character that cannot start any token" in output
    assert "inventory/host_vars/app1.yml:1:5: error: not YAML: mapping values are not allowed" in output


def test_what_overrides_the_file_is_told(inventory):
    (inventory / "host_vars").mkdir()
    (inventory / "host_vars" / "app1.yml").write_text("platform: {name: other}\n", encoding="utf-8")
    code, output = play(inventory)
    assert code == 2
    assert (
        f"{PLACE}:1:1: error: platform: Ansible's variable 'platform' is another one than this file's for app1"
        in output
    )


def test_an_inventory_without_a_platform(inventory):
    (inventory / "group_vars" / "all" / "platform.yml").unlink()
    code, output = play(inventory)
    assert code == 2
    assert f"there is no platform.yml: looked for {PLACE}; write one, or name an" in " ".join(output.split())


SECRETS = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "{{ query('devops.platform.secret', *names) | join('+') }}."
      vars: {names: %s}
"""


def test_secrets_are_the_same_for_all_hosts_at_once_and_not_made_in_check_mode(inventory, tmp_path):
    playbook = tmp_path / "secrets.yml"
    playbook.write_text(SECRETS % "[chat_database, chat_redis]", encoding="utf-8")
    code, output = play(inventory, "--check", playbook=playbook)
    assert code == 0, output
    assert output.count("unset-in-check-mode+unset-in-check-mode.") == 5
    assert not (tmp_path / "secrets").exists()

    code, output = play(inventory, playbook=playbook)
    values = [(tmp_path / "secrets" / name).read_text(encoding="utf-8") for name in ("chat_database", "chat_redis")]
    assert code == 0, output
    assert [len(value) for value in values] == [32, 32]
    assert output.count("+".join(values) + ".") == 5


def test_secrets_from_variables_and_names_that_are_not_declared(inventory, tmp_path):
    playbook = tmp_path / "secrets.yml"
    break_it(inventory, ("backend: generated", "backend: variables"))
    (inventory / "group_vars" / "all" / "vault.yml").write_text(
        'vault_chat_database: one\nvault_chat_redis: "{{ vault_chat_database }}two"\n', encoding="utf-8"
    )
    playbook.write_text(SECRETS % "[chat_redis, chat_database]", encoding="utf-8")
    assert play(inventory, playbook=playbook)[1].count("onetwo+one.") == 5
    playbook.write_text(SECRETS % "[chat_redsi]", encoding="utf-8")
    code, output = play(inventory, "--limit", "app1", playbook=playbook)
    assert code == 2
    assert "devops.platform.secret: secret 'chat_redsi' is not declared; did you mean 'chat_redis'?" in output
