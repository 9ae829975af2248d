"""The connection pool and its figures."""

from __future__ import annotations

import logging
import time
from typing import Any

from sqlalchemy import Engine, create_engine, event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from chat.config import Database, Settings
from chat.metrics import Metrics

log = logging.getLogger(__name__)

# A request waits for none of these longer than a client would.
CONNECT_SECONDS = 3
POOL_SECONDS = 5
STATEMENT_MILLISECONDS = 5000
# A connection that was used this recently is not asked first whether it lives: under load that would be one round trip
# in two. When the server goes, requests under way fail anyhow; the first of them to notice empties the pool.
FRESH_SECONDS = 2.0
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
        pool_recycle=1800,
        hide_parameters=True,  # what people write stays out of error messages and logs
    )
    _measure(engine, metrics, settings)
    _ask_idle_connections(engine)
    return engine


def autocommit(engine: Engine) -> Engine:
    """The same pool, for single statements: without BEGIN and COMMIT, which are round trips of their own."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _ask_idle_connections(engine: Engine) -> None:
    """As pool_pre_ping, except for connections that were used just now."""

    @event.listens_for(engine, "checkin")
    def returned(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["chat_used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def taken(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: object) -> None:
        used = entry.info.get("chat_used")
        if used is None or time.monotonic() - used < FRESH_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # The pool makes a new one instead, and all that are as old.
            raise exc.DisconnectionError from error


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
