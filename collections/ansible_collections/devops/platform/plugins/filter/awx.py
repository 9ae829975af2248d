"""The filters of devops.platform about AWX: shims, the decisions are in module_utils/awx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ansible_collections.devops.platform.plugins.module_utils.alerting.receivers import with_secrets
from ansible_collections.devops.platform.plugins.module_utils.awx import trouble
from ansible_collections.devops.platform.plugins.plugin_utils.filters import shims


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "awx_arguments": with_secrets,
        "awx_trouble": trouble.explained,
    }

    def filters(self) -> dict[str, Callable[..., Any]]:
        return shims(self.FUNCTIONS, "platform.awx lacks the key {key}; run playbooks/preflight.yml")
