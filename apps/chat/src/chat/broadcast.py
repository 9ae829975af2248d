"""Messages between replicas: Socket.IO's events on one Redis Pub/Sub channel."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from socketio import RedisManager

from chat import config
from chat.metrics import Metrics

log = logging.getLogger(__name__)

CHANNEL = "chat"
TIMEOUT = 2.0
POLL = 5.0
RETRY = 1.0
EVENT = "message"


def make_client(settings: config.Redis) -> redis.Redis:
    """health_check_interval: a connection whose other end vanished is noticed while nobody writes, too. retry: once,
    for a pooled connection that has gone stale; redis-py's own way would keep a sender waiting for seconds."""
    return redis.Redis.from_url(
        settings.url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        health_check_interval=10,
        retry=Retry(NoBackoff(), 1),
    )


def room_channel(room: str) -> str:
    """Prefixed, because Socket.IO also keeps a room for every connection, named by its id."""
    return f"room:{room}"


class Broadcast(RedisManager):  # type: ignore[misc]
    """python-socketio's Redis manager with three differences: it says whether it is subscribed, it comes back within
    a second of Redis (the original waits up to a minute), and it counts what it delivers and what it cannot publish."""

    def __init__(self, settings: config.Redis, metrics: Metrics, write_only: bool = False) -> None:
        super().__init__(settings.url, channel=CHANNEL, write_only=write_only, logger=log)
        self.metrics = metrics
        self.client = make_client(settings)
        self.subscribed = False

    def send(self, message: dict[str, Any]) -> None:
        """Hand a stored message to everybody in its room, on every replica. Never raises for Redis: the message is
        stored, and who missed it reads it with ``after``."""
        self.emit(EVENT, message, namespace="/", room=room_channel(message["room"]))

    def check(self) -> str | None:
        """None when Redis answers (and, for a receiver, the subscription stands), otherwise why not."""
        try:
            self.client.ping()
        except redis.RedisError as error:
            return (str(error) or type(error).__name__).splitlines()[0]
        if not self.write_only and not self.subscribed:
            return "not subscribed yet: messages from other replicas would be missed"
        return None

    def _publish(self, data: dict[str, Any]) -> None:
        try:
            self.client.publish(self.channel, self.json.dumps(data))
        except redis.RedisError:
            self.metrics.errors.labels("redis").inc()
            log.exception("a message could not be published; other replicas do not show it until they reload")

    def _handle_emit(self, message: dict[str, Any]) -> None:
        if message["event"] == EVENT:
            room = self.rooms.get(message["namespace"], {}).get(message["room"], ())
            self.metrics.messages_out.inc(len(room))
        super()._handle_emit(message)

    def _listen(self) -> Iterator[bytes]:
        while True:
            pubsub: Any = self.client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
            try:
                pubsub.subscribe(self.channel)
                self.subscribed = True
                log.info("subscribed to Redis")
                while True:
                    item = pubsub.get_message(timeout=POLL)
                    if item is not None and item["type"] == "message":
                        yield item["data"]
            except redis.RedisError as error:
                self.subscribed = False
                self.metrics.errors.labels("redis").inc()
                log.error("the subscription to Redis is lost, trying again", extra={"reason": str(error)})
                time.sleep(RETRY)
            finally:
                pubsub.close()
