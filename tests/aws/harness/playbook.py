"""playbooks/infrastructure.yml as somebody runs it, on a copy of the small configuration or on the real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.aws.harness.terraform import ROOT, Terraform, plugin_folder, program
from tools import REPOSITORY, locked_path

SMALL = Path(__file__).parents[1] / "small"
# Retries of AWS' libraries wait longer each time: what fails for good shall fail within seconds.
QUICK = {"AWS_MAX_ATTEMPTS": "3"}


@dataclass
class Said:
    """What a run of the playbook said, and whether it was content."""

    code: int
    text: str

    @property
    def digest(self) -> str:
        """The plan that it asks to approve."""
        found = re.search(r"-e approve=([0-9a-f]{64})", self.text)
        assert found, self.text
        return found[1]

    def refused(self, *words: str) -> None:
        assert self.code, self.text
        for word in words:
            assert word in self.text, self.text

    def done(self, *words: str) -> Said:
        assert not self.code, self.text
        for word in words:
            assert word in self.text, self.text
        return self


@dataclass
class Playbook:
    """A configuration of its own below `folder`, so that tests may change it."""

    folder: Path
    environment: Mapping[str, str]
    project: Path = SMALL
    more: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        program()
        if self.project == SMALL:
            place = self.folder / "project"
            ignored = shutil.ignore_patterns(".terraform")
            shutil.copytree(SMALL, place, ignore=ignored)
            source = (place / "main.tf").read_text().replace("../../../terraform/modules", str(ROOT / "modules"))
            (place / "main.tf").write_text(source)
            self.project = place

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def run(self, *words: str, env: str = "dev", **access: str) -> Said:
        extra = {
            "env": env,
            "terraform_project": str(self.project),
            "terraform_work": str(self.work),
            "terraform_outputs": str(self.folder / "outputs"),
            "terraform_plugins": str(plugin_folder() or ""),
            **self.more,
        }
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_", "ANSIBLE_"))},
            "PATH": locked_path(),
            "LC_ALL": "C.UTF-8",
            "TF_CLI_CONFIG_FILE": os.devnull,
            "CHECKPOINT_DISABLE": "1",
            "ANSIBLE_NOCOLOR": "1",
            **QUICK,
            **self.environment,
            **access,
        }
        done = subprocess.run(
            ["ansible-playbook", "-i", "localhost,", "playbooks/infrastructure.yml", "-e", json.dumps(extra), *words],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=1500,
            check=False,
        )
        return Said(done.returncode, done.stdout + done.stderr)

    def apply(self, *words: str, env: str = "dev") -> Said:
        """Plan, and approve what was planned."""
        planned = self.run(*words, env=env).done()
        return self.run(*words, "-e", f"approve={planned.digest}", env=env)

    def settings(self, env: str = "dev") -> Path:
        return self.project / "environments" / env / "terraform.tfvars"

    def terraform(self, env: str = "dev") -> Terraform:
        """Past the playbook: what it does not know of."""
        return Terraform(self.project, self.work / env / "data", self.environment)

    def outputs(self, env: str = "dev") -> dict[str, Any]:
        found = json.loads((self.folder / "outputs" / f"{env}.json").read_text())
        return {name: output["value"] for name, output in found.items()}
