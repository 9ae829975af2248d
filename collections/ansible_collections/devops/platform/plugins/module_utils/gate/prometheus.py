# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asking Prometheus, and why there is no answer, in words that say what to do."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

LONGEST = 1 << 24  # bytes of an answer that are read
REFUSALS = (400, 401, 403, 404, 405)  # asking again changes nothing


class QueryError(Exception):
    """No usable answer. `final`: it will be the same next time; `away`: nobody answered, whatever is asked."""

    def __init__(self, text: str, final: bool = False, away: bool = False) -> None:
        super().__init__(text)
        self.final = final
        self.away = away


@dataclass(frozen=True)
class Series:
    """Points `(epoch, value)` of one time series; an instant query gives one of them. Values may be NaN or infinite."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


def connect(url: str, timeout: float) -> http.client.HTTPConnection:
    """A connection to the server of `url`, not opened yet."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout)


def exchange(connection: http.client.HTTPConnection, path: str, form: str, timeout: float) -> tuple[int, str]:
    """One request over a connection, within `timeout` seconds from its beginning to its end."""
    deadline = time.monotonic() + timeout
    connection.request("POST", path, form, {"Content-Type": "application/x-www-form-urlencoded"})
    response = connection.getresponse()
    pieces: list[bytes] = []
    size = 0
    while size <= LONGEST:
        if time.monotonic() > deadline:
            raise socket.timeout("the answer does not end")
        piece = response.read1(1 << 16)
        if not piece:
            response.close()  # which leaves the connection, and lets it take the next request
            return response.status, b"".join(pieces).decode("utf-8", "replace")
        pieces.append(piece)
        size += len(piece)
    raise ValueError(f"the answer is longer than {LONGEST >> 20} MiB; let the query aggregate")


def post(url: str, form: str, timeout: float) -> tuple[int, str]:
    """One request over a connection of its own."""
    connection = connect(url, timeout)
    try:
        return exchange(connection, urlsplit(url).path, form, timeout)
    finally:
        connection.close()


Send = Callable[[str, str, float], tuple[int, str]]  # URL, form, seconds -> status, body


@dataclass(frozen=True)
class Prometheus:
    """Its HTTP API at `url`; `timeout` in seconds for one request. Proxies of the environment are not used."""

    url: str
    timeout: float = 10.0
    send: Send = post

    def instant(self, query: str, at: float, lookback: float) -> list[Series]:
        """The value at `at`. Plain selectors see nothing older than `lookback` seconds, at most Prometheus' 5 min."""
        data = {"query": query, "time": f"{at:.3f}", "timeout": f"{self.timeout:g}s"}
        if lookback < 300:
            data["lookback_delta"] = f"{max(lookback, 0.001):.3f}"
        return series(self.ask("query", data, query), query, self.url, ("scalar", "vector"))

    def range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """Values from `start` to `end`, `step` seconds apart, none of them older than a step."""
        data = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        data.update(timeout=f"{self.timeout:g}s", lookback_delta=f"{min(step, 300):.3f}")
        return series(self.ask("query_range", data, query), query, self.url, ("matrix",))

    def ask(self, path: str, data: Mapping[str, str], query: str) -> Any:
        """`data` of the answer to one request below /api/v1; `query` is what messages name."""
        try:
            status, body = self.send(f"{self.url.rstrip('/')}/api/v1/{path}", urlencode(data), self.timeout)
        except socket.timeout as error:  # TimeoutError is another one before Python 3.10
            text = (
                f"Prometheus at {self.url} did not answer within {self.timeout:g} s; query: {query}; "
                "look at its load, give a larger timeout or a shorter window"
            )
            raise QueryError(text, away=True) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            text = (
                f"Prometheus at {self.url} cannot be reached: {error}; query: {query}; "
                "see whether it runs there and whether url is right"
            )
            raise QueryError(text, away=True) from error
        return unwrap(status, body, query, self.url)


def unwrap(status: int, body: str, query: str, url: str) -> Any:
    """`data` of an answer; QueryError with Prometheus' own words where it refuses."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    sound = isinstance(answer, dict) and answer.get("status") in ("success", "error")
    if status == 200 and sound and answer["status"] == "success":
        return answer.get("data")
    said = f"{answer.get('errorType')}: {answer.get('error')}" if sound else body.strip()[:200] or "an empty answer"
    if status == 200:
        raise QueryError(f"what answers at {url} is not Prometheus' API: {said}; see whether url is right", final=True)
    if status == 400 and sound:
        raise QueryError(f"Prometheus at {url} does not understand the query ({said}); correct it: {query}", final=True)
    if status in REFUSALS:
        text = f"{url} refuses to be asked, with status {status} ({said}); query: {query}; see whether url is right"
        raise QueryError(text, final=True)
    if status == 422:
        raise QueryError(f"Prometheus at {url} cannot carry the query out ({said}); correct it: {query}")
    text = f"Prometheus at {url} answered with status {status} ({said}); query: {query}; it starts, or look at its log"
    raise QueryError(text, away=status in (502, 503, 504))


def series(data: Any, query: str, url: str, kinds: tuple[str, ...]) -> list[Series]:
    """The series of an answer that is one of `kinds`."""
    try:
        kind, result = data["resultType"], data["result"]
        if kind in kinds and kind == "scalar":
            return [Series({}, (_point(result),))]
        if kind in kinds and kind == "vector":
            return [Series(dict(item["metric"]), (_point(item["value"]),)) for item in result]
        if kind in kinds:
            return [Series(dict(item["metric"]), tuple(map(_point, item["values"]))) for item in result]
    except (TypeError, KeyError, ValueError) as error:
        text = f"what answers at {url} is not Prometheus' API: {type(error).__name__} {error} in the answer to {query}"
        raise QueryError(text, final=True) from error
    text = f"the query gives a {kind}, not one value a series; put rate() or avg_over_time() around it: {query}"
    raise QueryError(text, final=True)


def _point(pair: Any) -> tuple[float, float]:
    at, value = pair
    return float(at), float(value)


def graph(url: str, query: str) -> str:
    """Where a person sees the query's graph."""
    return f"{url.rstrip('/')}/graph?g0.expr={quote(query, safe='')}&g0.tab=0"
