# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Takes dashboards and exceptions from the controller to the host beside Prometheus, where the module asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase

from ansible_collections.devops.platform.plugins.module_utils.platform import paths
from ansible_collections.devops.platform.plugins.plugin_utils.refusal import Refused

MODULE = "devops.platform.dashboard_queries"
FILES = Path(__file__).resolve().parents[2] / "roles" / "grafana" / "files"


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.check_mode:
            return {**result, "skipped": True, "msg": "nothing has been rolled out that could be asked"}
        arguments = dict(self._task.args)
        payload = {
            "dashboards": {
                paths.shown(path): _text(path) for path in _dashboards(_paths(arguments, "dashboards", "dashboards"))
            },
            "exceptions": {
                paths.shown(path): _yaml(path) for path in _paths(arguments, "exceptions", "exceptions.yml")
            },
        }
        arguments["payload"] = json.dumps(payload)
        done: dict[str, Any] = self._execute_module(module_name=MODULE, module_args=arguments, task_vars=task_vars)
        return done


def _paths(arguments: dict[str, Any], name: str, usual: str) -> list[Path]:
    given = arguments.get(name) or [FILES / usual]
    return [Path(item) for item in ([given] if isinstance(given, str) else given)]


def _dashboards(named: Sequence[Path]) -> Iterator[Path]:
    for path in named:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.glob("*.json"))
        if not found:
            raise Refused(f"dashboards: {path} holds no JSON file; name a folder of dashboards, or a dashboard")
        yield from found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: cannot be read: {error}") from error


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        raise Refused(f"{path}: is no YAML: {error}") from error
