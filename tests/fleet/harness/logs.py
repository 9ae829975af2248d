"""Counted lines on a host of a fleet, and what its Elasticsearch has of them in the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import (
    Elasticsearch,
    ElasticsearchError,
)
from lab.state import State
from tests.elasticsearch import counting
from tests.fleet.harness.fleet import Fleet
from tests.fleet.harness.platform import example, merged

FOLDER = "/var/log/counted"  # of the source that tests write to
APP = "counted"
SPOOL = "/var/lib/log-shipper/queue"
METRICS = "/var/lib/node_exporter/log_shipper.prom"
UNITS = ("log_gateway", "log_shipper")

# A tenth of a second's lines at once, as an application would; its own time is in each.
WRITER = """
import datetime, json, sys, time
name, first, last, rate = sys.argv[1], *map(int, sys.argv[2:5])
part = max(rate // 10, 1)
for start in range(first, last, part):
    began = time.monotonic()
    with open(f"FOLDER/{name}.log", "a") as handle:
        for number in range(start, min(start + part, last)):
            at = datetime.datetime.now(datetime.timezone.utc).isoformat()
            line = {"timestamp": at, "level": "info", "message": f"{name} {number:06d}", "logger": name}
            handle.write(json.dumps(line) + chr(10))
    time.sleep(max(0, part / rate - (time.monotonic() - began)))
""".replace("FOLDER", FOLDER)


def described() -> dict[str, Any]:
    """What is laid over a fleet's platform.yml: what people lay over the lab's, and one more source."""
    own = {"type": "file", "groups": ["app"], "app": APP, "path": f"{FOLDER}/*.log", "parser": "json"}
    return merged(example("logging"), {"logging": {"sources": {"counted": own}}})


@dataclass(frozen=True)
class Row:
    """What became of counted lines. ``lost`` and ``twice``: documents; ``again``: lines that the gateway sent more than
    once since it was started last, of which the server kept one each; ``letters``: of refused lines."""

    fault: str
    lines: int
    lost: int
    twice: int
    again: int
    letters: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.fault}: {self.lines} lines, {self.lost} lost, {self.twice} stored twice, {self.again} sent again, "
            f"{self.letters} dead letters; all there after {self.seconds:.0f} s"
        )


class Logs:
    """Lines written on the first application host, and asked for at any node."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.host = fleet, fleet.of("app")[0]
        self.environment = fleet.platform["environment"]
        self.nodes = fleet.of("logging")

    @property
    def _secrets(self) -> Any:
        return State(self.fleet.folder / "state").secrets

    def client(self, node: str = "", user: str = "superuser") -> Elasticsearch:
        """Of a node, or of the first that answers."""
        text = (self._secrets / "elasticsearch" / "ca.crt").read_text()
        password = (self._secrets / f"logs_{user}").read_text().strip()
        clients = [
            Elasticsearch(f"https://{self.fleet.address(name)}:9200", user, password, ca_text=text, timeout=20)
            for name in ([node] if node else self.nodes)
        ]
        for client in clients[:-1]:
            try:
                client.get("/_cluster/health?timeout=1s")
            except ElasticsearchError:
                continue
            return client
        return clients[-1]

    def prepare(self) -> None:
        self.fleet.on(self.host, "mkdir", "-p", FOLDER)
        self.fleet.on(self.host, "tee", "/usr/local/lib/counted.py", given=WRITER)

    def write(self, name: str, last: int, rate: int) -> None:
        """Start writing so many lines, ``rate`` a second, as a unit of its own."""
        unit = ["systemd-run", "--quiet", f"--unit=counted-{name}"]
        arguments = [name, "0", str(last), str(rate)]
        self.fleet.on(self.host, *unit, "/usr/bin/python3", "/usr/local/lib/counted.py", *arguments)

    def written(self, name: str, seconds: float = 300) -> None:
        """Wait until the unit that writes is done."""
        self.until(
            lambda: self.fleet.attempt(self.host, "systemctl", "is-active", f"counted-{name}")[0] != 0,
            seconds, f"{name} is not written",
        )  # fmt: skip

    def servers(self, *action: str) -> None:
        """Have systemd do something to every node."""
        for node in self.nodes:
            self.fleet.on(node, "systemctl", *action, "elasticsearch")

    def units(self, action: str, *names: str, how: str = "") -> None:
        self.fleet.on(self.host, "systemctl", action, *([how] if how else []), *(names or UNITS))

    def count(self, query: dict[str, Any], index: str = APP) -> int:
        """-1 where nobody can say."""
        try:
            return counting.count(self.client(), self.indexes(index), query)
        except ElasticsearchError as error:
            if not error.away:
                raise
            return -1

    def documents(self, query: dict[str, Any], index: str = APP) -> list[dict[str, Any]]:
        return counting.documents(self.client(), self.indexes(index), query)

    def indexes(self, index: str) -> str:
        return f"logs-{self.environment}-{index}-*"

    def metric(self, name: str) -> float:
        """The sum of a metric of the gateway over its labels."""
        text = self.fleet.attempt(self.host, "cat", METRICS)[1]
        lines = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def until(self, check: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not check():
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds:.0f} s: {what}; {self.said()}")
            time.sleep(0.5)

    def said(self) -> str:
        units = [word for unit in UNITS for word in ("-u", unit)]
        return self.fleet.attempt(self.host, "journalctl", *units, "-n", "15", "--no-pager")[1]

    def all_there(self, fault: str, name: str, lines: int, began: float, seconds: float, letters: int = 0) -> Row:
        """Wait until every line is in Elasticsearch or a dead letter, and count."""
        mine, refused = {"term": {"logger": name}}, {"match_phrase_prefix": {"message": f"{name} "}}

        def enough() -> bool:
            return self.count(mine) >= lines - letters and (
                not letters or self.count(refused, "dead-letter") >= letters
            )

        self.until(enough, seconds, f"{fault}: {self.count(mine)} of {lines} lines")
        took = time.monotonic() - began
        written = {f"{name} {number:06d}" for number in range(lines)}
        # Those that became dead letters are in another index: nobody can say beforehand which.
        found = counting.messages(self.client(), self.indexes(APP), mine, set() if letters else written)
        dead = self.count(refused, "dead-letter") if letters else 0
        lost = len(written - set(found)) - dead
        twice = sum(found.values()) - len(found)
        time.sleep(5.5)  # until the gateway has written its metrics
        again = int(self.metric("log_shipper_duplicate_lines_total"))
        return Row(fault, lines, lost, twice, again, dead, took)
