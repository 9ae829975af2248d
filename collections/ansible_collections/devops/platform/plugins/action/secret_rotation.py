# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps of a rotation that happen on the controller: what is left, and the stages at the backend."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError, section
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import root_of
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean
from ansible_collections.devops.platform.plugins.module_utils.secrets import ages, elasticache, rotation
from ansible_collections.devops.platform.plugins.module_utils.secrets.backend import Stage
from ansible_collections.devops.platform.plugins.module_utils.secrets.cache import RUN
from ansible_collections.devops.platform.plugins.module_utils.secrets.read import OTHERS, Reader, backend_of
from ansible_collections.devops.platform.plugins.plugin_utils.refusal import Refused


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset({"step", "secret", "only", "force"})

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self.variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, self.variables)
        _validation, given = self.validate_argument_spec(
            {
                "step": {"type": "str", "required": True, "choices": list(STEPS)},
                "secret": {"type": "str"},
                "only": {"type": "list", "elements": "str", "default": []},
                "force": {"type": "bool", "default": False},
            },
            required_if=[("step", name, ["secret"]) for name in STEPS if name not in ("plan", "metrics")],
        )
        try:
            self.platform = self._find("platform") or {}
            self.declared = Declaration.of(self.platform, root_of(self.variables))
            self.reader = Reader(self.declared, self._find)
            result.update(STEPS[given["step"]](self, given))
        except PlatformError as error:
            raise Refused(f"secrets: {error}") from error
        return result

    def _find(self, name: str) -> Any:
        return self._templar.template(self.variables[name]) if name in self.variables else None

    def _plan(self, given: dict[str, Any]) -> dict[str, Any]:
        known = rotation.rotated(self.declared)
        for name in given["only"]:
            if name not in known:
                raise Refused(f"no secret '{name}' can be rotated{did_you_mean(name, known)}")
        now = time.time()
        plans = [
            rotation.plan(name, self.reader.stages(name), self.declared, now, force=given["force"])
            for name in rotation.rotated(self.declared, given["only"])
        ]
        administrator = section(self.platform, "data", "postgresql").get("administrator")
        for name in [] if given["only"] else rotation.missing(self.declared, [str(administrator)]):
            held = self.reader.stages(name)
            if Stage.CURRENT not in held:
                plans.append(rotation.plan(name, held, self.declared, now, force=False))
        steps = [
            {"secret": plan.secret, "kind": plan.kind, "step": step.value, "place": self._place(plan.kind)}
            for plan in plans
            for step in plan.steps
        ]
        said = [plan.said for plan in plans] or ["platform.secrets.entries names no secret that is rotated"]
        return {"changed": False, "steps": steps, "said": said}

    def _place(self, kind: str) -> str:
        """Who checks it: `postgresql`, `redis` or `apps`, or one of the first two as an endpoint."""
        place = rotation.checked_by(kind)
        return f"{place}_endpoint" if section(self.platform, "data", place).get("endpoint") else place

    def _stage(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given["secret"]
        held = self.reader.stages(name)
        return self._write(
            lambda: self._backend().stage(self.reader.identifier(name), rotation.new_value(self.declared, name, held))
        )

    def _promote(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._write(lambda: self._backend().promote(self.reader.identifier(given["secret"])))

    def _forget(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._write(lambda: self._backend().retire(self.reader.identifier(given["secret"])))

    def _write(self, action: Callable[[], None]) -> dict[str, Any]:
        if not self._task.check_mode:
            action()
            RUN.forget()  # what other processes of this run have read is not so any more
        return {"changed": True}

    def _backend(self) -> Any:
        return backend_of(self.declared, self._find)

    def _elasticache(self, given: dict[str, Any]) -> dict[str, Any]:
        """Who checks is AWS: no host is asked."""
        name = given["secret"]
        retiring = frozenset(self._find("platform_secrets_retiring") or ())
        reader = Reader(self.declared, self._find, retiring=retiring)
        passwords = [reader.values([name])[0], *reader.values([name], OTHERS)[0].splitlines()]
        user = str(section(self.platform, "data", "redis").get("user") or "default")
        return self._write(lambda: elasticache.change(self.declared.aws, user, passwords))

    def _metrics(self, _given: dict[str, Any]) -> dict[str, Any]:
        names = rotation.rotated(self.declared)
        if self._backend().makes and not self._task.check_mode:
            self.reader.values(names)  # what a later phase would make: a second run would have news of it
        held = {name: self.reader.stages(name) for name in names}
        return {"changed": False, "text": ages.metrics(held, self.declared)}


STEPS: dict[str, Callable[[ActionModule, dict[str, Any]], dict[str, Any]]] = {
    "plan": ActionModule._plan,
    "stage": ActionModule._stage,
    "promote": ActionModule._promote,
    "forget": ActionModule._forget,
    "elasticache": ActionModule._elasticache,
    "metrics": ActionModule._metrics,
}
