"""Plans are read as Terraform means them; what cannot be read says why."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import (
    Place,
    PlanError,
    digest_of,
    parse_place,
    parse_plan,
    planned_place,
    resources,
)
from ansible_collections.devops.platform.tests.unit.terraform.plans import plan, row, saved


@pytest.mark.parametrize(
    ("action", "read"),
    [
        ("nothing", "nothing"),
        ("create", "create"),
        ("change", "change"),
        ("destroy", "destroy"),
        ("replace", "replace"),
        ("replace-new-first", "replace"),
        ("forget", "forget"),
        ("read", "read"),
    ],
)
def test_actions(action: str, read: str) -> None:
    assert parse_plan(plan(row("aws_lb.this", action))).changes[0].action == read


@pytest.mark.parametrize(
    ("address", "module"),
    [
        ("aws_lb.this", ""),
        ("module.edge.aws_lb.this", "module.edge"),
        ('module.static[0].module.bucket.aws_s3_bucket.this["a.b"]', "module.static.module.bucket"),
    ],
)
def test_modules(address: str, module: str) -> None:
    assert parse_plan(plan(row(address))).changes[0].module == module


def test_what_forces_a_replacement_is_a_path() -> None:
    found = parse_plan(plan(row("aws_db_instance.this", "replace", replace_paths=[["storage", 0, "size"], ["name"]])))
    assert found.changes[0].forced_by == ("storage[0].size", "name")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"format_version": "2.0"}, "format is 2.0"),
        ({}, "format is not said"),
        ({"format_version": "1.2", "errored": True}, "plan again"),
        (plan({"address": "aws_lb.this", "change": {"actions": ["teleport"]}}), "aws_lb.this: the plan says"),
    ],
)
def test_what_is_not_understood_is_refused(data: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        parse_plan(data)


def test_resources_of_modules_are_found_and_data_sources_are_not() -> None:
    values = {
        "root_module": {
            "resources": [{"address": "aws_lb.this"}, {"address": "data.aws_ami.this", "mode": "data"}],
            "child_modules": [{"child_modules": [{"resources": [{"address": "module.a.module.b.aws_lb.this"}]}]}],
        }
    }
    assert {found["address"] for found in resources(values)} == {"aws_lb.this", "module.a.module.b.aws_lb.this"}


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ({"serial": 7, "lineage": "a-b"}, Place("a-b", 7)),
        ({"serial": 0, "lineage": ""}, Place()),
        (None, Place()),
    ],
)
def test_a_saved_plan_says_of_which_state_it_is(state: dict[str, Any] | None, place: Place) -> None:
    assert planned_place(saved(state)) == place


@pytest.mark.parametrize("content", [b"", b"no archive", saved({"serial": 1}, name="other")])
def test_a_file_that_is_no_plan(content: bytes) -> None:
    with pytest.raises(PlanError, match="no saved plan"):
        planned_place(content)


@pytest.mark.parametrize("text", ["{", "[]", '{"serial": "many"}'])
def test_a_state_that_cannot_be_read(text: str) -> None:
    with pytest.raises(PlanError, match="state cannot be read"):
        parse_place(text)


def test_each_byte_counts_for_an_approval() -> None:
    assert digest_of(b"plan") != digest_of(b"plan\n")
    assert len(digest_of(b"plan")) == 64
