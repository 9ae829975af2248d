# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts the answers of all hosts together: a table, a file, a verdict. On the controller."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.devops.platform.plugins.module_utils.drift import report
from ansible_collections.devops.platform.plugins.plugin_utils import collect
from ansible_collections.devops.platform.plugins.plugin_utils.refusal import Refused
from ansible_collections.devops.platform.plugins.plugin_utils.run import platform_of


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = task_vars or {}
        super().run(tmp, variables)
        _validation, arguments = self.validate_argument_spec(
            {"path": {"type": "path"}, "fail": {"type": "bool", "default": True}}
        )
        platform = platform_of(variables, self._templar.template)
        outcomes = {host: self._outcome(host) for host in map(str, variables["ansible_play_hosts_all"])}
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        data = report.report(platform, at, outcomes)
        if arguments["path"]:
            self._write(Path(arguments["path"]), data)
        text, verdict = report.table(data), report.summary(data)
        if text:
            self._display.display(f"\n{text}\n")
        if not data["complete"] or (data["drift"] and arguments["fail"]):
            raise Refused(verdict, result={"drift": data["drift"], "complete": data["complete"]})
        self._display.display(verdict)
        return {"changed": False, "msg": verdict, "drift": data["drift"], "complete": True}

    @staticmethod
    def _outcome(host: str) -> dict[str, Any]:
        left = collect.take("outcome", host)
        return left[-1] if left else {"trouble": "what it is to be could not be worked out: see above"}

    @staticmethod
    def _write(path: Path, data: dict[str, Any]) -> None:
        """As a whole or not at all; readable by its owner, as it says where a fleet is weak."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(json.dumps(data, indent=1) + "\n")
            temporary.replace(path)
        except OSError as error:
            raise Refused(f"the report {path} was not written: {error.strerror}") from error
