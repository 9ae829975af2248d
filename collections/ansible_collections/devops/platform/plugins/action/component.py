# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of devops.platform.component: render, resolve, and send everything in one round trip."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

from ansible_collections.devops.platform.plugins.module_utils.engine.describe import (
    DescriptionError,
    compose_facts,
    line_of,
    normalise,
    resolve_release,
)
from ansible_collections.devops.platform.plugins.module_utils.engine.store import PATIENCE
from ansible_collections.devops.platform.plugins.module_utils.platform.locks import read_artifacts
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import root_of
from ansible_collections.devops.platform.plugins.module_utils.rollout.settings import settings_of
from ansible_collections.devops.platform.plugins.plugin_utils import collect
from ansible_collections.devops.platform.plugins.plugin_utils.recording import recorded_module
from ansible_collections.devops.platform.plugins.plugin_utils.run import platform_of, rollout_of

PAYLOAD_FORMAT = 1


class ActionModule(ActionBase):
    """Renders files, resolves releases through the lock, and runs component_apply once on the host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        try:
            platform = platform_of(task_vars, self._templar.template)
            keep = settings_of(platform).keep
            components = [{"keep": keep, **given} for given in normalise(arguments)]
            payload = {
                "format": PAYLOAD_FORMAT,
                "rollout": rollout_of(arguments, task_vars, self._templar.template),
                "patience": float(PATIENCE if arguments.get("patience") is None else arguments["patience"]),
                "components": [self._complete(component, arguments, platform, task_vars) for component in components],
            }
        except DescriptionError as error:
            raise AnsibleActionFail(
                f"{error} Nothing was touched on {task_vars.get('inventory_hostname', 'the host')}."
            ) from error
        if collect.wanted(task_vars):
            collect.leave("declared", str(task_vars["inventory_hostname"]), payload)
            return {"changed": False}
        return recorded_module(self, task_vars, "devops.platform.component_apply", {"payload": json.dumps(payload)})

    # Rendering

    def _complete(
        self,
        component: dict[str, Any],
        arguments: Mapping[str, Any],
        platform: Mapping[str, Any],
        task_vars: dict[str, Any],
    ) -> dict[str, Any]:
        """One component with contents instead of templates and addresses instead of artifact names."""
        files = []
        for given in component.get("files") or []:
            item = dict(given)
            if item.get("template"):
                item["content"] = self._render(item.pop("template"), component, task_vars)
            elif item.get("source"):
                item["content"] = self._read("files", item.pop("source"))
            files.append(item)
        component["files"] = files
        if component.get("release"):
            component["release"] = resolve_release(
                component["name"], component["release"], *self._artifacts(arguments, platform, task_vars)
            )
        if component.get("compose"):
            component["compose"] = {**compose_facts(component), **component["compose"]}
        return component

    def _read(self, folder: str, name: str) -> str:
        try:
            path = self._find_needle(folder, name)
            text: str = self._loader.get_text_file_contents(path)
        except AnsibleError as error:
            raise DescriptionError(f"{folder[:-1]} {name!r} cannot be read: {error}.") from error
        return text

    def _render(self, name: str, component: Mapping[str, Any], task_vars: dict[str, Any]) -> str:
        source = ""
        try:
            path = self._find_needle("templates", name)
            source = trust_as_template(self._loader.get_text_file_contents(path))
            variables = {**task_vars, "component": component, "secrets": component.get("secrets") or {}}
            templar = self._templar.copy_with_new_env(searchpath=[os.path.dirname(path)], available_variables=variables)
            overrides = {"trim_blocks": True, "lstrip_blocks": False}
            rendered = templar.template(source, escape_backslashes=False, overrides=overrides)
        except AnsibleError as error:
            line = line_of(error, source)
            where = f"{name}:{line}" if line else name
            raise DescriptionError(f"{component['name']}: template {where} could not be rendered: {error}.") from error
        return "" if rendered is None else str(rendered)

    # Artifacts

    def _artifacts(
        self, arguments: Mapping[str, Any], platform: Mapping[str, Any], task_vars: dict[str, Any]
    ) -> tuple[dict[str, Any], list[str]]:
        """(artifacts of all lock files, sources in order), from the task or from `platform.artifacts`."""
        given = arguments.get("artifacts")
        if given is None:
            given = platform.get("artifacts") or {}
        try:
            locked = read_artifacts(given.get("locks") or [], root_of(task_vars))
        except PlatformError as error:
            raise DescriptionError(f"{error}.") from error
        return locked, list(given.get("sources") or ["upstream"])
