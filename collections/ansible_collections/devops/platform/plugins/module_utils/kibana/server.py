# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Kibana of a host as a component: its configuration, certificates and unit. Pure, on the controller."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import node_urls
from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Addresses,
    Data,
    Groups,
    PlatformError,
    Topology,
    host_port,
    section,
)
from ansible_collections.devops.platform.plugins.module_utils.roles.files import as_yaml

NAME = "kibana"
PORT = 5601
USER = "kibana_system"  # that it is to Elasticsearch, which brings this user
CONFIG = "/etc/kibana"
DATA = "/var/lib/kibana"
HEAP = 1024  # MiB of JavaScript's objects; upstream's own default follows from the host's memory, which others share
# What Kibana encrypts, and the setting of the key; each has a key of its own.
ENCRYPTED = (
    "xpack.encryptedSavedObjects.encryptionKey",
    "xpack.reporting.encryptionKey",
    "xpack.security.encryptionKey",
)


@dataclass(frozen=True)
class Settings:
    """`platform.logging.kibana` with its defaults. `encryption_key` is the name of a secret."""

    environment: str
    group: str
    version: str
    encryption_key: str
    port: int = PORT
    url: str = ""


def settings_of(platform: Data) -> Settings:
    """PlatformError where platform.yml declares no Kibana."""
    logging = section(platform, "logging")
    given = section(logging, "kibana")
    if not given:
        raise PlatformError("platform.yml declares no platform.logging.kibana")
    return Settings(
        environment=str(platform.get("environment", "")),
        group=str(given.get("group") or logging.get("group") or ""),
        version=str(given.get("version", "")),
        encryption_key=str(given.get("encryption_key", "")),
        port=int(given.get("port") or PORT),
        url=str(given.get("url") or "").rstrip("/"),
    )


def kibana_secrets(platform: Data) -> dict[str, str]:
    """{purpose: name of the secret}: what Kibana is to Elasticsearch, and what its keys are made of."""
    passwords = section(platform, "logging", "elasticsearch", "passwords")
    return {"password": str(passwords[USER]), "encryption_key": settings_of(platform).encryption_key}


def kibana_component(
    platform: Data,
    host: str,
    groups: Groups,
    addresses: Addresses,
    secrets: Mapping[str, str],
    tls: Mapping[str, str],
    elasticsearch_ca: str,
) -> dict[str, Any]:
    """The server on `host` as a component of devops.platform.component.

    `secrets`: values of `kibana_secrets`; `tls`: what the lookup `certificate` gives; `elasticsearch_ca`: PEM text of
    what vouches for the nodes.
    """
    settings = settings_of(platform)
    address = Topology(platform, groups, addresses).address(host)
    nodes = list(node_urls(platform, groups, addresses).values())
    hidden = secret_config(secrets)
    contents = {
        "ca.crt": tls["authority"],
        "tls.crt": tls["certificate"],
        "tls.key": tls["key"],
        "elasticsearch-ca.crt": elasticsearch_ca,
        "secrets.yml": f"# Managed by devops.platform.\n{as_yaml(hidden)}",
        "kibana.yml": f"# Managed by devops.platform.\n{as_yaml(server_config(settings, host, address, nodes))}",
    }
    return {
        "name": NAME,
        "release": {"artifact": NAME, "version": settings.version},
        "user": NAME,
        "directories": [
            {"path": CONFIG, "group": NAME, "mode": "0750"},
            {"path": DATA, "owner": NAME, "group": NAME, "mode": "0750", "data": True},
        ],
        "files": [
            {"path": f"{CONFIG}/{name}", "content": contents[name], "group": NAME, "mode": "0640"}
            for name in sorted(contents)
        ],
        "unit": _unit(),
        "probe": {
            "http": f"https://127.0.0.1:{settings.port}/api/status",
            "contains": '"level":"available"',
            "timeout": 300,  # its first start makes its indexes, a newer one moves them
        },
        "secrets": {"tls_key": tls["key"], **hidden},
    }


def server_config(settings: Settings, host: str, address: str, nodes: list[str]) -> dict[str, Any]:
    """kibana.yml: all that may be read by others."""
    return {
        "server.host": "::" if ":" in address else "0.0.0.0",  # noqa: S104 - firewalled
        "server.port": settings.port,
        "server.name": host,
        "server.publicBaseUrl": settings.url or f"https://{host_port(address, settings.port)}",
        "server.ssl.enabled": True,
        "server.ssl.certificate": f"{CONFIG}/tls.crt",
        "server.ssl.key": f"{CONFIG}/tls.key",
        "server.ssl.supportedProtocols": ["TLSv1.2", "TLSv1.3"],
        "elasticsearch.hosts": nodes,
        "elasticsearch.username": USER,
        "elasticsearch.ssl.certificateAuthorities": [f"{CONFIG}/elasticsearch-ca.crt"],
        "elasticsearch.ssl.verificationMode": "full",
        "path.data": DATA,
        # Whoever wants to look signs in. Without a name one is told whether Kibana is available, and nothing more.
        "status.allowAnonymous": False,
        "xpack.security.authc.providers": {"basic.basic1": {"order": 0}},
        "xpack.security.session.idleTimeout": "8h",
        "xpack.security.session.lifespan": "7d",
        # Nothing is sent to, or fetched from, the makers of Kibana.
        "telemetry.optIn": False,
        "telemetry.allowChangingOptInStatus": False,
        "newsfeed.enabled": False,
        "map.includeElasticMapsService": False,
    }


def secret_config(secrets: Mapping[str, str]) -> dict[str, str]:
    """secrets.yml: a second file of settings, which only Kibana reads. Keys differ, and follow from one secret."""

    def key(setting: str) -> str:
        return hashlib.sha256(f"devops.platform {setting} {secrets['encryption_key']}".encode()).hexdigest()

    return {"elasticsearch.password": secrets["password"], **{setting: key(setting) for setting in ENCRYPTED}}


def _unit() -> dict[str, Any]:
    return {
        "description": "Kibana",
        "exec": f"{{release}}/bin/kibana --config={CONFIG}/kibana.yml --config={CONFIG}/secrets.yml",
        "after": ["network-online.target", "elasticsearch.service"],
        "user": NAME,
        "environment": {"KBN_PATH_CONF": CONFIG, "NODE_OPTIONS": f"--max-old-space-size={HEAP}"},
        "hardening": "strict",
        "writable": [DATA],
        "options": {
            "Service": {
                "MemoryDenyWriteExecute": "no",  # V8 writes the code that it runs
                "LimitNOFILE": 65536,
                "TimeoutStopSec": 60,
            }
        },
    }
