"""What a plan costs a month, about, from the price table beside this file. Pure.

What depends on use is not estimated: traffic, requests, logs, metrics, copies, CPU credits, load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import Plan, resources

Prices = Mapping[str, Any]
Row = Mapping[str, Any]
USED = "traffic, requests, logs, metrics, copies and CPU credits come on top"


@dataclass
class Estimate:
    """`parts`: kind → amount a month. `unpriced`: sizes that the table lacks: the estimate is too low by them."""

    parts: dict[str, float] = field(default_factory=dict)
    unpriced: set[str] = field(default_factory=set)

    @property
    def total(self) -> float:
        return sum(self.parts.values())

    def add(self, kind: str, amount: float) -> None:
        self.parts[kind] = self.parts.get(kind, 0.0) + amount

    def hours(self, kind: str, size: Any, prices: Prices, table: str, number: float = 1) -> None:
        price = prices[table].get(size)
        if price is None:
            self.unpriced.add(str(size))
        else:
            self.add(kind, number * price * prices["hours"])


def load_prices(path: Path | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path or Path(__file__).with_name("prices.json")).read_text(encoding="utf-8"))
    return found


def estimate(values: Mapping[str, Any], prices: Prices) -> Estimate:
    """Of all resources in `planned_values`, or in a state's values."""
    rows = list(resources(values))
    templates = {_key(row["address"]): row.get("values") or {} for row in rows if row["type"] == "aws_launch_template"}
    found = Estimate()
    for row in rows:
        kind = str(row["type"])
        what = row.get("values") or {}
        if kind in _PRICED:
            _PRICED[kind](found, what, prices)
        elif kind == "aws_autoscaling_group":
            # The template's identity is not known yet; ours have the same key in the same module.
            _group(found, what, templates.get(_key(row["address"]), {}), prices)
        elif kind in prices["resource_hour"]:
            found.hours(_shown(kind), kind, prices, "resource_hour")
        elif kind in prices["resource_month"]:
            found.add(_shown(kind), prices["resource_month"][kind])
    return found


def _key(address: str) -> str:
    """`module.compute.aws_launch_template.group["app"]` → `module.compute|["app"]`."""
    module, _dot, own = address.rpartition("aws_")
    index = re.search(r"\[.*\]$", own)
    return f"{module}|{index[0] if index else ''}"


def _shown(kind: str) -> str:
    return kind.removeprefix("aws_").replace("_", " ")


def _disks(blocks: Any) -> float:
    return sum(float(block.get("volume_size") or 0) for block in blocks or [])


def _instance(found: Estimate, what: Row, prices: Prices) -> None:
    found.hours("hosts", what.get("instance_type"), prices, "instance_hour")
    found.add("disks", _disks(what.get("root_block_device")) * prices["disk_gb_month"])


def _group(found: Estimate, what: Row, template: Row, prices: Prices) -> None:
    """At the size that it is to begin with."""
    number = float(what.get("desired_capacity") or what.get("min_size") or 0)
    found.hours("hosts", template.get("instance_type"), prices, "instance_hour", number)
    mappings = [block for row in template.get("block_device_mappings") or [] for block in row.get("ebs") or []]
    found.add("disks", number * _disks(mappings) * prices["disk_gb_month"])


def _nodes(found: Estimate, what: Row, prices: Prices) -> None:
    scaling = (what.get("scaling_config") or [{}])[0]
    size = (what.get("instance_types") or [None])[0]
    found.hours("hosts", size, prices, "instance_hour", float(scaling.get("desired_size") or 0))


def _database(found: Estimate, what: Row, prices: Prices) -> None:
    """A standby costs as much as what it stands by for."""
    copies = 2 if what.get("multi_az") else 1
    found.hours("database", what.get("instance_class"), prices, "database_hour", copies)
    found.add("database", copies * float(what.get("allocated_storage") or 0) * prices["database_gb_month"])


def _cache(found: Estimate, what: Row, prices: Prices) -> None:
    found.hours("cache", what.get("node_type"), prices, "cache_hour", float(what.get("num_cache_clusters") or 1))


def _load_balancer(found: Estimate, what: Row, prices: Prices) -> None:
    found.hours("load balancer", "aws_lb", prices, "resource_hour")
    addresses = len(what.get("subnets") or [])
    found.add("load balancer", (addresses or 2) * prices["load_balancer_address_hour"] * prices["hours"])


def _firewall(found: Estimate, what: Row, prices: Prices) -> None:
    found.add("firewall", prices["resource_month"]["aws_wafv2_web_acl"])
    found.add("firewall", len(what.get("rule") or []) * prices["firewall_rule_month"])


def _disk(found: Estimate, what: Row, prices: Prices) -> None:
    found.add("disks", float(what.get("size") or 0) * prices["disk_gb_month"])


_PRICED: Mapping[str, Callable[[Estimate, Row, Prices], None]] = {
    "aws_instance": _instance,
    "aws_ebs_volume": _disk,
    "aws_eks_node_group": _nodes,
    "aws_db_instance": _database,
    "aws_elasticache_replication_group": _cache,
    "aws_lb": _load_balancer,
    "aws_wafv2_web_acl": _firewall,
}


def lines(plan: Plan, prices: Prices) -> list[str]:
    """The estimate in words, dearest first, with what it is now."""
    now, then = estimate(plan.prior, prices), estimate(plan.planned, prices)
    currency = prices["currency"]
    source = f"estimated from list prices of {prices['region']}, {prices['date']}; {USED}"
    said = [f"about {then.total:.0f} {currency} a month (now {now.total:.0f}); {source}"]
    dearest = sorted(then.parts.items(), key=lambda part: (-part[1], part[0]))
    said += [f"  {amount:7.0f}  {kind}" for kind, amount in dearest if amount >= 0.5]
    if then.unpriced:
        said.append(f"  not in the price table, so not counted: {', '.join(sorted(then.unpriced))}")
    return said
