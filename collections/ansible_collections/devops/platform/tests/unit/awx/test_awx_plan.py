"""What is sent to AWX and what is removed, from what is wanted and what is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.awx.actual import Actual
from ansible_collections.devops.platform.plugins.module_utils.awx.desired import KINDS, Item
from ansible_collections.devops.platform.plugins.module_utils.awx.plan import digest
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.tests.unit.awx.known import (
    OWNER,
    SECRETS,
    as_actual,
    items,
    planned,
    there,
)

WANTED = items()
THERE = there(WANTED)


def changed(
    kind: str, name: str, raw: dict[str, Any] | None = None, more: dict[str, Any] | None = None
) -> list[Actual]:
    """What is there, but one object with other values."""
    return [
        replace(one, raw={**one.raw, **(raw or {})}, more={**one.more, **(more or {})})
        if (one.kind, one.name) == (kind, name)
        else one
        for one in THERE
    ]


def test_what_is_as_declared_is_left_alone():
    found = planned(WANTED, THERE)
    assert found.said() == []
    assert [call for kind in KINDS for call in (*found.present[kind], *found.absent[kind])] == []
    assert found.links == []


def test_everything_is_made_in_an_order_in_which_it_can_be():
    said = planned(WANTED, []).said()
    assert len(said) == len(WANTED)
    assert said[0] == "make organisation 'chat'"
    assert said.index("make project 'chat lab'") < said.index("make job template 'chat lab site'")
    assert said[-1] == "make schedule 'chat lab drift'"


@pytest.mark.parametrize(
    ("kind", "name", "raw", "more", "said"),
    [
        ("project", "chat lab", {"scm_branch": "old"}, {}, "change project 'chat lab': scm_branch"),
        (
            "project",
            "chat lab",
            {"summary_fields": {"credential": {"name": "another"}}},
            {},
            "change project 'chat lab': credential",
        ),
        (
            "job_template",
            "chat lab site",
            {"extra_vars": "a: 1"},
            {},
            "change job template 'chat lab site': extra_vars",
        ),
        ("job_template", "chat lab site", {}, {"survey_spec": {}}, "change job template 'chat lab site': survey_spec"),
        (
            "job_template",
            "chat lab site",
            {},
            {"notification_templates_error": []},
            "change job template 'chat lab site': notification_templates_error",
        ),
        (
            "workflow_job_template_node",
            "approve",
            {},
            {"approval": None},
            "change node 'approve' of chat lab release: approval_node",
        ),
        (
            "workflow_job_template_node",
            "verify",
            {},
            {"failure_nodes": []},
            "change node 'verify' of chat lab release: failure_nodes",
        ),
        ("schedule", "chat lab drift", {"enabled": False}, {}, "change schedule 'chat lab drift': enabled"),
        (
            "credential",
            "chat lab hosts machine",
            {"inputs": {"username": "admin", "ssh_key_data": ""}},
            {},
            "change credential 'chat lab hosts machine': inputs",
        ),
        (
            "credential",
            "chat lab hosts machine",
            {"inputs": {"username": "admin", "ssh_key_data": "$encrypted$", "become_password": "$encrypted$"}},
            {},
            "change credential 'chat lab hosts machine': inputs",
        ),
    ],
)
def test_what_differs_is_changed_and_named(kind, name, raw, more, said):
    assert planned(WANTED, changed(kind, name, raw, more)).said() == [said]


def test_what_awx_adds_by_itself_is_no_difference():
    slack = next(one for one in THERE if one.kind == "notification_template")
    raw = {
        "notification_configuration": {**slack.raw["notification_configuration"], "timeout": 30},
        "messages": {**slack.raw["messages"], "workflow_approval": None},
    }
    assert planned(WANTED, changed("notification_template", slack.name, raw)).said() == []
    assert planned(WANTED, changed("inventory", "chat lab", {"variables": "platform: {}"})).said() == []


def test_a_changed_project_is_fetched():
    [call] = planned(WANTED, changed("project", "chat lab", {"scm_branch": "old"})).present["project"]
    assert call.arguments["update_project"] is True


def test_what_names_something_goes_before_that():
    said = planned([], THERE).said()
    order = [line.removeprefix("remove ").split(" '")[0] for line in said]
    assert [kind for number, kind in enumerate(order) if kind not in order[:number]] == [
        *("schedule", "workflow", "job template", "notification template", "inventory source", "inventory", "project"),
        *("execution environment", "credential", "credential type"),
    ]


def test_only_the_ways_of_a_node_are_sent_where_only_these_differ():
    found = planned(WANTED, changed("workflow_job_template_node", "verify", more={"failure_nodes": []}))
    assert found.present["workflow_job_template_node"] == []
    [call] = found.links
    assert call.arguments == {
        "identifier": "verify",
        "workflow_job_template": "chat lab release",
        "organization": "chat",
        "success_nodes": [],
        "failure_nodes": ["rollback"],
        "always_nodes": [],
    }


def test_the_repository_is_fetched_before_a_playbook_that_awx_does_not_know():
    without = [one for one in THERE if one.raw.get("playbook") != "playbooks/drift.yml"]
    found = planned(WANTED, without)
    assert [call.arguments["update_project"] for call in found.present["project"]] == [True]
    again = [one for one in THERE if one.name != "chat lab verify"]  # site.yml is known
    assert planned(WANTED, again).present["project"] == []


@pytest.mark.parametrize(
    ("name", "text", "ours"),
    [
        ("chat lab old", "x [devops.platform chat/lab old]", True),
        ("chat lab old", "x [devops.platform chat/lab old 0123456789ab]", True),
        ("chat lab old", "x [devops.platform chat/lab old 0123456789ab] ", True),
        ("chat lab", "x [devops.platform chat/lab]", True),
        ("chat lab", "x [devops.platform chat/lab 0123456789ab]", True),
        # A copy: AWX keeps the description, and gives it another name.
        ("chat lab old @ 12:01", "x [devops.platform chat/lab old]", False),
        ("chat lab old", "x [devops.platform chat/labrador old]", False),
        ("chat lab old", "x [devops.platform chat/prod old]", False),
        ("chat lab old", "x [devops.platform chat/lab old] of somebody", False),
        ("chat lab old", "x [devops.platform chat/lab old thing 0123456789ab]", False),
        ("chat lab old", "chat lab old", False),
    ],
)
def test_what_carries_its_own_mark_is_ours(name, text, ours):
    extra = Actual("job_template", {"id": 99, "name": name, "description": text})
    absent = planned(WANTED, [*THERE, extra]).absent["job_template"]
    assert [call.arguments for call in absent] == ([{"state": "absent", "name": "99"}] if ours else [])


def test_each_kind_is_removed_by_what_its_module_wants():
    gone = planned(WANTED[:1], THERE).absent
    wanted = {kind: set(gone[kind][0].arguments) - {"state"} for kind in KINDS if gone[kind]}
    assert wanted == {
        "credential_type": {"name"},
        "credential": {"name", "organization", "credential_type"},
        "execution_environment": {"name"},
        "project": {"name", "organization"},
        "inventory": {"name", "organization"},
        "inventory_source": {"name", "inventory"},
        "notification_template": {"name", "organization"},
        "job_template": {"name"},
        "workflow_job_template": {"name"},
        "schedule": {"name"},
    }


def test_a_node_that_nobody_wants_goes_from_a_workflow_of_ours():
    extra = Actual(
        "workflow_job_template_node", {"id": 9, "identifier": "x", "workflow_job_template": 4}, "chat lab release"
    )
    found = planned(WANTED, [*THERE, extra])
    assert found.said() == ["remove node 'x' of chat lab release"]
    [call] = found.absent["workflow_job_template_node"]
    assert call.arguments == {"state": "absent", "identifier": "x", "workflow_job_template": "4"}


def test_what_is_not_ours_is_not_taken_over():
    theirs = changed("job_template", "chat lab site", {"description": "theirs"})
    with pytest.raises(
        PlatformError, match=r"job template 'chat lab site' \(id \d+; \[devops.platform chat/lab site\]\) already"
    ):
        planned(WANTED, theirs)


def test_an_organisation_is_taken_as_it_is():
    theirs = changed("organization", "chat", {"description": "theirs", "max_hosts": 7})
    assert planned(WANTED, theirs).said() == []
    assert planned([], theirs[:1]).said() == []


def test_another_secret_is_sent_though_awx_shows_none():
    other = {**SECRETS, "awx_key": "another"}
    assert planned(WANTED, THERE, other).said() == ["change credential 'chat lab hosts machine': description"]


def test_a_digest_is_of_the_secrets_and_of_the_key():
    item = next(item for item in WANTED if item.kind == "credential")
    assert digest(item, SECRETS, "a") == digest(item, SECRETS, "a") != digest(item, SECRETS, "b")
    assert SECRETS["awx_key"] not in digest(item, SECRETS, "a")
    assert digest(WANTED[0], SECRETS, "a") == ""


def test_a_plan_holds_no_secret():
    assert [value for value in SECRETS.values() if len(value) > 1 and value in str(planned(WANTED, []).data())] == []


ITEMS = st.sampled_from(WANTED[1:])


def stranger(item: Item, number: int) -> Actual:
    """Something of ours that nobody declares any more."""
    name = f"chat lab x{number}"
    found = as_actual(item, 1000 + number)
    return replace(found, raw={**found.raw, "name": name, "description": OWNER.mark(name)})


@given(st.sets(st.integers(1, len(WANTED) - 1)), st.lists(ITEMS, max_size=3))
def test_a_plan_makes_what_is_missing_and_removes_only_what_is_ours(missing, strangers):
    left = [one for number, one in enumerate(THERE) if number not in missing]
    foreign = [
        stranger(item, number)
        for number, item in enumerate(strangers)
        if item.kind not in ("workflow_job_template_node", "organization")
    ]
    unmarked = [replace(one, raw={**one.raw, "description": ""}) for one in foreign]
    found = planned(WANTED, [*left, *unmarked])
    made = {(kind, call.name) for kind in KINDS for call in found.present[kind] if call.says.startswith("make")}
    names = {(one.kind, f"{one.parent}: {one.name}" if one.parent else one.name) for one in WANTED}
    kept = {(one.kind, f"{one.parent}: {one.name}" if one.parent else one.name) for one in left}
    assert made == names - kept
    assert [call for kind in KINDS for call in found.absent[kind]] == []
    marked = planned(WANTED, [*left, *foreign])
    removed = [call.arguments["name"] for kind in KINDS for call in marked.absent[kind]]
    assert sorted(removed) == sorted(str(one.id) for one in foreign)
