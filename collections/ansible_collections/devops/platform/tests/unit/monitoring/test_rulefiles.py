"""Which rule files there are, and what is said of jobs without data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.monitoring import rulefiles

ROLE = Path(rulefiles.__file__).parents[3] / "roles" / "prometheus"


def test_the_names_are_those_of_the_files_and_all_are_installed() -> None:
    assert sorted(path.stem for path in (ROLE / "files" / "rules").iterdir()) == sorted(rulefiles.RULE_SETS)
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert defaults["prometheus_rule_sets"] == list(rulefiles.RULE_SETS)


def test_files_keep_their_names() -> None:
    made = rulefiles.rule_files(["hosts"], ["/srv/rules/shop.yaml"], "/etc/{name}.yml", {"mode": "0644"})
    assert made == [
        {"path": "/etc/hosts.yml", "source": "rules/hosts.yml", "mode": "0644"},
        {"path": "/etc/shop.yml", "source": "/srv/rules/shop.yaml", "mode": "0644"},
    ]


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(ValueError, match="no rule set 'host'"):
        rulefiles.rule_files(["host"], [], "{name}")


def targets(*names: str) -> list[dict[str, Any]]:
    return [{"targets": list(names)}]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"job_name": "api", "static_configs": targets("a:1")}, 'absent(up{job="api"})'),
        (
            {"job_name": "redis", "static_configs": targets("a:1")},
            'absent(up{job="redis"}) or absent(redis_up{job="redis"}) and on () up{job="redis"} == 1',
        ),
        ({"job_name": "found", "dns_sd_configs": [{}]}, 'absent(up{job="found"})'),
        ({"job_name": 'a"b\\', "static_configs": targets("a:1")}, 'absent(up{job="a\\"b\\\\"})'),
        ({"job_name": "api", "static_configs": targets()}, None),
        ({"job_name": "api", "static_configs": []}, None),
        ({"job_name": "api"}, None),
    ],
)
def test_each_job_with_targets_has_its_alert(config: dict[str, Any], expected: str | None) -> None:
    made = rulefiles.no_data_rules([config])
    rules = [rule["expr"] for group in made.get("no_data", {}).get("groups", []) for rule in group["rules"]]
    assert rules == ([] if expected is None else [expected])
