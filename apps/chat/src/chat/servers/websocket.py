"""gunicorn's configuration for Socket.IO: greenlets, because every client keeps a connection open.

gunicorn's gevent worker replaces the blocking standard library before it loads the application.
"""

from __future__ import annotations

from typing import Any

from chat.config import Program
from chat.servers.common import options

globals().update(options(Program.WEBSOCKET, "chat-websocket"))
worker_class = "gevent"
worker_connections = 10_000
# Only probes and scrapes would keep plain connections, and a stop would wait for each to go idle for good.
keepalive = 0


def post_worker_init(worker: Any) -> None:
    """On SIGTERM: let the clients go at once, as gunicorn would only wait for them to leave by themselves."""
    import gevent

    from chat.sockets import disconnect_all

    def drain() -> None:
        while worker.alive:
            gevent.sleep(0.2)
        worker.log.info("stopping: %s connections told to reconnect", disconnect_all(worker.wsgi))

    gevent.spawn(drain)
