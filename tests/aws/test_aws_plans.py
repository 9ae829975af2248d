"""What holds in every environment, by its plan."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import resources
from tests.aws.harness.terraform import ENVIRONMENTS, ROOT
from tests.aws.harness.values import column, of_type

Planned = Callable[[str], dict[str, Any]]
Statement = Mapping[str, Any]
POLICIES = {
    "aws_iam_role": ("assume_role_policy",),
    "aws_iam_role_policy": ("policy",),
    "aws_kms_key": ("policy",),
    "aws_s3_bucket_policy": ("policy",),
    "aws_sns_topic_policy": ("policy",),
}
READING = ("Describe", "Get", "List", "BatchGet", "BatchCheck", "Decrypt")
everywhere = pytest.mark.parametrize("environment", ENVIRONMENTS)


@everywhere
def test_the_network_is_as_asked_for(environment: str, planned: Planned) -> None:
    plan = planned(environment)
    assert column(plan, "aws_vpc", "cidr_block") == ["10.0.0.0/16"]
    subnets = [ipaddress.ip_network(cidr) for cidr in column(plan, "aws_subnet", "cidr_block")]
    assert len(subnets) == 4
    assert len(set(column(plan, "aws_subnet", "availability_zone"))) == 2
    assert all(not one.overlaps(other) for at, one in enumerate(subnets) for other in subnets[:at])
    assert len(of_type(plan, "aws_security_group")) == 5
    assert len(of_type(plan, "aws_internet_gateway")) == 1
    assert of_type(plan, "aws_nat_gateway")


@everywhere
def test_the_internet_reaches_the_edge_alone(environment: str, planned: Planned) -> None:
    rules = of_type(planned(environment), "aws_vpc_security_group_ingress_rule")
    open_rules = {address for address, rule in rules.items() if rule.get("cidr_ipv4") or rule.get("cidr_ipv6")}
    assert open_rules == {
        'module.network.aws_vpc_security_group_ingress_rule.this["edge_https"]',
        'module.network.aws_vpc_security_group_ingress_rule.this["edge_http"]',
    }


@everywhere
def test_the_parts_are_of_the_size_asked_for(environment: str, planned: Planned) -> None:
    plan = planned(environment)
    [database] = of_type(plan, "aws_db_instance", "module.database.aws_db_instance.this").values()
    [cache] = of_type(plan, "aws_elasticache_replication_group").values()
    assert (database["engine"], database["engine_version"]) == ("postgres", "15")
    assert (cache["engine"], cache["node_type"]) == ("redis", "cache.t3.micro")
    assert cache["engine_version"].startswith("7.")
    assert column(plan, "aws_autoscaling_group", "min_size") == [2]
    if environment != "dev":
        assert (database["instance_class"], database["multi_az"], database["backup_retention_period"]) == (
            "db.t3.medium",
            True,
            7,
        )


@everywhere
def test_everything_is_tagged(environment: str, planned: Planned) -> None:
    tagged = [row for row in resources(planned(environment)["planned_values"]) if "tags_all" in row["values"]]
    assert len(tagged) > 30
    for row in tagged:
        tags = row["values"]["tags_all"] or {}
        assert tags.get("Environment") == environment, row["address"]
        assert tags.get("Platform") == f"chat-{environment}", row["address"]


@everywhere
def test_no_value_of_a_secret_is_in_the_plan(environment: str, planned: Planned) -> None:
    """Only what AWS makes or the rotation writes: nothing that sets a value."""
    plan = planned(environment)
    assert not of_type(plan, "aws_secretsmanager_secret_version")
    for name in ("password", "auth_token"):
        for row in resources(plan["planned_values"]):
            assert not row["values"].get(name), row["address"]


def statements(plan: Mapping[str, Any]) -> Iterator[tuple[str, Statement]]:
    """Of every policy in the plan; each is known before anything is made."""
    for row in resources(plan["planned_values"]):
        for name in POLICIES.get(row["type"], ()):
            document = row["values"].get(name)
            assert document, f"{row['address']}: {name} is not known when it is planned: name what it names by its name"
            policy = json.loads(document)
            assert policy["Version"] == "2012-10-17", row["address"]
            for statement in policy["Statement"]:
                yield row["address"], statement


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def is_wild(statement: Statement) -> bool:
    """It writes, and names everything."""
    if statement["Effect"] != "Allow" or "*" not in listed(statement.get("Resource")):
        return False
    actions = [action.partition(":")[2] for action in listed(statement["Action"])]
    return not all(action.startswith(READING) for action in actions)


def test_each_wildcard_has_a_written_reason(planned: Planned) -> None:
    reasons = yaml.safe_load((ROOT / "wildcards.yml").read_text())
    wild = {
        statement["Sid"]
        for environment in ENVIRONMENTS
        for _at, statement in statements(planned(environment))
        if is_wild(statement)
    }
    assert wild == set(reasons)
    assert all(len(reason) > 20 for reason in reasons.values())


@everywhere
def test_policies_say_what_they_are_for_and_let_nobody_in_unnamed(environment: str, planned: Planned) -> None:
    for address, statement in statements(planned(environment)):
        assert statement.get("Sid"), f"{address}: a statement without a name"
        assert not statement.get("NotAction"), address
        principal = statement.get("Principal", {})
        if statement["Effect"] == "Allow":
            assert principal != "*", f"{address}: {statement['Sid']} lets everybody"
            assert "*" not in listed(dict(principal).get("AWS")), f"{address}: {statement['Sid']} lets everybody"
            assert "*" not in listed(statement["Action"]), f"{address}: {statement['Sid']} allows everything"


@everywhere
def test_administrators_need_mfa_and_the_pipeline_its_repository(environment: str, planned: Planned) -> None:
    found = {statement["Sid"]: statement for _address, statement in statements(planned(environment))}
    assert found["PeopleWithMfa"]["Condition"]["Bool"] == {"aws:MultiFactorAuthPresent": "true"}
    issuer = "token.actions.githubusercontent.com"
    assert found["JobsOfTheRepository"]["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": f"repo:example/platform:environment:{environment}",
        }
    }


@everywhere
def test_buckets_refuse_what_comes_without_tls(environment: str, planned: Planned) -> None:
    plan = planned(environment)
    refusing = [statement for _address, statement in statements(plan) if statement["Sid"] == "OnlyByTls"]
    assert len(refusing) == len(of_type(plan, "aws_s3_bucket"))
    assert all(statement["Effect"] == "Deny" for statement in refusing)


@everywhere
def test_outputs_have_the_agreed_names(environment: str, planned: Planned) -> None:
    plan = planned(environment)
    outputs = plan["planned_values"]["outputs"]
    assert set(outputs) == {"hosts", "endpoints", "secrets", "settings"}
    assert not any(output.get("sensitive") for output in outputs.values())
    names = {"database", "cache", "cache_read", "edge", "registry"}
    more = {"staging": {"static"}, "prod": {"static", "database_replica1"}}
    assert endpoint_names(plan) == names | more.get(environment, set())


def endpoint_names(plan: Mapping[str, Any]) -> set[str]:
    change = plan["output_changes"]["endpoints"]
    return {*(change["after"] or {}), *(change["after_unknown"] if isinstance(change["after_unknown"], dict) else {})}
