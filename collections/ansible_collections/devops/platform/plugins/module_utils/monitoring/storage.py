"""Where Prometheus keeps its samples, and where else it sends them: `platform.monitoring.prometheus`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, section

FOLDER = "/etc/prometheus/remote"  # of the files with secrets
KEYS = ("password", "bearer")  # of an entry: those that name a secret


def _entries(platform: Data) -> list[Data]:
    return [entry for entry in section(platform, "monitoring", "prometheus").get("remote_write") or () if entry]


def remote_secrets(platform: Data) -> list[str]:
    """Names of the secrets that remote writing needs, each once, in the order of platform.yml."""
    named = [str(entry[key]) for entry in _entries(platform) for key in KEYS if entry.get(key)]
    return list(dict.fromkeys(named))


def remote_write(platform: Data) -> list[dict[str, Any]]:
    """Prometheus' own `remote_write`; secrets are files below FOLDER, called like the secret."""
    found = []
    for entry in _entries(platform):
        made: dict[str, Any] = {"url": str(entry["url"])}
        if entry.get("name"):
            made["name"] = str(entry["name"])
        if entry.get("user"):
            made["basic_auth"] = {"username": str(entry["user"]), "password_file": f"{FOLDER}/{entry['password']}"}
        if entry.get("bearer"):
            made["authorization"] = {"credentials_file": f"{FOLDER}/{entry['bearer']}"}
        found.append(made)
    return found


def external_labels(platform: Data, host: str, monitoring_hosts: Sequence[str]) -> dict[str, str]:
    """What stands on everything that leaves a Prometheus. With several of them, which one it was: what they send on can
    then be told apart; Alertmanager is not told, as for it two that see the same are to be one."""
    labels = {"platform": str(platform.get("name", "")), "environment": str(platform.get("environment", ""))}
    return {**labels, **({"replica": host} if len(monitoring_hosts) > 1 else {})}
