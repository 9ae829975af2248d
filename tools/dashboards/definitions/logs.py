"""Logs on their way: what the gateways of the hosts, Elasticsearch and Loki tell of it."""

from __future__ import annotations

from tools.dashboards.blocks import ANY, RUNBOOK_LIST, SHARE_FULL, graph, hosts_of, stat
from tools.dashboards.model import Dashboard, Row
from tools.dashboards.promql import by, rate, share

HOST = 'host=~"$host"'
OUTPUT = "{{host}} {{output}}"
LATE = ((60, "yellow"), (300, "red"))
FAILED = rate("log_lines_total", f'{HOST}, app!="", level=~"error|critical"', "app")
WRITTEN = rate("log_lines_total", f'{HOST}, app!=""', "app")
QUEUE = f"log_shipper_queue_bytes{{{HOST}}} / log_shipper_queue_limit_bytes{{{HOST}}}"

LOGS = Dashboard(
    "logs",
    "Logs",
    "Do lines arrive, from everybody and in time, and how bad is what they say?",
    (
        Row(
            "Now",
            (
                stat("Lines a second", rate("log_lines_total", HOST), "cps"),
                stat("Latest by", by(f"log_shipper_lag_seconds{{{HOST}}}", how="max"), "s", steps=LATE),
                stat("Fullest queue", by(QUEUE, how="max"), "percentunit", steps=((0.5, "yellow"), (0.9, "red"))),
                stat(
                    "Silent gateways",
                    f"count(time() - log_shipper_written_seconds{{{HOST}}} > 120) or vector(0)",
                    steps=ANY,
                ),
                stat("Shippers that wait for room", by(f"log_shipper_paused{{{HOST}}}"), steps=ANY),
            ),
        ),
        Row(
            "What is written",
            (
                graph("By level", rate("log_lines_total", HOST, "level"), "{{level}}", "cps", stacked=True),
                graph("By app", rate("log_lines_total", HOST, "app"), "{{app}}", "cps", stacked=True),
                graph(
                    "Errors of all lines",
                    share(FAILED, WRITTEN),
                    "{{app}}",
                    "percentunit",
                    steps=((0.1, "red"),),
                    about="Of level error and critical.",
                ),
            ),
        ),
        Row(
            "Shipping",
            (
                graph(
                    "How late",
                    by(f"log_shipper_lag_seconds{{{HOST}}}", "host", "output", how="max"),
                    OUTPUT,
                    "s",
                    steps=LATE,
                ),
                graph(
                    "Queues", by(QUEUE, "host", "output", how="max"), OUTPUT, "percentunit", steps=SHARE_FULL, maximum=1
                ),
                graph("Shipped", rate("log_shipper_shipped_lines_total", HOST, "output"), "{{output}}", "cps"),
                graph(
                    "Refused",
                    rate("log_shipper_refused_lines_total", HOST, "output", "app", "reason"),
                    "{{output}} {{app}} {{reason}}",
                    "cps",
                    about="They are in the dead letters, or in a file of their host.",
                ),
                graph("Sent again", rate("log_shipper_retries_total", HOST, "output"), "{{output}}", "reqps"),
                graph(
                    "There already",
                    rate("log_shipper_duplicate_lines_total", HOST, "output"),
                    "{{output}}",
                    "cps",
                    about="Read again after something died; they are known by their ids.",
                ),
            ),
        ),
        Row(
            "Elasticsearch",
            (
                stat(
                    "Cluster",
                    'max(elasticsearch_cluster_health_status{color="yellow"}) '
                    '+ 2 * max(elasticsearch_cluster_health_status{color="red"})',
                    states=(("0", "green", "green"), ("1", "yellow", "yellow"), ("2", "red", "red")),
                ),
                graph("Size", by("elasticsearch_indices_store_size_bytes", "name"), "{{name}}", "bytes"),
                graph(
                    "Writes rejected",
                    by('rate(elasticsearch_thread_pool_rejected_count{type="write"}[$__rate_interval])', "name"),
                    "{{name}}",
                    "ops",
                ),
            ),
        ),
        Row(
            "Loki",
            (
                graph("Streams", by("loki_ingester_memory_streams", "host"), "{{host}}"),
                graph(
                    "Answers",
                    rate("loki_request_duration_seconds_count", "", "route", "status_code"),
                    "{{route}} {{status_code}}",
                    "reqps",
                ),
                graph("Lines refused", rate("loki_discarded_samples_total", "", "reason"), "{{reason}}", "cps"),
            ),
        ),
    ),
    (hosts_of("log_shipper_written_seconds"),),
    links=(RUNBOOK_LIST,),
)
