"""Terraform against a stand-in for AWS: moto's server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aws.harness import moto as moto_server
from tests.aws.harness.terraform import ROOT, Terraform


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[moto_server.Moto]:
    found, process = moto_server.start(tmp_path_factory.mktemp("moto") / "log")
    yield found
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="session")
def planned(moto: moto_server.Moto, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """environment → its first plan as JSON, made once."""
    plans: dict[str, dict[str, Any]] = {}

    def plan(environment: str) -> dict[str, Any]:
        if environment not in plans:
            folder = tmp_path_factory.mktemp(environment)
            terraform = Terraform(ROOT, folder / "data", moto.environment)
            terraform.init("-reconfigure", f"-backend-config=environments/{environment}/backend.hcl")
            plans[environment] = terraform.plan(folder / "plan", *variables(environment))
        return plans[environment]

    return plan


def variables(environment: str) -> list[str]:
    """An environment's own values, with an image that moto has, and with a pipeline, as only its policies know one."""
    image = ", ".join(f'{name} = "{value}"' for name, value in moto_server.IMAGE.items())
    pipeline = 'repository = "example/platform", state_bucket = "chat-terraform-state"'
    return [
        f"-var-file=environments/{environment}/terraform.tfvars",
        "-var",
        f"ami={{{image}}}",
        "-var",
        f"pipeline={{{pipeline}}}",
    ]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path
