"""The filters of devops.platform about clusters: shims, the decisions are in module_utils/kubernetes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ansible_collections.devops.platform.plugins.module_utils.kubernetes import addons, chart, resources
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import (
    components,
    configuration,
    disruption,
    playbook,
)
from ansible_collections.devops.platform.plugins.plugin_utils.filters import shims


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "k8s_addons": addons.addons,
        "k8s_applicable": resources.applicable,
        "k8s_autoscaler_values": resources.autoscaler_values,
        "k8s_chart_values": chart.chart_values,
        "k8s_drain_blockers": disruption.blockers,
        "k8s_kubeconfig": playbook.kubeconfig,
        "k8s_node_components": components.node_components,
        "k8s_node_packages": components.packages,
        "k8s_node_settings": playbook.node_settings,
        "k8s_pod_interfaces": playbook.pod_interfaces,
        "k8s_resources": resources.resources,
        "k8s_upgrade_plan": playbook.upgrade_plan,
        "kubeadm_config": configuration.kubeadm_config,
        "kubeadm_plan": playbook.kubeadm_plan,
    }

    def filters(self) -> dict[str, Callable[..., Any]]:
        return shims(self.FUNCTIONS, "platform.yml lacks the key {key}; run playbooks/preflight.yml for its place")
