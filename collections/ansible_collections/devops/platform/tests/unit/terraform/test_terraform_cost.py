"""Estimates: each thing that costs by the hour is priced, and what has no price is named."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.terraform import cost
from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import parse_plan

PRICES = cost.load_prices()
HOURS = PRICES["hours"]


def values(*rows: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    found = [{"address": address, "type": kind, "values": what} for address, kind, what in rows]
    return {"root_module": {"child_modules": [{"resources": found}]}}


def total(kind: str, **what: Any) -> float:
    return cost.estimate(values((f"{kind}.this", kind, what)), PRICES).total


@pytest.mark.parametrize(
    ("kind", "what", "amount"),
    [
        ("aws_instance", {"instance_type": "t3.small"}, HOURS * 0.024),
        (
            "aws_instance",
            {"instance_type": "t3.small", "root_block_device": [{"volume_size": 100}]},
            HOURS * 0.024 + 9.5,
        ),
        ("aws_ebs_volume", {"size": 100}, 9.5),
        ("aws_db_instance", {"instance_class": "db.t3.medium", "allocated_storage": 20}, HOURS * 0.083 + 2.74),
        (
            "aws_db_instance",
            {"instance_class": "db.t3.medium", "allocated_storage": 20, "multi_az": True},
            2 * (HOURS * 0.083 + 2.74),
        ),
        ("aws_elasticache_replication_group", {"node_type": "cache.t3.micro", "num_cache_clusters": 2}, HOURS * 0.04),
        (
            "aws_eks_node_group",
            {"instance_types": ["t3.large"], "scaling_config": [{"desired_size": 3}]},
            HOURS * 3 * 0.096,
        ),
        ("aws_nat_gateway", {}, HOURS * 0.052),
        ("aws_lb", {"subnets": ["a", "b"]}, HOURS * (0.027 + 2 * 0.005)),
        ("aws_lb", {}, HOURS * (0.027 + 2 * 0.005)),
        ("aws_wafv2_web_acl", {"rule": [{}, {}]}, 7.0),
        ("aws_kms_key", {}, 1.0),
        ("aws_route", {}, 0.0),
    ],
)
def test_prices(kind: str, what: dict[str, Any], amount: float) -> None:
    assert total(kind, **what) == pytest.approx(amount)


def test_a_group_costs_as_its_template_says_times_its_size() -> None:
    template = {"instance_type": "t3.large", "block_device_mappings": [{"ebs": [{"volume_size": 40}]}]}
    found = cost.estimate(
        values(
            ('module.compute.aws_launch_template.group["app"]', "aws_launch_template", template),
            ('module.compute.aws_launch_template.group["data"]', "aws_launch_template", {"instance_type": "t3.micro"}),
            ('module.compute.aws_autoscaling_group.group["app"]', "aws_autoscaling_group", {"desired_capacity": 2}),
        ),
        PRICES,
    )
    assert found.parts == {"hosts": pytest.approx(2 * 0.096 * HOURS), "disks": pytest.approx(2 * 40 * 0.095)}


def test_a_size_without_a_price_is_named() -> None:
    plan = parse_plan(
        {
            "format_version": "1.2",
            "planned_values": values(("aws_instance.this", "aws_instance", {"instance_type": "x99.huge"})),
        }
    )
    assert cost.lines(plan, PRICES)[-1] == "  not in the price table, so not counted: x99.huge"


def test_the_table_says_when_and_where_it_holds() -> None:
    said = cost.lines(parse_plan({"format_version": "1.2"}), PRICES)[0]
    assert "about 0 USD a month" in said
    assert PRICES["region"] in said
    assert PRICES["date"] in said


def test_what_the_plan_changes_is_told_beside_what_is() -> None:
    plan = parse_plan(
        {
            "format_version": "1.2",
            "planned_values": values(("aws_nat_gateway.a", "aws_nat_gateway", {})),
            "prior_state": {"values": values(*[(f"aws_kms_key.{at}", "aws_kms_key", {}) for at in range(3)])},
        }
    )
    assert cost.lines(plan, PRICES)[0].startswith("about 38 USD a month (now 3);")
