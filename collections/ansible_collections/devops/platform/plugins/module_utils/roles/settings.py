# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings sorted by what it takes to apply them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

# Kernel settings that belong to a network namespace: a container has its own. All others are the machine's.
NAMESPACED_SYSCTL = ("net.core.somaxconn", "net.ipv4.", "net.ipv6.", "net.netfilter.", "net.unix.")
# Below net.ipv4 and friends, these few still are one for all namespaces.
MACHINE_SYSCTL = ("net.ipv4.tcp_mem", "net.ipv4.udp_mem", "net.netfilter.nf_conntrack_max")

# PostgreSQL reads these at start only (context 'postmaster' in pg_settings); all others follow a reload.
POSTGRESQL_START_ONLY = frozenset(
    [
        "archive_mode",
        "autovacuum_freeze_max_age",
        "autovacuum_max_workers",
        "autovacuum_multixact_freeze_max_age",
        "autovacuum_worker_slots",
        "bonjour",
        "bonjour_name",
        "cluster_name",
        "commit_timestamp_buffers",
        "config_file",
        "data_directory",
        "data_sync_retry",
        "debug_io_direct",
        "dynamic_shared_memory_type",
        "event_source",
        "external_pid_file",
        "hba_file",
        "hot_standby",
        "huge_page_size",
        "huge_pages",
        "ident_file",
        "ignore_invalid_pages",
        "io_max_combine_limit",
        "io_max_concurrency",
        "io_method",
        "jit_provider",
        "listen_addresses",
        "logging_collector",
        "max_active_replication_origins",
        "max_connections",
        "max_files_per_process",
        "max_locks_per_transaction",
        "max_logical_replication_workers",
        "max_notify_queue_pages",
        "max_pred_locks_per_transaction",
        "max_prepared_transactions",
        "max_replication_slots",
        "max_wal_senders",
        "max_worker_processes",
        "min_dynamic_shared_memory",
        "multixact_member_buffers",
        "multixact_offset_buffers",
        "notify_buffers",
        "old_snapshot_threshold",
        "port",
        "recovery_target",
        "recovery_target_action",
        "recovery_target_inclusive",
        "recovery_target_lsn",
        "recovery_target_name",
        "recovery_target_time",
        "recovery_target_timeline",
        "recovery_target_xid",
        "reserved_connections",
        "serializable_buffers",
        "shared_buffers",
        "shared_memory_type",
        "shared_preload_libraries",
        "subtransaction_buffers",
        "superuser_reserved_connections",
        "trace_connection_negotiation",
        "track_activity_query_size",
        "track_commit_timestamp",
        "transaction_buffers",
        "unix_socket_directories",
        "unix_socket_group",
        "unix_socket_permissions",
        "wal_buffers",
        "wal_decode_buffer_size",
        "wal_level",
        "wal_log_hints",
    ]
)


def is_namespaced(key: str) -> bool:
    """Whether a container may set this kernel setting for itself alone."""
    name = key.lstrip("-").replace("/", ".")
    return name.startswith(NAMESPACED_SYSCTL) and name not in MACHINE_SYSCTL


def sysctl_lines(values: Mapping[str, Any], scope: str) -> list[str]:
    """Lines of a sysctl.d file, ordered by key: those of the `scope` 'network' (a container's own) or 'machine'."""
    if scope not in ("network", "machine"):
        raise ValueError(f"scope '{scope}' of sysctl settings is neither 'network' nor 'machine'")
    wanted = scope == "network"
    return [f"{key} = {_number(values[key])}" for key in sorted(values) if is_namespaced(str(key)) is wanted]


def postgresql_lines(values: Mapping[str, Any], applied_by: str) -> list[str]:
    """Lines of a postgresql.conf, ordered by name: those that a 'reload' or only a 'restart' applies."""
    if applied_by not in ("reload", "restart"):
        raise ValueError(f"applied_by '{applied_by}' of PostgreSQL settings is neither 'reload' nor 'restart'")
    wanted = applied_by == "restart"
    return [
        f"{name} = {_quoted(values[name])}"
        for name in sorted(values)
        if (str(name).lower() in POSTGRESQL_START_ONLY) is wanted
    ]


def postgresql_users(
    signing_in: Iterable[str], members: Mapping[str, str], closed: Collection[str], monitors: Collection[str]
) -> list[dict[str, str]]:
    """Users of a server, `{name, flags, member_of, acts_as}`, each after those that it acts as.

    `signing_in` have a password. What one of `members` (user: owner) makes belongs to its owner. `closed` exist and may
    not sign in. `monitors` read statistics.
    """
    rights = "NOSUPERUSER,NOCREATEDB,NOCREATEROLE"
    groups = {**dict.fromkeys({*signing_in, *closed}, ""), **dict.fromkeys(monitors, "pg_monitor"), **members}
    return [
        {
            "name": name,
            "flags": f"{'NOLOGIN' if name in closed else 'LOGIN'},{rights}",
            "member_of": groups[name],
            "acts_as": members.get(name, ""),
        }
        for name in sorted(groups, key=lambda name: (name in members, name))
    ]


def ini_lines(settings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lines of an INI file as Grafana reads it, in the order of `settings`: a section each, `name = value` below it.

    ValueError for a value that no line can carry.
    """
    lines = []
    for section, values in settings.items():
        lines += ["", f"[{section}]"]
        lines += [f"{name} = {_ini_value(f'{section}.{name}', values[name])}" for name in values]
    return lines[1:]


def _ini_value(where: str, value: Any) -> str:
    """Backquotes keep what would begin a comment, and spaces at the ends; what they hold is taken as it stands."""
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    if "\n" in text or "\r" in text or "`" in text:
        raise ValueError(f"{where}: a line break or a backquote cannot stand in an INI file; remove it")
    return f"`{text}`" if text != text.strip() or any(mark in text for mark in '#;"\\') else text


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _quoted(value: Any) -> str:
    """PostgreSQL takes every value in quotes; a quote inside is doubled."""
    if isinstance(value, bool):
        value = "on" if value else "off"
    if isinstance(value, (list, tuple)):
        value = ", ".join(str(item) for item in value)
    text = str(value).replace("\\", "\\\\").replace("'", "''")
    return f"'{text}'"
