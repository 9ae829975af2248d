"""How often somebody may do something, counted in Redis by every replica together."""

from __future__ import annotations

import logging
import time

import redis
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from chat.config import Redis, Settings
from chat.errors import RateLimited
from chat.metrics import Metrics

log = logging.getLogger(__name__)


class Rates:
    """While Redis is away every replica counts for itself: neither open to everybody nor closed to all. (Over HTTP
    nearly everything is closed then, because sessions are in Redis, too; who is connected can go on writing.)"""

    def __init__(self, client: redis.Redis, place: Redis, settings: Settings, metrics: Metrics) -> None:
        storage = RedisStorage(place.url, connection_pool=client.connection_pool, key_prefix="chat:rate")
        self.shared = MovingWindowRateLimiter(storage)
        self.local = MovingWindowRateLimiter(MemoryStorage())
        self.rates, self.metrics = settings.rates, metrics

    def hit(self, kind: str, who: str | int) -> None:
        """Count one; RateLimited where it is one too many, which is not counted."""
        rate = self.rates[kind]
        if not self._ask("hit", rate, kind, who):
            self._refuse(kind, rate, who)

    def check(self, kind: str, who: str | int) -> None:
        """As ``hit``, without counting."""
        rate = self.rates[kind]
        if not self._ask("test", rate, kind, who):
            self._refuse(kind, rate, who)

    def _refuse(self, kind: str, rate: RateLimitItem, who: str | int) -> None:
        self.metrics.rate_limited.labels(kind).inc()
        try:
            reset = self.shared.get_window_stats(rate, kind, str(who)).reset_time
        except redis.RedisError:
            reset = self.local.get_window_stats(rate, kind, str(who)).reset_time
        raise RateLimited(reset - time.time())

    def _ask(self, verb: str, rate: RateLimitItem, kind: str, who: str | int) -> bool:
        try:
            return bool(getattr(self.shared, verb)(rate, kind, str(who)))
        except redis.RedisError as error:
            self.metrics.errors.labels("redis").inc()
            log.warning("rates are counted by this replica alone", extra={"reason": type(error).__name__})
            return bool(getattr(self.local, verb)(rate, kind, str(who)))
