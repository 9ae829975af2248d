"""The log shipper of a host as components: the gateway, and before it the program that reads and queues."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.program import LIBRARY
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import (
    DEAD_LETTER,
    SYSTEM,
    index_prefix,
)
from ansible_collections.devops.platform.plugins.module_utils.monitoring.storage import TEXTFILE
from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Data,
    Groups,
    PlatformError,
    section,
)
from ansible_collections.devops.platform.plugins.module_utils.roles.files import as_yaml

from . import fields, fluent_bit, rsyslog
from .model import Logging, Output, Source, logging_of, secret_names, sources_on, spool_bytes

DIRECTORY = rsyslog.DIRECTORY
SPOOL = rsyslog.SPOOL
PID_FILE = f"{SPOOL}/state/rsyslogd.pid"
GATEWAY_SPOOL = "/var/lib/log-gateway"
FIRST_PORT = 9881  # on loopback; an output each
LEDGER = "/var/lib/devops-platform/ledger"
METRICS = f"{TEXTFILE}/log_shipper.prom"
PACKAGE = f"{LIBRARY}/log_gateway"
SOURCES = Path(__file__).parent
FILES = ("documents.py", "gateway.py", "guard.py", "outputs.py", "reports.py", "spool.py")  # as they are
# Both write there: the shipper lines, the gateway how far they are delivered.
QUEUES = [{"path": path, "mode": "0700", "data": True} for path in (SPOOL, rsyslog.QUEUE)]
# What each shipper is made of on Debian: Fluent Bit's release needs nothing else.
PACKAGES = {"rsyslog": ["rsyslog"], "fluent_bit": []}


def log_shipper_packages(platform: Data) -> list[str]:
    """Packages that the shipper needs of the distribution."""
    return list(PACKAGES[str(section(platform, "logging", "shipper").get("backend") or "rsyslog")])


def log_shipper_secrets(platform: Data) -> list[str]:
    """Names of the secrets that shipping needs, sorted."""
    return secret_names(platform)


def log_shipper_components(
    platform: Data, host: str, groups: Groups, addresses: Mapping[str, str], secrets: Mapping[str, str],
    authority: str = "", loki_tls: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The gateway and the shipper of ``host`` as components of devops.platform.component; none where it has no source.

    ``secrets``: values of `log_shipper_secrets`; ``authority``: PEM text of what vouches for the platform's own
    Elasticsearch. For others, what the host trusts does. ``loki_tls``: what the lookup `certificate` gives for the
    platform's own Loki, where that is an output.
    """
    logging = logging_of(platform, groups, addresses)
    sources = sources_on(logging, host, groups)
    if not sources or not logging.outputs:
        return []
    # rsyslog writes into a spool; Fluent Bit has one of its own, and posts.
    posts = logging.shipper.backend == "fluent_bit"
    ports = {output.name: FIRST_PORT + number if posts else 0 for number, output in enumerate(logging.outputs)}
    # What the shipper shows to the gateway: whoever may read the servers' password may write there as well.
    local = next((secrets[output.password] for output in logging.outputs if output.password), "shipper")
    hidden = {name: secrets[name] for name in secret_names(platform)}
    return [
        _with_certificate(_gateway(logging, host, ports, secrets, local, authority, hidden), logging, loki_tls),
        _shipper(logging, sources, host, ports, local, hidden),
    ]


def _asks(output: Output) -> bool:
    """Whether the server asks for a certificate: the platform's own Loki does."""
    return output.own and output.type == "loki"


def _with_certificate(gateway: dict[str, Any], logging: Logging, tls: Mapping[str, str] | None) -> dict[str, Any]:
    """With the files that the gateway shows to a server which asks for a certificate."""
    if not any(_asks(output) for output in logging.outputs):
        return gateway
    if not tls:
        raise PlatformError("platform.logging.loki asks for a certificate, and the gateway was given none")
    contents = {"loki-ca.crt": tls["authority"], "loki.crt": tls["certificate"], "loki.key": tls["key"]}
    files = [{"path": f"{DIRECTORY}/{name}", "content": contents[name], "mode": "0600"} for name in sorted(contents)]
    return {
        **gateway,
        "files": [*gateway["files"], *files],
        "secrets": {**gateway["secrets"], "loki_key": tls["key"]},
    }


def _shown(output: Output, authority: str) -> dict[str, str]:
    """Files by which the gateway and a server know each other."""
    if _asks(output):
        names = {"ca": "loki-ca.crt", "certificate": "loki.crt", "key": "loki.key"}
        return {key: f"{DIRECTORY}/{name}" for key, name in names.items()}
    return {"ca": f"{DIRECTORY}/ca.crt" if output.own and authority else ""}


def turned(urls: Sequence[str], host: str) -> list[str]:
    """The same servers, beginning with another one for each host: the first one that answers has all the work."""
    first = zlib.crc32(host.encode()) % len(urls)
    return [*urls[first:], *urls[:first]]


def gateway_config(
    logging: Logging, host: str, ports: Mapping[str, int], secrets: Mapping[str, str], local: str, authority: str
) -> dict[str, Any]:
    """What the gateway reads: gateway.json."""
    return {
        "secret": local, "host": host,
        "prefix": index_prefix(logging.environment), "system": SYSTEM, "dead_letter": DEAD_LETTER,
        "fields": sorted(fields.LINE), "rest": fields.REST, "ledger": LEDGER,
        "spool": rsyslog.QUEUE, "spool_limit": spool_bytes(logging.shipper.spool),
        "metrics": METRICS if logging.exported else "",
        "refused": f"{GATEWAY_SPOOL}/refused.ndjson", "pid_file": PID_FILE,
        "outputs": [
            {
                "name": output.name, "type": output.type, "port": ports[output.name], "urls": turned(output.urls, host),
                "user": output.user, "password": secrets[output.password] if output.password else "",
                **_shown(output, authority), "labels": list(output.labels),
            }
            for output in logging.outputs
        ],
    }  # fmt: skip


def _gateway(
    logging: Logging, host: str, ports: Mapping[str, int], secrets: Mapping[str, str], local: str, authority: str,
    hidden: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    config = gateway_config(logging, host, ports, secrets, local, authority)
    files = [
        {"path": f"{PACKAGE}/__init__.py", "content": ""},
        *({"path": f"{PACKAGE}/{name}", "source": str(SOURCES / name)} for name in FILES),
        {"path": f"{DIRECTORY}/gateway.json", "content": json.dumps(config, indent=1) + "\n", "mode": "0600"},
    ]
    if authority:
        files.append({"path": f"{DIRECTORY}/ca.crt", "content": authority, "mode": "0644"})
    return {
        "name": "log_gateway",
        "directories": [
            {"path": DIRECTORY, "mode": "0700"},
            {"path": GATEWAY_SPOOL, "mode": "0700", "data": True},
            *QUEUES,
        ],
        "files": files,
        "unit": {
            "description": "Log gateway: hands lines to the servers, keeps what they refuse",
            "exec": f"/usr/bin/python3 -m log_gateway.gateway {DIRECTORY}/gateway.json",
            "environment": {"PYTHONPATH": LIBRARY, "PYTHONDONTWRITEBYTECODE": "1"},
            "user": "root",  # reads the engine's ledger
            "hardening": "strict",
            "restart": "always",
            # node_exporter's directory is node_exporter's: it is there first.
            "writable": [GATEWAY_SPOOL, rsyslog.QUEUE, *([TEXTFILE] if config["metrics"] else [])],
            "options": {"Service": {"MemoryMax": "256M", "CPUWeight": "50"}},
        },
        "probe": [{"tcp": f"127.0.0.1:{port}", "timeout": 15} for port in ports.values() if port]
        or active("log_gateway"),
        "secrets": dict(hidden),
    }


def active(unit: str) -> dict[str, Any]:
    """The probe of what has no port."""
    return {"command": ["/usr/bin/systemctl", "is-active", f"{unit}.service"], "contains": "active", "timeout": 15}


def _shipper(
    logging: Logging,
    sources: tuple[Source, ...],
    host: str,
    ports: dict[str, int],
    local: str,
    hidden: Mapping[str, str],
) -> dict[str, Any]:
    directories = [
        {"path": DIRECTORY, "mode": "0700"},
        *QUEUES,
        {"path": f"{SPOOL}/state", "mode": "0700", "data": True},
    ]
    component = (
        _rsyslog(logging, sources, host)
        if logging.shipper.backend == "rsyslog"
        else _fluent_bit(logging, sources, host, ports, local)
    )
    unit = {
        "user": "root",  # reads every log
        "hardening": "standard",
        "restart": "always",
        "after": ["log_gateway.service"],
        "writable": [SPOOL],
        **component.pop("unit"),
    }
    # A rate limit of the journal drops lines before anybody could ship them.
    journal = {
        "path": "/etc/systemd/journald.conf.d/50-log-shipper.conf",
        "content": "# Managed by devops.platform; read when journald starts.\n[Journal]\nRateLimitIntervalSec=0\n",
        "on_change": "none",
    }
    files = [*component.pop("files"), *([journal] if any(source.type != "file" for source in sources) else [])]
    return {
        "name": "log_shipper",
        "directories": directories,
        "files": files,
        "unit": unit,
        "secrets": dict(hidden),
        **component,
    }


def _rsyslog(logging: Logging, sources: tuple[Source, ...], host: str) -> dict[str, Any]:
    return {
        "packages": PACKAGES["rsyslog"],
        "files": [
            {
                "path": f"{DIRECTORY}/rsyslog.conf",
                "content": rsyslog.config(logging, sources, host),
                "mode": "0600",
                "validate": "/usr/bin/env LOG_SHIPPER_STATE=/tmp /usr/sbin/rsyslogd -N1 -f %s",
            }
        ],
        "unit": {
            "description": "Log shipper (rsyslog), beside the distribution's own",
            "exec": f"/usr/sbin/rsyslogd -n -i {PID_FILE} -f {DIRECTORY}/rsyslog.conf",
            "environment": rsyslog.environment(SPOOL),
            "options": {"Service": {"MemoryMax": "256M", "LimitNOFILE": "16384", "TimeoutStopSec": "30"}},
        },
        "probe": active("log_shipper"),
    }


def _fluent_bit(
    logging: Logging, sources: tuple[Source, ...], host: str, ports: dict[str, int], local: str
) -> dict[str, Any]:
    path = f"{DIRECTORY}/fluent-bit.yaml"
    return {
        "release": {"artifact": "fluent_bit", "version": logging.shipper.version, "binaries": ["bin/fluent-bit"]},
        "files": [
            {
                "path": path,
                "content": as_yaml(fluent_bit.config(logging, sources, host, ports, local)),
                "mode": "0600",
                "validate": "{release}/bin/fluent-bit --dry-run --config=%s",
            }
        ],
        "unit": {
            "description": "Log shipper (Fluent Bit)",
            "exec": f"{{release}}/bin/fluent-bit --config={path}",
            "options": {"Service": {"MemoryMax": "256M", "TimeoutStopSec": "30"}},
        },
        "probe": {"http": f"http://127.0.0.1:{fluent_bit.METRICS_PORT}/api/v1/health", "timeout": 15},
    }
