"""A controller with an inventory and a platform.yml of its own, from which the real playbooks are run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from ansible_collections.devops.platform.tests.unit.platform import example
from tools import REPOSITORY

HOSTS = """\
all:
  vars: {ansible_user: admin}
  children:
    edge: {hosts: {edge1: {ansible_host: 192.0.2.10}}}
    app: {hosts: {app1: {ansible_host: 192.0.2.101}, app2: {ansible_host: 192.0.2.102}}}
    data: {hosts: {data1: {ansible_host: 192.0.2.20}}}
    monitoring: {hosts: {mon1: {ansible_host: 192.0.2.30}}}
"""
AWX = """\
  awx:
    url: @URL@
    token: awx_token
    inventory: inventory
    project: {url: "https://git.example/platform.git", branch: main, credential: repository}
    execution_environment: {image: "registry.example/platform:1", credential: registry}
    credentials:
      hosts: {type: machine, inputs: {username: admin}, secrets: {ssh_key_data: awx_ssh_key}}
      cloud: {type: aws, inputs: {username: AKIAEXAMPLE}, secrets: {password: awx_cloud}}
      values: {type: secrets}
      vaults: {type: hashicorp, inputs: {url: "https://vault.example"}, secrets: {token: awx_vault}}
      repository: {type: scm, inputs: {username: git}, secrets: {password: awx_git}}
      registry: {type: registry, inputs: {host: registry.example}}
      theirs: {existing: "Jump host"}
    schedules:
      drift: {job: drift, at: "03:17", answers: {drift_fail: true}}
      weekly: {job: site, at: "05:00", weekdays: [sunday], timezone: Europe/Rome}
    notifications: {success: [ops], error: [ops, chat], approval: [chat]}
"""
ALERTING = """\
    alerting:
      receivers:
        ops:
          email:
            to: [ops@example.com]
            from: awx@example.com
            smarthost: "mail.example:587"
            user: awx
            password: mail_password
        chat:
          slack: {webhook: slack_url, channel: "#ops"}
          webhook: {url: "https://hooks.example/awx", user: awx, password: hook_password}
      default: [ops]
      routes: [{severity: high, receivers: [chat], continue: true}]
"""
_NAMED = "chat_database chat_redis awx_token awx_ssh_key awx_cloud awx_vault awx_git mail_password hook_password"
# Each stands in nothing that a run prints.
SECRETS = {
    **{name: f"canary-{name}-{number:04d}" for number, name in enumerate(_NAMED.split())},
    "slack_url": "https://hooks.example/canary-slack-url",
}
NAMES = "".join(f"      {name}:\n" for name in SECRETS if not name.startswith("chat_"))


def text(url: str) -> str:
    """A right platform.yml with `platform.awx`."""
    found = example.edited(
        ("    targets:\n      database", ALERTING + "    targets:\n      database"),
        ("  secrets:\n    backend: generated\n    directory: secrets\n", "  secrets:\n    backend: variables\n"),
    )
    return found + NAMES + "  rollout: {directory: /var/lib/awx-rollouts}\n" + AWX.replace("@URL@", url)


@dataclass(frozen=True)
class Controller:
    """``root`` holds an ansible.cfg, the locks, and the inventory."""

    root: Path
    url: str

    @property
    def platform(self) -> Path:
        return self.root / "inventory" / "group_vars" / "all" / "platform.yml"

    @classmethod
    def made(cls, root: Path, url: str) -> Controller:
        example.write(root).unlink()
        controller = cls(root, url)
        controller.platform.parent.mkdir(parents=True)
        controller.platform.write_text(text(url), encoding="utf-8")
        (root / "inventory" / "hosts.yml").write_text(HOSTS, encoding="utf-8")
        controller.set_secrets({})
        ssh = root / "ssh"
        ssh.write_text(f'#!/bin/sh\necho "$@" >> {root}/reached\nexit 255\n', encoding="utf-8")
        ssh.chmod(0o755)
        return controller

    def set_secrets(self, changed: dict[str, str]) -> None:
        values = {f"vault_{name}": value for name, value in {**SECRETS, **changed}.items()}
        (self.platform.parent / "vault.yml").write_text(yaml.safe_dump(values), encoding="utf-8")

    def edit(self, *edits: tuple[str, str]) -> None:
        found = self.platform.read_text(encoding="utf-8")
        for before, after in edits:
            assert found.count(before) == 1, before
            found = found.replace(before, after)
        self.platform.write_text(found, encoding="utf-8")

    def environment(self) -> dict[str, str]:
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "LAB_", "CONTROLLER"))
        }
        return {
            **kept,
            "HOME": str(self.root),  # awx.awx reads a configuration there
            "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
            "ANSIBLE_SSH_EXECUTABLE": str(self.root / "ssh"),
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "2000",
        }

    def run(self, *arguments: str, playbook: str = "playbooks/awx.yml") -> Run:
        """`ansible-playbook`, at the highest verbosity that shows what modules are given."""
        program = Path(sys.executable).parent / "ansible-playbook"
        done = subprocess.run(
            [program, REPOSITORY / playbook, "--inventory", self.root / "inventory", "--diff", "-vvv", *arguments],
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert not (self.root / "reached").exists(), (self.root / "reached").read_text(encoding="utf-8")
        for name, value in SECRETS.items():
            assert value not in done.stdout, f"the secret {name} was shown"
        return Run(done.returncode, done.stdout)


@dataclass(frozen=True)
class Run:
    code: int
    output: str

    @property
    def changed(self) -> int:
        return sum(map(int, re.findall(r"changed=(\d+)", self.output)))

    @property
    def words(self) -> str:
        """The output without its line ends, and without the quotes that YAML doubles."""
        return " ".join(self.output.split()).replace("''", "'")
