"""What Terraform's errors mean, and what to do: the sentence before its own words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LAST_LINES = 25


@dataclass(frozen=True)
class Trouble:
    """`pattern` in what Terraform says; `why` and `todo` in ours."""

    name: str
    pattern: str
    why: str
    todo: str


# The first that fits counts: what names a cause comes before what names an effect.
TROUBLES = (
    Trouble(
        "lock",
        r"Error acquiring the state lock|Error locking state",
        "somebody else plans or applies this environment, or a run that died left its lock",
        "wait; where the lock is of a dead run, terraform force-unlock with the ID below",
    ),
    Trouble(
        "stale",
        r"Saved plan is stale|saved plan.*no longer valid",
        "the state was written after the plan",
        "plan again, and approve that",
    ),
    Trouble(
        "account",
        r"AWS account ID not allowed|account ID not allowed",
        "the credentials are of another account than account_id in terraform.tfvars",
        "choose the profile of the right account (AWS_PROFILE)",
    ),
    Trouble(
        "credentials",
        r"No valid credential sources|NoCredentialProviders|InvalidClientTokenId|SignatureDoesNotMatch|ExpiredToken"
        r"|UnrecognizedClientException|AuthFailure|InvalidAccessKeyId"
        r"|security token included in the request is (invalid|expired)",
        "AWS does not accept the credentials, or there are none",
        "sign in anew (aws sso login), or set AWS_PROFILE; aws sts get-caller-identity says who you are",
    ),
    Trouble(
        "permission",
        r"UnauthorizedOperation|AccessDenied|is not authorized to perform|not authorized",
        "the role may not do what the plan wants",
        "take the role that may (ENVIRONMENT-admin, with MFA), or give this one the action that is named below",
    ),
    Trouble(
        "throttling",
        r"Throttl|Rate exceeded|RequestLimitExceeded|TooManyRequests|SlowDown",
        "AWS limits how often it is asked, and stayed so for all retries",
        "run it again later; with many resources at once, fewer: TF_CLI_ARGS_apply=-parallelism=3",
    ),
    Trouble(
        "unreachable",
        r"connection refused|no such host|i/o timeout|request send failed|EOF|connection reset|TLS handshake timeout",
        "AWS, or what stands before it, does not answer",
        "look at the network, at AWS_ENDPOINT_URL and at proxies; then run it again",
    ),
    Trouble(
        "backend",
        r"Error refreshing state|Failed to get existing workspaces|S3 bucket .*does not exist|NoSuchBucket",
        "the bucket of states does not answer, or is not there",
        "make it with terraform/bootstrap, or correct environments/ENVIRONMENT/backend.hcl",
    ),
    Trouble(
        "provider",
        r"Failed to query available provider packages|Could not retrieve the list of available versions"
        r"|provider registry .* does not have|doesn't match any of the checksums",
        "the AWS provider is not to be had, or is not the one of .terraform.lock.hcl",
        "where there is no registry, name a folder that has it: -e terraform_plugins=FOLDER (or TF_PLUGIN_DIR)",
    ),
    Trouble(
        "protected",
        r"deletion protection|DeletionProtection|disableApiTermination|OperationNotPermitted",
        "what was to be deleted is protected",
        "set protected = false for the environment, apply that, and plan again",
    ),
)


def trouble(text: str) -> Trouble | None:
    return next((known for known in TROUBLES if re.search(known.pattern, text, re.IGNORECASE)), None)


def explain(text: str, environment: str, step: str) -> str:
    """`step` is plan or apply. After a failed apply nothing is undone: what was made is in the state."""
    known = trouble(text)
    said = [f"terraform {step} of {environment} failed" + (f": {known.why}. To do: {known.todo}." if known else ".")]
    if step == "apply":
        said.append("What was done before is in the state, and stays. Plan again and approve: the rest follows.")
    else:
        said.append("Nothing was changed.")
    own = [line.strip("│╷╵ \t") for line in text.splitlines()]
    own = [line for line in own if line]
    return "\n".join([*said, "Terraform says:", *(f"  {line}" for line in own[-LAST_LINES:])])


def of_result(result: Mapping[str, Any], environment: str, step: str) -> str:
    """The same of a failed task's result: its message may hold less than what the program wrote."""
    said = [str(result.get(key) or "").strip() for key in ("msg", "stderr")]
    return explain(said[0] if said[1] in said[0] else "\n".join(said), environment, step)
