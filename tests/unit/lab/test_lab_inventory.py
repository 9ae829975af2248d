from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab import REPOSITORY


def inventory(folder: Path, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = folder / "lab.yml"
    path.write_text(text)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LAB_")}
    return subprocess.run(
        [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(path), "--list"],
        env={**kept, "ANSIBLE_COLLECTIONS_PATH": str(REPOSITORY / "collections"), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def listed(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert result.returncode == 0, result.stderr
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def test_before_the_first_up(tmp_path: Path) -> None:
    data = listed(inventory(tmp_path, "plugin: devops.platform.lab\nstate: state\napp_hosts: 3\n"))
    assert data["app"]["hosts"] == ["app1", "app2", "app3"]
    assert {"edge", "data", "monitoring"} <= set(data)
    variables = data["_meta"]["hostvars"]["edge1"]
    assert variables["ansible_host"] == "172.30.0.10"
    assert variables["ansible_ssh_private_key_file"] == str(tmp_path / "state" / "id_ed25519")


def test_the_cluster_is_an_inventory_of_its_own(tmp_path: Path) -> None:
    data = listed(inventory(tmp_path, "plugin: devops.platform.lab\nstate: state\npart: kubernetes\n"))
    assert data["kubernetes_servers"]["hosts"] == ["kube-server1"]
    assert data["kubernetes_workers"]["hosts"] == ["kube-worker1", "kube-worker2"]
    assert "app" not in data


def test_saved_settings_and_environment_win(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "settings.json").write_text('{"app_hosts": 1, "subnet": "10.1.2.0/24"}')
    text = "plugin: devops.platform.lab\nstate: state\napp_hosts: 3\n"
    data = listed(inventory(tmp_path, text))
    assert data["app"]["hosts"] == ["app1"]
    assert data["_meta"]["hostvars"]["app1"]["ansible_host"] == "10.1.2.101"
    assert listed(inventory(tmp_path, text, LAB_APP_HOSTS="2"))["app"]["hosts"] == ["app1", "app2"]


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    result = inventory(tmp_path, "plugin: devops.platform.lab\nstate: state\n", LAB_APP_HOSTS="none")
    assert "LAB_APP_HOSTS is 'none'" in result.stderr


def test_logs_have_hosts_where_they_are_asked_for(tmp_path: Path) -> None:
    text = "plugin: devops.platform.lab\nstate: state\n"
    assert "log1" not in listed(inventory(tmp_path, text))["_meta"]["hostvars"]
    data = listed(inventory(tmp_path, f"{text}log_hosts: 2\n"))
    assert data["logging"]["hosts"] == ["log1", "log2"]
    assert data["_meta"]["hostvars"]["log1"]["ansible_host"] == "172.30.0.41"
