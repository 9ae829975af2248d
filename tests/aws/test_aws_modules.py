"""Each module's own tests, with a mock of the provider: terraform/modules/*/tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.aws.harness.terraform import ROOT, Terraform

MODULES = sorted(path.name for path in (ROOT / "modules").iterdir())


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Terraform writes locks and links beside a module that it tests as a root."""
    folder = tmp_path_factory.mktemp("terraform")
    for part in ("modules", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(".terraform*"))
    return folder


@pytest.mark.parametrize("module", MODULES)
def test_module(module: str, copied: Path, tmp_path: Path) -> None:
    terraform = Terraform(copied / "modules" / module, tmp_path / "data")
    terraform.init("-backend=false")
    done = terraform.run("test", "-no-color", check=False)
    assert not done.returncode, done.stdout + done.stderr
    assert "0 failed" in done.stdout
    assert " 0 passed" not in done.stdout


def test_the_root_and_the_bootstrap_are_valid(copied: Path, tmp_path: Path) -> None:
    for folder in (ROOT, ROOT / "bootstrap"):
        place = copied / folder.name if folder != ROOT else copied
        place.mkdir(exist_ok=True)
        for path in [*folder.glob("*.tf"), *folder.glob(".terraform.lock.hcl")]:
            shutil.copy(path, place)
        terraform = Terraform(place, tmp_path / folder.name)
        terraform.init("-backend=false")
        terraform.run("validate", "-no-color")


def test_everything_is_in_terraforms_own_format(tmp_path: Path) -> None:
    done = Terraform(ROOT, tmp_path).run("fmt", "-check", "-diff", "-recursive", "-no-color", check=False)
    assert not done.returncode, done.stdout


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_needs(module: str) -> None:
    folder = ROOT / "modules" / module
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf"} <= set(os.listdir(folder))
    assert list((folder / "tests").glob("*.tftest.hcl"))
