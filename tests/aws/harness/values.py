"""A plan's values, to be asked for by type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import resources


def of_type(plan: Mapping[str, Any], kind: str, module: str = "") -> dict[str, dict[str, Any]]:
    """address → planned values."""
    return {
        str(row["address"]): dict(row["values"])
        for row in resources(plan["planned_values"])
        if row["type"] == kind and str(row["address"]).startswith(module)
    }


def column(plan: Mapping[str, Any], kind: str, name: str, module: str = "") -> list[Any]:
    """One attribute of all resources of a type."""
    return [row.get(name) for row in of_type(plan, kind, module).values()]
