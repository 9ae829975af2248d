# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sends what the phases collected for a host, all of it in one round trip, and keeps the answer for drift_report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.devops.platform.plugins.module_utils.drift import declared, report
from ansible_collections.devops.platform.plugins.plugin_utils import collect


class ActionModule(ActionBase):
    """A host that cannot be examined is no failure of the task: drift_report names it, and fails for all together."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _VALID_ARGS: frozenset[str] = frozenset()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = task_vars or {}
        super().run(tmp, variables)
        host = str(variables["inventory_hostname"])
        # With --tags, what other phases declare is not known.
        everything = list(variables.get("ansible_run_tags") or ("all",)) == ["all"] and not variables.get(
            "ansible_skip_tags"
        )
        payload = declared.payload(collect.take("declared", host), everything)
        outcome = self._ask(payload, variables)
        sources = {item["name"]: item["compose"]["file"] for item in payload["components"] if item.get("compose")}
        outcome["findings"] = [
            report.complete(host, finding, sources.get(finding["component"], "FILE"))
            for finding in outcome.get("findings") or ()
        ]
        collect.leave("outcome", host, outcome)
        return {"changed": False, **outcome}

    def _ask(self, payload: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._execute_module(
                module_name="devops.platform.drift", module_args={"payload": json.dumps(payload)}, task_vars=variables
            )
        except AnsibleConnectionFailure as error:
            return {"trouble": f"unreachable: {str(error).strip()}"}
        if answer.get("failed") or answer.get("unreachable"):
            return {"trouble": str(answer.get("msg") or "the module failed").strip()}
        return {key: answer[key] for key in ("findings", "notes", "compared")}
