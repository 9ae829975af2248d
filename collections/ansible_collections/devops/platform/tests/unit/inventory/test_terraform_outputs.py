"""What Terraform has made, as an inventory: names that stay, and shapes that are refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.platform import paths
from ansible_collections.devops.platform.plugins.module_utils.terraform_outputs import OutputsError, read
from ansible_collections.devops.platform.tests.unit.inventory.states import ESTATES, Element, address, elements, state
from ansible_collections.devops.platform.tests.unit.secrets.places import REGION, aws, credentials, reset  # noqa: F401

ROOT = paths.find_root(Path(__file__))
HOST = {"role": "app", "instance_id": "i-1", "private_ip": "10.0.0.4", "availability_zone": "eu-central-1a"}
DATABASE = {"kind": "postgresql", "host": "db.example", "port": 5432, "arn": "arn:db", "id": "db"}
OUTPUTS: dict[str, Any] = {
    "hosts": {
        "sensitive": False,
        "value": {"app-1": HOST, "mon1": {**HOST, "role": "monitoring", "instance_id": "i-2"}},
    },
    "endpoints": {"value": {"database": DATABASE}},
    "secrets": {"value": {"chat_database": "arn:secret", "database_administrator": None}},
    "password": {"sensitive": True, "value": "c4n4ry"},
}


def names(found: list[Element]) -> dict[str, str]:
    """`{identifier: name}` of hosts and endpoints; identifiers hold the address."""
    estate = read(state(found))
    hosts = {f"host {host.instance_id}": host.name for host in estate.hosts}
    return {**hosts, **{f"endpoint {row['id']}": name for name, row in estate.endpoints.items()}}


@given(ESTATES, st.data())
@settings(max_examples=300, deadline=None)
def test_what_comes_or_goes_renames_nothing_else(found, data):
    before = names(found)
    assert len(set(before.values())) == len(before)
    newcomer = data.draw(elements().filter(lambda element: address(element) not in {address(old) for old in found}))
    with_newcomer = names(data.draw(st.permutations([*found, newcomer])))
    assert {key: name for key, name in with_newcomer.items() if key in before} == before
    if found:
        gone = data.draw(st.sampled_from(found))
        kept = names([element for element in found if element != gone])
        assert all(before[key] == name for key, name in kept.items())


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (((), "aws_instance", "mon", None), "mon-"),
        (((("compute", None),), "aws_instance", "host", "mon1"), "compute-host-mon1-"),
        (((("app", 0), ("pool", "eu.1")), "aws_instance", "this", 2), "app-0-pool-eu-1-this-2-"),
    ],
)
def test_names_can_be_read(element, expected):
    (name,) = names([element]).values()
    assert name.startswith(expected)
    assert len(name) == len(expected) + 8


def test_outputs_have_names_of_their_own():
    estate = read(OUTPUTS)
    assert [(host.name, host.role, host.instance_id) for host in estate.hosts] == [
        ("app-1", "app", "i-1"),
        ("mon1", "monitoring", "i-2"),
    ]
    assert estate.endpoints == {"database": DATABASE}
    assert estate.secrets == {"chat_database": "arn:secret"}


def test_the_outputs_of_a_state_come_before_what_is_in_it():
    document = {**state([((), "aws_instance", "x", None)]), "outputs": OUTPUTS}
    assert read(document) == read(OUTPUTS)


def test_endpoints_of_a_state():
    document = state([((), "aws_db_instance", "x", None), ((), "aws_lb", "y", None)])
    mysql = document["resources"][0]["instances"][0]["attributes"]
    found = read(document).endpoints
    assert sorted((row["kind"], row["host"], row["port"]) for row in found.values()) == [
        ("alb", "lb.example", 443),
        ("postgresql", "db.example", 5432),
    ]
    mysql["engine"] = "mysql"
    assert [row["kind"] for row in read(document).endpoints.values()] == ["alb"]


def test_what_waits_for_its_end_is_not_there():
    document = state([((), "aws_instance", "x", None)])
    document["resources"][0]["instances"][0]["deposed"] = "12345678"
    assert read(document).hosts == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "is no JSON object; write it with `terraform output -json`"),
        ({"version": 3, "resources": []}, "is a state of version 3; this reads version 4"),
        ({"hosts": {"value": []}}, "output 'hosts' is no map of names"),
        ({"hosts": {"value": {"a b": HOST}}}, "'a b' cannot be a host's name; use letters, digits"),
        ({"hosts": {"value": {"a": {**HOST, "role": ""}}}}, "output 'hosts': 'a' lacks role"),
        ({"hosts": {"value": {"a": None}}}, "'a' lacks role, instance_id, private_ip, availability_zone"),
        ({"endpoints": {"value": {"x": {"kind": "mysql"}}}}, "'x' has the kind 'mysql'; it may be postgresql, redis"),
        ({"endpoints": {"value": {"x": {**DATABASE, "host": None}}}}, "output 'endpoints': 'x' lacks host"),
    ],
)
def test_shapes_that_are_refused(document, said):
    with pytest.raises(OutputsError) as error:
        read(document)
    assert said in str(error.value)


def test_an_instance_without_a_role_is_named_by_its_address():
    document = state([((("m", 0),), "aws_instance", "x", "k")])
    document["resources"][0]["instances"][0]["attributes"]["tags_all"] = {}
    with pytest.raises(
        OutputsError, match=r'^module.m\[0\].aws_instance.x\["k"\]: .* lacks role \(its role is the tag'
    ):
        read(document)


def listed(folder: Path, lines: str, **environment: str) -> tuple[int, str, Any]:
    """(exit code, what was said, the inventory) of ansible-inventory."""
    import os

    (folder / "terraform.yml").write_text(f"plugin: devops.platform.terraform_outputs\n{lines}\n", encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "LAB_"))}
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-inventory", "-i", "terraform.yml", "--list"],
        cwd=folder,
        env={
            **kept,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "500",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr, json.loads(done.stdout) if done.returncode == 0 else {}


def test_the_inventory_of_a_file(tmp_path):
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS), encoding="utf-8")
    code, said, found = listed(tmp_path, "outputs: outputs.json")
    assert code == 0, said
    assert found["app"]["hosts"] == ["app-1"]
    variables = found["_meta"]["hostvars"]["mon1"]
    variables.pop("ansible_local", None)  # of newer releases of Ansible
    assert variables == {
        "ansible_host": "10.0.0.4",
        "availability_zone": "eu-central-1a",
        "ec2_instance_id": "i-2",
        "platform_address": "10.0.0.4",
        "platform_endpoints": {"database": DATABASE},
        "platform_secret_ids": {"chat_database": "arn:secret"},
    }
    assert "c4n4ry" not in json.dumps(found)


def test_the_inventory_of_a_bucket(tmp_path, aws, credentials):  # noqa: F811
    client = boto3.client("s3", region_name=REGION, endpoint_url=aws)
    client.create_bucket(Bucket="states", CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_object(Bucket="states", Key="prod/x.tfstate", Body=json.dumps(state([((), "aws_instance", "x", 0)])))
    lines = f"region: {REGION}\nendpoint: {aws}\nstate: s3://states/prod/"
    code, said, found = listed(tmp_path, f"{lines}x.tfstate")
    assert code == 0, said
    assert [name.rpartition("-")[0] for name in found["app"]["hosts"]] == ["x-0"]
    code, said, _found = listed(tmp_path, f"{lines}y.tfstate")
    assert code != 0
    assert "s3://states/prod/y.tfstate: s3 in eu-central-1: NoSuchKey" in said
    code, said, found = listed(tmp_path, f"{lines}y.tfstate\noptional: true")
    assert (code, list(found["_meta"]["hostvars"])) == (0, []), said
    reset(aws)


def test_terraform_is_asked(tmp_path):
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS), encoding="utf-8")
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncat {tmp_path}/outputs.json\n', encoding="utf-8")
    program.chmod(0o755)
    path = f"{program.parent}:/usr/bin:/bin"
    code, said, found = listed(tmp_path, "directory: .\nhosts: false", PATH=path)
    assert code == 0, said
    assert (tmp_path / "asked").read_text(encoding="utf-8") == f"-chdir={tmp_path} output -json -no-color\n"
    assert list(found["_meta"]["hostvars"]) == []
    program.write_text("#!/bin/sh\necho 'Error: not initialised' >&2\nexit 1\n", encoding="utf-8")
    code, said, _found = listed(tmp_path, "directory: .", PATH=path)
    assert code != 0
    assert f"terraform in {tmp_path}: Error: not initialised" in said


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("hosts: true", "name one of outputs, state, directory, not none"),
        ("outputs: a\nstate: b", "name one of outputs, state, directory, not outputs and state"),
        ("outputs: none.json", "none.json; run `terraform output -json` and write what it says there"),
    ],
)
def test_sources_that_are_refused(lines, said, tmp_path):
    code, output, _found = listed(tmp_path, lines)
    assert code != 0
    assert said in output
