"""Every job template as AWX runs it: by ansible-runner, in a checkout, with an inventory that is a program, with the
survey's own answers as variables, and with the secrets that a credential brings.

There are no hosts: ssh fails. So each job runs as far as it gets without, and the table says how far that is:
preflight to its end, rollback and restore to where they refuse, all others through preflight to their hosts, in check
mode. What tasks do on hosts, the other suites show.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.awx import desired, surveys
from ansible_collections.devops.platform.plugins.module_utils.awx.playbooks import BY_NAME, JOBS, TARGETS, questions
from ansible_collections.devops.platform.plugins.module_utils.awx.settings import Settings
from ansible_collections.devops.platform.plugins.module_utils.rollout.settings import targets_of
from ansible_collections.devops.platform.tests.unit.platform import example
from tests.awx.harness.controller import SECRETS, Controller
from tools import REPOSITORY

REACHED = "UNREACHABLE!"
# Job -> (exit code, whether in check mode, what its output says).
TABLE: dict[str, tuple[int, bool, tuple[str, ...]]] = {
    "preflight": (0, False, ("TASK [Check platform.yml]", "ok: [edge1]")),
    "site": (4, True, ("PLAY [Prepare hosts]", REACHED)),
    "monitoring": (4, True, ("PLAY [Export host metrics]", REACHED)),
    "verify": (4, True, ("PLAY [Verify containers]", REACHED)),
    "plan": (4, True, ("no plan of app1, app2 (see above why); nothing was changed anywhere", REACHED)),
    "rollout": (4, True, ("no plan of app1, app2 (see above why)", REACHED)),
    "rollback": (2, False, ("Which way back? -e to=ID is how that rollout left its hosts",)),
    "drift": (2, True, ("no drift on 0 hosts; not examined: edge1, app1, app2, data1, mon1",)),
    "restore-prometheus": (2, False, ("Nothing says where archives are",)),
    "logs": (2, False, ("Nothing was looked for",)),
    "restore-logs": (2, False, ("has no platform.logging.elasticsearch to restore into",)),
    "rotate-secrets": (0, False, ("names no secret that is rotated",)),
    "restore-etcd": (2, False, ("Nothing says where snapshots are",)),
    "upgrade-kubernetes": (2, False, ("No host is a node of a cluster",)),
    "uninstall": (4, True, ("PLAY [Uninstall]", REACHED)),
}


@dataclass(frozen=True)
class Runner:
    """ansible-runner's directory: a checkout, an inventory, and the variables of a job."""

    folder: Path
    controller: Controller

    @classmethod
    def made(cls, root: Path) -> Runner:
        (root / "controller").mkdir()
        controller = Controller.made(root / "controller", "http://127.0.0.1:9")
        project = root / "runner" / "project"
        project.mkdir(parents=True)
        for name in ("site.yml", "playbooks", "collections", "ansible.cfg"):
            (project / name).symlink_to(REPOSITORY / name)
        (project / "inventory").symlink_to(controller.root / "inventory")
        for name in ("edge.crt", "edge.key", "artifacts.lock.yml", "images.lock.yml"):
            (project / name).symlink_to(controller.root / name)
        controller.edit(("/var/lib/awx-rollouts", str(root / "rollouts")))
        runner = cls(root / "runner", controller)
        runner.write_inventory()
        return runner

    @property
    def platform(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.controller.platform.read_text(encoding="utf-8"))["platform"]
        return found

    def write_inventory(self) -> None:
        """As AWX does: a program that prints what it has synchronised, variables of the group `all` among it."""
        groups = {name: {"hosts": hosts} for name, hosts in example.GROUPS.items() if name not in ("all", "ungrouped")}
        hostvars = {
            host: {"ansible_host": address, "ansible_user": "admin"} for host, address in example.ADDRESSES.items()
        }
        data = {"all": {"vars": {"platform": self.platform}, "children": list(groups)}, **groups}
        text = json.dumps({**data, "_meta": {"hostvars": hostvars}})
        path = self.folder / "inventory" / "hosts"
        path.parent.mkdir()
        path.write_text(f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({text!r})\n", encoding="utf-8")
        path.chmod(0o700)

    def run(self, name: str, check: bool, answers: dict[str, Any]) -> tuple[int, str]:
        job = BY_NAME[name]
        template = next(
            item.arguments
            for item in desired.items(
                {**self.platform, "awx": {**self.platform["awx"], "jobs": [name]}}, example.GROUPS, None
            )
            if item.kind == "job_template"
        )
        values = {f"vault_{secret}": value for secret, value in SECRETS.items()}
        environment = self.folder / "env"
        environment.mkdir(exist_ok=True)
        variables = {**template["extra_vars"], **answers, **values}
        (environment / "extravars").write_text(json.dumps(variables), encoding="utf-8")
        options = [*(["--check"] if check else []), "--diff", *(["--tags", job.tags] if job.tags else [])]
        program = Path(sys.executable).parent / "ansible-runner"
        done = subprocess.run(
            [program, "run", self.folder, "--playbook", job.playbook, f"--cmdline={' '.join(options)}"],
            env={
                **{key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "LAB_"))},
                "PATH": f"{program.parent}:{os.environ['PATH']}",
                "ANSIBLE_SSH_EXECUTABLE": str(self.controller.root / "ssh"),
                "ANSIBLE_SSH_RETRIES": "0",
                "ANSIBLE_NOCOLOR": "1",
                "COLUMNS": "2000",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        for secret, value in SECRETS.items():
            assert value not in done.stdout, f"the secret {secret} was shown"
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner.made(tmp_path_factory.mktemp("awx"))


def usual(runner: Runner, name: str) -> dict[str, Any]:
    """What somebody answers who leaves everything as it is, and types what has to be typed."""
    survey = surveys.survey(questions(BY_NAME[name]), {TARGETS: targets_of(runner.platform, example.GROUPS)})
    given = {one["variable"]: one["default"] for one in survey.get("spec", ())}
    return {**given, "uninstall": runner.platform["name"]} if "uninstall" in given else given


def test_the_table_says_of_every_job_how_far_it_runs():
    assert list(TABLE) == [job.name for job in JOBS]


@pytest.mark.parametrize("name", TABLE)
def test_a_job_runs_with_the_answers_of_its_survey(runner, name):
    code, check, said = TABLE[name]
    found, output = runner.run(name, check, usual(runner, name))
    assert "unable to parse" not in output.lower()
    for words in said:
        assert words in output, output[-4000:]
    assert found == code, output[-4000:]


def test_an_inventory_that_awx_has_not_synchronised_is_told(tmp_path):
    runner = Runner.made(tmp_path)
    runner.controller.edit(("timezone: Etc/UTC", "timezone: Europe/Rome"))
    code, output = runner.run("preflight", False, {})
    assert code == 2
    assert "Ansible's variable 'platform' is another one than this file's" in output


def test_answers_reach_the_rollout(runner):
    code, output = runner.run("rollout", False, {"target": "apps", "resume": "R-1", "reverse": "false"})
    assert code == 2
    assert "there is no rollout R-1 in" in output
    code, output = runner.run("rollback", False, {"to": "", "undo": "R-2"})
    assert code == 2
    assert "there is no rollout R-2 in" in output


def test_what_the_platform_says_of_awx_is_what_the_jobs_are_given(runner):
    assert Settings.of(runner.platform).platform_file == "inventory/group_vars/all/platform.yml"
