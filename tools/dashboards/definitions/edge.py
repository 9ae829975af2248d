"""The way in: nginx, and what probes from outside see of it."""

from __future__ import annotations

from tools.dashboards.blocks import RUNBOOK_LIST, UP_OR_DOWN, graph, hosts_of, is_up, stat
from tools.dashboards.model import Dashboard, Panel, Query, Row, Steps
from tools.dashboards.promql import by, rate

HERE = 'host=~"$host"'
DAYS: Steps = ((None, "red"), (7 * 86400, "yellow"), (21 * 86400, "green"))

EDGE = Dashboard(
    "edge",
    "Edge",
    "Do requests get in, does everything that is probed answer, and how long are the certificates good?",
    (
        Row(
            "Now",
            (
                is_up("nginx", "nginx_up"),
                stat("Requests a second", rate("nginx_http_requests_total", HERE), "reqps"),
                stat("Connections now", by(f"nginx_connections_active{{{HERE}}}")),
                stat("Probes that fail", "count(probe_success == 0) or vector(0)", steps=((1, "red"),)),
                stat(
                    "Next certificate ends in",
                    "min(probe_ssl_earliest_cert_expiry) - time()",
                    "s",
                    steps=DAYS,
                ),
            ),
        ),
        Row(
            "nginx",
            (
                graph("Requests", rate("nginx_http_requests_total", HERE, "host"), "{{host}}", "reqps"),
                Panel(
                    "Connections",
                    tuple(
                        Query(by(f"nginx_connections_{state}{{{HERE}}}"), state)
                        for state in ("reading", "writing", "waiting")
                    ),
                    stacked=True,
                    about="Waiting: kept open by clients. Writing: answers, and open websockets.",
                ),
                graph(
                    "Connections not taken",
                    f"{rate('nginx_connections_accepted', HERE, 'host')}"
                    f" - {rate('nginx_connections_handled', HERE, 'host')}",
                    "{{host}}",
                    "ops",
                    about="More than 0: worker_connections does not suffice.",
                ),
            ),
        ),
        Row(
            "Probes",
            (
                Panel(
                    "Probed",
                    (Query("probe_success"),),
                    kind="table",
                    states=UP_OR_DOWN,
                    columns=(("job", "Probe"), ("target", "Target"), ("host", "From"), ("Value", "Answers")),
                ),
                graph("Time to answer", "probe_duration_seconds", "{{job}} {{target}}", "s", height=9),
                graph("Certificates end in", "probe_ssl_earliest_cert_expiry - time()", "{{target}}", "s", height=9),
            ),
        ),
    ),
    (hosts_of("nginx_up"),),
    links=(RUNBOOK_LIST,),
)
