"""What AWX shall have, from platform.awx."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.awx import credentials, desired, notifications
from ansible_collections.devops.platform.plugins.module_utils.awx.desired import KINDS, Item
from ansible_collections.devops.platform.plugins.module_utils.awx.playbooks import JOBS
from ansible_collections.devops.platform.plugins.module_utils.awx.settings import Schedule, Settings
from ansible_collections.devops.platform.tests.unit.awx.known import OWNER, items, platform

JOBS_KEY = "    url: https://awx.example\n"


def by_name(*edits: tuple[str, str]) -> dict[tuple[str, str], Item]:
    return {(item.kind, item.name): item for item in items(*edits)}


def test_kinds_come_in_their_order():
    order = [KINDS.index(item.kind) for item in items()]
    assert order == sorted(order)


def test_everything_is_marked_but_the_organisation():
    unmarked = [item.name for item in items() if not item.parent and "description" not in item.arguments]
    assert unmarked == ["chat"]
    marked = [item for item in items() if "description" in item.arguments]
    assert all(OWNER.owns(item.name, str(item.arguments["description"])) for item in marked)
    named = {item.name: str(item.arguments["description"]) for item in marked if item.kind == "job_template"}
    assert named["chat lab site"].endswith(" [devops.platform chat/lab site]")


def test_jobs_get_the_secrets_that_hosts_need_and_not_those_of_awx():
    found = by_name()
    made = found["credential_type", "chat lab secrets"].arguments
    names = [field["id"] for field in made["inputs"]["fields"]]
    assert names == ["chat_database", "chat_redis", "slack_url"]  # awx_key, awx_git and awx_token are not among them
    assert made["injectors"]["extra_vars"]["vault_chat_redis"] == "{{ chat_redis }}"
    assert "organization" not in made
    inputs = found["credential", "chat lab values secrets"].arguments["inputs"]
    assert inputs == {name: {"secret": name} for name in names}


def test_a_job_gets_the_credentials_that_are_for_jobs():
    given = by_name()["job_template", "chat lab rollout"].arguments["credentials"]
    assert given == ["chat lab hosts machine", "chat lab values secrets", "Jump host"]
    assert by_name()["project", "chat lab"].arguments["credential"] == "chat lab repository scm"


def test_a_job_is_told_where_platform_yml_is():
    found = by_name()
    file = {"platform_file": "inventories/lab/group_vars/all/platform.yml"}
    assert found["job_template", "chat lab site"].arguments["extra_vars"] == file
    every = f"{JOBS_KEY}    jobs: [{', '.join(job.name for job in JOBS)}]\n"
    assert by_name((JOBS_KEY, every))["job_template", "chat lab uninstall"].arguments["extra_vars"] == {}


def test_uninstall_is_made_where_it_is_asked_for():
    assert ("job_template", "chat lab uninstall") not in by_name()


def test_a_workflow_without_one_of_its_jobs_is_none():
    some = by_name((JOBS_KEY, f"{JOBS_KEY}    jobs: [site, plan, rollout, verify]\n"))
    assert {kind for kind, _name in some} & {"workflow_job_template", "workflow_job_template_node", "schedule"} == set()


def test_the_cloud_s_credential_is_the_inventory_s_as_well():
    cloud = "      hosts: {type: aws, inputs: {username: A}, secrets: {password: awx_key}}\n"
    before = "      hosts: {type: machine, inputs: {username: admin}, secrets: {ssh_key_data: awx_key}}\n"
    source = by_name((before, cloud))["inventory_source", "chat lab"].arguments
    assert source["credential"] == "chat lab hosts aws"
    assert "credential" not in by_name()["inventory_source", "chat lab"].arguments


@pytest.mark.parametrize(
    ("weekdays", "rule"),
    [((), "FREQ=DAILY;INTERVAL=1"), (("sunday", "monday"), "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,SU")],
)
def test_a_schedule_is_a_rule_of_rfc_5545(weekdays, rule):
    schedule = Schedule("x", "drift", "03:17", weekdays, "Europe/Rome", {}, True)
    assert schedule.rrule() == f"DTSTART;TZID=Europe/Rome:20260101T031700 RRULE:{rule}"


@pytest.mark.parametrize(("given", "expected"), [("", True), (", enabled: true", True), (", enabled: false", False)])
def test_a_schedule_can_be_switched_off(given, expected):
    declared = f"{JOBS_KEY}    schedules: {{a: {{job: drift, at: '03:17'{given}}}}}\n"
    assert by_name((JOBS_KEY, declared))["schedule", "chat lab a"].arguments["enabled"] is expected


def test_a_plan_is_made_in_check_mode():
    found = by_name()
    modes = {name: found["job_template", f"chat lab {name}"].arguments["job_type"] for name in ("plan", "rollout")}
    assert modes == {"plan": "check", "rollout": "run"}


def test_drift_is_looked_for_each_night_unless_something_else_is_said():
    assert [(one.name, one.job) for one in Settings.of(platform()).schedules] == [("drift", "drift")]
    none = Settings.of(platform((JOBS_KEY, f"{JOBS_KEY}    schedules: {{}}\n")))
    assert none.schedules == ()


MAIL: dict[str, Any] = {"to": ["a@b.example"], "from": "c@d.example", "smarthost": "mail.example:587"}


@pytest.mark.parametrize(
    ("receiver", "kind", "expected"),
    [
        ({"email": MAIL}, "email", {"host": "mail.example", "port": 587, "use_tls": True, "use_ssl": False}),
        ({"email": {**MAIL, "smarthost": "[::1]:465"}}, "email", {"port": 465, "use_tls": False, "use_ssl": True}),
        ({"email": {**MAIL, "tls": False}}, "email", {"use_tls": False, "use_ssl": False, "password": ""}),
        (
            {"email": {**MAIL, "user": "u", "password": "p"}},
            "email",
            {"username": "u", "password": {"secret": "p"}},
        ),
        ({"slack": {"webhook": "w"}}, "webhook", {"url": {"secret": "w"}, "http_method": "POST", "headers": {}}),
        (
            {"webhook": {"url": "https://x.example", "user": "u", "password": "p"}},
            "webhook",
            {"url": "https://x.example", "username": "u", "password": {"secret": "p"}},
        ),
        ({"webhook": {"url_secret": "s"}}, "webhook", {"url": {"secret": "s"}, "password": ""}),
        (
            {"sms": {"region": "r", "topic": "t", "access_key": "a", "secret_key": "k"}},
            "awssns",
            {"sns_topic_arn": "t", "aws_access_key_id": {"secret": "a"}, "aws_secret_access_key": {"secret": "k"}},
        ),
    ],
)
def test_a_receiver_becomes_a_notification_template(receiver, kind, expected):
    [(_way, made)] = notifications.templates(receiver)
    assert made["notification_type"] == kind
    assert {key: made["notification_configuration"][key] for key in expected} == expected


def test_slack_gets_a_body_of_its_own():
    [(_way, made)] = notifications.templates({"slack": {"webhook": "w", "channel": "#ops"}})
    assert json.loads(made["messages"]["error"]["body"]) == {"channel": "#ops", "text": notifications.TEXT}


@pytest.mark.parametrize(
    ("receiver", "at"),
    [
        ({"sms": {"region": "r", "phone": "+491"}}, ("sms", "phone")),
        ({"sms": {"region": "r", "topic": "t", "role": "arn"}}, ("sms", "role")),
        ({"sms": {"region": "r", "topic": "t", "endpoint": "http://x"}}, ("sms", "endpoint")),
        ({"webhook": {"url": "https://x", "bearer": "b"}}, ("webhook", "bearer")),
    ],
)
def test_what_awx_cannot_do_is_said(receiver, at):
    [(found, _why)] = notifications.unsuited(receiver)
    assert found == at


def test_a_vault_s_token_reaches_a_job_as_its_environment():
    made = credentials.definition("hashicorp", None, frozenset())
    assert [field["id"] for field in made["inputs"]["fields"] if field["secret"]] == ["token"]
    assert made["injectors"]["env"]["VAULT_TOKEN"] == "{{ token }}"


def test_a_secret_that_something_else_uses_as_well_is_a_job_s_too():
    # The same secret for the repository and for the cache.
    shared = platform(("secrets: {password: awx_git}", "secrets: {password: chat_redis}"))
    assert "chat_redis" not in desired.only_awx_needs(shared)
    assert "awx_key" in desired.only_awx_needs(shared)
    # What a variable is called is no use of a secret.
    named = platform(("      awx_git:\n", "      awx_git: {variable: awx_key}\n"))
    assert "awx_key" in desired.only_awx_needs(named)
