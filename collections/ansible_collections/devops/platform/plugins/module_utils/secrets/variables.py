"""The backend `ansible_vault`: Ansible variables, which somebody encrypts. Read only: who encrypts them changes
them."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Find

from .backend import Answer, Backend, BackendError, Record, Stage

WHERE = "in a file beside platform.yml, encrypted with ansible-vault"


class Variables(Backend):
    """The stages of a secret are variables beside it: vault_NAME_pending and vault_NAME_previous."""

    label = "the inventory"
    batch = False
    makes = False
    advice = f"define it {WHERE}"

    def __init__(self, find: Find) -> None:
        self.find = find

    def read(self, identifiers: Sequence[str], stage: Stage) -> Answer:
        answer = Answer()
        for identifier in identifiers:
            variable = f"{identifier}{stage.suffix.replace('.', '_')}"
            value = self.find(variable)
            if value is None:
                continue
            if not isinstance(value, str):
                answer.refused[identifier] = f"the variable {variable} is not text; put quotes around its value"
            elif not value:
                answer.refused[identifier] = f"the variable {variable} is empty; give it a value {WHERE}"
            else:
                answer.records[identifier] = Record(value)
        return answer

    def stage(self, identifier: str, text: str) -> None:  # noqa: ARG002 - it goes nowhere
        raise BackendError(
            f"{identifier} is an Ansible variable, which only its owner can change; docs/secrets.md says how it is "
            f"rotated by hand, or move it to another backend"
        )

    def promote(self, identifier: str) -> None:
        self.stage(identifier, "")

    def retire(self, identifier: str) -> None:
        self.stage(identifier, "")
