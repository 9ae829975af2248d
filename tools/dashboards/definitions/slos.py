"""What was promised, how much of it is used up, and what fires."""

from __future__ import annotations

from tools.dashboards.blocks import RUNBOOK_LIST, drill, error_ratio, graph
from tools.dashboards.model import Dashboard, Panel, Query, Row, Steps, Variable
from tools.dashboards.promql import share

from .overview import FIRING_ALERTS

BUDGET: Steps = ((None, "red"), (0, "orange"), (0.25, "yellow"), (0.5, "green"))
BURN: Steps = ((1, "yellow"), (6, "orange"), (14.4, "red"))
ALLOWED = "(1 - $objective / 100)"
HERE = 'app=~"$app"'


def failed(window: str) -> str:
    """Share of requests that failed within a window, by application."""
    return share(
        f'sum by (app) (increase(http_requests_total{{{HERE}, status=~"5.."}}[{window}]))',
        f"sum by (app) (increase(http_requests_total{{{HERE}}}[{window}]))",
    )


def slow(window: str) -> str:
    """Share of answers within a window that took longer than a second."""
    return (
        f'1 - sum by (app) (increase(http_request_duration_seconds_bucket{{{HERE}, le=~"1.0|1"}}[{window}]))'
        f" / sum by (app) (increase(http_request_duration_seconds_count{{{HERE}}}[{window}]))"
    )


def burn(window: str) -> Query:
    return Query(f"({failed(window)}) / {ALLOWED}", f"{{{{app}}}} {window}")


SLOS = Dashboard(
    "slos",
    "SLOs and alerts",
    "How much of the error budget is left, how fast does it go, and what fires?",
    (
        Row(
            "Error budget in the time shown",
            (
                Panel(
                    "Availability",
                    (Query(f"1 - ({failed('$__range')})", "{{app}}"),),
                    "percentunit",
                    "stat",
                    decimals=3,
                    about="Requests that were not answered with 5xx.",
                    empty="no requests",
                ),
                Panel(
                    "Budget left",
                    (Query(f"1 - ({failed('$__range')}) / {ALLOWED}", "{{app}}"),),
                    "percentunit",
                    "stat",
                    steps=BUDGET,
                    about="Below 0: the objective is missed in the time shown.",
                    empty="no requests",
                    decimals=1,
                ),
                Panel(
                    "Within a second",
                    (Query(f"1 - ({slow('$__range')})", "{{app}}"),),
                    "percentunit",
                    "stat",
                    decimals=3,
                    empty="no requests",
                ),
            ),
        ),
        Row(
            "How fast it goes",
            (
                Panel(
                    "Burn rate",
                    (burn("5m"), burn("1h"), burn("6h")),
                    about="1 uses up the budget of 30 days in 30 days; 14.4 a fiftieth of it in an hour.",
                    steps=BURN,
                ),
                graph(
                    "Error ratio",
                    error_ratio(HERE, "app"),
                    "{{app}}",
                    "percentunit",
                    links=(drill("Application", "application", "app"),),
                ),
                graph(
                    "Slower than a second",
                    slow("$__rate_interval"),
                    "{{app}}",
                    "percentunit",
                    links=(drill("Latency", "api-latency", "app"),),
                ),
            ),
        ),
        Row("Firing", (FIRING_ALERTS,)),
        Row(
            "Alerts over time",
            (
                graph("Firing", 'count by (alertname) (ALERTS{alertstate="firing"})', "{{alertname}}", stacked=True),
                graph("By severity", 'count by (severity) (ALERTS{alertstate="firing"})', "{{severity}}", stacked=True),
                graph("About to fire", 'count(ALERTS{alertstate="pending"}) or vector(0)', "pending"),
            ),
        ),
    ),
    (
        Variable("app", "Application", "label_values(http_requests_total, app)", many=True),
        Variable("objective", "Objective in %", choices=("99.9", "99.95", "99.5", "99")),
    ),
    span="24h",
    links=(RUNBOOK_LIST,),
)
