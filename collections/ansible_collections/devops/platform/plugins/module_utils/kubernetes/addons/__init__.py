"""What a cluster of ours runs for itself: the files beside this one, with versions and networks filled in. Pure.

`${name}` is filled in, and `$$` is a dollar. What is applied here is updated by server-side apply; what is taken out of
platform.yml stays in the cluster until somebody removes it. What is its makers' own file instead is in `released.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.settings import FLANNEL, PODS, is_ours
from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, section

FOLDER = Path(__file__).parent
# In the order in which they need each other, with the version of each where platform.yml says none.
VERSIONS = {
    "flannel": "0.26.7",
    "metrics_server": "0.9.0",
    "kube_state_metrics": "2.18.0",  # the one whose client is of Kubernetes 1.34
    "local_path": "0.0.30",
    "traefik": "3.6.12",
}
PLUGIN = "0.9.1"  # of flannel's CNI plugin, whose versions are its own


def addons(platform: Data) -> list[dict[str, Any]]:
    """Manifests of all add-ons, in the order in which a cluster takes them."""
    return [manifest for name, values in wanted(platform) for manifest in manifests(name, values)]


def wanted(platform: Data) -> Iterator[tuple[str, dict[str, str]]]:
    """(add-on, what is filled in) of those that the cluster has."""
    given = section(platform, "kubernetes", "cluster")
    asked = section(given, "addons")
    for name, version in VERSIONS.items():
        if name == FLANNEL:
            if not is_ours(platform) or given.get("network", FLANNEL) != FLANNEL:  # a provider has its own
                continue
        elif name not in asked:
            continue
        yield (
            name,
            {
                "version": str(section(asked, name).get("version") or version),
                "pods": str(given.get("pods", PODS)),
                "plugin": PLUGIN,
            },
        )


def manifests(name: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """KeyError where the file asks for what `values` lack."""
    text = Template((FOLDER / f"{name}.yml").read_text(encoding="utf-8")).substitute(values)
    return [document for document in yaml.safe_load_all(text) if document]
