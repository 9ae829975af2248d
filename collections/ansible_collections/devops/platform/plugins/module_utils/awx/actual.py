# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWX has: what to ask its API for, and its answers in the words of awx.awx's modules. Who asks is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from .desired import LINKS
from .owner import Owner
from .settings import EVENTS

# (endpoint, parameters) -> the objects of all pages, or the one answer where it is no list.
Ask = Callable[[str, Mapping[str, Any]], Sequence[Mapping[str, Any]]]

# Kind -> (endpoint, the filter that takes the organisation's id; names of images are unique in all of AWX).
ENDPOINTS: Mapping[str, tuple[str, str]] = {
    "credential_type": ("credential_types", ""),
    "credential": ("credentials", "organization"),
    "execution_environment": ("execution_environments", ""),
    "project": ("projects", "organization"),
    "inventory": ("inventories", "organization"),
    "inventory_source": ("inventory_sources", "inventory__organization"),
    "notification_template": ("notification_templates", "organization"),
    "job_template": ("job_templates", "organization"),
    "workflow_job_template": ("workflow_job_templates", "organization"),
    "schedule": ("schedules", "unified_job_template__organization"),
}
NOTIFIED = tuple(f"notification_templates_{'approvals' if event == 'approval' else event}" for event in EVENTS)
# Fields that are another object, whose name stands in `summary_fields`.
REFERENCES = (
    *("organization", "project", "inventory", "execution_environment", "credential", "credential_type"),
    *("source_project", "unified_job_template"),
)


@dataclass(frozen=True)
class Actual:
    """An object of AWX. ``more``: what had to be asked for by itself; ``parent`` as of a desired item."""

    kind: str
    raw: Mapping[str, Any]
    parent: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> int:
        return int(self.raw["id"])

    @property
    def name(self) -> str:
        return str(self.raw.get("identifier" if self.kind == "workflow_job_template_node" else "name"))

    @property
    def description(self) -> str:
        return str(self.raw.get("description") or "")

    def value(self, key: str) -> Any:
        """What the module's argument `key` would have to be for this object to be as it is."""
        if key == "approval_node":
            return self.more.get("approval")
        if key in NOTIFIED or key == "survey_spec" or key in LINKS:
            return self.more.get(key)
        summary = self.raw.get("summary_fields") or {}
        if key == "credentials":
            return sorted(str(one["name"]) for one in summary.get("credentials") or ())
        if key in REFERENCES:
            return str((summary.get(key) or {}).get("name") or "")
        if key == "extra_vars":
            return yaml.safe_load(str(self.raw.get(key) or "{}")) or {}
        return self.raw.get(key)


def read(ask: Ask, organization: str, owner: Owner) -> list[Actual]:
    """All that there is in the organisation; nothing where AWX has none of this name."""
    found = [Actual("organization", raw) for raw in ask("organizations", {"name": organization})]
    if not found:
        # Types and images belong to no organisation, and may be left from one.
        return [one for kind, (_path, within) in ENDPOINTS.items() if not within for one in _kind(ask, kind, {})]
    for kind, (_endpoint, within) in ENDPOINTS.items():
        for one in _kind(ask, kind, {within: found[0].id} if within else {}):
            found.extend(_whole(ask, one) if owner.owns(one.name, one.description) else [one])
    return found


def _kind(ask: Ask, kind: str, parameters: Mapping[str, Any]) -> Iterator[Actual]:
    for raw in ask(ENDPOINTS[kind][0], parameters):
        if not raw.get("pending_deletion"):  # an inventory goes in the background
            yield Actual(kind, raw)


def _whole(ask: Ask, one: Actual) -> Iterator[Actual]:
    """One of ours, with what its list does not say of it; and the nodes of a workflow."""
    if one.kind not in ("job_template", "workflow_job_template"):
        yield one
        return
    related = one.raw["related"]
    more: dict[str, Any] = {
        key: sorted(str(raw["name"]) for raw in ask(str(related[key]), {})) for key in NOTIFIED if key in related
    }
    survey = ask(str(related["survey_spec"]), {})
    yield Actual(one.kind, one.raw, more={**more, "survey_spec": dict(survey[0]) if survey else {}})
    if one.kind == "workflow_job_template":
        yield from _nodes(ask, one)


def _nodes(ask: Ask, workflow: Actual) -> Iterator[Actual]:
    nodes = ask("workflow_job_template_nodes", {"workflow_job_template": workflow.id})
    names = {int(raw["id"]): str(raw["identifier"]) for raw in nodes}
    for raw in nodes:
        more: dict[str, Any] = {key: sorted(names[int(one)] for one in raw.get(key) or ()) for key in LINKS}
        summary = (raw.get("summary_fields") or {}).get("unified_job_template") or {}
        if summary.get("unified_job_type") == "workflow_approval":
            [template] = ask(str(raw["related"]["unified_job_template"]), {})
            more["approval"] = {key: template.get(key) for key in ("name", "description", "timeout")}
        yield Actual("workflow_job_template_node", raw, workflow.name, more)
