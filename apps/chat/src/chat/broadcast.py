"""Messages between replicas: Socket.IO's events on one Redis Pub/Sub channel."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
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
PRESENCE = "presence"
SIGNED_OUT = "signed_out"
LEFT = "left"

Control = Callable[[dict[str, Any]], None]


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
    """python-socketio's Redis manager with four differences: it says whether it is subscribed, it comes back within a
    second of Redis (the original waits up to a minute), it counts what it delivers and what it cannot publish, and it
    carries our own orders to every replica (``controls``: what each does). ``seen``: told of each message that
    comes by; ``recovered``: called with the seconds that the subscription was lost for."""

    def __init__(self, settings: config.Redis, metrics: Metrics, write_only: bool = False) -> None:
        super().__init__(settings.url, channel=CHANNEL, write_only=write_only, logger=log)
        self.metrics = metrics
        self.client = make_client(settings)
        self.subscribed = False
        self.controls: dict[str, Control] = {}
        self.seen: Callable[[str, int], None] = lambda _room, _id: None
        self.recovered: Callable[[float], None] = lambda _seconds: None

    def send(self, message: dict[str, Any]) -> None:
        """Hand a stored message to everybody in its room, on every replica. Never raises for Redis: the message is
        stored, and who missed it reads it with ``after``."""
        self.emit(EVENT, message, namespace="/", room=room_channel(message["room"]))

    def tell_presence(self, room: str, user: dict[str, Any], online: bool) -> None:
        news = {"room": room, "user": user, "online": online}
        self.emit(PRESENCE, news, namespace="/", room=room_channel(room))

    def order(self, method: str, **details: Any) -> None:
        """To every replica, this one included."""
        self._publish({"method": method, **details})

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
            self.client.publish(self.channel, json.dumps({**data, "published": time.time()}))
        except redis.RedisError:
            self.metrics.errors.labels("redis").inc()
            log.error("a message could not be published, other replicas do not show it now")

    def _handle_emit(self, message: dict[str, Any]) -> None:
        if message["event"] == EVENT:
            room = self.rooms.get(message["namespace"], {}).get(message["room"], ())
            self.metrics.messages_out.inc(len(room))
            self.seen(message["data"][0]["room"], message["data"][0]["id"])
        super()._handle_emit(message)

    def _listen(self) -> Iterator[dict[str, Any]]:
        lost: float | None = None
        while True:
            pubsub: Any = self.client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
            try:
                pubsub.subscribe(self.channel)
                self.subscribed = True
                log.info("subscribed to Redis")
                if lost is not None:
                    self._attempt(self.recovered, time.monotonic() - lost)
                    lost = None
                while True:
                    item = pubsub.get_message(timeout=POLL)
                    if item is not None and item["type"] == "message":
                        yield from self._deliver(item["data"])
            except redis.RedisError as error:
                self.subscribed = False
                # What was published since the last sign of life may be lost, too.
                lost = lost if lost is not None else time.monotonic() - POLL - TIMEOUT
                self.metrics.errors.labels("redis").inc()
                log.error("the subscription to Redis is lost, trying again", extra={"reason": type(error).__name__})
                time.sleep(RETRY)
            finally:
                pubsub.close()

    def _deliver(self, raw: bytes) -> Iterator[dict[str, Any]]:
        try:
            data = json.loads(raw)
            method, published = data["method"], float(data.get("published", time.time()))
        except (ValueError, TypeError, KeyError):
            log.warning("something else writes to our channel")
            return
        if method in self.controls:
            self._attempt(self.controls[method], data)
        else:
            yield data  # handled before this goes on
        self.metrics.queue_lag.observe(max(0.0, time.time() - published))

    def _attempt(self, action: Callable[[Any], None], argument: Any) -> None:
        try:
            action(argument)
        except Exception:
            self.metrics.errors.labels("internal").inc()
            log.exception("an order of another replica failed")
