"""The platform.yml of a short-lived fleet: the lab's own, with what a test wants otherwise."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from lab import REPOSITORY
from lab.state import State

LAB = REPOSITORY / "inventories" / "lab" / "group_vars" / "all" / "platform.yml"
EXAMPLES = REPOSITORY / "docs" / "examples"


def lab_platform() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(LAB.read_text())["platform"]
    return found


def example(name: str) -> dict[str, Any]:
    """What the documents tell people to lay over the lab's platform.yml."""
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{name}.yml").read_text())["platform"]
    return found


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid over it, mapping by mapping; None takes a key away."""
    result = copy.deepcopy(dict(base))
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def generated(name: str, state: State, over: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A platform of its own beside the lab: no upgrades, which would make two runs differ, and secrets of its own."""
    tls = {"certificate": state.pki / "edge.crt", "key": state.pki / "edge.key", "ca": state.pki / "ca.crt"}
    own = {
        "name": name,
        "hosts": {"upgrades": "none"},
        "edge": {"tls": {key: str(path) for key, path in tls.items()}},
        "secrets": {"directory": str(state.secrets)},
    }
    return merged(merged(lab_platform(), own), over or {})


def roles_of(count: int) -> list[Sequence[str]]:
    """Which groups each host is in. An application and its database are never on one host: the firewall is between."""
    if count == 1:
        return [["monitoring"]]
    if count == 2:
        return [["app"], ["data", "monitoring", "edge"]]
    return [*(["app"] for _ in range(count - 2)), ["data"], ["monitoring", "edge"]]
