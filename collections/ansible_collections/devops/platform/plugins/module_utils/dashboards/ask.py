# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asking Prometheus what Grafana would ask, over one connection that is kept."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import (
    Prometheus,
    QueryError,
    connect,
    exchange,
    series,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.model import natural

from .fill import Window


class Kept:
    """Sends requests over one connection, which is opened anew where the server has closed it."""

    def __init__(self) -> None:
        self._connection: http.client.HTTPConnection | None = None

    def __call__(self, url: str, form: str, timeout: float) -> tuple[int, str]:
        path = urlsplit(url).path
        if self._connection is not None:
            try:
                return exchange(self._connection, path, form, timeout)
            except (http.client.HTTPException, ConnectionError):
                self.close()  # closed while nobody asked; whether it answers, the next attempt shows
            except BaseException:
                self.close()  # the rest of this answer must not be taken for the next one
                raise
        self._connection = connect(url, timeout)
        try:
            return exchange(self._connection, path, form, timeout)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Source:
    """A data source as Grafana has one."""

    def __init__(self, url: str, timeout: float) -> None:
        self.kept = Kept()
        self.prometheus = Prometheus(url, timeout, self.kept)

    def answered(self, expr: str, at: float) -> bool:
        return bool(self.prometheus.instant(expr, at, 300))

    def count(self, expr: str, window: Window, instant: bool) -> int:
        """How many series an answer has. NaN counts: nothing happened, but the metrics are there."""
        if instant:
            return len(self.prometheus.instant(expr, window.end, 300))
        # The last point is now, where Grafana's is at the last whole step: what has just begun to be scraped counts.
        start = window.end - window.span // window.step * window.step
        data = {"query": expr, "step": f"{window.step:g}", "timeout": f"{self.prometheus.timeout:g}s"}
        data.update(start=f"{start:.3f}", end=f"{window.end:.3f}")
        return len(series(self.prometheus.ask("query_range", data, expr), expr, self.prometheus.url, ("matrix",)))

    def label_values(self, metric: str, label: str, window: Window) -> list[str]:
        match = metric or f'{{{label}!=""}}'
        data = {"match[]": match, "start": f"{window.end - window.span:.3f}", "end": f"{window.end:.3f}"}
        found = self.prometheus.ask("series", data, f"label_values({match}, {label})")
        if not isinstance(found, list):
            text = f"what answers at {self.prometheus.url} is not Prometheus' API: no list of series for {match}"
            raise QueryError(text, final=True)
        return sorted({str(labels[label]) for labels in found if labels.get(label)}, key=natural)
