"""What goes wrong between us and AWS: a clear error, the state whole, and the next run completes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aws.harness import faults
from tests.aws.harness.faults import Answer, Faults, Request
from tests.aws.harness.moto import Moto, access
from tests.aws.harness.playbook import Playbook
from tests.monitoring.alerting.alertmanager import free_port

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def between(moto: Moto) -> Iterator[Faults]:
    moto.reset()
    with faults.proxy(moto.url) as found:
        yield found


@pytest.fixture
def playbook(between: Faults, tmp_path_factory: pytest.TempPathFactory) -> Playbook:
    return Playbook(tmp_path_factory.mktemp("small"), access(between.url))


def repositories(moto: Moto) -> list[str]:
    return sorted(row["repositoryName"] for row in moto.client("ecr").describe_repositories()["repositories"])


def test_wrong_credentials(playbook: Playbook, between: Faults) -> None:
    between.rule = lambda request: (
        Answer("InvalidClientTokenId", "The security token included in the request is invalid.")
        if request.service == "sts"
        else None
    )
    playbook.run().refused("does not accept the credentials", "AWS_PROFILE", "Nothing was changed")


def test_no_credentials(playbook: Playbook) -> None:
    playbook.run(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="").refused("or there are none", "Nothing was changed")


def test_nobody_answers(playbook: Playbook) -> None:
    playbook.run(AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}").refused("does not answer", "Nothing was changed")


def test_a_permission_is_missing(playbook: Playbook, between: Faults, moto: Moto) -> None:
    """The plan needs it not, the apply does: what was made before is in the state, and the next run makes the rest."""
    between.rule = lambda request: faults.denied(request) if request.action == "CreateRepository" else None
    planned = playbook.run().done()
    playbook.run("-e", f"approve={planned.digest}").refused("the role may not do", "Plan again and approve")
    assert "module.encryption.aws_kms_key.this" in playbook.terraform().state()
    assert not repositories(moto)

    between.rule = lambda _request: None
    playbook.apply().done()
    assert len(repositories(moto)) == 2
    assert between.seen["CreateKey"] == 1
    playbook.run().done("nothing to approve")


def test_half_of_it_fails(playbook: Playbook, between: Faults, moto: Moto) -> None:
    def second(request: Request) -> Answer | None:
        fails = request.action == "CreateRepository" and between.seen["CreateRepository"] >= 2
        return Answer("InvalidParameterException", "Something broke.", status=400) if fails else None

    between.rule = second
    planned = playbook.run().done()
    playbook.run("-e", f"approve={planned.digest}").refused("terraform apply of dev failed", "Plan again and approve")
    made = repositories(moto)
    assert len(made) == 1
    # The approval was for the whole, from where it began: it is not good for the rest.
    playbook.run("-e", f"approve={planned.digest}").refused("the state was written since")

    between.rule = lambda _request: None
    playbook.apply().done()
    assert len(repositories(moto)) == 2
    playbook.run().done("nothing to approve")


def test_throttled_for_a_while(playbook: Playbook, between: Faults, moto: Moto) -> None:
    def first(request: Request) -> Answer | None:
        return faults.throttled(request) if between.seen["CreateKey"] == 1 and request.action == "CreateKey" else None

    between.rule = first
    playbook.apply().done()
    assert between.seen["CreateKey"] == 2
    assert len(repositories(moto)) == 2


def test_throttled_for_good(playbook: Playbook, between: Faults) -> None:
    between.rule = lambda request: faults.throttled(request) if request.action == "CreateKey" else None
    planned = playbook.run().done()
    playbook.run("-e", f"approve={planned.digest}").refused("limits how often it is asked", "Plan again and approve")
    assert 1 < between.seen["CreateKey"] <= 10
