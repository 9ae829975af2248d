"""What is asked of AWX, and what its answers mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.awx import actual
from ansible_collections.devops.platform.plugins.module_utils.awx.actual import Actual
from ansible_collections.devops.platform.plugins.module_utils.awx.owner import Owner

OWNER = Owner("chat", "lab")
JOB: dict[str, Any] = {
    "id": 5,
    "name": "chat lab site",
    "description": f"x {OWNER.mark('chat lab site')}",
    "related": {"survey_spec": "/j/5/survey_spec/"},
}
RELATED = {f"notification_templates_{event}": f"/j/5/{event}/" for event in ("started", "success", "error")}
WORKFLOW = {
    "id": 6,
    "name": "chat lab release",
    "description": OWNER.mark("chat lab release"),
    "related": {"survey_spec": "/w/6/survey_spec/", "notification_templates_approvals": "/w/6/approvals/"},
}
NODES = [
    {
        "id": 7,
        "identifier": "approve",
        "success_nodes": [8],
        "failure_nodes": [],
        "always_nodes": [],
        "related": {"unified_job_template": "/approval/9/"},
        "summary_fields": {"unified_job_template": {"name": "approve", "unified_job_type": "workflow_approval"}},
    },
    {"id": 8, "identifier": "rollout", "success_nodes": [], "failure_nodes": [], "related": {}, "summary_fields": {}},
]
ANSWERS: dict[str, Sequence[Mapping[str, Any]]] = {
    "organizations": [{"id": 1, "name": "chat"}],
    "job_templates": [{**JOB, "related": {**JOB["related"], **RELATED}}, {"id": 4, "name": "theirs", "related": {}}],
    "inventories": [{"id": 2, "name": "going", "pending_deletion": True}, {"id": 3, "name": "staying"}],
    "workflow_job_templates": [WORKFLOW],
    "workflow_job_template_nodes": NODES,
    "/j/5/survey_spec/": [{"spec": [{"variable": "target"}]}],
    "/j/5/error/": [{"name": "b"}, {"name": "a"}],
    "/w/6/approvals/": [{"name": "mail"}],
    "/approval/9/": [{"id": 9, "name": "approve", "description": "d", "timeout": 60, "type": "x"}],
}


def asked(answers: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[list[Actual], list[tuple[str, dict[str, Any]]]]:
    log: list[tuple[str, dict[str, Any]]] = []

    def ask(endpoint: str, parameters: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        log.append((endpoint, dict(parameters)))
        return answers.get(endpoint, ())

    return actual.read(ask, "chat", OWNER), log


def test_everything_in_the_organisation_is_read_and_only_ours_in_depth():
    found, log = asked(ANSWERS)
    named = {(one.kind, one.name): one for one in found}
    job = named["job_template", "chat lab site"]
    assert job.value("survey_spec") == {"spec": [{"variable": "target"}]}
    assert job.value("notification_templates_error") == ["a", "b"]
    assert job.value("notification_templates_started") == []
    assert ("job_templates", {"organization": 1}) in log
    assert ("schedules", {"unified_job_template__organization": 1}) in log
    assert [path for path, _parameters in log if "/4/" in path] == []
    assert ("inventory", "going") not in named
    assert ("inventory", "staying") in named


def test_nodes_are_read_with_their_ways_and_approvals():
    found, log = asked(ANSWERS)
    nodes = {one.name: one for one in found if one.kind == "workflow_job_template_node"}
    assert ("workflow_job_template_nodes", {"workflow_job_template": 6}) in log
    assert {node.parent for node in nodes.values()} == {"chat lab release"}
    assert nodes["approve"].value("success_nodes") == ["rollout"]
    assert nodes["approve"].value("approval_node") == {"name": "approve", "description": "d", "timeout": 60}
    assert nodes["rollout"].value("approval_node") is None


def test_where_there_is_no_organisation_only_what_belongs_to_none_is_read():
    found, log = asked({"credential_types": [{"id": 1, "name": "x"}]})
    assert [path for path, _parameters in log] == ["organizations", "credential_types", "execution_environments"]
    assert [one.name for one in found] == ["x"]


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("project", {"project": 3, "summary_fields": {"project": {"id": 3, "name": "p"}}}, "p"),
        ("credential", {"credential": None, "summary_fields": {}}, ""),
        ("credentials", {"summary_fields": {"credentials": [{"name": "b"}, {"name": "a"}]}}, ["a", "b"]),
        ("extra_vars", {"extra_vars": '{"a": 1}'}, {"a": 1}),
        ("extra_vars", {"extra_vars": "---\na: 1"}, {"a": 1}),
        ("extra_vars", {"extra_vars": ""}, {}),
        ("scm_branch", {"scm_branch": "main"}, "main"),
        ("scm_branch", {}, None),
    ],
)
def test_an_answer_is_read_in_the_words_of_a_module_s_arguments(key, raw, value):
    assert Actual("job_template", {"id": 1, **raw}).value(key) == value
