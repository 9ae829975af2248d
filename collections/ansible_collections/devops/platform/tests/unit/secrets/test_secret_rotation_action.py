"""The controller's steps of a rotation, as playbooks call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.platform import paths, preflight

ROOT = paths.find_root(Path(preflight.__file__))
NAMES = {"chat_redis": {"rotate": "redis"}, "chat_verify": None}


def play(folder: Path, address: str, tasks: list[dict[str, Any]], *arguments: str) -> tuple[int, str]:
    return played(folder, {"backend": "vault", "vault": {"address": address}, "names": NAMES}, tasks, *arguments)


def played(folder: Path, secrets: dict[str, Any], tasks: list[dict[str, Any]], *arguments: str) -> tuple[int, str]:
    (folder / "ansible.cfg").write_text("", encoding="utf-8")
    platform = {"name": "chat", "environment": "dev", "secrets": secrets}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "platform": platform}
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"here": local}}}), encoding="utf-8")
    named = [{"name": "Step", "devops.platform.secret_rotation": task, "register": "did"} for task in tasks]
    shown = {
        "name": "Say",
        "ansible.builtin.debug": {"msg": "{{ did.said | default(did.text) | default(did.changed) }}"},
    }
    body = [item for task in named for item in (task, shown)]
    (folder / "play.yml").write_text(
        yaml.safe_dump([{"name": "Rotate", "hosts": "all", "gather_facts": False, "tasks": body}]), encoding="utf-8"
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "LAB_"))}
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-vvv", "-i", "hosts.yml", "play.yml", *arguments],
        cwd=folder,
        env={**kept, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "COLUMNS": "300"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.returncode, " ".join(done.stdout.split()).replace("''", "'")


@pytest.fixture
def documents(vault: Any) -> dict[str, list[dict[str, Any]]]:
    vault.write("chat/dev/chat_redis", {"value": "c4n4ry"})
    found: dict[str, list[dict[str, Any]]] = vault.documents
    return found


def test_steps_change_stages_and_show_no_value(vault, documents, tmp_path):
    steps = [{"step": name, "secret": "chat_redis"} for name in ("stage", "promote", "forget")]
    code, output = play(tmp_path, vault.address, [*steps, {"step": "metrics"}])
    assert code == 0, output
    stages = [sorted(document) for document in documents["chat/dev/chat_redis"]]
    assert stages == [["value"], ["pending", "value"], ["changed", "previous", "value"], ["changed", "value"]]
    assert 'platform_secret_rotating{secret="chat_redis",rotate="redis"} 0' in output
    value = documents["chat/dev/chat_redis"][-1]["value"]
    assert len(value) == 32
    assert value not in output
    assert "c4n4ry" not in output


def test_check_mode_changes_nothing_and_a_plan_says_what_is_left(vault, documents, tmp_path):
    tasks: list[dict[str, Any]] = [{"step": "stage", "secret": "chat_redis"}, {"step": "plan", "force": True}]
    code, output = play(tmp_path, vault.address, tasks, "--check")
    assert code == 0, output
    assert documents["chat/dev/chat_redis"] == [{"value": "c4n4ry"}]
    assert "old): stage, accept, prove, promote, accept, deliver, drain, refuse, forget" in output
    assert "chat_verify (no value yet): stage, promote" in output


def test_what_a_later_phase_would_make_is_made_before_its_age_is_told(tmp_path):
    """Else a second run would have news of it."""
    secrets = {"backend": "files", "directory": str(tmp_path / "secrets"), "names": NAMES}
    code, output = played(tmp_path, secrets, [{"step": "metrics"}], "--check")
    assert code == 0, output
    assert 'platform_secret_changed_timestamp_seconds{secret="chat_redis"' not in output
    assert not (tmp_path / "secrets" / "chat_redis").exists()
    code, output = played(tmp_path, secrets, [{"step": "metrics"}])
    assert code == 0, output
    assert 'platform_secret_changed_timestamp_seconds{secret="chat_redis"' in output


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"step": "plan", "only": ["chat_rdis"]}, "no secret 'chat_rdis' can be rotated; did you mean 'chat_redis'?"),
        ({"step": "stage"}, "step is stage but all of the following are missing: secret"),
        ({"step": "stage", "secret": "nothing"}, "secret 'nothing' is not declared; there is chat_redis, chat_verify"),
    ],
)
def test_what_is_refused(vault, task, said, tmp_path):
    code, output = play(tmp_path, vault.address, [task])
    assert code == 2
    assert said in output
