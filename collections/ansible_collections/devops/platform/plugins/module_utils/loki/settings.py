# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What platform.yml says about Loki, as typed values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import RETENTION, seconds
from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Addresses,
    Data,
    Groups,
    PlatformError,
    Topology,
    host_port,
    section,
)

PORT = 3100
GRPC_PORT = 9095  # on loopback, where the parts of the one process talk to each other
DIRECTORY = "/var/lib/loki"
LEAST_RETENTION = 24 * 3600  # Loki's index has a day in each file, and keeps or removes whole days
HOUR = 3600

# Fields that a label of Loki may be made of: each has few values, and all lines of one combination are one stream. One
# with a value of its own in each line would make a stream of each line.
LABELS = ("app", "container", "environment", "host", "level", "method", "service", "source", "version")

_SIZE = re.compile(r"([0-9]+)(B|KB|MB|GB)")
_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def size(text: str) -> int:
    """Bytes of a size such as 256KB, in powers of 1024 as Loki has them; ValueError for anything else."""
    found = _SIZE.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"'{text}' is no size; write a number and B, KB, MB or GB, such as 256KB")
    return int(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True)
class Limits:
    """What Loki refuses beyond. `rate` and `burst` are of all hosts together, `stream_rate` is of one stream, each a
    second."""

    rate: str = "8MB"
    burst: str = "16MB"
    stream_rate: str = "5MB"
    line: str = "256KB"
    streams: int = 5000
    labels: int = 15


@dataclass(frozen=True)
class Settings:
    """`platform.logging.loki` with its defaults."""

    platform: str
    environment: str
    group: str
    version: str
    port: int = PORT
    directory: str = DIRECTORY
    retention: str = RETENTION
    app_retention: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()


def settings_of(platform: Data) -> Settings:
    """PlatformError where platform.yml declares no Loki."""
    logging = section(platform, "logging")
    given = section(logging, "loki")
    if not given:
        raise PlatformError("platform.yml declares no platform.logging.loki")
    kept = section(logging, "retention")
    own = given.get("retention")  # then the others are Elasticsearch's
    apps: Data = {} if own else section(kept, "apps")
    limits: dict[str, Any] = {str(key): value for key, value in section(given, "limits").items() if value is not None}
    return Settings(
        platform=str(platform.get("name", "platform")),
        environment=str(platform.get("environment", "")),
        group=str(given.get("group") or logging.get("group") or ""),
        version=str(given.get("version", "")),
        port=int(given.get("port") or PORT),
        directory=str(given.get("directory") or DIRECTORY),
        retention=str(own or kept.get("default") or RETENTION),
        app_retention={str(app): str(apps[app]) for app in apps},
        limits=Limits(**limits),
    )


def hours(duration: str) -> str:
    """A duration of platform.yml as Loki takes each: in hours."""
    return f"{seconds(duration) // HOUR}h"


def loki_url(platform: Data, groups: Groups, addresses: Addresses) -> str:
    """Where the other hosts reach it; '' where platform.yml declares none."""
    if not section(platform, "logging", "loki"):
        return ""
    settings, topology = settings_of(platform), Topology(platform, groups, addresses)
    hosts = topology.hosts(settings.group)
    if not hosts:
        raise PlatformError(f"the group '{settings.group}' of platform.logging.loki has no host")
    return f"https://{host_port(topology.address(hosts[0]), settings.port)}"
