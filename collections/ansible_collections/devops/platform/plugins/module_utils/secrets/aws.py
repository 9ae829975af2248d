"""The backends of AWS: Secrets Manager and the Parameter Store of Systems Manager, through boto3.

boto3 itself and not the lookups of amazon.aws: those ask for one secret at a time, and cannot stage one. Who asks is
found by boto3 as by any tool of AWS: environment, profile, or the role of the machine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data

from .backend import Answer, Backend, BackendError, Record, Stage

SECRETS_A_REQUEST = 20  # what BatchGetSecretValue takes at most
PARAMETERS_A_REQUEST = 10  # what GetParameters takes at most
ABSENT = ("ResourceNotFoundException", "ParameterNotFound")
# What AWS answers, and what it is a sign of.
ADVICE = {
    "AccessDeniedException": "the role that Ansible runs with needs {rights}, and kms:Decrypt where the key is its own",
    "DecryptionFailure": "allow the role that Ansible runs with kms:Decrypt on the key of this secret",
    "InvalidRequestException": "it may be marked for deletion: restore it, or name another one",
    "ExpiredTokenException": "sign in again: the credentials have ended",
    "UnrecognizedClientException": "these are no credentials of AWS, or of another partition: sign in again",
}


def client(service: str, settings: Data) -> Any:
    """A client of boto3. `settings`: `region`, `profile` and `endpoint` of platform.secrets.aws."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise BackendError(f"the library {error.name} is missing on this machine; run `make env`") from error
    with explained(service, settings):
        session = boto3.Session(profile_name=settings.get("profile") or None, region_name=settings.get("region"))
        config = Config(connect_timeout=5, read_timeout=15, retries={"max_attempts": 4, "mode": "standard"})
        return session.client(service, endpoint_url=settings.get("endpoint") or None, config=config)


@contextlib.contextmanager
def explained(service: str, settings: Data, rights: str = "") -> Iterator[None]:
    """What boto3 raises, as a message that says what to do."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        NoCredentialsError,
        ProfileNotFound,
    )

    where = f"{service} in {settings.get('region') or 'the default region'}"
    try:
        yield
    except ClientError as error:
        raise BackendError(f"{where}: {reason(error.response.get('Error', {}), rights)}") from error
    except NoCredentialsError as error:
        text = "sign in (aws sso login, AWS_PROFILE, or a role of this machine)"
        raise BackendError(f"{where}: no credentials of AWS were found; {text}") from error
    except ProfileNotFound as error:
        raise BackendError(f"{error}; correct platform.secrets.aws.profile") from error
    except EndpointConnectionError as error:
        raise BackendError(f"{where} does not answer: {error}; is platform.secrets.aws right?") from error
    except BotoCoreError as error:
        raise BackendError(f"{where}: {error}; is platform.secrets.aws right?") from error


def reason(error: Mapping[str, Any], rights: str) -> str:
    code = str(error.get("Code") or error.get("ErrorCode"))
    advice = ADVICE.get(code, "").format(rights=rights)
    return f"{code}: {error.get('Message', 'it says no more')}" + (f"; {advice}" if advice else "")


class SecretsManager(Backend):
    batch = True
    makes = False
    advice = "create it (terraform, or `aws secretsmanager create-secret`), or correct platform.secrets.names.{name}.id"
    RIGHTS = "secretsmanager:BatchGetSecretValue and secretsmanager:GetSecretValue"
    STAGING = "secretsmanager:DescribeSecret, PutSecretValue and UpdateSecretVersionStage"

    def __init__(self, settings: Data, connection: Any = None) -> None:
        self.settings = settings
        self.client = connection or client("secretsmanager", settings)
        self.label = f"AWS Secrets Manager in {settings.get('region') or 'the default region'}"

    def read(self, identifiers: Sequence[str], stage: Stage) -> Answer:
        answer = Answer()
        with explained("secretsmanager", self.settings, self.RIGHTS):
            if stage is Stage.CURRENT:
                for first in range(0, len(identifiers), SECRETS_A_REQUEST):
                    self._batch(identifiers[first : first + SECRETS_A_REQUEST], answer)
            else:
                for identifier in identifiers:
                    self._staged(identifier, stage, answer)
        return answer

    def _batch(self, identifiers: Sequence[str], answer: Answer) -> None:
        from botocore.exceptions import ClientError

        try:
            self._pages(identifiers, answer)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in ABSENT:
                raise
            # One that has no value yet, as Terraform makes them: some answer so for all of them.
            for identifier in identifiers:
                self._staged(identifier, Stage.CURRENT, answer)

    def _pages(self, identifiers: Sequence[str], answer: Answer) -> None:
        more: dict[str, str] = {}
        while True:
            page = self.client.batch_get_secret_value(SecretIdList=list(identifiers), **more)
            for found in page.get("SecretValues", ()):
                for identifier in {found.get("Name"), found.get("ARN")} & set(identifiers):
                    self._keep(identifier, found, answer)
            for error in page.get("Errors", ()):
                if error.get("ErrorCode") not in ABSENT:
                    answer.refused[str(error.get("SecretId"))] = reason(error, self.RIGHTS)
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def _staged(self, identifier: str, stage: Stage, answer: Answer) -> None:
        try:
            found = self.client.get_secret_value(SecretId=identifier, VersionStage=stage.value)
        except self.client.exceptions.ResourceNotFoundException:
            return
        # A promotion that died after its first step: the version that is current is pending still.
        if stage is Stage.CURRENT or Stage.CURRENT.value not in found.get("VersionStages", ()):
            self._keep(identifier, found, answer)

    @staticmethod
    def _keep(identifier: str, found: Mapping[str, Any], answer: Answer) -> None:
        if "SecretString" not in found:
            answer.refused[identifier] = "it is binary; store text"
            return
        created = found.get("CreatedDate")
        answer.records[identifier] = Record(found["SecretString"], created.timestamp() if created else None)

    def stage(self, identifier: str, text: str) -> None:
        with explained("secretsmanager", self.settings, self.STAGING):
            self.client.put_secret_value(SecretId=identifier, SecretString=text, VersionStages=[Stage.PENDING.value])

    def promote(self, identifier: str) -> None:
        with explained("secretsmanager", self.settings, self.STAGING):
            versions = self._versions(identifier)
            pending, current = versions.get(Stage.PENDING), versions.get(Stage.CURRENT)
            if pending is None:
                return
            if current != pending:
                # AWS moves AWSPREVIOUS to the version that loses AWSCURRENT, in the same step.
                self.client.update_secret_version_stage(
                    SecretId=identifier,
                    VersionStage=Stage.CURRENT.value,
                    MoveToVersionId=pending,
                    **({"RemoveFromVersionId": current} if current else {}),
                )
            self._unlabel(identifier, Stage.PENDING, pending)

    def retire(self, identifier: str) -> None:
        with explained("secretsmanager", self.settings, self.STAGING):
            previous = self._versions(identifier).get(Stage.PREVIOUS)
            if previous is not None:
                self._unlabel(identifier, Stage.PREVIOUS, previous)

    def _unlabel(self, identifier: str, stage: Stage, version: str) -> None:
        self.client.update_secret_version_stage(
            SecretId=identifier, VersionStage=stage.value, RemoveFromVersionId=version
        )

    def _versions(self, identifier: str) -> dict[Stage, str]:
        known = {stage.value: stage for stage in Stage}
        described = self.client.describe_secret(SecretId=identifier).get("VersionIdsToStages", {})
        return {known[label]: version for version, labels in described.items() for label in labels if label in known}


class ParameterStore(Backend):
    """A parameter has one value that everybody reads, so the stages are parameters beside it."""

    batch = True
    makes = False
    advice = "create it (terraform, or `aws ssm put-parameter`), or correct platform.secrets.names.{name}.id"
    RIGHTS = "ssm:GetParameters"
    STAGING = "ssm:GetParameters, PutParameter and DeleteParameter"

    def __init__(self, settings: Data, connection: Any = None) -> None:
        self.settings = settings
        self.client = connection or client("ssm", settings)
        self.label = f"the AWS Parameter Store in {settings.get('region') or 'the default region'}"

    def read(self, identifiers: Sequence[str], stage: Stage) -> Answer:
        answer = Answer()
        names = {f"{identifier}{stage.suffix}": identifier for identifier in identifiers}
        listed = list(names)
        with explained("ssm", self.settings, self.RIGHTS):
            for first in range(0, len(listed), PARAMETERS_A_REQUEST):
                chunk = listed[first : first + PARAMETERS_A_REQUEST]
                for found in self.client.get_parameters(Names=chunk, WithDecryption=True)["Parameters"]:
                    changed = found.get("LastModifiedDate")
                    identifier = names.get(found["Name"]) or names[found["ARN"]]
                    answer.records[identifier] = Record(found["Value"], changed.timestamp() if changed else None)
        return answer

    def stage(self, identifier: str, text: str) -> None:
        with explained("ssm", self.settings, self.STAGING):
            self._put(f"{identifier}{Stage.PENDING.suffix}", text)

    def promote(self, identifier: str) -> None:
        pending = self.read([identifier], Stage.PENDING).records.get(identifier)
        current = self.read([identifier], Stage.CURRENT).records.get(identifier)
        if pending is None:
            return
        with explained("ssm", self.settings, self.STAGING):
            if current is None:
                self._put(identifier, pending.text)
            elif pending.text != current.text:  # equal where this died after its second step
                self._put(f"{identifier}{Stage.PREVIOUS.suffix}", current.text)
                self._put(identifier, pending.text)
            self._delete(f"{identifier}{Stage.PENDING.suffix}")

    def retire(self, identifier: str) -> None:
        with explained("ssm", self.settings, self.STAGING):
            self._delete(f"{identifier}{Stage.PREVIOUS.suffix}")

    def _put(self, name: str, text: str) -> None:
        self.client.put_parameter(Name=name, Value=text, Type="SecureString", Overwrite=True)

    def _delete(self, name: str) -> None:
        self.client.delete_parameters(Names=[name])
