"""prod is stricter than dev in each of these, and staging not laxer than dev: by what their plans say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.terraform import cost
from tests.aws.harness.terraform import ENVIRONMENTS
from tests.aws.harness.values import column, of_type
from tools import REPOSITORY

Plan = Mapping[str, Any]
Planned = Callable[[str], dict[str, Any]]
DATABASE = "module.database.aws_db_instance.this"


def _least(kind: str, name: str, module: str = "") -> Callable[[Plan], Any]:
    """The weakest of all counts."""
    return lambda plan: min(column(plan, kind, name, module))


def _never(kind: str, name: str, module: str = "") -> Callable[[Plan], bool]:
    """Whether none of them may."""
    return lambda plan: not any(column(plan, kind, name, module))


def _number(kind: str, module: str = "") -> Callable[[Plan], int]:
    return lambda plan: len(of_type(plan, kind, module))


# name → what is measured; more is stricter.
ASPECTS: dict[str, Callable[[Plan], Any]] = {
    "database: deletion protection": _least("aws_db_instance", "deletion_protection", DATABASE),
    "database: last snapshot": _never("aws_db_instance", "skip_final_snapshot", DATABASE),
    "database: backups outlive it": _never("aws_db_instance", "delete_automated_backups", DATABASE),
    "database: multi-AZ": _least("aws_db_instance", "multi_az", DATABASE),
    "database: days of backups": _least("aws_db_instance", "backup_retention_period", DATABASE),
    "database: read replicas": _number("aws_db_instance", "module.database.aws_db_instance.replica"),
    "database: room to grow": _least("aws_db_instance", "max_allocated_storage", DATABASE),
    "cache: nodes": _least("aws_elasticache_replication_group", "num_cache_clusters"),
    "cache: automatic failover": _least("aws_elasticache_replication_group", "automatic_failover_enabled"),
    "cache: days of snapshots": _least("aws_elasticache_replication_group", "snapshot_retention_limit"),
    "load balancer: deletion protection": _least("aws_lb", "enable_deletion_protection"),
    "hosts: termination protection": _least("aws_instance", "disable_api_termination"),
    "hosts: room to scale": _least("aws_autoscaling_group", "max_size"),
    "hosts: measured each minute": _least("aws_instance", "monitoring"),
    "network: NAT gateways": _number("aws_nat_gateway"),
    "network: flows that are logged": lambda plan: column(plan, "aws_flow_log", "traffic_type") == ["ALL"],
    "logs: days": _least("aws_cloudwatch_log_group", "retention_in_days"),
    "buckets: not destroyed with what is in them": _never("aws_s3_bucket", "force_destroy", "module.observability"),
    "registry: not destroyed with what is in it": _never("aws_ecr_repository", "force_delete"),
    "secrets: days to take one back": _least("aws_secretsmanager_secret", "recovery_window_in_days"),
    "key: days to take it back": _least("aws_kms_key", "deletion_window_in_days"),
    "backup: locked vaults": _number("aws_backup_vault_lock_configuration"),
    "backup: days": lambda plan: plan["variables"]["backup"]["value"]["keep_days"],
    "edge: web firewalls": _number("aws_wafv2_web_acl", "module.edge"),
}


@pytest.mark.parametrize("aspect", ASPECTS)
def test_prod_is_stricter_than_dev(aspect: str, planned: Planned) -> None:
    measure = ASPECTS[aspect]
    dev, staging, prod = (measure(planned(environment)) for environment in ENVIRONMENTS)
    assert prod > dev, f"{aspect}: prod has {prod}, dev {dev}"
    assert staging >= dev, f"{aspect}: staging has {staging}, dev {dev}"


def test_dev_costs_a_quarter_of_prod_at_most(planned: Planned) -> None:
    prices = cost.load_prices()
    dev, prod = (cost.estimate(planned(environment)["planned_values"], prices) for environment in ("dev", "prod"))
    assert not dev.unpriced | prod.unpriced
    assert 0 < dev.total <= prod.total / 4, f"dev {dev.total:.0f}, prod {prod.total:.0f} {prices['currency']}"


def test_the_documented_figures_are_the_estimates(planned: Planned) -> None:
    text = (REPOSITORY / "docs" / "aws.md").read_text()
    documented = {name: int(figure) for name, figure in re.findall(r"^\| (\w+) \| (\d+) USD \|", text, re.MULTILINE)}
    prices = cost.load_prices()
    totals = {name: cost.estimate(planned(name)["planned_values"], prices).total for name in ENVIRONMENTS}
    assert documented == {name: round(total) for name, total in totals.items()}


def test_prices_are_those_of_the_region(planned: Planned) -> None:
    for environment in ENVIRONMENTS:
        assert planned(environment)["variables"]["region"]["value"] == cost.load_prices()["region"]
