"""The figures that /metrics shows. Every label has a small, fixed set of values: never a path, a room or a user."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from chat.config import RATES

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ERROR_KINDS = ("database", "redis", "internal")
OUTCOMES = ("stored", "duplicate", "refused", "failed")
SIGN_INS = ("signed_up", "signed_in", "refused")
QUERY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """One set for a process. A service runs as one process with threads (or greenlets): more of them are more replicas,
    each scraped on its own, so that no counter has to be put together from several processes."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = Counter(
            "http_requests_total", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self.request_duration = Histogram(
            "http_request_duration_seconds", "Time to answer a request.", ["method", "route"], registry=registry
        )
        self.in_progress = Gauge("http_requests_in_progress", "Requests being answered now.", registry=registry)
        self.errors = Counter(
            "errors_total", "Failures of the service or of what it needs.", ["kind"], registry=registry
        )
        self.connections = Gauge(
            "connections_used", "Database connections in use, of connections_limit.", registry=registry
        )
        self.connections_limit = Gauge("connections_limit", "Size of the database pool.", registry=registry)
        self.query_duration = Histogram(
            "query_duration_seconds", "Time of a statement.", ["operation"], buckets=QUERY_BUCKETS, registry=registry
        )
        self.slow_queries = Counter(
            "slow_queries_total", "Statements that took longer than SLOW_QUERY_SECONDS.", registry=registry
        )
        self.messages_in = Counter("messages_in_total", "Messages received.", ["outcome"], registry=registry)
        self.messages_out = Counter("messages_out_total", "Messages handed to connected clients.", registry=registry)
        self.queue_lag = Histogram(
            "queue_lag_seconds",
            "From publishing in Redis to having delivered it here (by the hosts' clocks).",
            buckets=QUERY_BUCKETS,
            registry=registry,
        )
        self.sign_ins = Counter("sign_ins_total", "Sign-ups and sign-ins.", ["outcome"], registry=registry)
        self.rate_limited = Counter("rate_limited_total", "Refused for coming too often.", ["limit"], registry=registry)
        self.slow_clients = Counter(
            "slow_clients_total", "Clients disconnected because they did not read.", registry=registry
        )
        # Shown as 0 before the first event, so that a rate over them works from the start.
        for kind in ERROR_KINDS:
            self.errors.labels(kind)
        for outcome in OUTCOMES:
            self.messages_in.labels(outcome)
        for outcome in SIGN_INS:
            self.sign_ins.labels(outcome)
        for name in RATES:
            self.rate_limited.labels(name)

    def watch_websockets(self, count: Callable[[], int]) -> None:
        """Only the websocket service has this one."""
        gauge = Gauge("active_websockets", "Clients connected now.", registry=self.registry)
        gauge.set_function(lambda: float(count()))

    def render(self) -> bytes:
        return generate_latest(self.registry)
