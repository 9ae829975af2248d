"""Every dashboard, in the order of the documentation's table."""

from __future__ import annotations

from tools.dashboards.model import Dashboard

from . import applications, edge, hosts, kubernetes, logs, monitoring, overview, queues, search, slos, stores

ALL: tuple[Dashboard, ...] = (
    overview.OVERVIEW,
    hosts.HOSTS,
    hosts.CONTAINERS,
    kubernetes.KUBERNETES,
    applications.APPLICATION,
    applications.API_LATENCY,
    applications.BUSINESS,
    stores.POSTGRESQL,
    stores.MYSQL,
    stores.REDIS,
    queues.RABBITMQ,
    edge.EDGE,
    logs.LOGS,
    search.ELASTICSEARCH,
    slos.SLOS,
    monitoring.MONITORING,
)
