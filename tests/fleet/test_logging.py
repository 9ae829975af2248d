"""Logs on hosts, everything real: Elasticsearch on one of them, rsyslog and the gateway on all. A hundred thousand
counted lines a fault: whatever dies meanwhile, each is there at least once when it is over.

Nodes that speak to each other are on loopback, in tests/elasticsearch and tests/logging/whole: between hosts
Elasticsearch wants 65535 open files, which containers on some machines may not have.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import health
from lab import unpacked
from lab.runtime import PREFIX as CONTAINER_PREFIX
from tests.fleet.conftest import Starter
from tests.fleet.harness.disks import add_disk, remove_disk
from tests.fleet.harness.fleet import Fleet
from tests.fleet.harness.logs import APP, FOLDER, SPOOL, Logs, Row, described
from tests.fleet.harness.platform import merged

GROUPS = [["logging"], ["app"], ["data"], ["monitoring", "edge"]]
LINES = 100_000
RATE = 2500  # lines a second, where the fault is to come while they are written
AWAY = 120  # seconds
DISK = 24  # megabytes, less than the lines need

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def hosts(start_fleet: Starter) -> Fleet:
    started = start_fleet(len(GROUPS), described(), GROUPS, "t-logs")
    unpacked.ensure("elasticsearch")  # fetched where it is not in the mirror
    return started


@pytest.fixture(scope="module")
def fleet(hosts: Fleet) -> Fleet:
    hosts.play("site.yml", seconds=1400).expect_ok()
    return hosts


@pytest.fixture(scope="module")
def rows() -> Iterator[list[Row]]:
    found: list[Row] = []
    yield found
    print("\n\n| fault | lines | lost | stored twice | sent again | dead letters | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in found:
        cells = (row.fault, row.lines, row.lost, row.twice, row.again, row.letters, f"{row.seconds:.0f}")
        print(f"| {' | '.join(str(cell) for cell in cells)} |")


@pytest.fixture(scope="module")
def logs(fleet: Fleet) -> Logs:
    found = Logs(fleet)
    found.prepare()
    return found


def settled(logs: Logs) -> None:
    """Every copy has its place again, so that the next fault finds what it should."""
    health.wait_until_settled(logs.client(), 300)


def judged(rows: list[Row], row: Row) -> None:
    rows.append(row)
    print(f"\n{row}", flush=True)
    assert row.lost == 0
    assert row.twice == 0  # a line that is sent again has the same id


def test_a_node_that_cannot_start_is_taken_away_and_nobody_waits_for_it(hosts: Fleet) -> None:
    right = hosts.platform
    hosts.describe(merged(right, {"logging": {"elasticsearch": {"settings": {"no.such.setting": 1}}}}))
    began = time.monotonic()
    run = hosts.play("site.yml", "--tags", "hosts,elasticsearch", "--limit", "logging")
    took = time.monotonic() - began
    hosts.describe(right)
    assert run.code == 2
    assert "unknown setting [no.such.setting]" in run.output, run.output[-4000:]
    assert took < 240  # ten minutes are for nodes that have a cluster to come back to
    [node] = hosts.of("logging")
    left = hosts.on(node, "sh", "-c", "ls -d /etc/elasticsearch /opt/devops-platform/elasticsearch 2>/dev/null || true")
    assert left.split() == []


def test_a_second_run_changes_nothing(fleet: Fleet) -> None:
    fleet.play("site.yml", "--skip-tags", "verify").expect_nothing_changed()


def test_every_host_ships_and_people_find_it(fleet: Fleet) -> None:
    """verify has found a line of each host. The same by hand, and what the applications and the edge wrote."""
    mark = f"a line to be found {time.time_ns()}"
    fleet.on(fleet.of("data")[0], "logger", mark)
    edge = fleet.of("edge")[0]
    for _ in range(3):
        fleet.on(edge, "curl", "--silent", "--insecure", "--output", "/dev/null", "https://127.0.0.1/")
    time.sleep(10)
    found = fleet.play("playbooks/logs.yml", extra={"query": f'"{mark}"', "since": "5m"}).expect_ok()
    assert f"{fleet.of('data')[0]}  " in found.output
    assert "1 of 1 lines" in found.output
    for query in ("app:chat service:api level:info", "app:edge service:nginx status:200"):
        found = fleet.play("playbooks/logs.yml", extra={"query": query, "since": "1h", "limit": 3}).expect_ok()
        assert "3 of " in found.output, f"{query}: {found.output[-2000:]}"


def test_lines_arrive_once(logs: Logs, rows: list[Row]) -> None:
    """Nothing goes wrong: what the others are compared with."""
    began = time.monotonic()
    logs.write("calm", LINES, 50_000)
    judged(rows, logs.all_there("none", "calm", LINES, began, 300))


def test_elasticsearch_is_down_for_two_minutes(logs: Logs, rows: list[Row]) -> None:
    began = time.monotonic()
    logs.write("away", LINES, RATE)
    logs.until(lambda: logs.count({"term": {"logger": "away"}}) > 0, 60, "the first lines")
    down = time.monotonic()
    logs.servers("stop")
    logs.written("away")
    time.sleep(max(0, AWAY - (time.monotonic() - down)))
    logs.servers("start", "--no-block")
    judged(rows, logs.all_there("Elasticsearch is down for two minutes", "away", LINES, began, 600))
    settled(logs)


def test_the_node_is_killed(logs: Logs, rows: list[Row]) -> None:
    """systemd starts it again, and it has what it said it had."""
    began = time.monotonic()
    logs.write("node", LINES, RATE)
    logs.until(lambda: logs.count({"term": {"logger": "node"}}) > 0, 60, "the first lines")
    logs.fleet.on(logs.nodes[0], "systemctl", "kill", "--signal=SIGKILL", "elasticsearch")
    judged(rows, logs.all_there("the node is killed", "node", LINES, began, 600))
    settled(logs)


def test_shipper_and_gateway_are_killed_again_and_again(logs: Logs, rows: list[Row]) -> None:
    began = time.monotonic()
    logs.write("killed", LINES, RATE)
    for round_ in range(8):
        time.sleep(4)
        units = (("log_shipper",), ("log_gateway",), ("log_shipper", "log_gateway"))[round_ % 3]
        logs.units("kill", *units, how="--signal=SIGKILL")
    logs.written("killed")
    judged(rows, logs.all_there("shipper and gateway are killed eight times", "killed", LINES, began, 600))


def test_the_host_is_killed(logs: Logs, rows: list[Row]) -> None:
    """With most lines unread, and some read and not shipped."""
    began = time.monotonic()
    logs.write("host", LINES, 50_000)
    logs.written("host")
    container = f"{CONTAINER_PREFIX}-{logs.host}"
    for action in ("kill", "start"):
        subprocess.run(["docker", action, container], check=True, capture_output=True, timeout=60)
    judged(rows, logs.all_there("the host is killed and started", "host", LINES, began, 600))


def test_the_disk_of_the_queue_is_full(logs: Logs, rows: list[Row]) -> None:
    """Elasticsearch is away, the lines need more than there is, and what room is left goes as well."""
    fleet, host = logs.fleet, logs.host
    logs.units("stop")
    add_disk(fleet, host, SPOOL, DISK)
    fleet.on(host, "chmod", "0700", SPOOL)
    try:
        logs.units("start")
        logs.servers("stop")
        began = time.monotonic()
        logs.write("full", LINES, 10_000)
        logs.until(lambda: logs.metric("log_shipper_paused") > 0, 120, "the shipper is not paused")
        fleet.attempt(host, "sh", "-c", f"cat /dev/zero > {SPOOL}/ballast")
        logs.written("full")
        time.sleep(15)
        assert int(fleet.on(host, "df", "--output=avail", SPOOL).split()[-1]) < 1024  # kilobytes
        fleet.on(host, "rm", f"{SPOOL}/ballast")
        logs.servers("start", "--no-block")
        judged(rows, logs.all_there("the queue's disk is full", "full", LINES, began, 600))
    finally:
        logs.servers("start", "--no-block")
        logs.units("stop")
        remove_disk(fleet, host, SPOOL)
        logs.units("start")
    settled(logs)


def test_clocks_are_wrong(logs: Logs, rows: list[Row]) -> None:
    """The application's is two hours ahead, that of shipper and gateway an hour and a half behind."""
    fleet, host = logs.fleet, logs.host
    fleet.on(host, "apt-get", "-q", "-y", "install", "faketime", seconds=300)
    library = fleet.on(host, "sh", "-c", "ls /usr/lib/*/faketime/libfaketime.so.1").strip()
    preload = f"LD_PRELOAD={library}"
    for unit in ("log_gateway", "log_shipper"):
        folder = f"/etc/systemd/system/{unit}.service.d"
        fleet.on(host, "mkdir", "-p", folder)
        text = f'[Service]\nEnvironment="{preload}" "FAKETIME=-90m" "FAKETIME_DONT_FAKE_MONOTONIC=1"\n'
        fleet.on(host, "tee", f"{folder}/skew.conf", given=text)
    try:
        fleet.on(host, "systemctl", "daemon-reload")
        logs.units("restart")
        began = time.monotonic()
        command = ["env", preload, "FAKETIME=+2h", "FAKETIME_DONT_FAKE_MONOTONIC=1", "python3"]
        fleet.on(host, *command, "/usr/local/lib/counted.py", "clock", "0", str(LINES), "50000", seconds=200)
        row = logs.all_there("clocks are wrong, by two hours and by minus one and a half", "clock", LINES, began, 600)
    finally:
        for unit in ("log_gateway", "log_shipper"):
            fleet.on(host, "rm", "-r", f"/etc/systemd/system/{unit}.service.d")
        fleet.on(host, "systemctl", "daemon-reload")
        logs.units("restart")
    judged(rows, row)
    first = logs.documents({"term": {"logger": "clock"}})[0]
    ahead = dt.datetime.fromisoformat(first["@timestamp"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(hours=1, minutes=30) < ahead < dt.timedelta(hours=2, minutes=1)  # the line's own time stays


ODD = """
import json, sys
name, last = sys.argv[1], int(sys.argv[2])
with open(f"FOLDER/{name}.log", "ab") as handle:
    for number in range(last):
        line = {"message": f"{name} {number:06d}", "logger": name, "order": number}
        if number % 1000 == 1:
            line["user"] = {"id": number}        # an object where a word belongs: refused
        elif number % 1000 == 2:
            line["status"] = "teapot"            # no number
        elif number % 1000 == 3:
            line["order"] = {"is": ["an", 0]}    # another type than before
        elif number % 10000 == 4:
            line["blob"] = "x" * (1 << 20)       # a line of a megabyte
        text = json.dumps(line).encode()
        if number % 1000 == 5:
            text = text.replace(b'"order"', b'"note": "\\xff\\xfe", "order"')  # no UTF-8
        handle.write(text + b"\\n")
""".replace("FOLDER", FOLDER)


def test_odd_lines_stop_nobody(logs: Logs, rows: list[Row]) -> None:
    fleet, host, refused = logs.fleet, logs.host, LINES // 1000
    began = time.monotonic()
    fleet.on(host, "python3", "-", "odd", str(LINES), given=ODD)
    judged(rows, logs.all_there("lines that are odd", "odd", LINES, began, 600, letters=refused))
    assert rows[-1].letters == refused
    letter = next(_letters(logs, "odd"))
    assert (letter["refused_status"], letter["app"], letter["host"]) == (400, APP, host)
    assert "user" in letter["reason"]
    assert "id" in json.loads(letter["document"])["user"]
    large = logs.documents({"match_phrase": {"message": "odd 000004"}})
    assert [len(found["fields"]["blob"]) for found in large] == [1 << 20]
    broken = logs.documents({"match_phrase": {"message": "odd 000005"}})
    assert [found["fields"]["note"] for found in broken] == ["??"]


def _letters(logs: Logs, name: str) -> Iterator[dict[str, Any]]:
    body = {"size": 5, "query": {"match_phrase_prefix": {"message": f"{name} "}}}
    path = f"/logs-{logs.environment}-dead-letter-*/_search"
    yield from (hit["_source"] for hit in logs.client().ask("POST", path, body)["hits"]["hits"])


def test_a_new_heap_loses_nothing(fleet: Fleet, logs: Logs, rows: list[Row]) -> None:
    """It restarts the node, as an upgrade does, while lines come."""
    settled(logs)
    began = time.monotonic()
    logs.write("heap", LINES, 1000)
    fleet.describe(merged(fleet.platform, {"logging": {"elasticsearch": {"heap": "480m"}}}))
    run = fleet.play("site.yml", "--tags", "elasticsearch", seconds=900).expect_ok()
    assert set(run.changes) == set(logs.nodes)
    judged(rows, logs.all_there("a restart for a new heap", "heap", LINES, began, 600))
    settled(logs)


def test_how_long_a_line_takes_to_be_found(logs: Logs) -> None:
    """From being written to being found, without anybody who asks for a refresh: p95 under ten seconds."""
    number, reader = 60, logs.client(user="reader")
    logs.write("late", number, 1)
    seen: list[float] = []
    end = time.monotonic() + number + 60
    while len(seen) < number and time.monotonic() < end:
        path = f"/logs-{logs.environment}-{APP}-*/_count"
        there = reader.ask("POST", path, {"query": {"term": {"logger": "late"}}})["count"]
        seen += [time.time()] * (there - len(seen))
        time.sleep(0.2)
    written = sorted(
        dt.datetime.fromisoformat(found["@timestamp"]).timestamp()
        for found in logs.documents({"term": {"logger": "late"}})
    )
    took = sorted(later - earlier for earlier, later in zip(written, seen, strict=True))
    p95 = took[int(number * 0.95) - 1]
    print(f"\nwritten to found: p50 {took[number // 2]:.1f} s, p95 {p95:.1f} s, longest {took[-1]:.1f} s")
    assert p95 < 10
