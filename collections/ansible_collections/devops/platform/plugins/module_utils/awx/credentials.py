# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kinds of credentials: those that AWX brings, and those that are made for the platform's secrets. Pure.

Which fields there are, and which AWX keeps encrypted, is AWX's own: the plugin set `awx-plugins`, credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration

from .owner import Owner


@dataclass(frozen=True)
class Kind:
    """``fields``: name -> whether AWX encrypts it. ``jobs``: whether jobs are given it; the others are a project's or
    an image's. ``own``: a credential type of ours, which is made for the platform."""

    title: str
    fields: Mapping[str, bool]
    required: tuple[str, ...] = ()
    jobs: bool = True
    own: bool = False


KINDS: Mapping[str, Kind] = {
    "machine": Kind(
        "Machine",
        {
            "username": False,
            "password": True,
            "ssh_key_data": True,
            "ssh_public_key_data": False,
            "ssh_key_unlock": True,
            "become_method": False,
            "become_username": False,
            "become_password": True,
        },
    ),
    "vault": Kind("Vault", {"vault_password": True, "vault_id": False}, ("vault_password",)),
    "aws": Kind(
        "Amazon Web Services",
        {"username": False, "password": True, "security_token": True},
        ("username", "password"),
    ),
    "scm": Kind(
        "Source Control",
        {"username": False, "password": True, "ssh_key_data": True, "ssh_key_unlock": True},
        jobs=False,
    ),
    "registry": Kind(
        "Container Registry",
        {"host": False, "username": False, "password": True, "verify_ssl": False},
        ("host",),
        jobs=False,
    ),
    "hashicorp": Kind("hashicorp vault", {"url": False, "token": True, "namespace": False}, ("url", "token"), own=True),
    "secrets": Kind("secrets", {}, own=True),
}
# What a job finds in its environment.
HASHICORP = {"VAULT_ADDR": "{{ url }}", "VAULT_TOKEN": "{{ token }}", "VAULT_NAMESPACE": "{{ namespace }}"}
LABELS = {"url": "Address", "token": "Token", "namespace": "Namespace"}


def title(kind: str, owner: Owner) -> str:
    """What AWX calls the type."""
    found = KINDS[kind]
    return owner.called(found.title) if found.own else found.title


def definition(kind: str, declared: Declaration | None, left_out: frozenset[str]) -> dict[str, Any]:
    """`inputs` and `injectors` of a type of ours. `left_out`: names of secrets that only AWX itself needs."""
    if kind == "hashicorp":
        fields = [
            {"id": name, "label": LABELS[name], "type": "string", "secret": secret}
            for name, secret in KINDS[kind].fields.items()
        ]
        return {
            "inputs": {"fields": fields, "required": list(KINDS[kind].required)},
            "injectors": {"env": dict(HASHICORP)},
        }
    names = job_secrets(declared, left_out)
    return {
        "inputs": {
            "fields": [
                {"id": name, "label": name, "type": "string", "secret": True, "multiline": True} for name in names
            ],
            "required": list(names),
        },
        "injectors": {"extra_vars": {variable: f"{{{{ {name} }}}}" for name, variable in names.items()}},
    }


def job_secrets(declared: Declaration | None, left_out: frozenset[str]) -> dict[str, str]:
    """Name -> Ansible variable of the secrets that jobs need, sorted."""
    if declared is None:
        return {}
    return {name: declared.variable(name) for name in sorted(declared.names) if name not in left_out}
