"""How many users, rooms and messages there are: read when somebody asks, at most every 15 seconds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy import Engine, exc, func, select, text

from chat.models import Room, User

log = logging.getLogger(__name__)

SECONDS = 15.0
# Messages are only ever added, and ids are given out in order: what is older than any transaction lasts is counted
# once, and only what came since is counted again.
_SINCE = text(
    "SELECT count(*), count(*) FILTER (WHERE settled), max(id) FILTER (WHERE settled) FROM "
    "(SELECT id, created_at < clock_timestamp() - interval '1 minute' AS settled FROM messages WHERE id > :after) AS m"
)


class Totals(Collector):
    """The same figures from every replica: take the maximum of them, not the sum."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.lock = threading.Lock()
        self.read_at = float("-inf")
        self.figures: dict[str, int] = {}
        self.settled, self.after = 0, 0

    def register(self, registry: CollectorRegistry) -> None:
        registry.register(self)

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # registering reads nothing

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self.lock:
            if time.monotonic() - self.read_at >= SECONDS:
                self.read_at = time.monotonic()
                try:
                    self.figures = self._read()
                except exc.SQLAlchemyError as error:
                    self.figures = {}  # no figure is better than an old one that looks new
                    log.warning("the totals could not be read", extra={"reason": type(error).__name__})
            figures = dict(self.figures)
        for name, value in figures.items():
            yield GaugeMetricFamily(f"chat_{name}", f"How many {name} there are.", value=value)

    def _read(self) -> dict[str, int]:
        with self.engine.connect() as connection:
            users = connection.scalar(select(func.count()).select_from(User)) or 0
            rooms = connection.scalar(select(func.count()).select_from(Room)) or 0
            recent, settled, last = connection.execute(_SINCE, {"after": self.after}).one()
        total = self.settled + recent
        self.settled, self.after = self.settled + settled, last or self.after
        return {"users": users, "rooms": rooms, "messages": total}
