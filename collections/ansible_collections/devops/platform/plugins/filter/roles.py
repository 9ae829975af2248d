"""The filters of devops.platform that roles and playbooks shape their data with: shims, see module_utils/roles."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from ansible.errors import AnsibleFilterError

from ansible_collections.devops.platform.plugins.module_utils.platform import model
from ansible_collections.devops.platform.plugins.module_utils.roles import files, placement, settings


def _filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (model.PlatformError, ValueError) as error:
            raise AnsibleFilterError(f"devops.platform.{name}: {error}") from error
        except KeyError as error:
            raise AnsibleFilterError(f"devops.platform.{name}: the key {error} is missing") from error

    return call


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "app_component": files.app_component,
        "app_projects": placement.app_projects,
        "app_secret_names": placement.app_secret_names,
        "app_services": placement.app_services,
        "component_files": files.component_files,
        "phase_members": placement.phase_members,
        "postgresql_lines": settings.postgresql_lines,
        "repository_path": placement.repository_path,
        "sysctl_lines": settings.sysctl_lines,
    }

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {name: _filter(name, function) for name, function in self.FUNCTIONS.items()}
