"""Panels, rows and variables that several dashboards have."""

from __future__ import annotations

from typing import Any

from .model import Color, Link, Panel, Query, Row, Steps, Variable
from .promql import BUCKETS, by, quantile, rate, share

RUNBOOKS = "https://github.com/devops-platform/devops-platform/blob/main/docs/runbooks"
RUNBOOK_LIST = Link("Runbooks", RUNBOOKS)
UP_OR_DOWN: tuple[tuple[str, str, Color], ...] = (("0", "down", "red"), ("1", "up", "green"))
SHARE_FULL: Steps = ((0.8, "yellow"), (0.9, "red"))
ERRORS: Steps = ((0.001, "yellow"), (0.01, "red"))
ANY: Steps = ((1, "red"),)
LATENCY: Steps = ((0.5, "yellow"), (1, "red"))


def hosts_of(metric: str) -> Variable:
    """The hosts that a metric comes from, all of them at first."""
    return Variable("host", "Host", f"label_values({metric}, host)", many=True)


def drill(title: str, uid: str, label: str) -> Link:
    """From a series to another dashboard, with the label's value chosen there."""
    return Link(title, f"/d/{uid}?var-{label}=${{__field.labels.{label}}}")


def column_link(heading: str, uid: str, label: str) -> Link:
    """The same from a column of a table."""
    return Link(heading, f"/d/{uid}?var-{label}=${{__value.text}}")


def graph(title: str, expr: str, legend: str = "", unit: str = "short", **more: Any) -> Panel:
    return Panel(title, (Query(expr, legend),), unit, **more)


def stat(title: str, expr: str, unit: str = "short", **more: Any) -> Panel:
    return Panel(title, (Query(expr),), unit, "stat", **more)


def is_up(title: str, metric: str, where: str = 'host=~"$host"', *labels: str) -> Panel:
    """Whether it answers, one field a host. An exporter's own ``_up`` says more than that of its scrape."""
    kept = labels or ("host",)
    legend = " ".join(f"{{{{{label}}}}}" for label in kept)
    expr = by(f"{metric}{{{where}}}", *kept, how="min")
    return Panel(title, (Query(expr, legend),), kind="stat", states=UP_OR_DOWN, steps=())


def latency(title: str, metric: str, where: str, about: str = "") -> Panel:
    """The usual quantiles of a histogram in one graph."""
    queries = tuple(Query(quantile(value, metric, where), name) for name, value in BUCKETS)
    return Panel(title, queries, "s", about=about, steps=LATENCY)


def error_ratio(where: str, *labels: str) -> str:
    """Requests that were answered with 5xx, of all requests."""
    failed = rate("http_requests_total", ", ".join(filter(None, (where, 'status=~"5.."'))), *labels)
    return share(failed, rate("http_requests_total", where, *labels))


def process(where: str) -> Row:
    """What every program that exposes metrics says about itself."""
    return Row(
        "Process",
        (
            graph(
                "CPU",
                rate("process_cpu_seconds_total", where, "host", "job"),
                "{{host}} {{job}}",
                "percentunit",
                about="1 is one processor.",
            ),
            graph(
                "Memory", by(f"process_resident_memory_bytes{{{where}}}", "host", "job"), "{{host}} {{job}}", "bytes"
            ),
            graph(
                "Open files",
                f"process_open_fds{{{where}}} / process_max_fds{{{where}}}",
                "{{host}} {{job}}",
                "percentunit",
                about="Of as many as it may open.",
                steps=SHARE_FULL,
            ),
        ),
    )
