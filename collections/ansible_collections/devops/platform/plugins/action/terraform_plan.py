# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows a saved plan and compares its approval. On the controller; the decisions are in module_utils/terraform."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.devops.platform.plugins.module_utils.terraform import approval, cost, explain, masking, summary
from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import (
    Plan,
    PlanError,
    digest_of,
    parse_place,
    parse_plan,
    planned_place,
)
from ansible_collections.devops.platform.plugins.plugin_utils.refusal import Refused

OPTIONS: dict[str, dict[str, Any]] = {
    "project_path": {"type": "path", "required": True},
    "plan_file": {"type": "path", "required": True},
    "env": {"type": "str", "required": True},
    "data_dir": {"type": "path"},
    "approve": {"type": "str", "default": ""},
    "destroy": {"type": "bool", "default": False},
    "destroy_key": {"type": "str", "default": ""},
    "binary_path": {"type": "path"},
}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars or {})
        _validation, arguments = self.validate_argument_spec(OPTIONS)
        request = approval.Request(
            arguments["env"], arguments["approve"].strip(), arguments["destroy"], arguments["destroy_key"].strip()
        )
        try:
            # One reading: what is approved is what was looked at.
            content = self._read(Path(arguments["plan_file"]), request)
            planned = planned_place(content)
            plan = parse_plan(json.loads(self._terraform(arguments, "show", "-json", arguments["plan_file"])))
            current = parse_place(self._terraform(arguments, "state", "pull"))
        except PlanError as error:
            raise Refused(f"{error}") from error
        digest = digest_of(content)
        verdict = approval.decide(plan, digest, planned, current, request)
        result = self._result(plan, digest, request)
        self._display.display(f"\n{result['summary']}\n")
        if verdict.refused:
            raise Refused(verdict.said, result=result)
        self._display.display(verdict.said)
        return {**result, "apply": verdict.apply, "msg": verdict.said}

    def _result(self, plan: Plan, digest: str, request: approval.Request) -> dict[str, Any]:
        prices = cost.load_prices()
        said = [*summary.lines(plan, request.environment), "", *cost.lines(plan, prices)]
        return {
            # A plan that is shown changes nothing; in check mode Ansible asks what would change.
            "changed": bool(self._task.check_mode and plan.changes_resources),
            "diff": masking.diff(plan),
            "summary": "\n".join(said),
            "digest": digest,
            "counts": summary.counts(plan),
            "lost": [change.address for change in summary.losses(plan)],
            "cost": round(cost.estimate(plan.planned, prices).total, 2),
        }

    @staticmethod
    def _read(path: Path, request: approval.Request) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise Refused(f"there is no saved plan {path}: make one, and approve that:\n  {request.command}") from None
        except OSError as error:
            raise Refused(f"the saved plan {path} cannot be read: {error.strerror}") from error

    def _terraform(self, arguments: dict[str, Any], *words: str) -> str:
        program = arguments["binary_path"] or shutil.which("terraform")
        if not program:
            raise Refused("there is no terraform on PATH: install 1.11 or newer, or name it with binary_path")
        environment = {**os.environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
        if arguments["data_dir"]:
            environment["TF_DATA_DIR"] = os.path.abspath(arguments["data_dir"])
        command = [program, f"-chdir={arguments['project_path']}", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(explain.explain(done.stdout + done.stderr, arguments["env"], " ".join(words[:1])))
        return done.stdout
