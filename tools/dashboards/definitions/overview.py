"""The first page: what is wrong, and where to look next."""

from __future__ import annotations

from tools.dashboards.blocks import (
    ANY,
    ERRORS,
    LATENCY,
    RUNBOOK_LIST,
    RUNBOOKS,
    SHARE_FULL,
    column_link,
    drill,
    error_ratio,
    graph,
    stat,
)
from tools.dashboards.model import Dashboard, Link, Panel, Query, Row
from tools.dashboards.promql import quantile, rate

FIRING = 'ALERTS{alertstate="firing", severity!="none"}'
SERVICE = "{{app}} {{service}}"

FIRING_ALERTS = Panel(
    "Firing alerts",
    (Query('ALERTS{alertstate="firing"}'),),
    kind="table",
    about="The watchdog always fires: where it is missing, alerts do not get through.",
    columns=(
        ("alertname", "Alert"),
        ("severity", "Severity"),
        ("host", "Host"),
        ("job", "Job"),
        ("app", "Application"),
        ("team", "Team"),
        ("runbook", "Runbook"),
    ),
    links=(
        Link("Runbook", f"{RUNBOOKS}/${{__value.text}}.md"),
        column_link("Host", "hosts", "host"),
        column_link("Application", "application", "app"),
    ),
)

OVERVIEW = Dashboard(
    "overview",
    "System overview",
    "Is anything wrong right now, and which dashboard says more?",
    (
        Row(
            "Now",
            (
                stat("Alerts firing", f"count({FIRING}) or vector(0)", steps=ANY),
                stat("Targets down", "count(up == 0) or vector(0)", steps=ANY),
                stat("Hosts", 'count(up{job="node"} == 1) or vector(0)'),
                stat("Requests a second", rate("http_requests_total"), "reqps"),
                stat("Error ratio now", error_ratio(""), "percentunit", steps=ERRORS, empty="no requests"),
                stat(
                    "95 % of answers now within",
                    quantile(0.95, "http_request_duration_seconds", ""),
                    "s",
                    steps=LATENCY,
                    empty="no requests",
                ),
            ),
        ),
        Row("Alerts", (FIRING_ALERTS,)),
        Row(
            "Applications",
            (
                graph(
                    "Requests",
                    rate("http_requests_total", "", "app", "service"),
                    SERVICE,
                    "reqps",
                    links=(drill("Application", "application", "app"),),
                ),
                graph(
                    "Error ratio",
                    error_ratio("", "app", "service"),
                    SERVICE,
                    "percentunit",
                    steps=ERRORS,
                    links=(drill("Application", "application", "app"),),
                ),
                graph(
                    "95 % of answers within",
                    quantile(0.95, "http_request_duration_seconds", "", "app", "service"),
                    SERVICE,
                    "s",
                    steps=LATENCY,
                    links=(drill("Latency", "api-latency", "app"),),
                ),
            ),
        ),
        Row(
            "Hosts",
            (
                graph(
                    "CPU",
                    '1 - avg by (host) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))',
                    "{{host}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                    links=(drill("Host", "hosts", "host"),),
                ),
                graph(
                    "Memory",
                    "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
                    "{{host}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                    links=(drill("Host", "hosts", "host"),),
                ),
                graph(
                    "Fullest disk",
                    'max by (host) (1 - node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs"} '
                    "/ node_filesystem_size_bytes)",
                    "{{host}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                    links=(drill("Host", "hosts", "host"),),
                ),
            ),
        ),
        Row(
            "Targets",
            (
                Panel(
                    "Targets",
                    (Query("up"),),
                    kind="table",
                    columns=(("job", "Job"), ("host", "Host"), ("instance", "Address"), ("Value", "Up")),
                    states=(("0", "down", "red"), ("1", "up", "green")),
                    links=(column_link("Host", "hosts", "host"),),
                ),
            ),
        ),
    ),
    links=(RUNBOOK_LIST,),
)
