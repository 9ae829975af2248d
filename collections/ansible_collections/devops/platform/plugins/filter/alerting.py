"""The filters of devops.platform about who is told of alerts: shims, the decisions are in module_utils/alerting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ansible_collections.devops.platform.plugins.module_utils.alerting import config
from ansible_collections.devops.platform.plugins.plugin_utils.filters import shims


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "alertmanager_config": config.alertmanager_config,
        "alertmanager_secret_files": config.alertmanager_secret_files,
        "alertmanager_secrets": config.alertmanager_secrets,
        "alertmanager_text": config.alertmanager_text,
    }

    def filters(self) -> dict[str, Callable[..., Any]]:
        return shims(self.FUNCTIONS, "platform.monitoring.alerting lacks the key {key}; run playbooks/preflight.yml")
