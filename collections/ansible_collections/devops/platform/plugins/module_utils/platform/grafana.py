"""What Grafana has to know of a platform."""

from __future__ import annotations

from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.loki.settings import loki_url

from .model import Addresses, Data, Groups, section

SECRETS = "/etc/grafana/secrets"  # files that only Grafana reads


def grafana_datasources(
    platform: Data, groups: Groups | None = None, addresses: Addresses | None = None
) -> list[dict[str, Any]]:
    """Grafana's `datasources`: the Prometheus and Alertmanager beside it, and Loki: the one that is named, or the
    platform's own, which is asked with a certificate.

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
    named = section(monitoring, "grafana").get("loki")
    own = "" if named else loki_url(platform, groups or {}, addresses or {})
    if named:
        sources.append(_source("loki", "Loki", str(named), {}))
    elif own:
        sources.append(_with_certificate(_source("loki", "Loki", own, {})))
    return sources


def _with_certificate(source: dict[str, Any]) -> dict[str, Any]:
    """Grafana reads what $__file names when it starts, so that the data source's own file holds no key."""
    files = {"tlsCACert": "loki-ca.crt", "tlsClientCert": "loki.crt", "tlsClientKey": "loki.key"}
    return {
        **source,
        "jsonData": {**source["jsonData"], "tlsAuth": True, "tlsAuthWithCACert": True},
        "secureJsonData": {key: f"$__file{{{SECRETS}/{name}}}" for key, name in files.items()},
    }


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
