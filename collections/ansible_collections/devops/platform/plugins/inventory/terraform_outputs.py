# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Terraform has made, as an inventory: a shim, the decisions are in module_utils/terraform_outputs.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: terraform_outputs
short_description: Hosts and endpoints that Terraform has made
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - Reads the outputs C(hosts), C(endpoints) and C(secrets) of Terraform, from what C(terraform output -json) has
    written, from a state, or from C(terraform) itself. Other outputs are not looked at.
  - >-
    C(hosts) is C({name: {role, instance_id, private_ip, availability_zone}}). Each is a host of the group that its role
    names, with the variables C(platform_address), C(ansible_host), C(ec2_instance_id) and C(availability_zone).
  - >-
    C(endpoints) is C({name: {kind, host, port, arn, id}}) and becomes the variable C(platform_endpoints) of all hosts;
    C(platform.yml) names them, and C(@endpoint(NAME)) stands for their address.
  - >-
    C(secrets) is C({name: ARN}) and becomes C(platform_secret_ids), which the lookup P(devops.platform.secret#lookup)
    reads.
  - Where a state has no such outputs, instances and endpoints are found in it, and are called after their address
    there. Such a name stays, whatever else is added or removed, with C(count), C(for_each) and nested modules as
    well.
options:
  plugin:
    description: Token that makes sure this file is a source of this plugin.
    type: str
    required: true
    choices: [devops.platform.terraform_outputs]
  outputs:
    description:
      - File that C(terraform output -json) has written.
      - A relative path starts at the inventory file's directory, as all of them here.
    type: str
  state:
    description: File with the state, or C(s3://BUCKET/KEY).
    type: str
  directory:
    description: Directory of a configuration of Terraform that is initialised; C(terraform output -json) is run there.
    type: str
  region:
    description: Region of the bucket.
    type: str
  profile:
    description: Profile of the configuration of AWS.
    type: str
  endpoint:
    description: Another address of S3 than AWS's own.
    type: str
  hosts:
    description: Whether hosts are taken from here. V(false) where P(amazon.aws.aws_ec2#inventory) finds them.
    type: bool
    default: true
  optional:
    description: Whether it is no mistake that nothing was written yet. There are no hosts then.
    type: bool
    default: false
notes:
  - One of O(outputs), O(state) and O(directory) says where to look.
"""

EXAMPLES = r"""
# inventories/prod/terraform.yml: after `terraform output -json > inventories/outputs/prod.json`
plugin: devops.platform.terraform_outputs
outputs: ../outputs/prod.json
---
# the state in a bucket; who may read it can read everything in it
plugin: devops.platform.terraform_outputs
state: s3://example-terraform-state/prod.tfstate
region: eu-central-1
hosts: false
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.template import trust_as_template

from ansible_collections.devops.platform.plugins.module_utils.secrets.aws import client, explained
from ansible_collections.devops.platform.plugins.module_utils.secrets.backend import BackendError
from ansible_collections.devops.platform.plugins.module_utils.terraform_outputs import Estate, OutputsError, read

SOURCES = ("outputs", "state", "directory")
MINUTES = 2


def _plain(value: Any) -> Any:
    """Texts that Ansible lists as they are and not as {"__ansible_unsafe": …}: those that can be no template."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return trust_as_template(value) if isinstance(value, str) and "{" not in value else value


class InventoryModule(BaseInventoryPlugin):
    NAME = "devops.platform.terraform_outputs"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(("terraform.yml", "terraform.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        given = [name for name in SOURCES if self.get_option(name)]
        if len(given) != 1:
            raise AnsibleParserError(f"{path}: name one of {', '.join(SOURCES)}, not {' and '.join(given) or 'none'}")
        where, text = self._source(Path(path).resolve().parent)
        if text is None:
            return
        try:
            estate = read(json.loads(text))
        except OutputsError as error:
            raise AnsibleParserError(f"{where}: {error}") from error
        except ValueError as error:
            raise AnsibleParserError(f"{where} is no JSON: {error}; write it with `terraform output -json`") from error
        self._fill(inventory, estate)

    def _fill(self, inventory: Any, estate: Estate) -> None:
        inventory.set_variable("all", "platform_endpoints", _plain(estate.endpoints))
        inventory.set_variable("all", "platform_secret_ids", _plain(estate.secrets))
        for host in estate.hosts if self.get_option("hosts") else ():
            group = inventory.add_group(self._sanitize_group_name(host.role))
            inventory.add_host(host.name, group=group)
            for name, value in (
                ("platform_address", host.private_ip),
                ("ansible_host", host.private_ip),
                ("ec2_instance_id", host.instance_id),
                ("availability_zone", host.availability_zone),
            ):
                inventory.set_variable(host.name, name, _plain(value))

    def _source(self, folder: Path) -> tuple[str, str | None]:
        """What was read, for messages, and its text; None where there is nothing and need not be."""
        state = self.get_option("state") or ""
        if state.startswith("s3://"):
            return state, self._object(state)
        if self.get_option("directory"):
            directory = (folder / self.get_option("directory")).resolve()
            return f"terraform output in {directory}", self._asked(directory)
        file = (folder / (self.get_option("outputs") or state)).resolve()
        try:
            return str(file), file.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            if self.get_option("optional"):
                return str(file), None
            advice = "run `terraform output -json` and write what it says there, or use another source"
            raise AnsibleParserError(f"there is no {file}; {advice}") from error
        except OSError as error:
            raise AnsibleParserError(f"{file}: {error.strerror or error}") from error

    def _object(self, url: str) -> str | None:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        settings = {name: self.get_option(name) for name in ("region", "profile", "endpoint")}
        try:
            connection = client("s3", settings)
            with explained("s3", settings, "s3:GetObject"):
                try:
                    return connection.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
                except connection.exceptions.NoSuchKey:
                    if self.get_option("optional"):
                        return None
                    raise
        except BackendError as error:
            raise AnsibleParserError(f"{url}: {error}") from error

    def _asked(self, directory: Path) -> str:
        command = ["terraform", f"-chdir={directory}", "output", "-json", "-no-color"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60 * MINUTES)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AnsibleParserError(
                f"terraform in {directory}: {error}; install it, or name a file with its outputs"
            ) from error
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            raise AnsibleParserError(f"terraform in {directory}: {' '.join(said[:4])}")
        return done.stdout
