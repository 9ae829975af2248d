#!/usr/bin/env python3
"""The log gateway of a host: takes documents from the log shipper on loopback, and hands them to the servers.

It runs on hosts with `spool.py` as it stands: standard library only, Python 3.9. What a shipper cannot do is done here,
once for all of them. Documents come from a spool that rsyslog writes, or by requests of Fluent Bit. They are done with
when the server has every one or the dead letters have it with the reason; otherwise they stay in the spool, and a
request's connection is closed, so that it comes again. Every document gets an id that follows from where its line
stood, so a document that comes again is seen to be the same.

Run as: python3 -m log_gateway.gateway CONFIG, a JSON file: {secret, host, prefix, system, dead_letter, fields, rest,
ledger, spool, spool_limit, pid_file, metrics, refused, outputs: [{name, type, port, urls, user, password, ca,
certificate, key, labels}]}. A port of 0 means a spool.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import ssl
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .spool import BATCH_LINES, Spool

STORED = (200, 201)
DUPLICATE = 409
PATIENCE = (0.5, 1.0, 2.0, 4.0)  # seconds between tries while the server refuses some documents for want of room
TIMEOUT = 60
LINGER = 0.5  # seconds in which lines gather: servers write to disk for each request, however small it is
IDLE = 0.1  # seconds between two looks at a spool in which there was nothing
PATIENT = 30.0  # at most, between two tries
MOST_FAILED = 10  # tries that are counted: the pause doubles with each
COMPRESSED = 4096  # bytes from which on a request is compressed
EVERY = 5  # seconds between two writes of metrics, and two looks at the ledger
WATCH = 0.2  # seconds between two looks at the disk
RESERVE = 64 * 2**20  # bytes that must be free for the queue, or a fifth of a small disk
NANO = 10**9
STAMP = re.compile(r"(.{19})(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")
LABELS = ("app", "service", "level")  # of what is counted of lines
UNSAFE = re.compile(r"[^a-z0-9_-]+")


class ServerError(Exception):
    """The server took nothing, or nobody knows what it took: the same documents must come again."""


def moment(text: str, now: float) -> float:
    """Seconds since 1970 of a time in ISO 8601; ``now`` where it is none."""
    try:
        # Python 3.9 knows neither Z nor fractions of other than 3 and 6 digits.
        found = STAMP.fullmatch(text)
        assert found
        zone = "+00:00" if found[3] in (None, "Z") else found[3]
        return datetime.fromisoformat(found[1] + zone).timestamp() + float(found[2] or 0)
    except (AssertionError, ValueError):
        return now


def identity(document: dict[str, Any], key: str) -> str:
    """The same for the same line, however often it is read: of its place and its text."""
    parts = [str(document.get("host")), str(document.get("source")), key, str(document.get("message"))]
    if not key:
        parts.append(json.dumps(document, sort_keys=True))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def index(document: dict[str, Any], config: dict[str, Any], now: float) -> str:
    """Of application and day. A line whose clock is more than a day off goes to today's: what it says must not decide
    how long it is kept."""
    app = UNSAFE.sub("-", str(document.get("app") or config["system"]).lower())
    said = moment(str(document.get("@timestamp")), now)
    return dated(f"{config['prefix']}{app}", said if abs(now - said) < 86400 else now)


def dated(name: str, at: float) -> str:
    """The index of a day: its name says when it may go."""
    return f"{name}-{datetime.fromtimestamp(at, timezone.utc):%Y.%m.%d}"


def arranged(document: dict[str, Any], typed: frozenset[str], rest: str) -> dict[str, Any]:
    """Fields without a type go below ``rest``, where they can be searched for whatever they are."""
    given = document.get(rest)
    if typed.issuperset(document) and (given is None or isinstance(given, dict)):
        return document
    below = {key: value for key, value in document.items() if key not in typed}
    kept = {key: value for key, value in document.items() if key in typed and key != rest}
    kept[rest] = {**(given if isinstance(given, dict) else {rest: given} if given else {}), **below}
    return kept


def job(document: dict[str, Any]) -> str:
    """What Prometheus calls the job whose line it is: APP-SERVICE, or what is known of it."""
    parts = dict.fromkeys(str(document[key]) for key in ("app", "service") if document.get(key))
    return "-".join(parts) or str(document.get("source") or "system")


def rollouts(directory: str) -> dict[str, list[tuple[float, str]]]:
    """{component: [(since, rollout), ...]} as the ledger has it, the oldest first."""
    found: dict[str, list[tuple[float, str]]] = {}
    for path in sorted(Path(directory).glob("*.json")):
        try:
            ledger = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        present = ledger.get("generation") or {}
        # After a way back, what is there is of an earlier rollout again, since the change that led there.
        since = {"at": (ledger.get("changed_by") or {}).get("at"), "rollout": present.get("rollout")}
        entries = [*(ledger.get("previous") or []), present, since]
        times = {
            (float(item["at"]), str(item["rollout"])) for item in entries if item.get("at") and item.get("rollout")
        }
        if times:
            found[path.stem] = sorted(times)
    return found


def rollout_of(history: list[tuple[float, str]], at: float) -> str:
    """The rollout by which a component was as it was at that time."""
    before = [rollout for since, rollout in history if since <= at]
    return before[-1] if before else ""


HELP = {
    "log_shipper_shipped_lines_total": "Lines that the server has.",
    "log_shipper_duplicate_lines_total": "Lines that the server had already, by their id.",
    "log_shipper_refused_lines_total": "Lines that the server refused; they are in the dead letters.",
    "log_shipper_retries_total": "Requests that the server did not take.",
    "log_lines_total": "Lines by who wrote them and how bad they are.",
    "log_shipper_lag_seconds": "How old the oldest line was that was shipped last.",
    "log_shipper_torn_lines_total": "Lines that a shipper did not write to their end when it died; it read them again.",
    "log_shipper_paused": "Whether the shipper waits for room on its disk.",
    "log_shipper_queue_bytes": "What lies in the queue on disk.",
    "log_shipper_queue_limit_bytes": "How large the queue may become.",
    "log_shipper_written_seconds": "When these metrics were written.",
}


class Counters:
    """Numbers for Prometheus, by name and labels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def add(self, name: str, number: float = 1, **labels: str) -> None:
        key = (name, tuple(sorted(labels.items())))
        with self._lock:
            self._values[key] = self._values.get(key, 0) + number

    def text(self, gauges: dict[tuple[str, tuple[tuple[str, str], ...]], float]) -> str:
        with self._lock:
            values = {**self._values, **gauges}
        lines, told = [], ""
        for (name, labels), value in sorted(values.items()):
            if name != told:
                kind = "counter" if name.endswith("_total") else "gauge"
                lines += [f"# HELP {name} {HELP.get(name, name)}", f"# TYPE {name} {kind}"]
                told = name
            inside = ",".join(f'{key}="{_label(text)}"' for key, text in labels)
            lines.append(f"{name}{{{inside}}} {value:.3f}".rstrip("0").rstrip("."))
        return "\n".join([*lines, ""])


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


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
        status, answer = self.server.ask("POST", "/_bulk", body)
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


class Guard:
    """Stops the shipper while the disk of its queue is nearly full, since rsyslog throws lines away that it cannot
    write, and while the queue is as large as it may become. Files and the journal keep lines meanwhile. ``used``: how
    much of the queue is, 1 for all of it."""

    def __init__(self, spool: str, pid_file: str, used: Callable[[], float] = lambda: 0.0) -> None:
        self.spool, self.pid_file, self.used, self.paused = spool, Path(pid_file), used, 0

    def look(self) -> None:
        disk = os.statvfs(self.spool)
        free, reserve = disk.f_bavail * disk.f_frsize, min(RESERVE, disk.f_blocks * disk.f_frsize // 5)
        used = self.used()
        if free < reserve or used >= 1:
            pid = self._shipper()
            if pid and pid != self.paused:
                say(
                    f"{free} bytes are free below {self.spool}: the shipper waits until there are {reserve}"
                    if free < reserve
                    else "the queue is as large as it may become: the shipper waits until a quarter of it is shipped"
                )
                os.kill(pid, signal.SIGSTOP)
                self.paused = pid
        elif self.paused and free > reserve * 5 // 4 and used < 0.75:
            self.go_on()

    def go_on(self) -> None:
        if self.paused and self._shipper() == self.paused:
            os.kill(self.paused, signal.SIGCONT)
        self.paused = 0

    def _shipper(self) -> int:
        """The process, 0 where it does not run: the number in the file may be of something else by now."""
        try:
            pid = int(self.pid_file.read_text())
            return pid if b"rsyslogd" in Path(f"/proc/{pid}/cmdline").read_bytes() else 0
        except (OSError, ValueError):
            return 0

    def watch(self, stop: threading.Event) -> None:
        while not stop.wait(WATCH):
            try:
                self.look()
            except OSError as error:  # noqa: PERF203 - five times a second
                say(f"disk: {error}")
        self.go_on()


def parsed(line: bytes) -> dict[str, Any] | None:
    """None for what a shipper that was killed did not write to its end: it reads that line again."""
    try:
        document = json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


class Gateway:
    """What all outputs share."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.counters = config, Counters()
        self.spools = {
            str(given["name"]): Spool(config["spool"], str(given["name"]))
            for given in config["outputs"]
            if not given["port"]
        }
        self.guard = Guard(config["spool"], config["pid_file"], self.used) if config.get("pid_file") else None
        self.typed = frozenset(config["fields"])
        self.rollouts: dict[str, list[tuple[float, str]]] = {}
        self.lag: dict[str, float] = {}
        self.outputs: dict[str, Any] = {}
        for given in config["outputs"]:
            name, server = str(given["name"]), Server(given)
            self.outputs[name] = (
                Loki(name, server, config, self.counters, list(given.get("labels") or []))
                if given["type"] == "loki"
                else Elasticsearch(name, server, config, self.counters)
            )

    def used(self) -> float:
        """How full the fullest spool is."""
        return max((spool.waiting() for spool in self.spools.values()), default=0) / self.config["spool_limit"]

    def follow(self, name: str, count: bool, stop: threading.Event) -> None:
        """Deliver what comes into the spool of an output, until ``stop``."""
        failed = 0
        while not stop.is_set():
            try:
                moved = self.spools[name].step(lambda lines: self.take(name, lines, count))
                failed = 0
                if 0 < moved < BATCH_LINES:
                    stop.wait(LINGER)
            except ServerError as error:
                self.counters.add("log_shipper_retries_total", output=name)
                say(f"{name}: {error}")
                moved, failed = 0, min(failed + 1, MOST_FAILED)
            except Exception:  # noqa: BLE001 - whatever it is, the lines are still in the spool
                say(f"{name}: {traceback.format_exc()}")
                moved, failed = 0, min(failed + 1, MOST_FAILED)
            if not moved:
                stop.wait(min(IDLE * 2**failed, PATIENT))

    def take(self, name: str, lines: list[bytes], count: bool) -> int:
        """Deliver documents, each a line of JSON; how many they are."""
        now = time.time()
        items, oldest, torn = [], now, []
        for line in lines:
            document = parsed(line)
            if document is None:
                torn.append(line)
                continue
            key = str(document.pop("key", ""))
            at = moment(str(document.get("@timestamp")), now)
            oldest = min(oldest, at)
            history = self.rollouts.get(str(document.get("app", "")).replace("-", "_"))
            rollout = rollout_of(history, at) if history else ""
            if rollout:
                document["rollout_id"] = rollout
            name_and_day = index(document, self.config, now)
            items.append((name_and_day, identity(document, key), arranged(document, self.typed, self.config["rest"])))
        if items:
            self.outputs[name].deliver(items)
            self.lag[name] = max(0.0, time.time() - oldest)
            if count:
                self._count(document for _where, _key, document in items)
        if torn:
            self._keep(torn)
        return len(lines)

    def _count(self, documents: Iterable[dict[str, Any]]) -> None:
        found = Counter(tuple(str(document.get(key) or "") for key in LABELS) for document in documents)
        for values, number in found.items():
            self.counters.add("log_lines_total", number, **dict(zip(LABELS, values)))

    def _keep(self, torn: list[bytes]) -> None:
        """In a file on this host, should somebody ask."""
        self.counters.add("log_shipper_torn_lines_total", len(torn))
        with open(self.config["refused"], "a", encoding="utf-8") as handle:
            handle.writelines(json.dumps({"torn": line.decode("utf-8", "replace")}) + "\n" for line in torn)

    def _queued(self, name: str) -> float:
        return float(self.spools[name].waiting()) if name in self.spools else queued(self.config["spool"], name)

    def observe(self) -> None:
        """Look at the ledger and at the queue, and write metrics; where that fails, it is said, and tried again."""
        self.rollouts = rollouts(self.config["ledger"])
        gauges: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {
            ("log_shipper_written_seconds", ()): time.time()
        }
        gauges["log_shipper_paused", ()] = float(bool(self.guard and self.guard.paused))
        for name in self.outputs:
            label = (("output", name),)
            gauges["log_shipper_queue_bytes", label] = self._queued(name)
            gauges["log_shipper_queue_limit_bytes", label] = float(self.config["spool_limit"])
            if name in self.lag:
                gauges["log_shipper_lag_seconds", label] = round(self.lag[name], 3)
        path = Path(self.config["metrics"])
        staged = path.with_name(f".{path.name}.new")  # node_exporter reads *.prom
        staged.write_text(self.counters.text(gauges), encoding="utf-8")
        staged.chmod(0o644)
        os.replace(staged, path)


def queued(spool: str, name: str) -> float:
    """Bytes that lie in the queue of an output."""
    total = 0
    for path in Path(spool).rglob(f"*{name}*"):
        try:
            total += (
                sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) if path.is_dir() else path.stat().st_size
            )
        except OSError:  # noqa: PERF203 - a few files
            continue  # consumed meanwhile
    return float(total)


def posted(body: bytes) -> list[bytes]:
    """The documents of a bulk request: every other line says what to do with the next one."""
    return [line for line in body.split(b"\n") if line.strip()][1::2]


def handler(gateway: Gateway, name: str, first: bool) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a class
    expected = "Basic " + base64.b64encode(f"shipper:{gateway.config['secret']}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 120

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 - one line a request is too much
            return

        def _allowed(self) -> bool:
            if hmac.compare_digest(self.headers.get("Authorization", ""), expected):
                return True
            self._answer(401, {"error": {"type": "security_exception", "reason": "wrong password"}, "status": 401})
            self.close_connection = True
            return False

        def _answer(self, status: int, data: Any) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            if self._allowed():
                self._attempt(lambda: (gateway.outputs[name].alive(), {"status": "green"})[1])

        do_HEAD = do_GET  # noqa: N815 - the name that http.server asks for

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self._allowed():
                self._attempt(lambda: self._stored(gateway.take(name, posted(body), first)))

        @staticmethod
        def _stored(number: int) -> dict[str, Any]:
            return {"took": 0, "errors": False, "items": [{"create": {"status": 201}} for _ in range(number)]}

        def _attempt(self, work: Any) -> None:
            """Closing without an answer is the one refusal that every shipper takes for 'not now'."""
            try:
                answer = work()
            except ServerError as error:
                gateway.counters.add("log_shipper_retries_total", output=name)
                say(f"{name}: {error}")
                self.close_connection = True
                return
            except Exception:  # noqa: BLE001 - whatever it is, the documents are still in the shipper's queue
                say(f"{name}: {traceback.format_exc()}")
                self.close_connection = True
                return
            self._answer(200, answer)

    return Handler


_said: dict[str, float] = {}


def say(text: str) -> None:
    """Each message once a minute: systemd's journal keeps it."""
    if time.monotonic() - _said.get(text, -60.0) >= 60:
        _said[text] = time.monotonic()
        print(text, file=sys.stderr, flush=True)


def main(path: str, stop: threading.Event | None = None) -> None:
    config = json.loads(Path(path).read_text(encoding="utf-8"))
    gateway, stop = Gateway(config), stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
    watch = threading.Thread(target=gateway.guard.watch, args=(stop,)) if gateway.guard else None
    if watch:
        watch.start()
    for number, output in enumerate(config["outputs"]):
        name = str(output["name"])
        if not output["port"]:
            # Nobody waits for it in the end: what is under way comes again.
            threading.Thread(target=gateway.follow, args=(name, number == 0, stop), daemon=True).start()
            continue
        server = ThreadingHTTPServer(("127.0.0.1", int(output["port"])), handler(gateway, name, number == 0))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        try:
            gateway.observe()
        except OSError as error:
            say(f"metrics: {error}")
        if stop.wait(EVERY):
            break
    if watch:
        watch.join()


if __name__ == "__main__":
    main(sys.argv[1])
