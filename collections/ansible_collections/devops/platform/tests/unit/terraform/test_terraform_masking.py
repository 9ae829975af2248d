"""What Terraform marks as sensitive leaves in no summary and no diff."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.terraform import masking, summary
from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import parse_plan
from ansible_collections.devops.platform.tests.unit.terraform import plans
from ansible_collections.devops.platform.tests.unit.terraform.plans import plan, row

CANARY = "c4n4ry-in-clear"


@pytest.mark.parametrize(
    ("value", "marks", "unknown", "shown"),
    [
        ("open", None, None, "open"),
        ("secret", True, None, "(sensitive)"),
        ({"a": "secret", "b": "open"}, {"a": True}, None, {"a": "(sensitive)", "b": "open"}),
        ({"a": ["x", "secret"]}, {"a": [False, True]}, None, {"a": ["x", "(sensitive)"]}),
        ({"a": None, "b": 1}, {}, {"a": True}, {"a": "(known after apply)", "b": 1}),
        (None, None, {"id": True}, {"id": "(known after apply)"}),
        ({"a": None}, {"a": True}, {"a": True}, {"a": "(sensitive)"}),
        # Marks of another shape than the value: rather too much.
        ({"a": 1}, [True], None, "(sensitive)"),
        (["x"], {"a": True}, None, "(sensitive)"),
        ("text", {"a": True}, None, "(sensitive)"),
        ({"a": 1}, [False], None, {"a": 1}),
    ],
)
def test_masks(value: Any, marks: Any, unknown: Any, shown: Any) -> None:
    assert masking.masked(value, marks, unknown) == shown


def test_a_changed_secret_is_a_change() -> None:
    found = parse_plan(
        plan(
            row(
                "aws_lb.this",
                "change",
                before={"token": "one", "name": "a"},
                after={"token": "two", "name": "a"},
                before_sensitive={"token": True},
                after_sensitive={"token": True},
            )
        )
    )
    assert masking.differences(found.changes[0]) == [("token", "(sensitive)", "(sensitive, changed)")]


def test_an_unchanged_secret_is_none() -> None:
    marks = {"before_sensitive": {"token": True}, "after_sensitive": {"token": True}}
    found = parse_plan(plan(row("aws_lb.this", "change", before={"token": "x"}, after={"token": "x"}, **marks)))
    assert masking.differences(found.changes[0]) == []


@pytest.mark.parametrize(
    "more",
    [
        {
            "resource_changes": [
                row("aws_lb.other", "change", before={"t": CANARY}, after={}, before_sensitive={"t": True})
            ]
        },
        {"output_changes": {"o": {"actions": ["update"], "after": [CANARY], "after_sensitive": [True]}}},
        {
            "variables": {"token": {"value": CANARY}},
            "configuration": {"root_module": {"variables": {"token": {"sensitive": True}}}},
        },
    ],
    ids=["another resource", "an output", "a variable"],
)
def test_a_copy_without_a_mark_is_masked_as_well(more: dict[str, Any]) -> None:
    """Terraform marks what the configuration takes from a secret, and not what the resource makes of it."""
    copied = row("terraform_data.this", "change", before={"out": [f"key={CANARY}\n"]}, after={"out": []})
    found = parse_plan({**plan(copied), **more, "resource_changes": [copied, *more.get("resource_changes", [])]})
    assert CANARY not in json.dumps([masking.diff(found), summary.lines(found, "dev")])
    assert "(sensitive)" in masking.diff(found)["before"]


def test_the_diff_has_both_sides_of_a_replacement() -> None:
    found = parse_plan(
        plan(
            row("aws_lb.this", "replace-new-first", before={"name": "old"}, after={"name": "new"}),
            row("aws_lb.gone", "destroy", before={"name": "x"}, after=None),
            row("aws_lb.same", "nothing", before={"name": "x"}, after={"name": "x"}),
        )
    )
    assert masking.diff(found) == {
        "before": 'aws_lb.gone\n  name = "x"\naws_lb.this\n  name = "old"\n',
        "after": 'aws_lb.this\n  name = "new"\n',
    }


def test_long_values_are_cut() -> None:
    found = parse_plan(plan(row("aws_lb.this", "change", before={"policy": "x"}, after={"policy": "y" * 500})))
    [(_path, _old, new)] = masking.differences(found.changes[0])
    assert len(new) < 160
    assert "502 characters" in new


def _marked(value: Any) -> tuple[Any, Any]:
    """Every text in a value becomes the canary, and is marked."""
    if isinstance(value, str):
        return CANARY, True
    if isinstance(value, list):
        pairs = [_marked(item) for item in value]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if isinstance(value, dict):
        marked = {name: _marked(item) for name, item in value.items()}
        return {name: pair[0] for name, pair in marked.items()}, {name: pair[1] for name, pair in marked.items()}
    return value, False


@given(st.sampled_from(sorted(plans.ACTIONS)), plans.values, plans.values, st.booleans())
def test_nothing_sensitive_is_ever_shown(action: str, before: Any, after: Any, whole: bool) -> None:
    old, old_marks = _marked({"a": before})
    new, new_marks = _marked({"a": after})
    changed = row(
        "aws_db_instance.this",
        action,
        before=old,
        after=new,
        before_sensitive=True if whole else old_marks,
        after_sensitive=True if whole else new_marks,
    )
    found = parse_plan(plan(changed, resource_drift=[changed], output_changes={"o": changed["change"]}))
    shown = json.dumps([masking.diff(found), summary.lines(found, "dev")])
    assert CANARY not in shown
