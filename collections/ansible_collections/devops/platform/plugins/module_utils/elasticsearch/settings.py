# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What platform.yml says about Elasticsearch and about how long logs stay, as typed values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Addresses,
    Data,
    Groups,
    PlatformError,
    Topology,
    host_port,
    section,
)

from .rolling import DIRECTORY

PORT = 9200
TRANSPORT_PORT = 9300
RETENTION = "14d"
KEEP_SNAPSHOTS = 14
SNAPSHOTS_AT = "02:30"
# In the app's place in names of indexes: of lines that no app wrote, and of lines that no other index takes.
SYSTEM = "system"
DEAD_LETTER = "dead-letter"
UPSTREAM, INTEG_TEST = "upstream", "integ-test"

# Users of the file realm, each called like the key that names its password, and the role that it has.
SUPERUSER, SHIPPER, READER, MONITOR, RETENTION_USER = "superuser", "shipper", "reader", "monitor", "retention"
FILE_USERS = {
    SUPERUSER: "superuser",
    SHIPPER: "log_shipper",
    READER: "log_reader",
    MONITOR: "log_monitor",
    RETENTION_USER: "log_retention",
}
# Users that Elasticsearch brings, whose passwords are set through its API.
BUILTIN_USERS = ("elastic", "kibana_system")

_DURATION = re.compile(r"(\d+)([smhdwy])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_SIZE = re.compile(r"(\d+)([mg])")


@dataclass(frozen=True)
class Snapshots:
    """Where snapshots go, `directory` (the same file system on all nodes) or a `bucket` of S3, and when."""

    directory: str = ""
    bucket: str = ""
    base_path: str = ""
    region: str = ""
    at: str = SNAPSHOTS_AT
    keep: int = KEEP_SNAPSHOTS

    @property
    def hour(self) -> int:
        return int(self.at.partition(":")[0])

    @property
    def minute(self) -> int:
        return int(self.at.partition(":")[2])


@dataclass(frozen=True)
class Settings:
    """`platform.logging.elasticsearch` and `platform.logging.retention` with their defaults."""

    platform: str
    environment: str
    group: str
    version: str
    distribution: str = UPSTREAM
    port: int = PORT
    transport_port: int = TRANSPORT_PORT
    heap: str = "auto"
    directory: str = DIRECTORY
    memory_lock: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    passwords: Mapping[str, str] = field(default_factory=dict)  # user -> name of its secret
    snapshots: Snapshots | None = None
    retention: str = RETENTION
    app_retention: Mapping[str, str] = field(default_factory=dict)
    kibana: bool = False  # whether people read through it

    @property
    def cluster(self) -> str:
        return f"{self.platform}-{self.environment}"

    @property
    def prefix(self) -> str:
        """What the names of all indexes of this environment begin with."""
        return index_prefix(self.environment)

    @property
    def maps_memory(self) -> bool:
        """Whether the kernel must allow many memory maps."""
        return self.settings.get("node.store.allow_mmap") is not False

    @property
    def own_retention(self) -> bool:
        """Whether a program of ours does what ILM and SLM do, which this distribution lacks."""
        return self.distribution == INTEG_TEST


def settings_of(platform: Data) -> Settings:
    """PlatformError where platform.yml declares no Elasticsearch."""
    logging = section(platform, "logging")
    given = section(logging, "elasticsearch")
    if not given:
        raise PlatformError("platform.yml declares no platform.logging.elasticsearch")
    retention = section(logging, "retention")
    options: dict[str, Any] = {}
    for key, kind in (
        ("distribution", str), ("port", int), ("transport_port", int), ("heap", str), ("directory", str),
        ("memory_lock", bool),
    ):  # fmt: skip
        if given.get(key) is not None:
            options[key] = kind(given[key])
    passwords = section(given, "passwords")
    apps = section(retention, "apps")
    return Settings(
        platform=str(platform.get("name", "platform")),
        environment=str(platform.get("environment", "")),
        group=str(logging.get("group", "")),
        version=str(given.get("version", "")),
        settings=dict(section(given, "settings")),
        passwords={str(user): str(passwords[user]) for user in passwords},
        snapshots=_snapshots(section(given, "snapshots")),
        retention=str(retention.get("default") or RETENTION),
        app_retention={str(app): str(apps[app]) for app in apps},
        kibana=bool(section(logging, "kibana")),
        **options,
    )


def _snapshots(given: Data) -> Snapshots | None:
    if not given:
        return None
    s3 = section(given, "s3")
    return Snapshots(
        directory=str(given.get("directory") or ""),
        bucket=str(s3.get("bucket") or ""),
        base_path=str(s3.get("base_path") or ""),
        region=str(s3.get("region") or ""),
        at=str(given.get("at") or SNAPSHOTS_AT),
        keep=int(given.get("keep") or KEEP_SNAPSHOTS),
    )


def index_prefix(environment: str) -> str:
    return f"logs-{environment}-"


def seconds(duration: str) -> int:
    """Seconds of a duration such as 14d; ValueError for anything else."""
    found = _DURATION.fullmatch(duration)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"'{duration}' is no duration; write a number and s, m, h, d, w or y, such as 14d")
    return int(found[1]) * _SECONDS[found[2]]


def mebibytes(size: str) -> int:
    """MiB of a size of Java such as 512m or 2g; ValueError for anything else."""
    found = _SIZE.fullmatch(size)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"'{size}' is no size of a heap; write a number and m or g, such as 512m, or auto")
    return int(found[1]) * (1024 if found[2] == "g" else 1)


def nodes_of(platform: Data, groups: Groups) -> list[str]:
    """The hosts that run Elasticsearch, in the order of the inventory: the first one founds the cluster."""
    settings = settings_of(platform)
    if settings.group not in groups:
        Topology(platform, groups, {}).hosts(settings.group)  # says which groups there are
    return [str(host) for host in groups[settings.group]]


def node_urls(platform: Data, groups: Groups, addresses: Addresses) -> dict[str, str]:
    """`{host: URL}` of every node, where the other hosts reach it."""
    topology = Topology(platform, groups, addresses)
    port = settings_of(platform).port
    return {host: f"https://{host_port(topology.address(host), port)}" for host in nodes_of(platform, groups)}


def declaration(platform: Data) -> dict[str, Any]:
    """The parts of platform.yml that `settings_of` reads; PlatformError where there is no Elasticsearch in it."""
    settings_of(platform)
    logging = section(platform, "logging")
    return {
        "name": platform.get("name"),
        "environment": platform.get("environment"),
        "logging": {key: logging[key] for key in ("group", "elasticsearch", "retention") if key in logging},
    }
