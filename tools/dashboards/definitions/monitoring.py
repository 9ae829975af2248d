"""Whether what watches works: Prometheus and Alertmanager."""

from __future__ import annotations

from tools.dashboards.blocks import ANY, RUNBOOK_LIST, drill, graph, is_up, process, stat
from tools.dashboards.model import Dashboard, Panel, Query, Row, Variable
from tools.dashboards.promql import by, quantile, rate

HERE = 'host=~"$host"'
SERVERS = f'job=~"prometheus|alertmanager", {HERE}'

MONITORING = Dashboard(
    "monitoring",
    "Monitoring itself",
    "Does Prometheus see everything, does it keep up, and do alerts get through?",
    (
        Row(
            "Now",
            (
                is_up("Up", "up", SERVERS, "job", "host"),
                stat(
                    "Configuration refused",
                    f"count(prometheus_config_last_reload_successful{{{HERE}}} == 0 or "
                    f"alertmanager_config_last_reload_successful{{{HERE}}} == 0) or vector(0)",
                    steps=ANY,
                ),
                stat(
                    "Rules that fail",
                    by(f"increase(prometheus_rule_evaluation_failures_total{{{HERE}}}[1h])"),
                    decimals=0,
                    steps=ANY,
                    about="Evaluations within the hour.",
                ),
                stat(
                    "Alerts that did not get out",
                    by(f"increase(prometheus_notifications_dropped_total{{{HERE}}}[1h])")
                    + " + "
                    + by(f"increase(alertmanager_notifications_failed_total{{{HERE}}}[1h])"),
                    decimals=0,
                    steps=ANY,
                    about="Within the hour.",
                ),
                stat(
                    "Watchdog",
                    'count(ALERTS{alertname="Watchdog", alertstate="firing"}) or vector(0)',
                    states=(("0", "missing", "red"), ("1", "fires", "green")),
                ),
            ),
        ),
        Row(
            "Scraping",
            (
                graph("Targets that answer", "avg by (job) (up)", "{{job}}", "percentunit", maximum=1),
                graph("Time a scrape", "max by (job) (scrape_duration_seconds)", "{{job}}", "s"),
                graph(
                    "Samples a scrape",
                    "sum by (job) (scrape_samples_scraped)",
                    "{{job}}",
                    stacked=True,
                    about="A jump: a label whose values have no end.",
                ),
                Panel(
                    "Targets that do not answer",
                    (Query("up == 0 or absent(up == 0) * 0"),),
                    kind="table",
                    columns=(("job", "Job"), ("host", "Host"), ("instance", "Address")),
                    about="One empty line: all answer.",
                ),
                graph(
                    "Interval between scrapes",
                    f'prometheus_target_interval_length_seconds{{{HERE}, quantile="0.99"}}',
                    "{{interval}}",
                    "s",
                    height=9,
                    about="Longer than declared: Prometheus is late.",
                ),
            ),
        ),
        Row(
            "Prometheus",
            (
                graph("Time series", f"prometheus_tsdb_head_series{{{HERE}}}", "{{host}}"),
                graph(
                    "Samples taken in",
                    rate("prometheus_tsdb_head_samples_appended_total", HERE, "host"),
                    "{{host}}",
                    "ops",
                ),
                Panel(
                    "On disk",
                    (
                        Query(f"prometheus_tsdb_storage_blocks_bytes{{{HERE}}}", "{{host}} blocks"),
                        Query(f"prometheus_tsdb_wal_storage_size_bytes{{{HERE}}}", "{{host}} log"),
                    ),
                    "bytes",
                    stacked=True,
                ),
                graph(
                    "Time a query",
                    f'max by (host, slice) (prometheus_engine_query_duration_seconds{{{HERE}, quantile="0.9"}})',
                    "{{host}} {{slice}}",
                    "s",
                ),
                graph(
                    "Rules of their interval",
                    f"prometheus_rule_group_last_duration_seconds{{{HERE}}}"
                    f" / prometheus_rule_group_interval_seconds{{{HERE}}}",
                    "{{rule_group}}",
                    "percentunit",
                    about="At 1 a group takes as long as its interval: results come late.",
                ),
                graph(
                    "Missed evaluations",
                    rate("prometheus_rule_group_iterations_missed_total", HERE, "host"),
                    "{{host}}",
                    "ops",
                ),
            ),
        ),
        Row(
            "Alertmanager",
            (
                graph("Alerts", by(f"alertmanager_alerts{{{HERE}}}", "state"), "{{state}}", stacked=True),
                Panel(
                    "Notifications",
                    (
                        Query(rate("alertmanager_notifications_total", HERE, "integration"), "{{integration}}"),
                        Query(
                            rate("alertmanager_notifications_failed_total", HERE, "integration"),
                            "{{integration}} failed",
                        ),
                    ),
                    "ops",
                ),
                graph(
                    "Time to notify, 95 % within",
                    quantile(0.95, "alertmanager_notification_latency_seconds", HERE, "integration"),
                    "{{integration}}",
                    "s",
                ),
                graph("Silences", f"alertmanager_silences{{{HERE}}}", "{{state}}"),
                graph(
                    "Waiting for Alertmanager",
                    f"prometheus_notifications_queue_length{{{HERE}}}",
                    "{{host}}",
                    links=(drill("Host", "hosts", "host"),),
                ),
            ),
        ),
        process(SERVERS),
    ),
    (Variable("host", "Host", 'label_values(up{job=~"prometheus|alertmanager"}, host)', many=True),),
    links=(RUNBOOK_LIST,),
)
