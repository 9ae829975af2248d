# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks platform.yml on the controller. A shim: the decisions are in module_utils/platform/preflight.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.devops.platform.plugins.module_utils.platform import model, paths, preflight
from ansible_collections.devops.platform.plugins.module_utils.platform.checks.context import Inventory
from ansible_collections.devops.platform.plugins.plugin_utils.refusal import Refused


class ActionModule(ActionBase):
    """Runs no module and opens no connection: whatever host the task is for, nothing reaches it."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset({"file"})

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        _validation, arguments = self.validate_argument_spec({"file": {"type": "path"}})
        directories = paths.inventory_directories(variables)
        files = [Path(arguments["file"])] if arguments["file"] else preflight.files(directories)
        if not files:
            looked = ", ".join(paths.shown(directory / preflight.PLACE) for directory in directories)
            raise Refused(
                f"there is no platform.yml: looked for {looked or 'nothing, as no inventory is a file'}; write one, or "
                f"name an inventory that has one: -i inventories/ENVIRONMENT"
            )
        hostvars, groups = variables["hostvars"], variables["groups"]
        reports = [
            preflight.check(path, inventory(path, hostvars, groups), paths.find_root(path.parent), paths.shown)
            for path in files
        ]
        warnings = [warning for report in reports for warning in report.warnings]
        wrong = [report for report in reports if report.errors]
        if wrong:
            # Warnings come along: whoever corrects the file corrects it once.
            raise Refused("\n\n".join(report.text() for report in wrong), result={"warnings": warnings})
        result.update(changed=False, files=[report.file for report in reports], warnings=warnings)
        result["msg"] = "\n".join(report.summary for report in reports)
        return result


def inventory(path: Path, hostvars: Mapping[str, Any], groups: Mapping[str, Any]) -> Inventory:
    """The inventory beside a platform.yml (PLACE below its directory), as the checks take it."""
    hosts = [str(host) for host in groups["all"]]
    found = {host: hostvars[host] for host in hosts}
    users = {host: str(values["ansible_user"]) for host, values in found.items() if values.get("ansible_user")}
    return Inventory(
        name=paths.shown(path.parents[len(preflight.PLACE.parts) - 1]),
        groups={str(name): [str(host) for host in members] for name, members in groups.items()},
        addresses=model.host_addresses(found),
        users=users,
        variables=frozenset(str(name) for values in found.values() for name in values),
        effective=lambda host: found[host].get("platform"),
    )
