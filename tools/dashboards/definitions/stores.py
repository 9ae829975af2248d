"""Databases and caches, as their exporters tell it."""

from __future__ import annotations

from tools.dashboards.blocks import ANY, RUNBOOK_LIST, SHARE_FULL, graph, hosts_of, is_up, stat
from tools.dashboards.model import Dashboard, Panel, Query, Row, Steps, Variable
from tools.dashboards.promql import by, hit_ratio, mean, rate

HERE = 'host=~"$host"'
DATABASE = f'{HERE}, datname=~"$database"'
TAKEN: Steps = ((0.75, "yellow"), (0.9, "red"))

POSTGRESQL = Dashboard(
    "postgresql",
    "PostgreSQL",
    "Does the database answer, does it have connections and memory left, and does it keep up?",
    (
        Row(
            "Now",
            (
                is_up("Up", "pg_up"),
                stat(
                    "Connections in use",
                    f"sum(pg_stat_database_numbackends{{{HERE}}}) / sum(pg_settings_max_connections{{{HERE}}})",
                    "percentunit",
                    steps=TAKEN,
                ),
                stat("Size", by(f"pg_database_size_bytes{{{DATABASE}}}"), "bytes"),
                stat(
                    "Longest transaction",
                    by(f"pg_stat_activity_max_tx_duration{{{DATABASE}}}", how="max"),
                    "s",
                    steps=((60, "yellow"), (600, "red")),
                ),
            ),
        ),
        Row(
            "Connections and transactions",
            (
                Panel(
                    "Connections",
                    (Query(by(f"pg_stat_activity_count{{{DATABASE}}}", "state"), "{{state}}"),),
                    stacked=True,
                    about="Idle in transaction for long: a client that holds locks and does nothing.",
                ),
                graph(
                    "Connections of the most that there may be",
                    f"sum by (host) (pg_stat_database_numbackends{{{HERE}}}) "
                    f"/ on (host) max by (host) (pg_settings_max_connections{{{HERE}}})",
                    "{{host}}",
                    "percentunit",
                    steps=TAKEN,
                    maximum=1,
                ),
                Panel(
                    "Transactions",
                    (
                        Query(rate("pg_stat_database_xact_commit", DATABASE, "datname"), "{{datname}} committed"),
                        Query(rate("pg_stat_database_xact_rollback", DATABASE, "datname"), "{{datname}} rolled back"),
                    ),
                    "ops",
                ),
            ),
        ),
        Row(
            "Work",
            (
                graph(
                    "Found in the cache",
                    hit_ratio("pg_stat_database_blks_hit", "pg_stat_database_blks_read", DATABASE, "datname"),
                    "{{datname}}",
                    "percentunit",
                    maximum=1,
                    about="Below 0.99 for long: shared_buffers is too small for what is read.",
                ),
                Panel(
                    "Rows",
                    tuple(
                        Query(rate(f"pg_stat_database_tup_{what}", DATABASE), what)
                        for what in ("fetched", "inserted", "updated", "deleted")
                    ),
                    "ops",
                ),
                graph(
                    "Slow statements",
                    rate("slow_queries_total", "", "app", "service"),
                    "{{app}} {{service}}",
                    "ops",
                    about="As the applications measure them: longer than their SLOW_QUERY_SECONDS.",
                ),
                graph("Locks", by(f"pg_locks_count{{{DATABASE}}}", "mode"), "{{mode}}"),
                graph("Deadlocks", rate("pg_stat_database_deadlocks", DATABASE, "datname"), "{{datname}}", "ops"),
                graph(
                    "Temporary files",
                    rate("pg_stat_database_temp_bytes", DATABASE, "datname"),
                    "{{datname}}",
                    "Bps",
                    about="Sorts and joins that found no room in work_mem.",
                ),
            ),
        ),
        Row(
            "Growth and replicas",
            (
                graph("Size by database", f"pg_database_size_bytes{{{DATABASE}}}", "{{host}} {{datname}}", "bytes"),
                graph(
                    "Replicas behind",
                    f"pg_replication_lag_seconds{{{HERE}}}",
                    "{{host}}",
                    "s",
                    steps=((10, "yellow"), (60, "red")),
                    about="0 on a primary.",
                ),
                graph(
                    "Write-ahead log",
                    f"pg_wal_size_bytes{{{HERE}}}",
                    "{{host}}",
                    "bytes",
                    about="Growing without end: archiving fails, or a slot holds it back.",
                ),
            ),
        ),
    ),
    (
        hosts_of("pg_up"),
        Variable("database", "Database", 'label_values(pg_database_size_bytes{host=~"$host"}, datname)', many=True),
    ),
    links=(RUNBOOK_LIST,),
)

MYSQL = Dashboard(
    "mysql",
    "MySQL",
    "Does the database answer, does it have connections and memory left, and does it keep up?",
    (
        Row(
            "Now",
            (
                is_up("Up", "mysql_up"),
                stat(
                    "Connections in use",
                    f"sum(mysql_global_status_threads_connected{{{HERE}}}) "
                    f"/ sum(mysql_global_variables_max_connections{{{HERE}}})",
                    "percentunit",
                    steps=TAKEN,
                ),
                stat("Uptime", by(f"mysql_global_status_uptime{{{HERE}}}", how="min"), "s"),
            ),
        ),
        Row(
            "Work",
            (
                graph(
                    "Statements",
                    f"topk(10, {rate('mysql_global_status_commands_total', HERE, 'command')})",
                    "{{command}}",
                    "ops",
                ),
                graph("Slow statements", rate("mysql_global_status_slow_queries", HERE, "host"), "{{host}}", "ops"),
                Panel(
                    "Connections",
                    (
                        Query(f"mysql_global_status_threads_connected{{{HERE}}}", "{{host}} connected"),
                        Query(f"mysql_global_status_threads_running{{{HERE}}}", "{{host}} at work"),
                    ),
                ),
                graph(
                    "Found in the buffer pool",
                    f"1 - {rate('mysql_global_status_innodb_buffer_pool_reads', HERE, 'host')} / "
                    f"{rate('mysql_global_status_innodb_buffer_pool_read_requests', HERE, 'host')}",
                    "{{host}}",
                    "percentunit",
                    maximum=1,
                ),
                graph(
                    "Waits for row locks",
                    rate("mysql_global_status_innodb_row_lock_waits", HERE, "host"),
                    "{{host}}",
                    "ops",
                ),
                Panel(
                    "Traffic",
                    (
                        Query(rate("mysql_global_status_bytes_received", HERE, "host"), "{{host}} in"),
                        Query(rate("mysql_global_status_bytes_sent", HERE, "host"), "{{host}} out"),
                    ),
                    "Bps",
                ),
                graph(
                    "Connections that failed",
                    rate("mysql_global_status_aborted_connects", HERE, "host"),
                    "{{host}}",
                    "ops",
                ),
                graph(
                    "Replicas behind",
                    f"mysql_slave_status_seconds_behind_master{{{HERE}}}",
                    "{{host}}",
                    "s",
                    steps=((10, "yellow"), (60, "red")),
                ),
            ),
        ),
    ),
    (hosts_of("mysql_up"),),
    links=(RUNBOOK_LIST,),
)

REDIS = Dashboard(
    "redis",
    "Redis",
    "Does Redis answer, is there memory left, and are its commands quick?",
    (
        Row(
            "Now",
            (
                is_up("Up", "redis_up"),
                stat(
                    "Memory in use",
                    f"max(redis_memory_used_bytes{{{HERE}}} / (redis_memory_max_bytes{{{HERE}}} > 0))",
                    "percentunit",
                    steps=SHARE_FULL,
                    about="Of maxmemory.",
                    empty="no limit",
                ),
                stat("Clients now", by(f"redis_connected_clients{{{HERE}}}")),
                stat(
                    "Refused connections in the time shown",
                    by(f"increase(redis_rejected_connections_total{{{HERE}}}[$__range])"),
                    decimals=0,
                    steps=ANY,
                ),
                stat(
                    "Last snapshot",
                    f"min(redis_rdb_last_bgsave_status{{{HERE}}})",
                    states=(("0", "failed", "red"), ("1", "fine", "green")),
                ),
            ),
        ),
        Row(
            "Commands",
            (
                graph("Commands", rate("redis_commands_total", HERE, "cmd"), "{{cmd}}", "ops", stacked=True),
                graph(
                    "Time a command",
                    mean("redis_commands_duration_seconds_total", "redis_commands_total", HERE, "cmd"),
                    "{{cmd}}",
                    "s",
                ),
                graph(
                    "Found keys",
                    hit_ratio("redis_keyspace_hits_total", "redis_keyspace_misses_total", HERE, "host"),
                    "{{host}}",
                    "percentunit",
                    maximum=1,
                ),
            ),
        ),
        Row(
            "Memory and keys",
            (
                Panel(
                    "Memory",
                    (
                        Query(f"redis_memory_used_bytes{{{HERE}}}", "{{host}} used"),
                        Query(f"redis_memory_used_rss_bytes{{{HERE}}}", "{{host}} of the host"),
                        Query(f"redis_memory_max_bytes{{{HERE}}}", "{{host}} limit"),
                    ),
                    "bytes",
                ),
                graph("Keys", by(f"redis_db_keys{{{HERE}}}", "host", "db"), "{{host}} {{db}}"),
                Panel(
                    "Keys that went",
                    (
                        Query(rate("redis_evicted_keys_total", HERE, "host"), "{{host}} for room"),
                        Query(rate("redis_expired_keys_total", HERE, "host"), "{{host}} expired"),
                    ),
                    "ops",
                    about="For room: the memory is full, and keys are lost that nobody wanted to lose.",
                ),
            ),
        ),
        Row(
            "Clients and replicas",
            (
                Panel(
                    "Clients",
                    (
                        Query(f"redis_connected_clients{{{HERE}}}", "{{host}} connected"),
                        Query(f"redis_blocked_clients{{{HERE}}}", "{{host}} waiting"),
                    ),
                ),
                Panel(
                    "Traffic",
                    (
                        Query(rate("redis_net_input_bytes_total", HERE, "host"), "{{host}} in"),
                        Query(rate("redis_net_output_bytes_total", HERE, "host"), "{{host}} out"),
                    ),
                    "Bps",
                ),
                graph("Channels", f"redis_pubsub_channels{{{HERE}}}", "{{host}}"),
                graph("Replicas", f"redis_connected_slaves{{{HERE}}}", "{{host}}"),
            ),
        ),
    ),
    (hosts_of("redis_up"),),
    links=(RUNBOOK_LIST,),
)
