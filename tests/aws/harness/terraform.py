"""Terraform for tests: which one, with which provider, in a working directory of its own, against whom."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools import REPOSITORY

ROOT = REPOSITORY / "terraform"
ENVIRONMENTS = ("dev", "staging", "prod")
# Where a provider may lie besides what TF_PLUGIN_DIR names: Terraform's own places for it, and whatever is in /opt.
USUAL = ("~/.terraform.d/plugins", "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/opt/*")
PROVIDER = "registry.terraform.io/hashicorp/aws"


def plugin_folder(environment: Mapping[str, str] = os.environ, usual: Sequence[str] = USUAL) -> Path | None:
    """The folder with the AWS provider; None where it has to come from the registry."""
    if environment.get("TF_PLUGIN_DIR"):
        return Path(environment["TF_PLUGIN_DIR"])
    places = [Path(place).expanduser() for place in usual]
    found = [folder for place in places for folder in place.parent.glob(place.name) if (folder / PROVIDER).is_dir()]
    return found[0] if found else None


def program() -> str:
    """Terraform's path; the test is skipped where there is none."""
    found = shutil.which("terraform")
    if not found:
        pytest.skip("there is no terraform on PATH: install 1.11 or newer")
    return found


@dataclass
class Terraform:
    """One configuration with a working directory of its own. `environment`: whom it speaks to."""

    folder: Path
    data: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str, check: bool = True, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))},
            "TF_DATA_DIR": str(self.data),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_CLI_CONFIG_FILE": os.devnull,
            "CHECKPOINT_DISABLE": "1",
            "LC_ALL": "C.UTF-8",
            **self.environment,
        }
        call = [program(), f"-chdir={self.folder}", *words]
        done = subprocess.run(call, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
        if check and done.returncode:
            pytest.fail(
                f"terraform {' '.join(words[:1])}:\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}", pytrace=False
            )
        return done

    def init(self, *words: str) -> None:
        """The test is skipped where the provider is not to be had."""
        plugins = plugin_folder()
        source = [f"-plugin-dir={plugins}"] if plugins else []
        done = self.run("init", "-no-color", *source, *words, check=False)
        if done.returncode and "available" in done.stderr and not plugins:
            pytest.skip("the AWS provider is not to be had: name a folder that has it, TF_PLUGIN_DIR")
        assert not done.returncode, done.stdout + done.stderr

    def plan(self, target: Path, *words: str) -> dict[str, Any]:
        """The saved plan as JSON."""
        self.run("plan", "-no-color", f"-out={target}", *words)
        return self.show(target)

    def show(self, target: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("show", "-json", str(target)).stdout)
        return found

    def state(self) -> list[str]:
        return self.run("state", "list").stdout.split()
