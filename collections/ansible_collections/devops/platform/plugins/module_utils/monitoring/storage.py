"""Where Prometheus sends its samples beside its own disk, and how that is backed up: `monitoring.prometheus`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.gate.spec import seconds
from ansible_collections.devops.platform.plugins.module_utils.monitoring.backup import PROMETHEUS, Family, declared
from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, section
from ansible_collections.devops.platform.plugins.module_utils.platform.remote import asked

BACKUP = "prometheus_backup"  # the component, and its unit
PROGRAMS = "/usr/local/lib/devops-platform"
TEXTFILE = "/var/lib/node_exporter"  # where the role node_exporter takes metrics of others
DEFAULTS: dict[str, Any] = {"at": "daily", "keep": 7, "max_age": "26h"}


def remote_write(platform: Data) -> list[dict[str, Any]]:
    """Prometheus' own `remote_write`; secrets are files."""
    entries = section(platform, "monitoring", "prometheus").get("remote_write") or ()
    return [
        {
            "url": str(entry["url"]),
            **({"name": str(entry["name"])} if entry.get("name") else {}),
            **asked(entry),
        }
        for entry in entries
        if entry
    ]


def external_labels(platform: Data, host: str, monitoring_hosts: Sequence[str]) -> dict[str, str]:
    """What stands on everything that leaves a Prometheus. With several of them, which one it was: what they send on can
    then be told apart; Alertmanager is not told, as for it two that see the same are to be one."""
    labels = {"platform": str(platform.get("name", "")), "environment": str(platform.get("environment", ""))}
    return {**labels, **({"replica": host} if len(monitoring_hosts) > 1 else {})}


def prometheus_backup(platform: Data) -> dict[str, Any]:
    """What the role prometheus is told of backups: `{directory, at, keep, max_age, textfile_directory}`; `{}` where
    there are none."""
    given = section(platform, "monitoring", "prometheus", "backup")
    if not given:
        return {}
    settings = {name: given.get(name, default) for name, default in DEFAULTS.items()}
    exported = section(platform, "monitoring", "node_exporter")
    return {"directory": str(given["directory"]), **settings, "textfile_directory": TEXTFILE if exported else ""}


def declaration(textfile: str, max_age: str, family: Family = PROMETHEUS) -> list[dict[str, Any]]:
    """The file that says to node_exporter how old a backup may become, where that shows files of others."""
    path = f"{textfile}/{family.word}_backup_declared.prom"
    content = declared(seconds(str(max_age)), family)
    return [{"path": path, "content": content, "mode": "0644", "on_change": "none"}] if textfile else []


def backup_component(backup: Mapping[str, Any], name: str, port: int, data: str, program: str) -> dict[str, Any]:
    """The component that backs up the Prometheus called `name`, which listens on `port` and has its database in `data`;
    the one that is absent where `backup` is empty. `program` is the path of module_utils/monitoring/backup.py."""
    if not backup:
        return {"name": BACKUP, "state": "absent"}
    directory = str(backup["directory"])
    given = {**DEFAULTS, **backup}
    textfile = str(given.get("textfile_directory") or "")
    arguments = {
        "url": f"http://127.0.0.1:{port}",
        "data": data,
        "directory": directory,
        "name": name,
        "keep": given["keep"],
        **({"metrics": f"{textfile}/{BACKUP}.prom"} if textfile else {}),
    }
    installed = f"{PROGRAMS}/{BACKUP}.py"
    # It steps back behind whatever else the host does. Metrics may be left by the group of who shows them.
    service = {
        "Nice": 19,
        "IOSchedulingClass": "idle",
        **({"SupplementaryGroups": "node_exporter"} if textfile else {}),
    }
    return {
        "name": BACKUP,
        "directories": [
            {"path": PROGRAMS, "mode": "0755"},
            {"path": directory, "owner": "prometheus", "group": "prometheus", "mode": "0750", "data": True},
        ],
        # -I: neither the environment nor the working directory says what is imported.
        "files": [
            {"path": installed, "source": program, "validate": "/usr/bin/python3 -I %s --help"},
            *declaration(textfile, given["max_age"]),
        ],
        "unit": {
            "description": "Backup of Prometheus",
            "type": "oneshot",
            "timer": {"calendar": str(given["at"])},
            "exec": " ".join(
                ["/usr/bin/python3 -I", installed, *(f"--{key}={value}" for key, value in arguments.items())]
            ),
            "user": "prometheus",
            "hardening": "strict",
            "writable": [data, directory, *([textfile] if textfile else [])],
            "after": ["prometheus.service"],
            "options": {"Service": service},
        },
    }
