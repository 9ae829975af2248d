"""What preflight says of platform.awx, each with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.tests.unit.awx.known import AWX, EDITS, SECRETS
from ansible_collections.devops.platform.tests.unit.platform import example

HOSTS = "      hosts: {type: machine, inputs: {username: admin}, secrets: {ssh_key_data: awx_key}}\n"
TOLD = "    notifications: {error: [ops], approval: [ops]}\n"
SHOWN = "AWX shows slack.webhook of 'ops' to all who may see the notification"
SCHEDULES = "    schedules:\n      x: {job: drift, at: '03:17'}\n"


def found(tmp_path: Path, *edits: tuple[str, str]) -> list[str]:
    file = tmp_path / "inventories" / "lab" / "group_vars" / "all" / "platform.yml"
    file.parent.mkdir(parents=True)
    file.touch()
    variables = frozenset(f"vault_{name}" for name in SECRETS)
    return [
        problem for problem in example.problems(tmp_path, *EDITS, *edits, variables=variables) if SHOWN not in problem
    ]


def case(title: str, before: str, after: str, *expected: str) -> Any:
    return pytest.param([(before, after)], list(expected), id=title)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        case("right", AWX, AWX),
        case("with schedules", TOLD, SCHEDULES + TOLD),
        case(
            "no TLS", "https://awx.example", "http://awx.example", "platform.awx.url: the token would cross the network"
        ),
        case("on the machine itself", "https://awx.example", "http://127.0.0.1:8052"),
        case(
            "unknown key",
            "    token: awx_token\n",
            "    tokn: awx_token\n",
            "awx.tokn: unknown key; did you mean 'token'",
        ),
        case(
            "no such secret",
            "token: awx_token",
            "token: awx_toke",
            "platform.awx.token: no secret 'awx_toke' is declared; did you mean 'awx_token'?",
            "platform.secrets.names.awx_token: nothing uses this secret",
        ),
        case(
            "secrets that would be made anew",
            "backend: variables\n",
            "backend: generated\n    directory: secrets\n",
            "platform.secrets.backend: jobs in AWX would make each secret anew",
            "platform.awx.credentials.values.type: gives jobs the secrets as variables",
        ),
        case(
            "journals that would be lost",
            "directory: /var/lib/rollouts",
            "directory: rollouts",
            "platform.rollout.directory: jobs in AWX would forget each rollout",
        ),
        case(
            "journals of the usual directory",
            "  rollout: {directory: /var/lib/rollouts}\n",
            "",
            "platform.awx: jobs in AWX would forget each rollout",
        ),
        case(
            "no such inventory",
            "    token: awx_token\n",
            "    token: awx_token\n    inventory: inventories/dev\n",
            "platform.awx.inventory: no such file inventories/dev/group_vars/all/platform.yml",
        ),
        case(
            "unknown field",
            "ssh_key_data: awx_key",
            "ssh_key: awx_key",
            "platform.awx.credentials.hosts.secrets.ssh_key: type machine has no field 'ssh_key'; did you mean",
        ),
        case(
            "a secret in the clear",
            "inputs: {username: admin}",
            "inputs: {username: admin, password: x}",
            "platform.awx.credentials.hosts.inputs.password: is a secret; name one: secrets: {password: NAME}",
        ),
        case(
            "twice",
            "secrets: {ssh_key_data: awx_key}",
            "secrets: {ssh_key_data: awx_key, username: awx_key}",
            "platform.awx.credentials.hosts.secrets.username: has a value in inputs already",
        ),
        case(
            "a field that is missing",
            HOSTS,
            "      hosts: {type: aws, inputs: {username: awx_key}}\n",
            "platform.awx.credentials.hosts: type aws lacks its field 'password'; add it to secrets",
            "platform.secrets.names.awx_key: nothing uses this secret",
        ),
        case(
            "neither type nor existing",
            "theirs: {existing: Jump host}",
            "theirs: {}",
            "platform.awx.credentials.theirs: lacks the key 'type', or 'existing'",
        ),
        case(
            "existing with fields",
            "theirs: {existing: Jump host}",
            "theirs: {existing: Jump host, inputs: {username: a}}",
            "platform.awx.credentials.theirs.inputs: is of a credential that is in AWX already",
        ),
        case(
            "two of a type",
            HOSTS,
            HOSTS + HOSTS.replace("hosts:", "more:"),
            "platform.awx.credentials.more: a job takes one credential of type machine, and 'hosts' (line 94) is one",
        ),
        case(
            "two vault passwords",
            HOSTS,
            HOSTS
            + "      v1: {type: vault, inputs: {vault_id: a}, secrets: {vault_password: awx_key}}\n"
            + "      v2: {type: vault, inputs: {vault_id: b}, secrets: {vault_password: awx_key}}\n",
        ),
        case(
            "no such credential",
            "credential: repository",
            "credential: repositry",
            "platform.awx.project.credential: there is no credential 'repositry'; did you mean 'repository'?",
        ),
        case(
            "a credential of another type",
            "credential: repository",
            "credential: hosts",
            "platform.awx.project.credential: takes one of type scm, and 'hosts' is of type machine",
        ),
        case(
            "no such job",
            TOLD,
            SCHEDULES.replace("drift", "drif") + TOLD,
            "platform.awx.schedules.x.job: there is no job template 'drif' (platform.awx.jobs); did you mean 'drift'?",
        ),
        case(
            "a job that is not made",
            TOLD,
            "    jobs: [site]\n" + SCHEDULES + TOLD,
            "platform.awx.schedules.x.job: there is no job template 'drift' (platform.awx.jobs); there is site",
        ),
        case(
            "a wrong answer",
            TOLD,
            SCHEDULES.replace("'}", "', answers: {drift_fail: 3}}") + TOLD,
            "platform.awx.schedules.x.answers.drift_fail: must be true or false",
        ),
        case(
            "an answer to nothing",
            TOLD,
            SCHEDULES.replace("'}", "', answers: {target: chat}}") + TOLD,
            "platform.awx.schedules.x.answers.target: is no question of this job; it asks for drift_fail",
        ),
        case(
            "an answer that is missing",
            TOLD,
            SCHEDULES.replace("drift", "plan") + TOLD,
            "platform.awx.schedules.x: the survey of plan wants an answer to 'target'",
        ),
        case(
            "no such time",
            TOLD,
            SCHEDULES.replace("03:17", "3:17") + TOLD,
            "platform.awx.schedules.x.at: '3:17' is not a time of day, such as \"03:30\"",
        ),
        case(
            "no such time zone",
            TOLD,
            SCHEDULES.replace("'}", "', timezone: Europe/Roma}") + TOLD,
            "platform.awx.schedules.x.timezone: there is no time zone 'Europe/Roma'; did you mean 'Europe/Rome'?",
        ),
        case(
            "no such receiver",
            "error: [ops]",
            "error: [opps]",
            "platform.awx.notifications.error[0]: there is no receiver 'opps'; did you mean 'ops'?",
        ),
        case(
            "a receiver that AWX cannot tell",
            "{slack: {webhook: slack_url}}",
            "{webhook: {url: 'https://x.example', bearer: slack_url}}",
            "platform.awx.notifications.error[0]: AWX would show the token to all who see the notification",
        ),
    ],
)
def test_each_mistake_is_told_with_its_place(tmp_path: Path, edits: list[tuple[str, str]], expected: list[str]) -> None:
    problems = found(tmp_path, *edits)
    assert len(problems) == len(expected), problems
    for words in expected:
        assert any(words in problem for problem in problems), problems


def test_what_awx_shows_is_a_warning(tmp_path: Path) -> None:
    variables = frozenset(f"vault_{name}" for name in SECRETS)
    problems = example.problems(tmp_path, *EDITS, variables=variables)
    assert [problem for problem in problems if SHOWN in problem and ": warning: " in problem]


def test_a_platform_without_awx_is_told_nothing_of_it(tmp_path: Path) -> None:
    assert example.problems(tmp_path) == []
