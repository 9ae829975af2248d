"""The filters of devops.platform about logs: shims, the decisions are in module_utils/logging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ansible_collections.devops.platform.plugins.module_utils.logging import shipper
from ansible_collections.devops.platform.plugins.plugin_utils.filters import shims


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "log_shipper_components": shipper.log_shipper_components,
        "log_shipper_packages": shipper.log_shipper_packages,
        "log_shipper_secrets": shipper.log_shipper_secrets,
    }

    def filters(self) -> dict[str, Callable[..., Any]]:
        return shims(self.FUNCTIONS, "platform.logging lacks the key {key}; run playbooks/preflight.yml for its place")
