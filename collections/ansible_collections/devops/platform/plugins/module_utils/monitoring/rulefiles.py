"""Which rule files Prometheus gets: the role's, the platform's own, and one that is made from the scrape jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

# The files in roles/prometheus/files/rules, and what is generated beside them: names that are taken.
RULE_SETS = (
    "applications",
    "containers",
    "elasticsearch",
    "hosts",
    "http",
    "kubernetes",
    "logging",
    "loki",
    "monitoring",
    "mysql",
    "nginx",
    "platform",
    "postgresql",
    "probes",
    "rabbitmq",
    "redis",
    "secrets",
)
GENERATED = ("no_data", "slos")
# What a job must show beside `up`; without it the rules about it are blind, though its targets answer.
SIGNS = {
    "alertmanager": "alertmanager_config_last_reload_successful",
    "blackbox_http": "probe_success",
    "blackbox_tcp": "probe_success",
    "blackbox_tls": "probe_success",
    "cadvisor": "container_memory_working_set_bytes",
    "elasticsearch": "elasticsearch_cluster_health_status",
    "loki": "loki_request_duration_seconds_count",
    "mysql": "mysql_up",
    "nginx": "nginx_up",
    "node": "node_memory_MemAvailable_bytes",
    "postgresql": "pg_up",
    "prometheus": "prometheus_config_last_reload_successful",
    "rabbitmq": "rabbitmq_queue_messages_ready",
    "redis": "redis_up",
}


def rule_files(
    sets: Sequence[str], files: Sequence[str], path: str, options: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Files of a component: the role's own `sets` and the rule files of the platform, `files`, which keep their names.

    `path` holds `{name}`; `options` are the remaining keys of every file. ValueError for an unknown set.
    """
    unknown = [name for name in sets if name not in RULE_SETS]
    if unknown:
        raise ValueError(f"there is no rule set '{unknown[0]}'; there is {', '.join(RULE_SETS)}")
    sources = [*(f"rules/{name}.yml" for name in sets), *map(str, files)]
    return [
        {"path": path.replace("{name}", installed_as(source)), "source": source, **(options or {})}
        for source in sources
    ]


def installed_as(file: str) -> str:
    """The name of a rule file on the host, without its suffix."""
    return PurePosixPath(file).stem


def no_data_rules(scrape_configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A rule file `no_data`: an alert for each declared job about which nothing is known. `{}` where there are no jobs.

    Static jobs without a target, and those of targets that announce themselves, are left out: there may be nothing to
    be known.
    """
    rules = [_no_data(str(config["job_name"])) for config in scrape_configs if _has_targets(config)]
    return {"no_data": {"groups": [{"name": "no-data", "rules": rules}]}} if rules else {}


def _has_targets(config: Mapping[str, Any]) -> bool:
    if any(str(key).endswith("_sd_configs") for key in config):
        return not _volunteers(config)
    return any(static.get("targets") for static in config.get("static_configs") or ())


def _volunteers(config: Mapping[str, Any]) -> bool:
    """Whether it is of targets that announce themselves: there may rightly be none."""
    labels = (label for each in config.get("relabel_configs") or () for label in each.get("source_labels") or ())
    return any(str(label).endswith("_annotation_prometheus_io_scrape") for label in labels)


def _no_data(job: str) -> dict[str, Any]:
    quoted = job.replace("\\", "\\\\").replace('"', '\\"')
    expression = f'absent(up{{job="{quoted}"}})'
    if job in SIGNS:
        # Of targets that are down InstanceDown tells: only one that answers makes a missing sign remarkable.
        expression += f' or absent({SIGNS[job]}{{job="{quoted}"}}) and on () up{{job="{quoted}"}} == 1'
    return {
        "alert": "JobWithoutData",
        "expr": expression,
        "for": "5m",
        "labels": {
            "severity": "medium",
            "team": "platform",
            "family": "no-data",
            "runbook": "no-data",
            "job": job,
        },
        "annotations": {
            "summary": f"nothing is known about the job {job}",
            "description": "It is declared, and has had no series for 5 minutes. Its rules cannot fire.",
        },
    }
