"""A value is searched for in everything that a run writes, whatever backend it comes from.

`ansible-playbook -vvv --diff --check` with the task that most roles are, on this machine and as a prediction; then
the same with a backend that fails. What hosts keep (ledger, journal) is searched in tests/engine/test_secrets.py.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.platform import paths, preflight
from ansible_collections.devops.platform.tests.unit.secrets.fake_vault import TOKEN
from ansible_collections.devops.platform.tests.unit.secrets.places import WRITABLE, Place

ROOT = paths.find_root(Path(preflight.__file__))
CANARY = "c4n4ryc4n4ry"
PLAY = """\
- name: Begin
  hosts: "{{ lookup('devops.platform.sound_hosts', 'all') }}"
  gather_facts: false
  tasks:
    - name: Predict a file that holds secrets
      devops.platform.component:
        name: canary
        files:
          - {path: %(path)s, content: "password={{ password }}\\nothers={{ others }}\\n", mode: "0600"}
        secrets: {password: "{{ password }}", others: "{{ others }}"}
      vars:
        password: "{{ lookup('devops.platform.secret', 'chat_redis') }}"
        others: "{{ lookup('devops.platform.secret', 'chat_redis', part='others') }}"

    - name: Ask for another one
      ansible.builtin.debug:
        msg: "{{ lookup('devops.platform.secret', 'chat_database') | length }} characters"
"""


def needles() -> list[str]:
    """The canary, and its beginning in base64 at each of the three places of a triple."""
    return [CANARY, *(base64.b64encode(b"x" * shift + CANARY.encode())[4:12].decode() for shift in range(3))]


def run(place: Place, folder: Path, path: Path) -> tuple[int, str]:
    """(exit code, everything that was written) of the play on this machine."""
    (folder / "ansible.cfg").write_text("", encoding="utf-8")
    variables = folder / "group_vars" / "all"
    variables.mkdir(parents=True, exist_ok=True)
    secrets = {**place.platform["secrets"], "names": {"chat_redis": None, "chat_database": None}}
    platform = {**place.platform, "secrets": secrets, "artifacts": {"locks": []}}
    (variables / "platform.yml").write_text(yaml.safe_dump({"platform": platform}), encoding="utf-8")
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {"all": {"hosts": dict.fromkeys(("one", "two"), local)}}
    (folder / "hosts.yml").write_text(json.dumps(hosts), encoding="utf-8")
    (folder / "play.yml").write_text(PLAY % {"path": path}, encoding="utf-8")
    log = folder / "ansible.log"
    log.unlink(missing_ok=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "LAB_"))}
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-vvv", "--check", "--diff", "-i", "hosts.yml", "play.yml"],
        cwd=folder,
        env={**kept, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOG_PATH": str(log), "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + log.read_text(encoding="utf-8")


def found(text: str) -> list[str]:
    return [needle for needle in needles() if needle in text]


def test_the_search_is_not_blind():
    assert found(f"x{CANARY}x") == [CANARY]
    assert all(found(base64.b64encode(b"y" * shift + CANARY.encode()).decode()) for shift in range(3))


@pytest.mark.parametrize("place", [*WRITABLE, "ansible_vault"], indirect=True)
def test_a_value_is_in_nothing_that_a_run_writes(place, tmp_path):
    declared = place.declared({"chat_redis": None, "chat_database": None})
    place.write(declared.identifier("chat_redis"), f"{CANARY}-one")
    place.write(declared.identifier("chat_database"), "x" * 19)
    folder = tmp_path
    code, output = run(place, folder, tmp_path / "file")
    assert code == 0, output
    assert "19 characters" in output
    assert "password=" in output  # the diff was there to be searched
    assert found(output) == []
    assert TOKEN not in output
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("place", ["aws_secrets_manager", "aws_ssm", "vault"], indirect=True)
def test_a_backend_that_has_not_all_of_them_shows_none(place, tmp_path, request: Any):
    declared = place.declared({"chat_redis": None, "chat_database": None})
    place.write(declared.identifier("chat_redis"), f"{CANARY}-one")
    code, output = run(place, tmp_path, tmp_path / "file")
    assert code == 2
    assert "secret 'chat_database'" in output
    assert found(output) == []


@pytest.mark.parametrize("place", ["vault"], indirect=True)
def test_two_hosts_ask_a_backend_once(place, vault, tmp_path):
    for name in ("chat_redis", "chat_database"):
        place.write(f"chat/prod/{name}", "0ne")
    code, output = run(place, tmp_path, tmp_path / "file")
    assert code == 0, output
    asked = sorted(request.rpartition("/")[2] for request in vault.requests)
    assert asked == ["chat_database", *3 * ["chat_redis"]]  # its current, pending and previous value
