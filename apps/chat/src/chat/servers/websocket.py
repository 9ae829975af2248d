"""gunicorn's configuration for Socket.IO: greenlets, because every client keeps a connection open.

gunicorn's gevent worker replaces the blocking standard library before it loads the application.
"""

from __future__ import annotations

import signal
from typing import Any

from chat.config import Program
from chat.servers.common import options

globals().update(options(Program.WEBSOCKET, "chat-websocket"))
worker_class = "gevent"
worker_connections = 10_000
# Only probes and scrapes would keep plain connections, and a stop would wait for each to go idle for good.
keepalive = 0

# Between saying so at /readyz and closing anything: for whoever asks there to look once more.
NOTICE_SECONDS = 1.0


def post_worker_init(worker: Any) -> None:
    """On SIGTERM: not ready first, then every client is told when to come back and let go, then gunicorn's own end
    (which would only wait for them to leave by themselves)."""
    import gevent

    connections = worker.wsgi.extensions["chat.connections"]

    def leave() -> None:
        connections.draining.set()
        gevent.sleep(NOTICE_SECONDS)
        worker.log.info("stopping: %s connections told to reconnect", connections.drain())
        gevent.sleep(0.2)
        worker.alive = False

    def stop(_signal: int, _frame: object) -> None:
        if not connections.draining.is_set():
            gevent.spawn(leave)

    signal.signal(signal.SIGTERM, stop)
