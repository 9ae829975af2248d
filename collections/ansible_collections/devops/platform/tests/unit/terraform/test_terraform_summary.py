"""The summary says each change once, and what is lost before all else."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.terraform import summary
from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import parse_plan
from ansible_collections.devops.platform.tests.unit.terraform import plans
from ansible_collections.devops.platform.tests.unit.terraform.plans import plan, row


def lines(*rows: dict[str, Any], **more: Any) -> list[str]:
    return summary.lines(parse_plan(plan(*rows, **more)), "dev")


def test_no_changes() -> None:
    assert lines(row("aws_lb.this", "nothing"), row("data.aws_ami.this", "read")) == ["dev: no changes of resources"]


def test_everything_at_once() -> None:
    assert lines(
        row("module.network.aws_vpc.this"),
        row('module.network.aws_subnet.public["a"]'),
        row('module.network.aws_subnet.public["b"]'),
        row("aws_lb.this", "change", before={"idle": 60}, after={"idle": 120}),
        row("module.database.aws_db_instance.this", "replace", replace_paths=[["identifier"]]),
        row("aws_route.this", "replace-new-first", action_reason="replace_by_request"),
        row("aws_s3_bucket.logs", "destroy", action_reason="delete_because_no_resource_config"),
        row("aws_lb.old", "forget"),
        resource_drift=[
            row("aws_lb.this", "change", before={"idle": 120, "time": 1}, after={"idle": 60, "time": 2}),
            row("aws_route.other", "change", before={"seen": 1}, after={"seen": 2}),
            row("aws_sns_topic.this", "destroy"),
        ],
        output_changes={"hosts": {"actions": ["update"]}, "secrets": {"actions": ["no-op"]}},
    ) == [
        "dev: 3 to create, 1 to change, 2 TO REPLACE, 1 TO DESTROY, 1 to forget (they stay, unmanaged)",
        "",
        "DESTROYED, AND WHAT IT HOLDS IS LOST: aws_s3_bucket.logs, because the configuration has it no more",
        "REPLACED, AND WHAT IT HOLDS IS LOST: module.database.aws_db_instance.this, because of identifier",
        "",
        "replace:",
        "  -/+ aws_route.this, because asked for by -replace",
        "  -/+ module.database.aws_db_instance.this, because of identifier",
        "",
        "destroy:",
        "  - aws_s3_bucket.logs, because the configuration has it no more",
        "",
        "change:",
        "  ~ aws_lb.this",
        "      idle: 60 → 120",
        "",
        "forget:",
        "  . aws_lb.old",
        "",
        "create:",
        "  + module.network (3): aws_subnet 2, aws_vpc",
        "",
        "changed by others since the last apply, and put right:",
        "  ! aws_lb.this",
        "      idle: was 120, is 60",
        "  ! aws_sns_topic.this: is gone",
        "",
        "outputs that change: hosts",
    ]


@given(plans.plans)
def test_each_resource_is_counted_once(data: dict[str, Any]) -> None:
    found = parse_plan(data)
    reads = len(found.of("read"))
    assert sum(summary.counts(found).values()) == len(data["resource_changes"]) - reads


@given(plans.plans)
def test_every_loss_is_in_capitals_and_nothing_else_is(data: dict[str, Any]) -> None:
    told = [line for line in summary.lines(parse_plan(data), "dev") if "WHAT IT HOLDS IS LOST" in line]
    lost = {
        found["address"]
        for found in data["resource_changes"]
        if "delete" in found["change"]["actions"] and found["type"] in summary.STATEFUL
    }
    assert {line.split(": ", 1)[1].split(", because")[0] for line in told} == lost
    assert len(told) == len(lost)


@given(plans.plans)
def test_every_destruction_is_named(data: dict[str, Any]) -> None:
    said = summary.lines(parse_plan(data), "dev")
    for found in data["resource_changes"]:
        if "delete" in found["change"]["actions"]:
            assert any(line.split(", because")[0].endswith(f" {found['address']}") for line in said)


@given(plans.plans, st.integers())
def test_the_order_of_the_plan_does_not_matter(data: dict[str, Any], seed: int) -> None:
    shuffled = list(data["resource_changes"])
    random.Random(seed).shuffle(shuffled)
    assert summary.lines(parse_plan(data), "dev") == summary.lines(parse_plan(plan(*shuffled)), "dev")
