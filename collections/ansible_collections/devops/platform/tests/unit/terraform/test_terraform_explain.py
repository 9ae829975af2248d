"""The usual failures say why and what to do, in the provider's own words of today."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.terraform.explain import (
    TROUBLES,
    explain,
    of_result,
    trouble,
)

SAID = {
    "lock": "Error: Error acquiring the state lock\n\nError message: operation error S3: PutObject, StatusCode: 412",
    "stale": "Error: Saved plan is stale\n\nThe given plan file can no longer be applied",
    "account": "Error: AWS account ID not allowed: 123456789012",
    "credentials": "Error: Retrieving AWS account details: api error InvalidClientTokenId: The security token included "
    "in the request is invalid.",
    "permission": "Error: creating EC2 VPC: operation error EC2: CreateVpc, StatusCode: 403, api error "
    "UnauthorizedOperation: You are not authorized to perform this operation.",
    "throttling": "Error: reading EC2 Subnet: exceeded maximum number of attempts, 25, api error RequestLimitExceeded",
    "unreachable": 'Error: Post "http://127.0.0.1:9/": dial tcp 127.0.0.1:9: connect: connection refused',
    "backend": 'Error: Error refreshing state: Unable to access object "dev/terraform.tfstate"',
    "provider": "Error: Failed to query available provider packages\n\nCould not retrieve the list of versions",
    "protected": "Error: deleting RDS DB Instance: api error InvalidParameterCombination: Cannot delete protected DB "
    "Instance, please disable deletion protection and try again.",
}


@pytest.mark.parametrize("name", sorted(known.name for known in TROUBLES))
def test_each_is_known_by_what_the_provider_says(name: str) -> None:
    found = trouble(SAID[name])
    assert found is not None
    assert found.name == name
    assert found.todo in explain(SAID[name], "dev", "plan")


def test_the_cause_is_told_before_the_effect() -> None:
    """A bucket of states that is not reached for want of credentials."""
    found = trouble("Error refreshing state: api error InvalidClientTokenId")
    assert found is not None
    assert found.name == "credentials"


def test_an_unknown_error_is_terraforms_own() -> None:
    text = explain("╷\n│ Error: something new\n│\n│ on main.tf line 1\n╵", "dev", "plan")
    said = "Terraform says:\n  Error: something new\n  on main.tf line 1"
    assert text == f"terraform plan of dev failed.\nNothing was changed.\n{said}"


def test_after_a_half_failed_apply_it_says_how_to_go_on() -> None:
    text = explain(SAID["permission"], "dev", "apply")
    assert "Plan again and approve" in text
    assert "Nothing was changed" not in text


@pytest.mark.parametrize(
    "result",
    [
        {"msg": "Terraform plan could not be created\nSTDERR: Saved plan is stale"},
        {"msg": "failed", "stderr": "Saved plan is stale"},
        {"msg": "Saved plan is stale", "stderr": "Saved plan is stale"},
    ],
)
def test_all_that_the_task_says_counts(result: dict[str, str]) -> None:
    assert of_result(result, "dev", "apply").count("Saved plan is stale") == 1
