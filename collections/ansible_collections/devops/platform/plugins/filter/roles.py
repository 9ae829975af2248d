"""The filters of devops.platform that roles and playbooks shape their data with: shims, see module_utils/roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ansible_collections.devops.platform.plugins.module_utils.monitoring import rulefiles, slo, storage
from ansible_collections.devops.platform.plugins.module_utils.roles import files, placement, settings
from ansible_collections.devops.platform.plugins.plugin_utils.filters import shims


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "app_component": files.app_component,
        "app_journeys": placement.app_journeys,
        "app_projects": placement.app_projects,
        "app_secret_names": placement.app_secret_names,
        "app_services": placement.app_services,
        "component_files": files.component_files,
        "no_data_rules": rulefiles.no_data_rules,
        "component_sources": files.component_sources,
        "ini_lines": settings.ini_lines,
        "phase_members": placement.phase_members,
        "postgresql_lines": settings.postgresql_lines,
        "postgresql_users": settings.postgresql_users,
        "repository_path": placement.repository_path,
        "rule_files": rulefiles.rule_files,
        "prometheus_backup": storage.prometheus_backup,
        "prometheus_backup_component": storage.backup_component,
        "prometheus_labels": storage.external_labels,
        "remote_write": storage.remote_write,
        "slo_rules": slo.slo_rules,
        "sysctl_lines": settings.sysctl_lines,
    }

    def filters(self) -> dict[str, Callable[..., Any]]:
        return shims(self.FUNCTIONS, "the key {key} is missing")
