# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Terraform has made, as an inventory: hosts, endpoints and ARNs of secrets, from its outputs or its state.

Outputs bear names that Terraform's configuration gives. Where it gives none, hosts and endpoints are found in the
state, and are called after their address there, and nothing else: whatever else comes or goes, a name stays.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

KINDS = ("postgresql", "redis", "alb", "ecr", "eks", "s3")
OUTPUTS = ("hosts", "endpoints", "secrets")
STATE_VERSION = 4
LONGEST = 48  # of what is readable in a name; a label of DNS has 63 characters, and a digest follows
# Type in the state -> kind of endpoint, the attributes that are its host and its port, and the port where none is.
RESOURCES: dict[str, tuple[str, tuple[str, ...], str, int | None]] = {
    "aws_db_instance": ("postgresql", ("address",), "port", 5432),
    "aws_elasticache_replication_group": (
        "redis",
        ("primary_endpoint_address", "configuration_endpoint_address"),
        "port",
        6379,
    ),
    "aws_lb": ("alb", ("dns_name",), "", 443),
    "aws_ecr_repository": ("ecr", ("repository_url",), "", 443),
    "aws_eks_cluster": ("eks", ("endpoint",), "", 443),
    "aws_s3_bucket": ("s3", ("bucket_regional_domain_name",), "", 443),
}
INSTANCE = "aws_instance"
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


class OutputsError(ValueError):
    """What Terraform gave cannot be an inventory; says what and where."""


@dataclass(frozen=True)
class Host:
    name: str
    role: str
    instance_id: str
    private_ip: str
    availability_zone: str


@dataclass
class Estate:
    """`endpoints` is `{name: {kind, host, port, arn, id}}`, `secrets` `{purpose: ARN}`."""

    hosts: list[Host] = field(default_factory=list)
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


def read(document: Any) -> Estate:
    """From `terraform output -json`, or from a state. OutputsError where it is neither."""
    if not isinstance(document, Mapping):
        raise OutputsError("is no JSON object; write it with `terraform output -json`")
    if "terraform_version" in document or "resources" in document:
        if document.get("version") != STATE_VERSION:
            raise OutputsError(f"is a state of version {document.get('version')}; this reads version {STATE_VERSION}")
        resources = document.get("resources") or []
        outputs = _values(document.get("outputs") or {})
    else:
        resources, outputs = [], _values(document)
    estate = Estate(secrets={str(name): str(arn) for name, arn in (outputs.get("secrets") or {}).items() if arn})
    estate.hosts = _hosts(outputs["hosts"]) if "hosts" in outputs else _found_hosts(resources)
    given = outputs["endpoints"] if "endpoints" in outputs else _found_endpoints(resources)
    estate.endpoints = {name: _endpoint(name, given[name]) for name in sorted(given)}
    _distinct(estate.hosts)
    return estate


def _values(outputs: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The values of the outputs that are ours. Others are nobody's business here: some may be secret."""
    found = {}
    for name in OUTPUTS:
        if name not in outputs:
            continue
        output = outputs[name]
        value = output.get("value") if isinstance(output, Mapping) else None
        if not isinstance(value, Mapping):
            raise OutputsError(f"output '{name}' is no map of names; docs/secrets.md shows its shape")
        found[name] = value
    return found


def _hosts(given: Mapping[str, Any]) -> list[Host]:
    return [_host(str(name), given[name]) for name in sorted(given)]


def _host(name: str, row: Any) -> Host:
    if not NAME.fullmatch(name):
        raise OutputsError(f"output 'hosts': '{name}' cannot be a host's name; use letters, digits, '-', '_' and '.'")
    wanted = ("role", "instance_id", "private_ip", "availability_zone")
    lacking = [key for key in wanted if not (isinstance(row, Mapping) and row.get(key))]
    if lacking:
        raise OutputsError(f"output 'hosts': '{name}' lacks {', '.join(lacking)}")
    return Host(name, *(str(row[key]) for key in wanted))


def _endpoint(name: str, row: Any) -> dict[str, Any]:
    kind = row.get("kind") if isinstance(row, Mapping) else None
    if kind not in KINDS:
        raise OutputsError(f"output 'endpoints': '{name}' has the kind '{kind}'; it may be {', '.join(KINDS)}")
    if not row.get("host"):
        raise OutputsError(f"output 'endpoints': '{name}' lacks host")
    port = row.get("port")
    return {
        "kind": str(kind),
        "host": str(row["host"]),
        "port": int(port) if port else None,
        "arn": str(row.get("arn") or ""),
        "id": str(row.get("id") or ""),
    }


def _distinct(hosts: Sequence[Host]) -> None:
    seen: dict[str, str] = {}
    for host in hosts:
        other = seen.setdefault(host.name, host.instance_id)
        if other != host.instance_id:
            raise OutputsError(f"two hosts are called '{host.name}': {other} and {host.instance_id}")


@dataclass(frozen=True)
class Instance:
    """One instance of a managed resource. `address` is Terraform's: module.a["x"].aws_instance.b[0]."""

    kind: str
    address: str
    words: tuple[str, ...]
    attributes: Mapping[str, Any]

    @property
    def name(self) -> str:
        return called(self.words, self.address)


def instances(resources: Sequence[Any]) -> Iterator[Instance]:
    for resource in resources:
        if resource.get("mode") != "managed":
            continue
        kind, module = str(resource.get("type")), str(resource.get("module") or "")
        for found in resource.get("instances") or ():
            if found.get("deposed"):
                continue  # about to go; the one in its place has the same address
            key = found.get("index_key")
            index = "" if key is None else f"[{json.dumps(key)}]"
            address = ".".join(filter(None, (module, kind, f"{resource.get('name')}{index}")))
            last = [str(resource.get("name")), *([] if key is None else [str(key)])]
            words = (*_module_words(module), *last)
            yield Instance(kind, address, words, found.get("attributes") or {})


def _module_words(module: str) -> list[str]:
    """`module.a["x"].module.b[0]` → a, x, b, 0; keys may hold dots and brackets."""
    return [
        word
        for match in re.finditer(r'module\.([A-Za-z0-9_-]+)(?:\[(?:"((?:[^"\\]|\\.)*)"|(\d+))\])?', module)
        for word in match.groups()
        if word is not None
    ]


def called(words: Sequence[str], address: str) -> str:
    """A name that follows from the address alone. Its words are for people; what makes it unique is the digest, as
    different addresses may have the same words."""
    readable = "-".join(filter(None, (re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in words)))
    digest = hashlib.sha256(address.encode()).hexdigest()[:8]
    return f"{readable[:LONGEST].strip('-') or 'host'}-{digest}"


def _found_hosts(resources: Sequence[Any]) -> list[Host]:
    hosts = []
    for found in instances(resources):
        if found.kind != INSTANCE:
            continue
        tags = found.attributes.get("tags_all") or found.attributes.get("tags") or {}
        row = {**found.attributes, "role": tags.get("Role"), "instance_id": found.attributes.get("id")}
        try:
            hosts.append(_host(found.name, row))
        except OutputsError as error:
            raise OutputsError(
                f"{found.address}: {str(error).partition(': ')[2]} (its role is the tag Role)"
            ) from error
    return sorted(hosts, key=lambda host: host.name)


def _found_endpoints(resources: Sequence[Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for instance in instances(resources):
        if instance.kind not in RESOURCES:
            continue
        kind, hosts, port, default = RESOURCES[instance.kind]
        attributes = instance.attributes
        host = next((str(attributes[name]) for name in hosts if attributes.get(name)), "")
        if kind == "postgresql" and attributes.get("engine", "postgres") != "postgres":
            continue
        if host:
            found[instance.name] = {
                "kind": kind,
                "host": host.removeprefix("https://").partition("/")[0] if kind == "eks" else host,
                "port": attributes.get(port) or default,
                "arn": attributes.get("arn"),
                "id": attributes.get("id"),
            }
    return found
