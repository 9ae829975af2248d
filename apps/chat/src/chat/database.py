"""The connection pool and its figures."""

from __future__ import annotations

import logging
import time
from typing import Any

from sqlalchemy import Engine, create_engine, event, exc

from chat.config import Database, Settings
from chat.metrics import Metrics

log = logging.getLogger(__name__)

# A request waits for none of these longer than a client would.
CONNECT_SECONDS = 3
POOL_SECONDS = 5
STATEMENT_MILLISECONDS = 5000
OPERATIONS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})

# The database is away or overloaded, as opposed to a mistake of ours in a statement.
UNAVAILABLE = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)


def connect_arguments(database: Database, timeout: bool = True) -> dict[str, Any]:
    """tcp_user_timeout: a host that vanished is noticed within seconds, not after the kernel's 15 minutes."""
    options = f"-c statement_timeout={STATEMENT_MILLISECONDS}" if timeout else ""
    return {
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": POOL_SECONDS * 1000,
        "application_name": f"chat:{database.user}",
        "options": options,
    }


def make_engine(settings: Settings, metrics: Metrics) -> Engine:
    """No connection is opened yet. The pool does not overflow: PostgreSQL sees at most replicas times pool size."""
    engine = create_engine(
        settings.database.url,
        connect_args=connect_arguments(settings.database),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,  # what people write stays out of error messages and logs
    )
    _measure(engine, metrics, settings)
    return engine


def _measure(engine: Engine, metrics: Metrics, settings: Settings) -> None:
    pool: Any = engine.pool
    metrics.connections.set_function(lambda: float(pool.checkedout()))
    metrics.connections_limit.set(settings.pool_size)

    @event.listens_for(engine, "before_cursor_execute")
    def started(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
        context.chat_started = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def finished(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        seconds = time.perf_counter() - context.chat_started
        word = statement.lstrip().split(None, 1)[0].upper()
        metrics.query_duration.labels(word.lower() if word in OPERATIONS else "other").observe(seconds)
        if seconds > settings.slow_query_seconds:
            metrics.slow_queries.inc()
            log.warning("slow query", extra={"seconds": round(seconds, 3), "statement": statement})
