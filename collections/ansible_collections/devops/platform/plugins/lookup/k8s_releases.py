# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Manifests that others release, read on the controller."""

from __future__ import annotations

DOCUMENTATION = """
name: k8s_releases
short_description: Manifests of add-ons, as their makers release them
version_added: 0.1.0
author: Platform engineers (@devops-platform)
description:
  - Fetches the file of each add-on of C(platform.kubernetes.cluster.addons) that is a release of its makers, such as
    cert-manager, from C(platform.artifacts.sources), in their order.
  - The artifact lock pins its digest. What has another one is not used.
  - A run fetches a file once. Nothing is fetched where C(platform) has no such add-on.
options:
  _terms:
    description: None.
    type: list
    elements: str
seealso:
  - plugin: devops.platform.k8s_addons
    plugin_type: filter
"""

EXAMPLES = """
- name: Which kinds cert-manager brings
  ansible.builtin.debug:
    msg: "{{ query('devops.platform.k8s_releases') | map(attribute='kind') | unique }}"
"""

RETURN = """
_list:
  description: Manifests, in the order in which a cluster takes them.
  type: list
  elements: dict
"""

from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.devops.platform.plugins.module_utils.engine.describe import (
    DescriptionError,
    resolve_release,
)
from ansible_collections.devops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.devops.platform.plugins.module_utils.engine.release import download
from ansible_collections.devops.platform.plugins.module_utils.kubernetes import resources
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.addons import released
from ansible_collections.devops.platform.plugins.module_utils.platform.locks import read_artifacts
from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import root_of


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        if terms:
            raise AnsibleLookupError("devops.platform.k8s_releases takes no terms: platform says which there are")
        variables = variables or {}
        self.set_options(var_options=variables, direct=kwargs)
        platform = self._templar.template(variables.get("platform") or {})
        try:
            return [
                manifest
                for each in released.releases(platform)
                for manifest in resources.settled(platform, each, released.read(each, _text(platform, each, variables)))
            ]
        except (DescriptionError, EngineError, PlatformError) as error:
            raise AnsibleLookupError(f"devops.platform.k8s_releases: {error}") from error


def _text(platform: Data, release: released.Released, variables: dict[str, Any]) -> str:
    """The file, whose digest is the pinned one."""
    given = platform.get("artifacts") or {}
    locked = read_artifacts(given.get("locks") or [], root_of(variables))
    wanted = {"artifact": release.artifact, "version": release.version}
    found = resolve_release(release.name, wanted, locked, list(given.get("sources") or ["upstream"]))
    digest = released.pinned(release, found["sha256"])
    # Gone with this run; of a name that says what is in it. A download that was cut off has another name.
    kept = Path(constants.DEFAULT_LOCAL_TMP) / f"{release.artifact}-{digest}"
    if not kept.is_file():
        unfinished = kept.with_name(f"{kept.name}.unfinished")
        urls = tuple(url.replace("{version}", release.version) for url in found["urls"])
        download(urls, digest, str(unfinished))
        unfinished.rename(kept)
    return kept.read_text(encoding="utf-8")
