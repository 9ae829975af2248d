"""The playbook: nothing without an approval, nothing but what was approved, and everything said beforehand."""

from __future__ import annotations

import stat

import pytest

from tests.aws.harness.moto import Moto
from tests.aws.harness.playbook import Playbook

CANARY = "c4n4ry-in-clear"
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def playbook(moto: Moto, tmp_path_factory: pytest.TempPathFactory) -> Playbook:
    moto.reset()
    return Playbook(tmp_path_factory.mktemp("small"), moto.environment)


def repositories(moto: Moto) -> list[str]:
    return sorted(row["repositoryName"] for row in moto.client("ecr").describe_repositories()["repositories"])


def test_from_the_first_plan_to_the_end(playbook: Playbook, moto: Moto) -> None:
    planned = playbook.run().done("dev: 7 to create", "nothing is changed yet", "USD a month")
    assert not repositories(moto)
    assert stat.S_IMODE(playbook.work.joinpath("dev").stat().st_mode) == 0o700

    playbook.run("-e", f"approve={'0' * 64}").refused("approved is 000", planned.digest)
    playbook.run("--check", "-e", f"approve={planned.digest}").done("approved:", "changed=1")
    assert not repositories(moto)

    applied = playbook.run("-e", f"approve={planned.digest}").done()
    assert CANARY not in applied.text
    assert repositories(moto) == ["chat-dev/chat-backend", "chat-dev/chat-web"]
    assert set(playbook.outputs()["repositories"]) == {"chat-backend", "chat-web"}

    playbook.run("-e", f"approve={planned.digest}").refused("there is no saved plan")
    playbook.run().done("dev is as the configuration says: nothing to approve")

    moto.client("ecr").put_image_scanning_configuration(
        repositoryName="chat-dev/chat-web", imageScanningConfiguration={"scanOnPush": False}
    )
    playbook.run().done("changed by others since the last apply", "scan_on_push: was true, is false")
    playbook.apply().done()
    [found] = moto.client("ecr").describe_repositories(repositoryNames=["chat-dev/chat-web"])["repositories"]
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}

    playbook.run("-e", "destroy=prod").refused("the same name in -e destroy")
    playbook.apply("-e", "destroy=dev").done("7 TO DESTROY", "DESTROYED, AND WHAT IT HOLDS IS LOST")
    assert not repositories(moto)
    assert playbook.terraform().state() == []


def test_what_a_change_costs_is_said_in_capitals_and_without_secrets(playbook: Playbook) -> None:
    playbook.apply().done()
    settings = playbook.settings()
    settings.write_text(settings.read_text().replace('"chat"', '"chat2"').replace(CANARY, CANARY + "-2"))
    said = playbook.run("--check", "--diff").done(
        'REPLACED, AND WHAT IT HOLDS IS LOST: module.registry.aws_ecr_repository.this["chat-web"], because of name',
        'name = "chat-dev/chat-web"',
        'name = "chat2-dev/chat-web"',
        "(sensitive, changed)",
        "changed=1",
    )
    assert CANARY not in said.text


def test_a_state_that_moved_is_not_written_over(playbook: Playbook) -> None:
    planned = playbook.run().done()
    playbook.terraform().run("apply", "-no-color", "-auto-approve", f"-var-file={playbook.settings()}")
    playbook.run("-e", f"approve={planned.digest}").refused("Plan again, and approve that", "-e env=dev")


def test_a_locked_state_says_who_has_to_wait(playbook: Playbook, moto: Moto) -> None:
    playbook.apply().done()
    moto.client("s3").put_object(
        Bucket="chat-terraform-state", Key="small/dev/terraform.tfstate.tflock", Body=b'{"ID": "held"}'
    )
    playbook.more = {"terraform_lock_timeout": "1"}
    playbook.run().refused("somebody else plans or applies", "force-unlock", "Nothing was changed")


def test_prod_has_a_second_key_and_its_protection(playbook: Playbook, moto: Moto) -> None:
    playbook.apply(env="prod").done()
    planned = playbook.run("-e", "destroy=prod", env="prod").done("-e destroy_key=prod-NUMBER")
    approve = ("-e", "destroy=prod", "-e", f"approve={planned.digest}")
    playbook.run(*approve, env="prod").refused("needs a second key")
    playbook.run(*approve, "-e", "destroy_key=prod-1", env="prod").refused("needs a second key")

    settings = playbook.settings("prod")
    unprotected = settings.read_text()
    settings.write_text(unprotected.replace("protected   = false", "protected   = true"))
    playbook.run("-e", "destroy=prod", env="prod").refused("prod is protected from deletion", "protected = false")
    assert repositories(moto)

    settings.write_text(unprotected)
    planned = playbook.run("-e", "destroy=prod", env="prod").done()
    approve = ("-e", "destroy=prod", "-e", f"approve={planned.digest}")
    playbook.run(*approve, "-e", "destroy_key=prod-7", env="prod").done()
    assert not repositories(moto)


@pytest.mark.parametrize("env", ["", "production", "../dev"])
def test_an_environment_that_there_is_not(env: str, playbook: Playbook) -> None:
    playbook.run(env=env).refused("Say which environment", "Nothing was touched")
