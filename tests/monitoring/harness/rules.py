"""All rules that there are: the role's files, and what is generated for the lab's objectives and for some jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.monitoring.rulefiles import no_data_rules
from ansible_collections.devops.platform.plugins.module_utils.monitoring.slo import slo_rules
from tests.monitoring.harness.promql import metrics

ROOT = Path(__file__).parents[3]
FILES = ROOT / "collections/ansible_collections/devops/platform/roles/prometheus/files/rules"
PLATFORM = ROOT / "inventories/lab/group_vars/all/platform.yml"
# One whose targets say enough with `up`, and one that must show a metric beside it.
JOBS = [{"job_name": name, "static_configs": [{"targets": ["a:1"]}]} for name in ("chat-api", "redis")]


@dataclass(frozen=True)
class Rule:
    """`file` is its rule file's name, `data` as Prometheus reads it."""

    file: str
    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.data.get("alert") or self.data["record"])

    @property
    def labels(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.data.get("labels") or {}
        return found

    @property
    def is_alert(self) -> bool:
        return "alert" in self.data

    @property
    def expression(self) -> str:
        return str(self.data["expr"])

    @property
    def identity(self) -> tuple[str, frozenset[tuple[str, str]]]:
        return self.name, frozenset(self.labels.items())

    def __str__(self) -> str:
        told = [self.labels[key] for key in ("severity", "slo", "window", "job") if key in self.labels]
        return " ".join([self.name, *told])


@cache
def all_rules() -> tuple[Rule, ...]:
    return tuple(_rules())


def _rules() -> Iterator[Rule]:
    contents = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FILES.glob("*.yml"))}
    platform = yaml.safe_load(PLATFORM.read_text(encoding="utf-8"))["platform"]
    contents |= slo_rules(platform["slos"]) | no_data_rules(JOBS)
    for name, content in contents.items():
        for group in content["groups"]:
            for rule in group["rules"]:
                yield Rule(name, rule)


def find(name: str, labels: Mapping[str, str]) -> Rule:
    """The one rule of this name and with these labels."""
    found = [rule for rule in all_rules() if rule.name == name and rule.labels.items() >= labels.items()]
    assert len(found) == 1, f"{name} {dict(labels)} means {len(found)} rules"
    return found[0]


def needed(rule: Rule, given: set[str]) -> list[Rule]:
    """The recording rules whose metrics it uses, directly or not, but for those that are `given`; in their order."""
    wanted: set[int] = set()
    todo = metrics(rule.expression)
    while todo:
        name = todo.pop()
        for number, other in enumerate(all_rules()):
            if other.name == name and not other.is_alert and name not in given and number not in wanted:
                wanted.add(number)
                todo |= metrics(other.expression)
    return [other for number, other in enumerate(all_rules()) if number in wanted and other is not rule]
