"""Elasticsearch, as its exporter tells it."""

from __future__ import annotations

from tools.dashboards.blocks import ANY, RUNBOOK_LIST, SHARE_FULL, graph, stat
from tools.dashboards.model import Dashboard, Panel, Query, Row, Variable
from tools.dashboards.promql import by, mean, rate

HERE = 'cluster=~"$cluster"'
NODE = "{{name}}"

ELASTICSEARCH = Dashboard(
    "elasticsearch",
    "Elasticsearch",
    "Is the cluster green, does it have heap and disk left, and does it index and search quickly?",
    (
        Row(
            "Now",
            (
                stat(
                    "Status",
                    f'max(elasticsearch_cluster_health_status{{{HERE}, color="yellow"}}) '
                    f'+ 2 * max(elasticsearch_cluster_health_status{{{HERE}, color="red"}})',
                    states=(("0", "green", "green"), ("1", "yellow", "yellow"), ("2", "red", "red")),
                ),
                stat("Nodes", by(f"elasticsearch_cluster_health_number_of_nodes{{{HERE}}}", how="max")),
                stat(
                    "Unassigned shards",
                    by(f"elasticsearch_cluster_health_unassigned_shards{{{HERE}}}", how="max"),
                    steps=ANY,
                ),
                stat(
                    "Waiting tasks",
                    by(f"elasticsearch_cluster_health_number_of_pending_tasks{{{HERE}}}", how="max"),
                    steps=((10, "yellow"), (100, "red")),
                ),
                stat("Documents", by(f"elasticsearch_indices_docs{{{HERE}}}")),
            ),
        ),
        Row(
            "Room",
            (
                graph(
                    "Heap",
                    f'elasticsearch_jvm_memory_used_bytes{{{HERE}, area="heap"}} '
                    f'/ elasticsearch_jvm_memory_max_bytes{{{HERE}, area="heap"}}',
                    NODE,
                    "percentunit",
                    steps=((0.75, "yellow"), (0.9, "red")),
                    maximum=1,
                ),
                graph(
                    "Disk",
                    f"max by (name) (1 - elasticsearch_filesystem_data_available_bytes{{{HERE}}} "
                    f"/ elasticsearch_filesystem_data_size_bytes{{{HERE}}})",
                    NODE,
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                    about="Over 0.9 shards move away, over 0.95 indices are only read.",
                ),
                graph(
                    "Collecting garbage",
                    rate("elasticsearch_jvm_gc_collection_seconds_sum", HERE, "name", "gc"),
                    "{{name}} {{gc}}",
                    "percentunit",
                    steps=((0.1, "yellow"), (0.3, "red")),
                ),
            ),
        ),
        Row(
            "Work",
            (
                graph("Indexed", rate("elasticsearch_indices_indexing_index_total", HERE, "name"), NODE, "ops"),
                graph(
                    "Time a document",
                    mean(
                        "elasticsearch_indices_indexing_index_time_seconds_total",
                        "elasticsearch_indices_indexing_index_total",
                        HERE,
                        "name",
                    ),
                    NODE,
                    "s",
                ),
                graph("Searches", rate("elasticsearch_indices_search_query_total", HERE, "name"), NODE, "ops"),
                graph(
                    "Time a search",
                    mean(
                        "elasticsearch_indices_search_query_time_seconds",
                        "elasticsearch_indices_search_query_total",
                        HERE,
                        "name",
                    ),
                    NODE,
                    "s",
                ),
                graph(
                    "Refused",
                    rate("elasticsearch_thread_pool_rejected_count", HERE, "name", "type"),
                    "{{name}} {{type}}",
                    "ops",
                    about="A full queue: more comes than the node can do.",
                ),
                graph(
                    "Circuit breakers",
                    rate("elasticsearch_breakers_tripped", HERE, "name", "breaker"),
                    "{{name}} {{breaker}}",
                    "ops",
                ),
                graph("Stored", by(f"elasticsearch_indices_store_size_bytes{{{HERE}}}", "name"), NODE, "bytes"),
                Panel(
                    "Shards",
                    tuple(
                        Query(by(f"elasticsearch_cluster_health_{state}_shards{{{HERE}}}", how="max"), state)
                        for state in ("active", "relocating", "initializing", "unassigned")
                    ),
                ),
            ),
        ),
    ),
    (Variable("cluster", "Cluster", "label_values(elasticsearch_cluster_health_status, cluster)", many=True),),
    links=(RUNBOOK_LIST,),
)
