"""What Grafana has to know of a platform."""

from __future__ import annotations

from typing import Any

from .model import Data, section


def grafana_datasources(platform: Data) -> list[dict[str, Any]]:
    """Grafana's `datasources`: the Prometheus and Alertmanager beside it, and Loki where one is named.

    The dashboards name the sources by these uids. Each monitoring host has all three programs, so its own are asked.
    """
    monitoring = section(platform, "monitoring")
    prometheus, alertmanager = section(monitoring, "prometheus"), section(monitoring, "alertmanager")
    sources = []
    if prometheus:
        interval = str(prometheus.get("scrape_interval", "15s"))
        # Without the interval, Grafana would ask for rates over windows in which there is one sample.
        options: dict[str, Any] = {"httpMethod": "POST", "prometheusType": "Prometheus", "timeInterval": interval}
        url = f"http://127.0.0.1:{prometheus.get('port', 9090)}"
        sources.append({**_source("prometheus", "Prometheus", url, options), "isDefault": True})
    if alertmanager:
        options = {"implementation": "prometheus", "handleGrafanaManagedAlerts": False}
        url = f"http://127.0.0.1:{alertmanager.get('port', 9093)}"
        sources.append(_source("alertmanager", "Alertmanager", url, options))
    loki = section(monitoring, "grafana").get("loki")
    if loki:
        sources.append(_source("loki", "Loki", str(loki), {}))
    return sources


def _source(kind: str, name: str, url: str, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "uid": kind,
        "type": kind,
        "access": "proxy",
        "url": url,
        "editable": False,
        "jsonData": options,
    }
