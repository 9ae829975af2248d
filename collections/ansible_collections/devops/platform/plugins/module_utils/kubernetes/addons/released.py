"""Add-ons whose makers release their manifests as one file: which file, and what is in it. Pure.

Such a file holds kinds of the makers' own, with all that has to fit them: it is applied as it is, by its pinned digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, PlatformError, section

# In C where there is one: half a megabyte takes ten seconds otherwise.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Released:
    """An add-on of one file: which artifact of the lock that is, and the namespace that it brings along."""

    name: str
    artifact: str
    version: str
    namespace: str

    def older_than(self, *numbers: int) -> bool:
        """Whether its version is below this one, such as (1, 12)."""
        own = tuple(int(number) for number in re.findall(r"[0-9]+", self.version)[: len(numbers)])
        return own < numbers


CERT_MANAGER = Released("cert_manager", "cert_manager_manifests", "1.11.5", "cert-manager")
RELEASED = (CERT_MANAGER,)


def releases(platform: Data) -> Iterator[Released]:
    """Those that platform.yml has, in the version that it names."""
    asked = section(platform, "kubernetes", "cluster", "addons")
    for each in RELEASED:
        if each.name in asked:
            version = str(section(asked, each.name).get("version") or each.version)
            yield Released(each.name, each.artifact, version, each.namespace)


def pinned(release: Released, digests: Mapping[str, str]) -> str:
    """The digest of its file, which is one and the same for all architectures."""
    found = sorted(set(digests.values()))
    if len(found) != 1:
        raise PlatformError(
            f"the artifact lock has {len(found)} digests of {release.artifact} {release.version}, and manifests have "
            "no architecture; give each architecture the digest of the same file"
        )
    return found[0]


def read(release: Released, text: str) -> list[dict[str, Any]]:
    """The objects of the file; PlatformError where it is something else."""
    what = f"{release.artifact} {release.version}"
    try:
        found = [document for document in yaml.load_all(text, Loader=LOADER) if document is not None]
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise PlatformError(f"{what} is no YAML: {said}; the lock pins another file") from error
    if not found or not all(isinstance(one, dict) and one.get("kind") and one.get("metadata") for one in found):
        raise PlatformError(f"{what} holds what is no object with kind and metadata; the lock pins another file")
    return found
