"""The log gateway of a host: takes documents from the log shipper on loopback, and hands them to the servers.

It runs on hosts as it stands, with the modules that it imports: standard library only, Python 3.9. What a shipper
cannot do is done here, once for all of them. Documents come from a spool that rsyslog writes, or by requests of
Fluent Bit. They are done with when the server has every one or the dead letters have it with the reason; otherwise
they stay in the spool, and a request's connection is closed, so that it comes again. Every document gets an id that
follows from where its line stood, so a document that comes again is seen to be the same.

Run as: python3 -m log_gateway.gateway CONFIG, a JSON file: {secret, host, prefix, system, dead_letter, fields, rest,
ledger, spool, spool_limit, pid_file, metrics, refused, outputs: [{name, type, port, urls, user, password, ca,
certificate, key, labels}]}. A port of 0 means a spool.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .documents import arranged, identity, index, moment, rollout_of, rollouts
from .guard import Guard
from .outputs import Elasticsearch, Loki, Server, ServerError
from .reports import Counters, say
from .spool import BATCH_LINES, Spool

LINGER = 0.5  # seconds in which lines gather, less where there are many: servers write to disk for each request
IDLE = 0.1  # seconds between two looks at a spool in which there was nothing
PATIENT = 30.0  # at most, between two tries
MOST_FAILED = 10  # tries that are counted: the pause doubles with each
EVERY = 5  # seconds between two writes of metrics, and two looks at the ledger
LABELS = ("app", "service", "level")  # of what is counted of lines


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
                    stop.wait(LINGER * (1 - moved / BATCH_LINES))
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
        """Look at the ledger and at the queue, and write metrics where somebody reads them."""
        self.rollouts = rollouts(self.config["ledger"])
        if not self.config["metrics"]:
            return
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
