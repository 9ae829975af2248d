# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filters of devops.platform about Elasticsearch: shims, the decisions are in module_utils/elasticsearch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import (
    arrival,
    nodes,
    program,
    search,
    settings,
)
from ansible_collections.devops.platform.plugins.plugin_utils.filters import shims


class FilterModule:
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "elasticsearch_component": nodes.elasticsearch_component,
        "elasticsearch_declaration": settings.declaration,
        "elasticsearch_retention": program.retention_components,
        "elasticsearch_secrets": nodes.elasticsearch_secrets,
        "elasticsearch_sysctl": nodes.elasticsearch_sysctl,
        "elasticsearch_urls": settings.node_urls,
        "log_arrival_verifiable": arrival.verifiable,
        "log_search_refused": search.unsearchable,
    }

    def filters(self) -> dict[str, Callable[..., Any]]:
        return shims(self.FUNCTIONS, "platform.logging lacks the key {key}; run playbooks/preflight.yml for its place")
