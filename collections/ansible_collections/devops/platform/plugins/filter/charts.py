"""The filters of devops.platform about clusters: shims, the decisions are in module_utils/kubernetes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ansible_collections.devops.platform.plugins.module_utils.kubernetes import chart, resources
from ansible_collections.devops.platform.plugins.plugin_utils.filters import shims


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "k8s_autoscaler_values": resources.autoscaler_values,
        "k8s_chart_values": chart.chart_values,
        "k8s_resources": resources.resources,
    }

    def filters(self) -> dict[str, Callable[..., Any]]:
        return shims(self.FUNCTIONS, "platform.yml lacks the key {key}; run playbooks/preflight.yml for its place")
