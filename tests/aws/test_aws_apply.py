"""All of dev against moto's server: made, found as described, changed behind our back, and gone without a trace.

Left out are the parts that moto lacks, by the variable `without`, and what it forgets of the others stands in FORGETS:
docs/aws.md says how these are covered instead.
"""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.terraform.masking import differences
from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import Plan, parse_plan
from ansible_collections.devops.platform.plugins.module_utils.terraform.summary import drifted
from tests.aws.harness.moto import IMAGE, Moto
from tests.aws.harness.playbook import Playbook
from tests.aws.harness.terraform import ROOT

WITHOUT = ("cache", "backup")
# type → attributes that moto does not give back as they were given.
FORGETS = {
    "aws_autoscaling_group": {"launch_template"},  # a new version of what it says next
    "aws_autoscaling_policy": {"enabled"},
    "aws_db_instance": {
        "performance_insights_enabled",
        "performance_insights_kms_key_id",
        "performance_insights_retention_period",
    },
    "aws_db_parameter_group": {"parameter"},
    "aws_launch_template": {"tag_specifications", "default_version", "latest_version"},
    "aws_vpc_security_group_egress_rule": {"description"},  # of rules between groups
    "aws_vpc_security_group_ingress_rule": {"description"},
}
pytestmark = pytest.mark.timeout(2400)


@pytest.fixture(scope="module")
def applied(moto: Moto, tmp_path_factory: pytest.TempPathFactory) -> Playbook:
    moto.reset()
    folder = tmp_path_factory.mktemp("dev")
    environments = folder / "environments"
    shutil.copytree(ROOT / "environments", environments)
    image = ", ".join(f'{name} = "{value}"' for name, value in IMAGE.items())
    parts = ", ".join(f'"{part}"' for part in WITHOUT)
    with (environments / "dev" / "terraform.tfvars").open("a") as stream:
        stream.write(f"\nami = {{ {image} }}\nwithout = [{parts}]\n")
    playbook = Playbook(folder, moto.environment, ROOT, {"terraform_environments": str(environments)})
    playbook.apply().done()
    return playbook


def plan(playbook: Playbook) -> Plan:
    playbook.run().done()
    return parse_plan(playbook.terraform().show(playbook.work / "dev" / "apply.tfplan"))


def unexplained(found: Plan) -> dict[str, list[Any]]:
    """What is left of a plan without what moto forgets."""
    left = {}
    for change in found.of("create", "change", "replace", "destroy"):
        forgets = FORGETS.get(change.type, set())
        rows = [row for row in differences(change) if row[0].split("[")[0].split(".")[0] not in forgets]
        if rows or change.action != "change":
            left[change.address] = rows
    return left


def test_outputs_are_as_agreed(applied: Playbook) -> None:
    outputs = applied.outputs()
    hosts = outputs["hosts"]
    assert len(hosts) == 3
    assert hosts["mon1"]["role"] == "monitoring"
    assert sorted(host["role"] for host in hosts.values()) == ["app", "app", "monitoring"]
    for name, host in hosts.items():
        assert set(host) == {"role", "instance_id", "private_ip", "availability_zone"}, name
        assert host["instance_id"].startswith("i-"), name
        assert host["private_ip"].startswith("10.0."), name
        assert host["availability_zone"] in ("eu-central-1a", "eu-central-1b"), name
    kinds = {"database": "postgresql", "edge": "alb", "registry": "ecr"}
    assert {name: endpoint["kind"] for name, endpoint in outputs["endpoints"].items()} == kinds
    for name, endpoint in outputs["endpoints"].items():
        assert set(endpoint) == {"kind", "host", "port", "arn", "id"}, name
        assert all(endpoint.values()), name
    assert set(outputs["secrets"]) >= {"chat_database", "chat_redis", "chat_session"}


def test_planned_again_nothing_changes(applied: Playbook) -> None:
    assert unexplained(plan(applied)) == {}


def test_no_value_of_a_secret_is_in_the_state(applied: Playbook) -> None:
    text = applied.terraform().run("state", "pull").stdout
    assert '"secret_string"' not in text
    assert '"auth_token"' not in text


def test_what_others_change_is_found(applied: Playbook, moto: Moto) -> None:
    secrets = moto.client("secretsmanager")
    [secret] = [row for row in secrets.list_secrets()["SecretList"] if row["Name"] == "chat-dev/chat_session"]
    secrets.update_secret(SecretId=secret["ARN"], Description="Changed by hand")
    moto.client("sns").delete_topic(TopicArn=applied.outputs()["settings"]["alarms"])
    found = plan(applied)
    assert drifted(found)['module.secrets.aws_secretsmanager_secret.this["chat_session"]'] == [
        ("description", '"Key that signs the chat\'s tokens"', '"Changed by hand"')
    ]
    assert drifted(found)["module.observability.aws_sns_topic.alarms"] == []
    assert 'module.secrets.aws_secretsmanager_secret.this["chat_session"]' in unexplained(found)
    applied.apply().done("Changed by hand", "module.observability.aws_sns_topic.alarms: is gone")
    assert unexplained(plan(applied)) == {}


def test_destroyed_nothing_is_left(applied: Playbook, moto: Moto) -> None:
    applied.apply("-e", "destroy=dev").done()
    assert applied.terraform().state() == []
    ec2 = moto.client("ec2")
    assert not [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    states = [host["State"]["Name"] for row in ec2.describe_instances()["Reservations"] for host in row["Instances"]]
    assert set(states) <= {"terminated"}
    assert not moto.client("rds").describe_db_instances()["DBInstances"]
    assert not moto.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert not moto.client("ecr").describe_repositories()["repositories"]
    assert not moto.client("secretsmanager").list_secrets()["SecretList"]
    assert [row["Name"] for row in moto.client("s3").list_buckets()["Buckets"]] == ["chat-terraform-state"]
    roles = [row["RoleName"] for row in moto.client("iam").list_roles()["Roles"]]
    assert not [name for name in roles if name.startswith("chat-")]
