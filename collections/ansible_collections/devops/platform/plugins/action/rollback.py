# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of devops.platform.rollback: it knows which rollout the task belongs to."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.devops.platform.plugins.plugin_utils.recording import recorded_module
from ansible_collections.devops.platform.plugins.plugin_utils.run import rollout_of


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        arguments["rollout"] = rollout_of(arguments, task_vars, self._templar.template)
        return recorded_module(self, task_vars, "devops.platform.rollback", arguments)
