# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compares AWX with platform.yml. A shim: what is wanted, read and done about it stands in module_utils/awx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader

from ansible_collections.devops.platform.plugins.module_utils.awx import actual, desired, plan, trouble
from ansible_collections.devops.platform.plugins.module_utils.awx.settings import Settings
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError, section
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import root_of
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration
from ansible_collections.devops.platform.plugins.plugin_utils.refusal import Refused
from ansible_collections.devops.platform.plugins.plugin_utils.run import platform_of

MOST = 10_000  # objects of a kind; awx.awx itself takes no more


class ActionModule(ActionBase):
    """Runs no module on a host; AWX is asked through awx.awx's lookup, from the controller."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True
    _VALID_ARGS: ClassVar[frozenset[str]] = frozenset()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        platform = platform_of(variables, self._templar.template)
        if not section(platform, "awx"):
            raise Refused("platform.yml has no platform.awx, so there is no AWX to set up; docs/awx.md shows one")
        try:
            return {**result, **self._compare(platform, variables)}
        except PlatformError as error:
            raise Refused(str(error)) from error

    def _compare(self, platform: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        settings = Settings.of(platform)
        declared = Declaration.of(platform, root_of(variables))
        wanted = desired.items(platform, variables["groups"], declared)
        names = sorted({settings.token, *plan.secret_names(wanted)})
        secrets = dict(zip(names, self._lookup("devops.platform.secret", names, variables), strict=True))
        token = secrets[settings.token]

        def ask(endpoint: str, parameters: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
            options = {"host": settings.url, "oauth_token": token, "return_all": True, "max_objects": MOST}
            query = {"query_params": {**parameters, "page_size": 200}}
            try:
                return self._lookup("awx.awx.controller_api", [endpoint], variables, **options, **query)
            except AnsibleError as error:
                raise Refused(trouble.explained(platform, {"msg": str(error)}, secrets)) from error

        there = actual.read(ask, settings.organization, settings.owner)
        found = plan.plan(wanted, there, settings.owner, secrets, token)
        said = found.said()
        about = {"url": settings.url, "token_secret": settings.token, "organization": settings.organization}
        return {
            # Outside check mode the tasks that follow change something, and say so themselves.
            "changed": bool(said) and bool(self._task.check_mode),
            "msg": said or f"{settings.url} has what {settings.owner.prefix} declares",
            "plan": found.data(),
            "secrets": names,
            **about,
        }

    def _lookup(self, name: str, terms: list[str], variables: dict[str, Any], **options: Any) -> Any:
        lookup = lookup_loader.get(name, loader=self._loader, templar=self._templar)
        return lookup.run(terms, variables=variables, **options)
