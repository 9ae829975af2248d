"""Servers that take documents, and what becomes of those that they do not take.

Of the standard library alone, for Python 3.9: hosts get this file as it is.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import ssl
import threading
import time
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from .documents import dated, job, moment
from .reports import Counters

STORED = (200, 201)
DUPLICATE = 409
PATIENCE = (0.5, 1.0, 2.0, 4.0)  # seconds between tries while the server refuses some documents for want of room
TIMEOUT = 60
# A server that has just come back waits so long for the shard of a document, not its usual minute: another one may know
# more, and a shipper that is stopped waits for the answer.
BULK = "/_bulk?timeout=10s"
COMPRESSED = 4096  # bytes from which on a request is compressed
NANO = 10**9


class ServerError(Exception):
    """The server took nothing, or nobody knows what it took: the same documents must come again."""


class Server:
    """One output: any of several servers that hold the same."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.urls = [str(url) for url in settings["urls"]]
        self.headers = {"Content-Type": "application/x-ndjson"}
        if settings.get("user"):
            word = f"{settings['user']}:{settings.get('password', '')}"
            self.headers["Authorization"] = "Basic " + base64.b64encode(word.encode()).decode()
        self.tls = ssl.create_default_context(cafile=settings.get("ca") or None)
        if settings.get("certificate"):
            self.tls.load_cert_chain(settings["certificate"], settings["key"])
        self._turn = 0
        self._threads = threading.local()  # {url: connection} of each

    def ask(self, method: str, path: str, body: bytes, content: str = "") -> tuple[int, bytes]:
        """The first answer of a server below 500; ServerError where there is none."""
        said = "no server"
        for step in range(len(self.urls)):
            url = self.urls[(self._turn + step) % len(self.urls)]
            try:
                status, answer = self._ask(url, method, path, body, content)
            except (OSError, http.client.HTTPException) as error:
                said = f"{url}: {error}"
                continue
            if status < 500:
                self._turn = (self._turn + step) % len(self.urls)
                return status, answer
            said = f"{url}: {status} {answer[:200]!r}"
        raise ServerError(said)

    def _ask(self, url: str, method: str, path: str, body: bytes, content: str) -> tuple[int, bytes]:
        """By the connection that this thread has to ``url``. One that the server has closed meanwhile is made anew: ids
        make it safe to send documents twice."""
        headers = {**self.headers, **({"Content-Type": content} if content else {})}
        sent = body
        if len(body) > COMPRESSED:
            sent, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        open_ones: dict[str, http.client.HTTPConnection] = self._threads.__dict__
        fresh = url not in open_ones
        connection = open_ones[url] = open_ones.get(url) or self._connection(url)
        try:
            connection.request(method, urlsplit(url).path.rstrip("/") + path, sent, headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            del open_ones[url]
            if fresh or isinstance(error, TimeoutError):
                raise
            return self._ask(url, method, path, body, content)
        if response.will_close:
            connection.close()
            del open_ones[url]
        return response.status, answer

    def _connection(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host = str(parts.hostname)
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, parts.port or 443, timeout=TIMEOUT, context=self.tls)
        return http.client.HTTPConnection(host, parts.port or 80, timeout=TIMEOUT)


Item = tuple[str, str, dict[str, Any]]  # index, id, document


class Elasticsearch:
    """Bulk requests; what is refused one by one becomes a dead letter."""

    def __init__(self, name: str, server: Server, config: dict[str, Any], counters: Counters) -> None:
        self.name, self.server, self.config, self.counters = name, server, config, counters

    def alive(self) -> None:
        status, answer = self.server.ask("GET", "/_cluster/health", b"")
        if status != 200:
            raise ServerError(f"{status} {answer[:200]!r}")

    def deliver(self, items: list[Item]) -> None:
        refused = self._bulk(items)
        if not refused:
            return
        dead = dated(f"{self.config['prefix']}{self.config['dead_letter']}", time.time())
        letters = [(dead, key, self._letter(item, status, error)) for item, key, status, error in refused]
        left = self._bulk(letters)
        if left:  # the dead letters refuse it as well: a file on this host has it
            with open(self.config["refused"], "a", encoding="utf-8") as handle:
                handle.writelines(
                    json.dumps({**document, "refused_again": error}) + "\n"
                    for (_index, _key, document), _id, _status, error in left
                )
        for (_index, _key, document), _id, _status, error in refused:
            kind = str(error.get("type") if isinstance(error, dict) else error)
            app = str(document.get("app") or "")
            self.counters.add("log_shipper_refused_lines_total", output=self.name, app=app, reason=kind)

    @staticmethod
    def _letter(item: Item, status: int, error: Any) -> dict[str, Any]:
        """What the index of dead letters always takes: text, and the refused document as one text."""
        where, _key, document = item
        reason = error
        if isinstance(error, dict):
            cause = (error.get("caused_by") or {}).get("reason")
            reason = ": ".join(str(part) for part in (error.get("type"), error.get("reason"), cause) if part)
        kept: dict[str, Any] = {
            key: str(document[key]) for key in ("host", "environment", "app", "service", "source") if key in document
        }
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "@timestamp": now, **kept, "refused_status": status, "reason": str(reason), "index": where,
            "message": str(document.get("message", "")), "document": json.dumps(document),
        }  # fmt: skip

    def _bulk(self, items: list[Item]) -> list[tuple[Item, str, int, Any]]:
        """Those that the server will never take, each with its id, status and reason."""
        refused: list[tuple[Item, str, int, Any]] = []
        for pause in (*PATIENCE, None):
            items, lost = self._try(items)
            refused += lost
            if not items:
                return refused
            self.counters.add("log_shipper_retries_total", output=self.name)
            if pause is not None:
                time.sleep(pause)
        raise ServerError(f"{len(items)} documents refused for now, again and again")

    def _try(self, items: list[Item]) -> tuple[list[Item], list[tuple[Item, str, int, Any]]]:
        """(those to try again, those to give up)"""
        lines = []
        for where, key, document in items:
            lines.append(json.dumps({"create": {"_index": where, "_id": key}}))
            lines.append(json.dumps(document, ensure_ascii=False))
        body = "\n".join([*lines, ""]).encode("utf-8", "replace")
        status, answer = self.server.ask("POST", BULK, body)
        if status == 413 and len(items) > 1:  # too large at once
            middle = len(items) // 2
            first, second = self._try(items[:middle]), self._try(items[middle:])
            return first[0] + second[0], first[1] + second[1]
        if status == 413:
            return [], [(items[0], items[0][1], status, {"type": "too_large", "reason": f"{len(body)} bytes"})]
        try:
            results = [next(iter(item.values())) for item in json.loads(answer)["items"]] if status == 200 else None
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
            raise ServerError(f"an answer that is none: {answer[:200]!r}") from error
        if results is None or len(results) != len(items):
            raise ServerError(f"{status} {answer[:200]!r}")
        again, lost = [], []
        stored = duplicates = 0
        for item, result in zip(items, results):
            state = int(result.get("status", 500))
            if state in STORED:
                stored += 1
            elif state == DUPLICATE:
                duplicates += 1
            elif state == 429 or state >= 500:
                again.append(item)
            else:
                lost.append((item, item[1], state, result.get("error")))
        for name, number in (("shipped", stored), ("duplicate", duplicates)):
            if number:
                self.counters.add(f"log_shipper_{name}_lines_total", number, output=self.name)
        return again, lost


# Which of Loki's 429 does not pass: the combination of labels would be one too many, and stays so.
STREAM_LIMIT = b"maximum active stream limit"


class Loki:
    """Pushes; the same line at the same time in the same stream is one line for Loki."""

    def __init__(
        self, name: str, server: Server, config: dict[str, Any], counters: Counters, labels: list[str]
    ) -> None:
        self.name, self.server, self.config, self.counters = name, server, config, counters
        self.labels = labels

    def alive(self) -> None:
        status, answer = self.server.ask("GET", "/ready", b"")
        if status != 200:
            raise ServerError(f"{status} {answer[:200]!r}")

    def streams(self, items: list[Item]) -> list[dict[str, Any]]:
        found: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
        for _index, key, document in items:
            below = document.get(self.config.get("rest", "")) or {}  # constants that were added to all lines are there
            given = {**(below if isinstance(below, dict) else {}), **document}
            labels = {name: str(given[name]) for name in self.labels if given.get(name)}
            labels["job"] = job(document)
            at = str(int(moment(str(document.get("@timestamp")), time.time()) * 1000) * (NANO // 1000))
            found.setdefault(tuple(sorted(labels.items())), []).append([at, json.dumps({**document, "id": key})])
        return [{"stream": dict(labels), "values": sorted(values)} for labels, values in sorted(found.items())]

    def deliver(self, items: list[Item]) -> None:
        body = json.dumps({"streams": self.streams(items)}).encode("utf-8", "replace")
        status, answer = self.server.ask("POST", "/loki/api/v1/push", body, "application/json")
        if status == 429 and STREAM_LIMIT not in answer:
            raise ServerError(f"{status} {answer[:200]!r}")
        if status >= 300 and len(items) > 1:  # which of them is it?
            middle = len(items) // 2
            self.deliver(items[:middle])
            self.deliver(items[middle:])
        elif status in (401, 403, 404):
            raise ServerError(f"{status} {answer[:200]!r}")
        elif status >= 300:
            with open(self.config["refused"], "a", encoding="utf-8") as handle:
                reason = answer[:500].decode("utf-8", "replace")
                handle.write(json.dumps({"output": self.name, "reason": reason, "document": items[0][2]}) + "\n")
            app = str(items[0][2].get("app") or "")
            self.counters.add("log_shipper_refused_lines_total", output=self.name, app=app, reason=str(status))
        else:
            self.counters.add("log_shipper_shipped_lines_total", len(items), output=self.name)
