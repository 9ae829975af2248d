"""The filters of devops.platform about Terraform: shims, the decisions are in module_utils/terraform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ansible_collections.devops.platform.plugins.module_utils.terraform import explain
from ansible_collections.devops.platform.plugins.plugin_utils.filters import shims


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {"terraform_trouble": explain.of_result}

    def filters(self) -> dict[str, Callable[..., Any]]:
        return shims(self.FUNCTIONS, "the key {key} is missing")
