"""The filters of devops.platform about the shape of a platform: shims, the decisions are in module_utils/platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ansible_collections.devops.platform.plugins.module_utils.platform import (
    compose,
    exporters,
    grafana,
    model,
    remote,
    topology,
)
from ansible_collections.devops.platform.plugins.module_utils.secrets import redis_users, rotation
from ansible_collections.devops.platform.plugins.plugin_utils.filters import shims


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "addresses": model.host_addresses,
        "alertmanager_cluster": topology.alertmanager_cluster,
        "alertmanagers": topology.alertmanagers,
        "app_probes": compose.app_probes,
        "app_secrets": compose.app_secrets,
        "compose_project": compose.compose_project,
        "exporter_components": exporters.exporter_components,
        "exporter_secret_names": exporters.secret_names,
        "exporter_probe": exporters.exporter_probe,
        "exporter_web_secrets": exporters.exporter_web_secrets,
        "exporter_web_files": exporters.exporter_web_files,
        "data_endpoints": topology.data_endpoints,
        "edge_routes": topology.edge_routes,
        "edge_urls": topology.edge_urls,
        "firewall_rules": topology.firewall_rules,
        "grafana_datasources": grafana.grafana_datasources,
        "ip_family": topology.ip_family,
        "networks": topology.networks,
        "postgresql_roles": rotation.postgresql_roles,
        "redis_digests": redis_users.digests,
        "remote_authorities": remote.remote_authorities,
        "remote_secrets": remote.remote_secrets,
        "scrape_jobs": topology.scrape_jobs,
    }

    def filters(self) -> dict[str, Callable[..., Any]]:
        return shims(self.FUNCTIONS, "platform.yml lacks the key {key}; run playbooks/preflight.yml for its place")
