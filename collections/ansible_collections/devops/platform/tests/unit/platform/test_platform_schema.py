"""The schema describes what is read: no key that nothing reads, no reading of a key that it lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.alerting import config
from ansible_collections.devops.platform.plugins.module_utils.alerting.settings import SEVERITIES
from ansible_collections.devops.platform.plugins.module_utils.awx import desired
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import settings as elasticsearch_settings
from ansible_collections.devops.platform.plugins.module_utils.kubernetes import resources
from ansible_collections.devops.platform.plugins.module_utils.logging import shipper
from ansible_collections.devops.platform.plugins.module_utils.monitoring import slo, storage
from ansible_collections.devops.platform.plugins.module_utils.platform import compose, paths, secrets, shape, topology
from ansible_collections.devops.platform.plugins.module_utils.platform.checks import names, objectives, pins
from ansible_collections.devops.platform.plugins.module_utils.platform.checks import secrets as secret_checks
from ansible_collections.devops.platform.plugins.module_utils.platform.checks.context import Context, Pins
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.roles import placement
from ansible_collections.devops.platform.plugins.module_utils.secrets import aws, vault
from ansible_collections.devops.platform.plugins.module_utils.secrets.backend import Record
from ansible_collections.devops.platform.plugins.module_utils.secrets.read import Reader
from ansible_collections.devops.platform.tests.unit.alerting import documented
from ansible_collections.devops.platform.tests.unit.awx import known
from ansible_collections.devops.platform.tests.unit.elasticsearch import documented as documented_logging
from ansible_collections.devops.platform.tests.unit.platform import example

FOLDER = Path(shape.__file__).parent
SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
ROOT = paths.find_root(FOLDER)
# Read by plugins that need Ansible to run.
ELSEWHERE = {
    "artifacts.locks": "action/component.py",
    "artifacts.sources": "action/component.py",
    "images.locks": "lookup/images.py",
    **{
        f"rollout.{name}": "module_utils/rollout/settings.py"
        for name in ("waves", "parallel", "settle", "directory", "keep", "gate", "gate.window", "gate.interval")
    },
    # Each objective is passed on to the gate as a whole.
    "rollout.gate.objectives": "module_utils/rollout/settings.py",
}

CLUSTER = """\
  kubernetes:
    namespaces:
      a:
        quota: {pods: 1}
        limits: {min: {cpu: 1, memory: 1}, default_request: {cpu: 1}, default: {cpu: 1}, max: {cpu: 1}}
        allow: {b: {from: {namespace: a, app: b}, ports: [1]}, c: {to: {namespace: a}}, d: {to: {cidr: 192.0.2.0/24}}}
    roles: {admin: {groups: [a]}, developer: {groups: [a]}, ci-cd: {users: [a]}, read-only: {accounts: [a/b]}}
    certificates: {issuer: a, server: "https://a", email: a@b}
    node_autoscaling: {cluster: a, region: b, role: c}
"""


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in node:
        return {**SCHEMA["$defs"][node["$ref"].rpartition("/")[2]], **node}
    return node


def keys(node: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path of the schema; * stands for names that the user chooses."""
    node = resolved(node)
    for name, child in node.get("properties", {}).items():
        yield (*path, name)
        yield from keys(child, (*path, name))
    for child in node.get("patternProperties", {}).values():
        yield from keys(child, (*path, "*"))
    if "items" in node:
        yield from keys(node["items"], path)


class Recorder(Mapping[str, Any]):
    """A mapping that notes what is asked of it, by path of the schema."""

    def __init__(self, data: Mapping[str, Any], node: Mapping[str, Any], path: tuple[str, ...], seen: set[str]) -> None:
        self.data, self.node, self.path, self.seen = data, resolved(node), path, seen

    def __getitem__(self, key: str) -> Any:
        named = self.node.get("properties", {})
        child: Mapping[str, Any] = named.get(key) or next(iter(self.node.get("patternProperties", {}).values()), {})
        path = (*self.path, key if key in named else "*")
        self.seen.add(".".join(path))  # Mapping.get comes here, too: noted even where the example lacks the key
        return self._wrapped(self.data[key], child, path)

    def _wrapped(self, value: Any, node: Mapping[str, Any], path: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [self._wrapped(item, resolved(node).get("items", {}), path) for item in value]
        return Recorder(value, node, path, self.seen) if isinstance(value, dict) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


def read_by_code() -> set[str]:
    seen: set[str] = set()
    platform = Recorder(example.data(), SCHEMA["properties"]["platform"], (), seen)
    groups, addresses = example.GROUPS, example.ADDRESSES
    for host in groups["all"]:
        topology.firewall_rules(platform, host, groups, addresses)
        placement.phase_groups(platform, host, groups)
    topology.scrape_jobs(platform, groups, addresses)
    probed = (
        "    exporters: {blackbox: {version: '1'}}\n"
        "    probes: {a: {tls: 'b:1'}}\n"
        "    kubernetes: {a: {api_server: 'https://k', token: t, ca: c, kubelets: {}}}\n"
        "    targets:\n"
    )
    with_probes = Recorder(example.data(("    targets:\n", probed)), SCHEMA["properties"]["platform"], (), seen)
    topology.scrape_jobs(with_probes, groups, addresses)
    backup = ("retention_size: 5GB", "backup: {directory: /backup}")
    storage.prometheus_backup(Recorder(example.data(backup), SCHEMA["properties"]["platform"], (), seen))
    topology.alertmanagers(platform, groups, addresses)
    topology.edge_routes(platform, groups, addresses)
    compose.compose_project(platform, "chat", "app1", groups, addresses, example.IMAGES["images"])
    compose.app_probes(platform, "chat", "app1", addresses)
    for journey in ("chat", "http"):
        with_it = example.data(("journey: chat", f"journey: {journey}"))
        placement.app_journeys(Recorder(with_it, SCHEMA["properties"]["platform"], (), seen), journey, groups)
    timing: dict[str, Any] = {
        "timing": {name: {} for name in SEVERITIES}
    }  # of the page's form, which does not change all of them
    alerting = Recorder(
        documented.platform({**documented.alerting(), **timing}), SCHEMA["properties"]["platform"], (), seen
    )
    config.alertmanager_config(alerting)
    topology.alertmanager_cluster(platform, "mon1", groups, addresses)
    with_slos = example.data(("  edge:\n", f"{example.SLOS}  edge:\n"))
    slo.slo_rules(Recorder(with_slos, SCHEMA["properties"]["platform"], (), seen)["slos"])
    logging = documented_logging.platform()
    elasticsearch_settings.settings_of(Recorder(logging, SCHEMA["properties"]["platform"], (), seen))
    with_logs = example.data(("  edge:\n", f"{example.LOGGING}  edge:\n"))
    logged = Recorder(with_logs, SCHEMA["properties"]["platform"], (), seen)
    shipper.log_shipper_components(logged, "app1", groups, addresses, {"log_shipper": "word"})
    more = "    approval: {timeout: 60}\n    schedules: {a: {job: drift, at: '03:17'}}\n"
    awx = known.platform(("    notifications:", f"{more}    notifications:"))
    node = SCHEMA["properties"]["platform"]["properties"]["awx"]
    desired.items({**awx, "awx": Recorder(awx["awx"], node, ("awx",), seen)}, groups, None)
    seen.add("awx")
    with_cluster = Recorder(
        example.data(("  edge:\n", f"{CLUSTER}  edge:\n")), SCHEMA["properties"]["platform"], (), seen
    )
    resources.resources(with_cluster)
    resources.autoscaler_values(with_cluster)
    declared = secrets.Declaration.of(platform, ROOT)
    for name in declared.names:
        declared.length(name), declared.variable(name)
    secret_settings(seen)
    context = Context(
        platform, example.INVENTORY, ROOT, artifacts=Pins(("lock",), example.ARTIFACTS["artifacts"], True)
    )
    for check in (*names.CHECKS, *pins.CHECKS, *objectives.CHECKS, *secret_checks.CHECKS):
        list(check(context))
        list(check(replace(context, platform=alerting)))
    return seen


def secret_settings(seen: set[str]) -> None:
    """Reading a secret and signing in, as far as it goes without a server."""
    auth = {"method": "approle", "role": "r"}
    more: dict[str, Any] = {"aws": {"region": "eu-central-1"}, "vault": {"address": "http://127.0.0.1:9", "auth": auth}}
    platform = example.data()
    platform["secrets"].update(more)
    recorder = Recorder(platform, SCHEMA["properties"]["platform"], (), seen)
    list(secret_checks.settings(Context(recorder, example.INVENTORY, ROOT)))
    declared = secrets.Declaration.of(recorder, ROOT)
    reader = Reader(declared, lambda _name: None)
    reader.value("chat_database", Record("text"))
    aws.client("ssm", declared.aws)
    with suppress(PlatformError):
        vault.Vault(declared.vault, ROOT)
    vault.Vault(declared.vault, ROOT, object())


def read_by_playbooks() -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").rglob("*.yml"))
    return {match.removesuffix(".values") for match in re.findall(r"\bplatform\.([a-z_]+(?:\.[a-z_]+)*)", text)}


DECLARED = sorted(".".join(path[1:]) for path in keys(SCHEMA) if len(path) > 1)


@pytest.mark.parametrize("key", [key for key in DECLARED if not key.startswith("docker.daemon.")])
def test_every_key_is_read(key):
    parts = key.split(".")
    above = {".".join(parts[:length]) for length in range(2, len(parts) + 1)}  # a part may be passed on as a whole
    assert (
        key in CODE
        or above & PLAYBOOKS
        or key in ELSEWHERE
        or key.startswith("rollout.gate.objectives.")
        or key in TOPS
    )


CODE = read_by_code()
PLAYBOOKS = read_by_playbooks()
TOPS = {key for key in DECLARED if "." not in key}


def test_what_playbooks_read_is_declared():
    known = [re.compile(re.escape(key).replace(r"\*", "[a-z_]+")) for key in DECLARED]
    read = {key for key in PLAYBOOKS if key.split(".")[0] in TOPS and key != "images"}  # that is a lookup's name, too
    assert [key for key in sorted(read) if not any(pattern.fullmatch(key) for pattern in known)] == []


def test_what_is_read_elsewhere_is_read_there():
    for key, plugin in ELSEWHERE.items():
        source = (FOLDER.parents[1] / plugin).read_text(encoding="utf-8")
        assert all(f'"{part}"' in source for part in key.split("."))


def nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    """Every subschema."""
    if not isinstance(node, dict):
        return
    yield node
    for group in ("properties", "patternProperties", "$defs"):
        for child in node.get(group, {}).values():
            yield from nodes(child)
    for name in ("items", "additionalProperties"):
        yield from nodes(node.get(name))


@pytest.mark.parametrize("name", ["schema", "artifacts.schema", "images.schema", "rules.schema"])
def test_every_keyword_of_a_schema_has_a_sentence(name):
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    structure = {"$schema", "title", "description", "properties", "patternProperties", "items", "$defs", "$ref"}
    notes = {"x-name", "x-format"}
    used = {keyword for node in nodes(schema) for keyword in node}
    assert used <= structure | notes | set(shape.RULES)
    shape.validator(name).check_schema(schema)


def test_every_pattern_is_explained_and_every_key_described():
    for node in nodes(SCHEMA):
        assert "pattern" not in node or "x-format" in node
        assert "patternProperties" not in node or "x-name" in node
        for name, child in node.get("properties", {}).items():
            assert resolved(child).get("description"), f"{name} has no description"
