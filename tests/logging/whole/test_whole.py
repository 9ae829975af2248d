"""From a line in a file to a line that people find, with everything real: Elasticsearch of three nodes, rsyslog and the
gateway, all made of one platform.yml. Whatever dies meanwhile, each line is there exactly once."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import arrival, health, search
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import ElasticsearchError
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.query import QueryError, query
from ansible_collections.devops.platform.plugins.module_utils.journey.patience import Patience
from lab import REPOSITORY
from tests.elasticsearch import counting
from tests.logging.shipper.rig import eventually
from tests.logging.whole.host import EVERYTHING, Host, count, lines, messages

MANY = 20000
FEW = int(os.environ.get("LOGGING_LINES", "10000"))  # while something dies
PART = 500  # lines that are written at once


class Writer(threading.Thread):
    """An application that writes lines, a part after the other."""

    def __init__(self, path: Path, name: str, number: int, a_second: float = 4000) -> None:
        super().__init__(daemon=True)
        self.path, self.named, self.number, self.pause = path, name, number, PART / a_second

    def run(self) -> None:
        for first in range(0, self.number, PART):
            with self.path.open("a") as handle:
                handle.write(lines(self.named, first, min(first + PART, self.number)))
            time.sleep(self.pause)


def of(name: str) -> dict[str, Any]:
    return {"term": {"logger": name}}


def all_there(host: Host, name: str, number: int, began: float, seconds: float = 120) -> None:
    """Every line of a test is there, once; says so."""
    cluster = host.cluster

    def enough() -> bool:
        try:
            return count(cluster, of(name)) >= number
        except ElasticsearchError as error:
            if not error.away:
                raise
            return False

    eventually(enough, seconds, f"{name}: {host.said()}")
    took = time.monotonic() - began
    wanted = {f"{name} {one:06d}" for one in range(number)}
    found = counting.messages(cluster.client(), EVERYTHING, of(name), wanted)
    lost = wanted - set(found)
    twice = sum(found.values()) - len(found)
    time.sleep(5.5)  # until the gateway has written its metrics
    again = f"{host.metric('log_shipper_duplicate_lines_total'):g}"
    print(
        f"\n{name}: {number} lines in {took:.1f} s, {len(lost)} lost, {twice} stored twice; sent again so far: {again}"
    )
    assert (len(lost), twice) == (0, 0)


@pytest.mark.timeout(300)
def test_every_line_arrives_once(host: Host) -> None:
    log, began = host.log("api-many.log"), time.monotonic()
    log.write_text(lines("many", 0, MANY))
    all_there(host, "many", MANY, began)


@pytest.mark.timeout(300)
def test_a_node_is_killed_meanwhile(host: Host) -> None:
    cluster, began = host.cluster, time.monotonic()
    writer = Writer(host.log("api-node.log"), "node", FEW)
    writer.start()
    eventually(lambda: count(cluster, of("node")) > PART, what="the first lines")
    node = cluster.nodes["log2"]
    assert node.process is not None
    os.killpg(node.process.pid, signal.SIGKILL)
    node.stop()
    writer.join(60)
    all_there(host, "node", FEW, began)
    cluster.start(["log2"])
    health.wait_until_settled(cluster.client(), 120)
    assert count(cluster, of("node")) == FEW


@pytest.mark.timeout(300)
def test_elasticsearch_is_away_for_a_while(host: Host) -> None:
    cluster, began = host.cluster, time.monotonic()
    writer = Writer(host.log("api-away.log"), "away", FEW)
    writer.start()
    cluster.stop()
    writer.join(60)
    time.sleep(5)
    cluster.start()
    all_there(host, "away", FEW, began, 180)
    health.wait_until_settled(cluster.client(), 120)


@pytest.mark.timeout(300)
def test_shipper_and_gateway_are_killed_again_and_again(host: Host) -> None:
    began = time.monotonic()
    writer = Writer(host.log("api-killed.log"), "killed", FEW)
    writer.start()
    for round_ in range(6):
        time.sleep(0.6)
        names = (("rsyslog",), ("gateway",), ("rsyslog", "gateway"))[round_ % 3]
        host.stop(*names, how=signal.SIGKILL)
        host.start(*names)
    writer.join(60)
    all_there(host, "killed", FEW, began)


def test_odd_lines_are_kept_as_well(host: Host) -> None:
    """A field whose type changes, an object where a word belongs, a line of a megabyte, bytes that are no text."""
    cluster, large = host.cluster, "x" * (1 << 20)
    documents: list[dict[str, Any]] = [
        {"message": "odd number", "status": "teapot"},
        {"message": "odd number", "status": 418},
        {"message": "odd field", "order": 4711, "deep": {"a": [1, None]}},
        {"message": "odd field", "order": "a word", "deep": "a word"},
        {"message": "odd object", "user": {"id": 1}},
        {"message": "odd fields", "fields": "no object"},
    ]
    text = "".join(json.dumps({"logger": "odd", **document}) + "\n" for document in documents)
    host.log("api-odd.log").write_text(text)
    host.log("text-odd.log").write_bytes(b"odd \xff\xfe bytes\n" + large.encode() + b"\n")
    eventually(lambda: count(cluster, of("odd")) == len(documents) - 1, what=f"odd lines: {host.said()}")
    eventually(lambda: count(cluster, {"term": {"app": "edge"}}) == 2, what="the file of text")
    for asked, number in (
        ("status:418", 1),
        ("fields.order:4711", 1),
        ("fields.deep.a:1", 1),
        ('fields.fields:"no object"', 1),
    ):
        assert count(cluster, query(asked)) == number, asked
    found = sorted(messages(cluster, {"term": {"app": "edge"}}), key=len)
    assert found == ["odd ?? bytes", large]


def test_what_is_refused_is_a_dead_letter(host: Host) -> None:
    cluster = host.cluster
    eventually(lambda: count(cluster, query("refused_status:400")) == 1, what="a dead letter")
    body = {"query": query("refused_status:400")}
    [hit] = cluster.client(user="reader").ask("POST", f"/{EVERYTHING}/_search", body)["hits"]["hits"]
    letter = hit["_source"]
    assert hit["_index"] == f"logs-lab-dead-letter-{dt.datetime.now(dt.UTC):%Y.%m.%d}"
    assert (letter["message"], letter["app"], letter["host"]) == ("odd object", "chat", "app1")
    assert "user" in letter["reason"]
    assert json.loads(letter["document"])["user"] == {"id": 1}
    found = search.search(cluster.client(user="reader"), search.Wanted(EVERYTHING, "reason:*"))
    assert "  refused  odd object [document_parsing_exception" in found.lines[0]


def test_the_shipper_may_do_what_the_gateway_asks(host: Host) -> None:
    shipper = host.cluster.client(user="shipper")
    assert shipper.get("/_cluster/health")["status"]
    for path in ("/_nodes/stats", f"/{EVERYTHING}/_search", "/_cluster/state", "/_cat/indices"):
        with pytest.raises(ElasticsearchError) as caught:
            shipper.get(path)
        assert caught.value.status == 403, path


def module(host: Host, /, **options: Any) -> dict[str, Any]:
    """log_search as Ansible runs it."""
    cluster = host.cluster
    given = {
        "url": cluster.url("log1"), "password": cluster.passwords["reader"], "authority": cluster.ca.read_text(),
        "indexes": EVERYTHING, **options,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "ansible_collections.devops.platform.plugins.modules.log_search"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": given}), capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY / 'collections'}"},
    )  # fmt: skip
    assert cluster.passwords["reader"] not in done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_people_find_lines(host: Host) -> None:
    found = module(host, query='"many 000017" level:INFO', since="1h", app="chat", host="app1")
    assert [line[23:] for line in found["lines"]] == ["  app1  chat  info  many 000017"]
    assert (found["total"], found["changed"]) == (1, False)
    last = module(host, query="logger:many", since="1h", limit=3, _ansible_check_mode=True)
    assert [line[-6:] for line in last["lines"]] == ["019997", "019998", "019999"]
    assert last["total"] == MANY
    assert module(host, query="logger:many", host="other")["total"] == 0
    assert "there is no field 'lvel'; an application's own are below fields" in module(host, query="lvel:info")["msg"]
    assert "is no duration" in module(host, since="soon")["msg"]
    wrong = module(host, password="of somebody else")
    assert "Nothing was found out: " in wrong["msg"]


def test_no_query_is_more_than_elasticsearch_takes(host: Host) -> None:
    """What is not refused here is not refused there."""
    parts = [
        "many", "level:", "status:", "fields.x:", '"', "(", ")", "[1 TO 2]", " ", " AND ", " OR ", " NOT ", "-", "*",
        ">", "\\", "/", "é", "message:", "path:", "client:", "@timestamp:", "2026-01-31", "192.0.2.1", "error:", "\0",
    ]  # fmt: skip
    chosen, asked = random.Random(7), 0
    reader = host.cluster.client(user="reader")
    while asked < 150:
        typed = "".join(chosen.choices(parts, k=chosen.randint(1, 7)))
        try:
            query(typed)
        except QueryError:
            continue
        search.search(reader, search.Wanted(EVERYTHING, typed, limit=1))
        asked += 1


def test_a_line_arrives_in_time_for_verify(host: Host) -> None:
    def write(text: str) -> None:
        with host.log("text-verify.log").open("a") as handle:
            handle.write(f"{text}\n")

    reader = [host.cluster.client("log3", "reader")]
    assert arrival.arrives(reader, EVERYTHING, "app1", "mark1", write, Patience(30)) == ""
    assert "the line is not in" in arrival.arrives(reader, EVERYTHING, "app2", "mark2", write, Patience(1))


@pytest.mark.timeout(180)
def test_how_long_a_line_takes(host: Host) -> None:
    """From being written to being found, without anybody who asks for a refresh."""
    number, reader = 60, host.cluster.client(user="reader")
    written: list[float] = []
    seen: list[float] = []
    deadline = time.monotonic() + 60
    while len(seen) < number and time.monotonic() < deadline:
        if len(written) < number:
            with host.log("api-late.log").open("a") as handle:
                handle.write(lines("late", len(written), len(written) + 1))
            written.append(time.monotonic())
        there = reader.ask("POST", f"/{EVERYTHING}/_count", {"query": of("late")})["count"]
        seen += [time.monotonic()] * (there - len(seen))
        time.sleep(0.3)
    took = sorted(later - earlier for earlier, later in zip(written, seen, strict=True))
    p95 = took[int(number * 0.95) - 1]
    print(f"\nwritten to found: p50 {took[number // 2]:.1f} s, p95 {p95:.1f} s, longest {took[-1]:.1f} s")
    assert p95 < 10
