"""Applications: one template for all of them, their latency by route, and what the chat's people do."""

from __future__ import annotations

from tools.dashboards.blocks import (
    ERRORS,
    LATENCY,
    RUNBOOK_LIST,
    SHARE_FULL,
    drill,
    error_ratio,
    graph,
    is_up,
    latency,
    process,
    stat,
)
from tools.dashboards.model import Dashboard, Row, Variable
from tools.dashboards.promql import by, quantile, rate, share

APP = Variable("app", "Application", "label_values(http_requests_total, app)")
SERVICE = Variable("service", "Service", 'label_values(http_requests_total{app="$app"}, service)', many=True)
HOST = Variable("host", "Host", 'label_values(http_requests_total{app="$app"}, host)', many=True)
HERE = 'app="$app", service=~"$service", host=~"$host"'
LABELS = "{{service}} {{host}}"
DURATION = "http_request_duration_seconds"

APPLICATION = Dashboard(
    "application",
    "Application",
    "Does an application answer, how fast, and with how many errors?",
    (
        Row(
            "Now",
            (
                is_up("Up", "up", HERE, "service", "host"),
                stat("Requests a second", rate("http_requests_total", HERE), "reqps", width=4),
                stat("Error ratio now", error_ratio(HERE), "percentunit", steps=ERRORS, empty="no requests", width=4),
                stat(
                    "95 % of answers within",
                    quantile(0.95, DURATION, HERE),
                    "s",
                    steps=LATENCY,
                    empty="no requests",
                    width=4,
                ),
            ),
        ),
        Row(
            "Traffic",
            (
                graph("Requests", rate("http_requests_total", HERE, "service", "host"), LABELS, "reqps"),
                graph(
                    "Answers by status",
                    rate("http_requests_total", HERE, "status"),
                    "{{status}}",
                    "reqps",
                    stacked=True,
                ),
                graph("Being answered", by(f"http_requests_in_progress{{{HERE}}}", "service", "host"), LABELS),
            ),
        ),
        Row(
            "Quality",
            (
                graph("Error ratio", error_ratio(HERE, "service", "host"), LABELS, "percentunit", steps=ERRORS),
                latency("Time to answer", DURATION, HERE),
                graph(
                    "Failures by kind",
                    rate("errors_total", HERE, "kind"),
                    "{{kind}}",
                    "ops",
                    about="Of the service itself, or of what it needs.",
                ),
            ),
        ),
        Row(
            "Connections",
            (
                graph("Active websockets", 'sum by (host) (active_websockets{app="$app", host=~"$host"})', "{{host}}"),
                graph(
                    "Database connections in use",
                    f"connections_used{{{HERE}}} / connections_limit{{{HERE}}}",
                    LABELS,
                    "percentunit",
                    about="Of the service's own pool. Full for long: requests wait for a connection.",
                    steps=SHARE_FULL,
                    maximum=1,
                ),
                latency("Database statements", "query_duration_seconds", HERE),
            ),
        ),
        process(HERE),
    ),
    (APP, SERVICE, HOST),
    links=(RUNBOOK_LIST,),
)

ROUTES = ("service", "method", "route")
ROUTE = "{{method}} {{route}}"
CHOSEN = f'{HERE}, route=~"$route"'

API_LATENCY = Dashboard(
    "api-latency",
    "API latency",
    "Which route is slow, since when, and for whom?",
    (
        Row(
            "All chosen routes",
            (
                latency("Time to answer", DURATION, CHOSEN),
                graph(
                    "Within 0.1, 0.5 and 1 second",
                    f'sum by (le) (rate({DURATION}_bucket{{{CHOSEN}, le=~"0.1|0.5|1.0|1"}}[$__rate_interval]))'
                    f" / ignoring (le) group_left sum(rate({DURATION}_count{{{CHOSEN}}}[$__rate_interval]))",
                    "{{le}} s",
                    "percentunit",
                    maximum=1,
                    about="Share of the answers that came within that time.",
                ),
            ),
        ),
        Row(
            "By route",
            (
                graph("95 % within", quantile(0.95, DURATION, CHOSEN, "method", "route"), ROUTE, "s", steps=LATENCY),
                graph("99 % within", quantile(0.99, DURATION, CHOSEN, "method", "route"), ROUTE, "s", steps=LATENCY),
                graph("Requests", rate("http_requests_total", CHOSEN, "method", "route"), ROUTE, "reqps"),
                graph(
                    "Time spent",
                    rate(f"{DURATION}_sum", CHOSEN, "method", "route"),
                    ROUTE,
                    "percentunit",
                    stacked=True,
                    about="Where the service's time goes: frequent and quick counts like rare and slow.",
                ),
                graph(
                    "By host, 95 % within",
                    quantile(0.95, DURATION, CHOSEN, "service", "host"),
                    LABELS,
                    "s",
                    about="One host apart from the others: the host, not the code.",
                    steps=LATENCY,
                ),
            ),
        ),
        Row(
            "What it waits for",
            (
                graph(
                    "Statements by operation, 95 % within",
                    quantile(0.95, "query_duration_seconds", HERE, "operation"),
                    "{{operation}}",
                    "s",
                ),
                graph("Slow statements", rate("slow_queries_total", HERE, "service", "host"), LABELS, "ops"),
            ),
        ),
    ),
    (
        APP,
        SERVICE,
        HOST,
        Variable(
            "route", "Route", 'label_values(http_requests_total{app="$app", service=~"$service"}, route)', many=True
        ),
    ),
)

OF_APP = 'app="$app"'
STORED = f'{OF_APP}, outcome="stored"'

BUSINESS = Dashboard(
    "business",
    "Business",
    "Do people come, do they talk, and does what they write arrive?",
    (
        Row(
            "Now",
            (
                stat("People connected", by(f"active_websockets{{{OF_APP}}}")),
                # Every replica counts them in the same database: the most that one says, not the sum.
                stat("People", by(f"chat_users{{{OF_APP}}}", how="max")),
                stat("Rooms", by(f"chat_rooms{{{OF_APP}}}", how="max")),
                stat("Messages", by(f"chat_messages{{{OF_APP}}}", how="max")),
                stat(
                    "Messages a minute",
                    f"60 * {rate('messages_in_total', STORED)}",
                    decimals=1,
                ),
                stat(
                    "Messages in the time shown",
                    by(f"increase(messages_in_total{{{STORED}}}[$__range])"),
                    decimals=0,
                ),
                stat(
                    "New people in the time shown",
                    by(f'increase(sign_ins_total{{{OF_APP}, outcome="signed_up"}}[$__range])'),
                    decimals=0,
                ),
            ),
        ),
        Row(
            "People",
            (
                graph("Connected", by(f"active_websockets{{{OF_APP}}}", "host"), "{{host}}", stacked=True),
                graph(
                    "Sign-ups and sign-ins a minute",
                    f"60 * {rate('sign_ins_total', OF_APP, 'outcome')}",
                    "{{outcome}}",
                    about="Many refused ones: somebody tries passwords, or people cannot get in.",
                ),
                graph(
                    "Refused for coming too often, a minute",
                    f"60 * {rate('rate_limited_total', OF_APP, 'limit')}",
                    "{{limit}}",
                ),
            ),
        ),
        Row(
            "Messages",
            (
                graph(
                    "Received a minute",
                    f"60 * {rate('messages_in_total', OF_APP, 'outcome')}",
                    "{{outcome}}",
                    stacked=True,
                ),
                graph(
                    "Delivered a minute",
                    f"60 * {rate('messages_out_total', OF_APP, 'host')}",
                    "{{host}}",
                    about="To each connected client of the room, so that one message counts many times.",
                    stacked=True,
                ),
                graph(
                    "Lost ones",
                    share(rate("messages_in_total", OF_APP + ', outcome="failed"'), rate("messages_in_total", OF_APP)),
                    unit="percentunit",
                    steps=ERRORS,
                    about="Of those received: neither stored nor refused.",
                ),
                latency(
                    "On the way to other hosts",
                    "queue_lag_seconds",
                    OF_APP,
                    about="From publishing in Redis to having delivered.",
                ),
                graph("Clients too slow to read", f"60 * {rate('slow_clients_total', OF_APP, 'host')}", "{{host}}"),
            ),
        ),
        Row(
            "Where",
            (
                graph(
                    "Connected by host",
                    by(f"active_websockets{{{OF_APP}}}", "host")
                    + f" / on () group_left sum(active_websockets{{{OF_APP}}})",
                    "{{host}}",
                    "percentunit",
                    links=(drill("Host", "hosts", "host"),),
                    about="Far from even: the edge, or a host that came back late.",
                ),
            ),
        ),
    ),
    (Variable("app", "Application", "label_values(messages_in_total, app)"),),
    span="6h",
)
