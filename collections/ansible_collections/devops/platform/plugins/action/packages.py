"""Install missing packages: dpkg is asked first, apt only called where something is missing."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.devops.platform.plugins.plugin_utils import collect
from ansible_collections.devops.platform.plugins.plugin_utils.recording import recorded

MODULE = "devops.platform.packages"
DO_NOT_START = 101  # what a policy-rc.d answers


class ActionModule(ActionBase):
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        if collect.wanted(task_vars or {}):
            # Who asks for them: the role, by its short name.
            role = self._task._role.get_name().rpartition(".")[2] if self._task._role else "packages"
            collect.leave(
                "declared",
                str(task_vars["inventory_hostname"]),
                {"role": role, "packages": list(self._task.args.get("name") or ())},
            )
            return {"changed": False}
        return recorded(self, task_vars or {}, lambda: self._install(task_vars))

    def _install(self, task_vars: Any) -> dict[str, Any]:
        plan: dict[str, Any] = self._execute_module(module_name=MODULE, task_vars=task_vars)
        if plan.get("failed") or not plan.get("missing") or self._task.check_mode:
            return plan
        arguments = {
            "name": plan["missing"],
            "update_cache": True,
            # A new host has an empty directory of lists, whose age says nothing.
            "cache_valid_time": self._task.args.get("cache_valid_time", 86400) if plan.get("lists", True) else 0,
            "install_recommends": self._task.args.get("install_recommends", False),
        }
        if not boolean(self._task.args.get("start_services", False)):
            arguments["policy_rc_d"] = DO_NOT_START
        done: dict[str, Any] = self._execute_module(
            module_name="ansible.builtin.apt", module_args=arguments, task_vars=task_vars
        )
        # Whether it went well or not: what it brought is ours to give back.
        finished = self._execute_module(
            module_name=MODULE, module_args={"name": plan["missing"], "finish": True}, task_vars=task_vars
        )
        if finished.get("failed"):
            return finished
        if done.get("failed"):
            return {**done, "missing": plan["missing"]}
        return {**plan, "changed": True}
