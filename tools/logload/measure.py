"""Ships a file to a real node and loads the same documents plainly; writes docs/logging-load.md."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import platform
import ssl
import tempfile
import threading
import time
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab import maven
from tests.elasticsearch import counting
from tests.elasticsearch.cluster import Cluster, java_home
from tests.logging.shipper import programs
from tests.logging.whole.host import EVERYTHING, Host, count, describe, prepare
from tools import REPOSITORY
from tools.logload.figures import Figures, Load, document

DOCUMENT = REPOSITORY / "docs" / "logging-load.md"
LINES = 100_000
RUNS = 3
BATCH = 2000
PATIENCE = 180
BESIDE = 500  # lines a second that are shipped while single lines are watched
WATCHED = 100
PLAIN = "plain"  # the app's place in the name of the index of the plain load


class LoadError(Exception):
    """A measure that stands for nothing."""


def line(name: str, number: int) -> str:
    """As an application writes it, of some 300 bytes."""
    return json.dumps(
        {
            "timestamp": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "level": "info", "logger": name, "request_id": f"{number:016x}",
            "message": f"GET /api/rooms/{number % 97}/messages 200 in {number % 50} ms", "method": "GET",
            "status": 200, "duration": (number % 50) / 1000, "room": number % 97, "client": "192.0.2.17",
        }
    ) + "\n"  # fmt: skip


def of(name: str) -> dict[str, Any]:
    return {"term": {"logger": name}}


def indexed(cluster: Cluster) -> int:
    """Documents that were ever written into the index of the application. A count would need a refresh each time, which
    is work that the plain load has not."""
    found = cluster.client().get("/logs-lab-chat-*/_stats/indexing")
    return int(found["_all"]["primaries"].get("indexing", {}).get("index_total", 0))


def of_the_server(cluster: Cluster) -> float:
    """Seconds of processor that the node has used: of all processes that it started."""
    process = cluster.nodes[cluster.names[0]].process
    assert process is not None
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[2]) == process.pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_for(cluster: Cluster, number: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while indexed(cluster) < number:
        if time.monotonic() > deadline:
            raise LoadError(f"{indexed(cluster)} of {number} lines after {PATIENCE} s")
        time.sleep(0.1)


def plain_load(cluster: Cluster, name: str, run: int) -> float:
    """Seconds of bulk requests with the same documents, one after the other by one connection."""
    index = f"logs-lab-{PLAIN}{run}-{dt.datetime.now(dt.UTC):%Y.%m.%d}"
    bodies, lines = [], []
    for hit in counting.hits(cluster.client(), EVERYTHING, of(name)):
        create = {"create": {"_index": index, "_id": hit["_id"]}}
        lines += [json.dumps(create), json.dumps(hit["_source"], ensure_ascii=False)]
        if len(lines) == 2 * BATCH:
            bodies.append(("\n".join(lines) + "\n").encode())
            lines = []
    if lines:
        bodies.append(("\n".join(lines) + "\n").encode())
    parts = urlsplit(cluster.url(cluster.names[0]))
    context = ssl.create_default_context(cafile=str(cluster.ca))
    connection = http.client.HTTPSConnection(str(parts.hostname), parts.port, context=context, timeout=60)
    word = b64encode(f"shipper:{cluster.passwords['shipper']}".encode()).decode()
    headers = {"Content-Type": "application/x-ndjson", "Authorization": f"Basic {word}"}
    began = time.monotonic()
    for body in bodies:
        connection.request("POST", "/_bulk", body, headers)
        answer = json.loads(connection.getresponse().read())
        if answer["errors"]:
            raise LoadError(f"the plain load was refused: {str(answer['items'][0])[:300]}")
    took = time.monotonic() - began
    connection.close()
    cluster.client().ask("DELETE", f"/{index}")
    return took


def load(host: Host, run: int) -> Load:
    """A file that is full, a shipper that starts, and the same documents plainly."""
    cluster, name = host.cluster, f"load{run}"
    with host.log(f"api-{name}.log").open("w") as handle:
        handle.writelines(line(name, number) for number in range(LINES))
    before, written, server = host.processor_seconds(), indexed(cluster), of_the_server(cluster)
    began = time.monotonic()
    host.start("rsyslog")
    wait_for(cluster, written + LINES)
    shipped = time.monotonic() - began
    used, server = host.processor_seconds(), of_the_server(cluster) - server
    host.stop("rsyslog")
    if count(cluster, of(name)) != LINES:
        raise LoadError(f"{count(cluster, of(name))} of {LINES} lines are there")
    alone = of_the_server(cluster)
    plain = plain_load(cluster, name, run)
    gateway = used["gateway"] - before["gateway"]
    return Load(LINES, shipped, plain, used["rsyslog"], gateway, server, of_the_server(cluster) - alone)


def waits(host: Host) -> list[float]:
    """Seconds from written to found of single lines, beside a steady stream."""
    over = threading.Event()

    def stream() -> None:
        number = 0
        with host.log("api-beside.log").open("a") as handle:
            while not over.wait(0.1):
                handle.writelines(line("beside", number + one) for one in range(BESIDE // 10))
                handle.flush()
                number += BESIDE // 10

    threading.Thread(target=stream, daemon=True).start()
    reader = host.cluster.client(user="reader")
    written: list[float] = []
    seen: list[float] = []
    deadline = time.monotonic() + PATIENCE
    try:
        while len(seen) < WATCHED:
            if len(written) < WATCHED:
                with host.log("api-watched.log").open("a") as handle:
                    handle.write(line("watched", len(written)))
                written.append(time.monotonic())
            there = reader.ask("POST", f"/{EVERYTHING}/_count", {"query": of("watched")})["count"]
            seen += [time.monotonic()] * (there - len(seen))
            if time.monotonic() > deadline:
                raise LoadError(f"{len(seen)} of {WATCHED} lines are found after {PATIENCE} s")
            time.sleep(0.25)
    finally:
        over.set()
    return [later - earlier for earlier, later in zip(written, seen, strict=True)]


def run() -> Figures:
    """Measures, and writes docs/logging-load.md."""
    if java_home() is None:
        raise LoadError("there is no java in PATH")
    programs.root()
    with tempfile.TemporaryDirectory(prefix="devops-platform-logload-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        cluster = Cluster(folder, maven.unpack(maven.ELASTICSEARCH, folder / "releases"), ("log1",), first=31)
        place = folder / "app1"
        place.mkdir()
        cluster.prepare()
        host = Host(place, describe(cluster, place), cluster)
        try:
            cluster.start()
            prepare(cluster)
            host.start("gateway")
            load(host, 0)  # nothing is warm yet
            loads = []
            for number in range(1, RUNS + 1):
                loads.append(load(host, number))
                one = loads[-1]
                print(
                    f"  {LINES / one.shipped:.0f} lines/s, plain {LINES / one.plain:.0f}, {one.share:.0%}; {one}",
                    flush=True,
                )
            host.start("rsyslog")
            found = Figures(tuple(loads), tuple(waits(host)), BESIDE)
        finally:
            host.stop()
            cluster.stop()
    where = (
        f"{os.cpu_count()} processors, {platform.machine()}, {dt.datetime.now(dt.UTC):%Y-%m-%d}, load of the machine "
        f"{os.getloadavg()[2]:.0f}"
    )
    DOCUMENT.write_text(document(found, where), encoding="utf-8")
    print(f"written: {DOCUMENT.relative_to(REPOSITORY)}")
    if wrong := found.wrong():
        raise LoadError("; ".join(wrong))
    return found
