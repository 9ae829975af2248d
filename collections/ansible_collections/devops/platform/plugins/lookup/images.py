# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The image lock, read on the controller."""

from __future__ import annotations

DOCUMENTATION = """
name: images
short_description: Read the image lock
version_added: 0.1.0
author: Platform engineers (@devops-platform)
description:
  - Reads the lock files of images and merges them; a later file wins over an earlier one.
  - Relative paths are relative to the repository's root, the directory of C(ansible.cfg).
options:
  _terms:
    description: Paths of lock files. Without any, those of C(platform.images.locks).
    type: list
    elements: str
"""

EXAMPLES = """
- name: Show where an image comes from
  ansible.builtin.debug:
    msg: "{{ lookup('devops.platform.images')['chat-api'].digest }}"
"""

RETURN = """
_raw:
  description: "One dict, C({name: {ref, tag, digest}})."
  type: list
  elements: dict
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.devops.platform.plugins.module_utils.platform.locks import (
    read_images,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    PlatformError,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import (
    root_of,
)


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        variables = variables or {}
        self.set_options(var_options=variables, direct=kwargs)
        platform = {}
        if not terms and "platform" in variables:
            platform = self._templar.template(variables["platform"])
        paths = list(terms) or list((platform.get("images") or {}).get("locks") or ())
        if not paths:
            raise AnsibleLookupError("devops.platform.images: no lock file given, and platform.images.locks is empty")
        try:
            return [read_images([str(path) for path in paths], root_of(variables))]
        except PlatformError as error:
            raise AnsibleLookupError(f"devops.platform.images: {error}") from error
