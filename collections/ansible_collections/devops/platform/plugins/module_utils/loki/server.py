# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Loki of a host as a component: its configuration, certificates and unit. Pure, on the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import seconds
from ansible_collections.devops.platform.plugins.module_utils.platform.model import Addresses, Data, Topology
from ansible_collections.devops.platform.plugins.module_utils.roles.files import as_yaml

from .settings import GRPC_PORT, Settings, hours, settings_of, size

NAME = "loki"
CONFIG = "/etc/loki"
LOOPBACK = "127.0.0.1"
# Between parts of the process, a whole push of the gateway at once: a thousand long lines.
MESSAGE_MOST = 100 << 20
SCHEMA_FROM = "2024-01-01"  # before the first line that this could ever hold


def loki_component(platform: Data, host: str, addresses: Addresses, tls: Mapping[str, str]) -> dict[str, Any]:
    """The server on `host` as a component of devops.platform.component. `tls`: what the lookup `loki_tls` gives."""
    settings = settings_of(platform)
    address = Topology(platform, {}, addresses).address(host)
    config = server_config(settings, address)
    # It reads its authority at its start only.
    contents = {"ca.crt": tls["authority"], "tls.crt": tls["certificate"], "tls.key": tls["key"]}
    return {
        "name": NAME,
        "release": {"artifact": NAME, "version": settings.version},
        "user": NAME,
        "directories": [
            {"path": CONFIG, "group": NAME, "mode": "0750"},
            {"path": settings.directory, "owner": NAME, "group": NAME, "mode": "0750", "data": True},
        ],
        "files": [
            *(
                {"path": f"{CONFIG}/{name}", "content": contents[name], "group": NAME, "mode": "0640"}
                for name in sorted(contents)
            ),
            {
                "path": f"{CONFIG}/loki.yml",
                "content": f"# Managed by devops.platform.\n{as_yaml(config)}",
                "group": NAME,
                "mode": "0640",
                "validate": "{release}/loki -verify-config -config.file=%s",
            },
        ],
        "unit": _unit(settings),
        "probe": {
            "http": f"https://{LOOPBACK}:{settings.port}/ready",
            "certificate": f"{CONFIG}/tls.crt",
            "key": f"{CONFIG}/tls.key",
            "timeout": 120,  # it first reads again what was not yet written to chunks
        },
        "secrets": {"tls_key": tls["key"]},
    }


def server_config(settings: Settings, address: str) -> dict[str, Any]:
    """loki.yml: one process with all parts, and files of its own. Only who shows a certificate is answered."""
    folder = settings.directory
    return {
        "auth_enabled": False,  # tenants, of which there is one
        "server": {
            "http_listen_address": "::" if ":" in address else "0.0.0.0",  # noqa: S104 - firewalled, and by certificate
            "http_listen_port": settings.port,
            "grpc_listen_address": LOOPBACK,
            "grpc_listen_port": GRPC_PORT,
            "grpc_server_max_recv_msg_size": MESSAGE_MOST,
            "grpc_server_max_send_msg_size": MESSAGE_MOST,
            "tls_min_version": "VersionTLS12",
            "http_tls_config": {
                "cert_file": f"{CONFIG}/tls.crt",
                "key_file": f"{CONFIG}/tls.key",
                "client_auth_type": "RequireAndVerifyClientCert",
                "client_ca_file": f"{CONFIG}/ca.crt",
            },
        },
        "common": {
            "instance_addr": LOOPBACK,
            "path_prefix": folder,
            "replication_factor": 1,
            "ring": {"kvstore": {"store": "inmemory"}},
            "storage": {"filesystem": {"chunks_directory": f"{folder}/chunks", "rules_directory": f"{folder}/rules"}},
        },
        "schema_config": {
            "configs": [
                {
                    "from": SCHEMA_FROM,
                    "store": "tsdb",
                    "object_store": "filesystem",
                    "schema": "v13",
                    "index": {"prefix": "index_", "period": "24h"},
                }
            ]
        },
        # What is in memory is in its log, too: nothing that was answered for is lost with the process.
        "ingester": {"wal": {"enabled": True, "flush_on_shutdown": True}, "lifecycler": {"min_ready_duration": "0s"}},
        "compactor": {"retention_enabled": True, "delete_request_store": "filesystem"},
        "limits_config": limits_config(settings),
        "analytics": {"reporting_enabled": False},  # nothing is sent to the makers of Loki
    }


def limits_config(settings: Settings) -> dict[str, Any]:
    """What is kept for how long, and what is refused."""
    limits = settings.limits
    mebibyte = 1 << 20
    # The longest of them: a line that waited on its host is taken as long as it would be kept.
    oldest = max((settings.retention, *settings.app_retention.values()), key=seconds)
    found: dict[str, Any] = {
        "retention_period": hours(settings.retention),
        "reject_old_samples": True,
        "reject_old_samples_max_age": hours(oldest),
        "ingestion_rate_mb": size(limits.rate) / mebibyte,
        "ingestion_burst_size_mb": size(limits.burst) / mebibyte,
        "per_stream_rate_limit": size(limits.stream_rate),
        "per_stream_rate_limit_burst": size(limits.burst),
        "max_line_size": size(limits.line),
        "max_global_streams_per_user": limits.streams,
        "max_label_names_per_series": limits.labels,
        # Labels are what platform.yml says, and nothing that Loki makes of lines.
        "discover_service_name": [],
        "discover_log_levels": False,
    }
    if settings.app_retention:
        found["retention_stream"] = [
            {"selector": f'{{app="{app}"}}', "priority": 1, "period": hours(keep)}
            for app, keep in sorted(settings.app_retention.items())
        ]
    return found


def _unit(settings: Settings) -> dict[str, Any]:
    return {
        "description": "Loki, which keeps logs",
        "exec": f"{{release}}/loki -config.file={CONFIG}/loki.yml",
        "after": ["network-online.target"],
        "user": NAME,
        "hardening": "strict",
        "writable": [settings.directory],
        "options": {"Service": {"LimitNOFILE": 65536, "TimeoutStopSec": 120}},
    }
