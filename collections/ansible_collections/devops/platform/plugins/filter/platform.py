"""The filters of devops.platform about the shape of a platform: shims, the decisions are in module_utils/platform."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from ansible.errors import AnsibleFilterError

from ansible_collections.devops.platform.plugins.module_utils.platform import (
    compose,
    model,
    topology,
)


def _filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except model.PlatformError as error:
            raise AnsibleFilterError(f"devops.platform.{name}: {error}") from error
        except KeyError as error:
            raise AnsibleFilterError(
                f"devops.platform.{name}: platform.yml lacks the key {error}; run playbooks/preflight.yml for its place"
            ) from error

    return call


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "addresses": model.host_addresses,
        "alertmanagers": topology.alertmanagers,
        "app_probes": compose.app_probes,
        "app_secrets": compose.app_secrets,
        "compose_project": compose.compose_project,
        "edge_routes": topology.edge_routes,
        "firewall_rules": topology.firewall_rules,
        "ip_family": topology.ip_family,
        "networks": topology.networks,
        "scrape_jobs": topology.scrape_jobs,
    }

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {name: _filter(name, function) for name, function in self.FUNCTIONS.items()}
