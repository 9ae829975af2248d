"""Items as if AWX had them, and a platform that declares everything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.awx import desired, plan
from ansible_collections.devops.platform.plugins.module_utils.awx.actual import NOTIFIED, REFERENCES, Actual
from ansible_collections.devops.platform.plugins.module_utils.awx.desired import LINKS, Item
from ansible_collections.devops.platform.plugins.module_utils.awx.owner import Owner
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration
from ansible_collections.devops.platform.tests.unit.platform import example

AWX = """\
  awx:
    url: https://awx.example
    token: awx_token
    project: {url: "https://git.example/platform.git", branch: main, credential: repository}
    execution_environment: {image: "registry.example/platform:1"}
    credentials:
      hosts: {type: machine, inputs: {username: admin}, secrets: {ssh_key_data: awx_key}}
      values: {type: secrets}
      repository: {type: scm, inputs: {username: git}, secrets: {password: awx_git}}
      theirs: {existing: Jump host}
    notifications: {error: [ops], approval: [ops]}
"""
RECEIVERS = """\
    alerting:
      receivers: {ops: {slack: {webhook: slack_url}}}
      default: [ops]
"""
EDITS = (
    ("    targets:\n      database", RECEIVERS + "    targets:\n      database"),
    ("  secrets:\n    backend: generated\n    directory: secrets\n", "  secrets:\n    backend: variables\n"),
    (
        "      chat_redis:\n",
        "      chat_redis:\n      awx_token:\n      awx_key:\n      awx_git:\n      slack_url:\n"
        "  rollout: {directory: /var/lib/rollouts}\n" + AWX,
    ),
)
SECRETS = {name: f"value of {name}" for name in ("awx_token", "awx_key", "awx_git", "slack_url")} | {
    "chat_database": "d",
    "chat_redis": "r",
}
OWNER = Owner("chat", "lab")
KEY = "a token"


def platform(*edits: tuple[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(example.edited(*EDITS, *edits))["platform"]
    return found


def items(*edits: tuple[str, str]) -> list[Item]:
    declared = platform(*edits)
    return desired.items(declared, example.GROUPS, Declaration.of(declared, Path("/")))


def planned(wanted: Sequence[Item], there: Sequence[Actual], secrets: dict[str, str] | None = None) -> plan.Plan:
    return plan.plan(wanted, there, OWNER, secrets or SECRETS, KEY)


def there(wanted: Sequence[Item]) -> list[Actual]:
    """What AWX answers where it has exactly these."""
    return [as_actual(item, number) for number, item in enumerate(wanted, 1)]


def as_actual(item: Item, number: int) -> Actual:
    signed = plan.signed(item, OWNER, SECRETS, KEY)
    raw: dict[str, Any] = {"id": number, "summary_fields": {}, "organization": 1, "credential_type": 2, "inventory": 3}
    raw["workflow_job_template"] = 4
    more: dict[str, Any] = {}
    for name, value in signed.arguments.items():
        if name in (*NOTIFIED, *LINKS, "survey_spec"):
            more[name] = sorted(value) if isinstance(value, list) else value
        elif name == "approval_node":
            more["approval"] = dict(value)
        elif name == "credentials":
            raw["summary_fields"][name] = [{"name": one} for one in value]
        elif name in REFERENCES:
            raw["summary_fields"][name] = {"name": value}
        elif name == "extra_vars":
            raw[name] = json.dumps(value)
        else:
            raw[name] = hidden(value)
    return Actual(item.kind, raw, item.parent, more)


def hidden(value: Any) -> Any:
    """AWX encrypts fields, not addresses; here all secrets but one are fields."""
    if isinstance(value, dict):
        if set(value) == {"secret"}:
            return SECRETS["slack_url"] if value["secret"] == "slack_url" else plan.ENCRYPTED
        return {key: hidden(one) for key, one in value.items()}
    return value
