"""inventories/{dev,staging,prod} beside an AWS of moto's with instances in it: hosts, endpoints, preflight, and what
differs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.platform.model import host_addresses
from ansible_collections.devops.platform.plugins.module_utils.platform.topology import edge_urls, firewall_rules
from ansible_collections.devops.platform.tests.unit.platform import example
from ansible_collections.devops.platform.tests.unit.secrets.places import REGION, aws, credentials, reset  # noqa: F401
from tools import REPOSITORY

ENVIRONMENTS = ("dev", "staging", "prod")
DIGEST = "0123456789abcdef" * 4
# Paths of platform.yml whose values differ; all others are the same in each environment.
DIFFERENT = {
    "environment",
    "hosts.upgrades",
    "images.locks",
    "data.redis.user",
    "monitoring.prometheus.retention_time",
    "monitoring.prometheus.retention_size",
    "slos.0.objective",
    "slos.0.window",
    "slos.1.window",
    "edge.server_name",
    "apps.chat.environment.LOG_LEVEL",
    "apps.chat.environment.SESSION_DAYS",
    "apps.chat.environment.REDIS_USERNAME",
    "rollout.waves",
    "rollout.parallel",
    "rollout.directory",
    "secrets.prefix",
    "secrets.directory",
}


def platform_of(environment: str) -> dict[str, Any]:
    path = REPOSITORY / "inventories" / environment / "group_vars/all/platform.yml"
    platform: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["platform"]
    return platform


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, str(number)))
    else:
        yield ".".join(path), value


def test_environments_differ_in_what_is_listed_and_in_nothing_else():
    found = {name: dict(leaves(platform_of(name))) for name in ENVIRONMENTS}
    assert len({frozenset(rows) for rows in found.values()}) == 1  # the same keys
    differing = {key for key in found["prod"] if len({str(rows[key]) for rows in found.values()}) > 1}
    assert differing == DIFFERENT


def test_prod_is_stricter():
    dev, prod = platform_of("dev"), platform_of("prod")
    assert prod["hosts"]["upgrades"] == "security"
    assert prod["slos"][0]["objective"] > dev["slos"][0]["objective"]
    assert prod["rollout"]["waves"][0] == 1
    assert dev["rollout"]["waves"] == ["100%"]
    assert prod["secrets"]["max_age"] == 90
    assert prod["monitoring"]["prometheus"]["scrape_interval"] == "15s"


def outputs(environment: str) -> dict[str, Any]:
    """As terraform/outputs.tf has them."""
    endpoints = {
        "database": ("postgresql", f"chat-{environment}.x.{REGION}.rds.amazonaws.com", 5432),
        "cache": ("redis", f"master.chat-{environment}.x.euc1.cache.amazonaws.com", 6379),
        "edge": ("alb", f"chat-{environment}-1.{REGION}.elb.amazonaws.com", 443),
    }
    rows = {
        name: {"kind": kind, "host": host, "port": port, "arn": f"arn:{name}", "id": name}
        for name, (kind, host, port) in endpoints.items()
    }
    return {
        "hosts": {"value": {}},
        "endpoints": {"value": rows},
        "secrets": {"value": {"chat_database": f"chat-{environment}/chat_database"}},
    }


@pytest.fixture
def repository(tmp_path: Path, aws: str, credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:  # noqa: F811
    """A copy of the inventories with what Terraform and the pipeline write, and an EC2 with three hosts of each."""
    shutil.copytree(REPOSITORY / "inventories", tmp_path / "inventories", ignore=shutil.ignore_patterns("lab"))
    (tmp_path / "ansible.cfg").write_text("", encoding="utf-8")
    client = boto3.client("ec2", region_name=REGION, endpoint_url=aws)
    versions = {
        "node_exporter": "1.9.0",
        "prometheus": "2.53.3",
        "alertmanager": "0.28.1",
        "redis_exporter": "1.69.0",
        "blackbox_exporter": "0.26.0",
    }
    artifacts = {
        name: {
            version: {"url": "https://up", "path": "p", "sha256": {"amd64": DIGEST}, "binaries": [name]},
        }
        for name, version in versions.items()
    }
    for folder in ("locks", "outputs"):
        (tmp_path / "inventories" / folder).mkdir()
    write(tmp_path / "inventories" / "locks" / "artifacts.yml", {"format": 1, "artifacts": artifacts})
    for environment in ENVIRONMENTS:
        write(tmp_path / "inventories" / "locks" / f"images-{environment}.yml", example.IMAGES)
        write(tmp_path / "inventories" / "outputs" / f"{environment}.json", outputs(environment))
        own = {"Platform": f"chat-{environment}", "Environment": environment}
        for tags in ({"Host": "mon1", "Role": "monitoring"}, *2 * [{"Group": "app", "Role": "app"}]):
            tagged = [{"Key": key, "Value": value} for key, value in {**tags, **own}.items()]
            client.run_instances(
                ImageId="ami-12c6146b",
                MinCount=1,
                MaxCount=1,
                TagSpecifications=[{"ResourceType": "instance", "Tags": tagged}],
            )
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    yield tmp_path
    reset(aws)


def write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data), encoding="utf-8")


def run(repository: Path, program: str, *arguments: str) -> tuple[int, str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "LAB_"))}
    done = subprocess.run(
        [Path(sys.executable).parent / program, *arguments],
        cwd=repository,
        env={**kept, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "COLUMNS": "500"},
        capture_output=True,
        text=True,
        timeout=90,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_terraform_makes_an_entry_for_each_secret(environment):
    text = (REPOSITORY / "terraform/environments" / environment / "terraform.tfvars").read_text(encoding="utf-8")
    block = text.partition("\n  entries = {\n")[2].partition("\n  }\n")[0]
    entries = [line.split()[0] for line in block.splitlines()]
    names = platform_of(environment)["secrets"]["names"]
    # Parts are of others, and the database's administrator is made by RDS.
    assert entries == [name for name, given in names.items() if given and "of" not in given]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_hosts_come_from_tags_and_endpoints_from_terraform(repository, environment):
    code, output, said = run(repository, "ansible-inventory", "-i", f"inventories/{environment}", "--list")
    assert code == 0, said
    found = json.loads(output, object_hook=lambda value: value.get("__ansible_unsafe", value))
    hostvars = found["_meta"]["hostvars"]
    assert found["monitoring"]["hosts"] == ["mon1"]
    assert len(found["app"]["hosts"]) == 2
    for host in found["app"]["hosts"]:
        assert host == f"app-{hostvars[host]['ec2_instance_id'].removeprefix('i-')[:8]}"
        assert hostvars[host]["platform_address"] == hostvars[host]["ec2_private_ip_address"]
        assert hostvars[host]["ansible_aws_ssm_bucket_name"] == f"chat-{environment}-transfer"
    assert hostvars["mon1"]["platform_secret_ids"] == {"chat_database": f"chat-{environment}/chat_database"}

    groups = {"all": list(hostvars), "app": found["app"]["hosts"], "monitoring": ["mon1"]}
    addresses = host_addresses(hostvars)
    platform = platform_of(environment)
    assert edge_urls(platform, groups, addresses) == {
        "edge": f"https://chat-{environment}-1.{REGION}.elb.amazonaws.com"
    }
    rules = {rule["port"]: rule["sources"] for rule in firewall_rules(platform, groups["app"][0], groups, addresses)}
    assert {"10.0.0.0/24", "10.0.1.0/24"} <= set(rules[5000])
    assert 5432 not in rules


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_preflight_finds_no_mistake(repository, environment):
    playbook = str(REPOSITORY / "playbooks" / "preflight.yml")
    code, output, said = run(repository, "ansible-playbook", "-i", f"inventories/{environment}", playbook)
    assert code == 0, output + said
    assert "WARNING" not in said + output


def test_preflight_says_which_endpoint_terraform_has_not_made(repository):
    rows = outputs("prod")
    del rows["endpoints"]["value"]["cache"]
    write(repository / "inventories" / "outputs" / "prod.json", rows)
    playbook = str(REPOSITORY / "playbooks" / "preflight.yml")
    code, output, said = run(repository, "ansible-playbook", "-i", "inventories/prod", playbook)
    assert code == 2
    assert (
        "platform.data.redis.endpoint: the inventory has no endpoint 'cache'; there is database, edge" in output + said
    )
    assert "@endpoint(cache): the inventory has no endpoint 'cache'" in output + said


def test_a_rotation_says_what_it_would_do(repository, aws):  # noqa: F811
    """As after the first apply: Terraform has made entries without values. One of them has been given one since."""
    client = boto3.client("secretsmanager", region_name=REGION, endpoint_url=aws)
    for name in ("chat_database", "chat_redis", "chat_session", "chat_verify"):
        client.create_secret(Name=f"chat-prod/{name}")
    client.put_secret_value(SecretId="chat-prod/chat_redis", SecretString="c4n4ry")
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
    playbook = str(REPOSITORY / "playbooks" / "rotate_secrets.yml")
    code, output, said = run(
        repository, "ansible-playbook", "-i", "inventories/prod", playbook, "--check", "-e", json.dumps(here)
    )
    assert code == 0, output + said
    told = " ".join(output.split())
    assert "chat_database (postgresql, unknown of 90 days old): stage, promote" in told
    assert "chat_redis (redis, 0 of 90 days old): nothing to do" in told
    assert "chat_verify (no value yet): stage, promote" in told
    assert "database_administrator" not in told
    assert "c4n4ry" not in output + said
    code, output, said = run(
        repository, "ansible-playbook", "-i", "inventories/prod", playbook, "--limit", "mon1", "-e", json.dumps(here)
    )
    assert code == 2
    assert "A rotation concerns all hosts; run it without --limit. Nothing was touched." in output + said
