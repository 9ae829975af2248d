"""The gateway's decisions: ids, indexes, rollouts, Loki's streams, metrics, and when the shipper has to wait."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.devops.platform.plugins.module_utils.logging import (
    documents,
    gateway,
    guard,
    outputs,
    reports,
    spool,
)

DOCUMENT = {"host": "h", "source": "s", "message": "m", "app": "chat", "@timestamp": "2026-11-21T10:00:00.5Z"}

CONFIG = {"prefix": "logs-lab-", "system": "system", "dead_letter": "dead-letter"}


def test_an_id_is_of_the_place_and_the_text() -> None:
    same = documents.identity(DOCUMENT, "a:1")
    assert same == documents.identity({**DOCUMENT, "@timestamp": "later", "rollout_id": "x"}, "a:1")
    others = [documents.identity(DOCUMENT, "a:2"), documents.identity(DOCUMENT, "")]
    others += [documents.identity({**DOCUMENT, key: "other"}, "a:1") for key in ("host", "source", "message")]
    assert len({same, *others}) == 6


@pytest.mark.parametrize(
    ("app", "days", "expected"),
    [("chat", 0, "logs-lab-chat-{today}"), (None, 0, "logs-lab-system-{today}"), ("A b/C", 0, "logs-lab-a-b-c-{today}"),
     ("chat", 400, "logs-lab-chat-{today}"), ("chat", -400, "logs-lab-chat-{today}")],
)  # fmt: skip
def test_the_index_is_of_application_and_day(app: str | None, days: int, expected: str) -> None:
    said = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))
    found = documents.index({"app": app, "@timestamp": said}, CONFIG, time.time())
    today = time.strftime("%Y.%m.%d", time.gmtime())
    assert found == expected.format(today=today)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", 1),
        ("1970-01-01T01:00:00.25+01:00", 0.25),
        ("1970-01-01T00:00:00.123456789Z", 0.123456789),
    ],
)
def test_moments(text: str, expected: float) -> None:
    assert documents.moment(text, 0) == pytest.approx(expected)


def test_the_rollout_is_that_of_the_time(tmp_path: Path) -> None:
    ledger = {
        "previous": [{"rollout": "r1", "at": 100}, {"rollout": "r2", "at": 200}],
        "generation": {"rollout": "r1", "at": 100},
        "changed_by": {"rollout": "back", "at": 300},
    }
    (tmp_path / "chat.json").write_text(json.dumps(ledger))
    (tmp_path / "half.json").write_text("{")
    history = documents.rollouts(str(tmp_path))["chat"]
    assert [documents.rollout_of(history, at) for at in (50, 100, 250, 300)] == ["", "r1", "r2", "r1"]


class Asked(NamedTuple):
    method: str
    path: str
    body: bytes


class FakeServer(outputs.Server):
    """Gives the answers that it is told, one after another."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        super().__init__({"urls": ["http://127.0.0.1:1"]})
        self.answers, self.asked = list(answers), list[Asked]()

    def ask(self, method: str, path: str, body: bytes, content: str = "") -> tuple[int, bytes]:
        self.asked.append(Asked(method, path, body))
        status, data = self.answers.pop(0)
        return status, json.dumps(data).encode()


def _items(*states: int) -> dict[str, Any]:
    return {"items": [{"create": {"status": state, "error": {"type": "t", "reason": "r"}}} for state in states]}


def _deliver(tmp_path: Path, *answers: tuple[int, Any]) -> tuple[FakeServer, reports.Counters]:
    server, counters = FakeServer(*answers), reports.Counters()
    output = outputs.Elasticsearch("es", server, {**CONFIG, "refused": f"{tmp_path}/refused"}, counters)
    output.deliver([("i", "1", {"message": "a", "app": "chat"}), ("i", "2", {"message": "b", "app": "chat"})])
    return server, counters


def test_what_is_refused_for_good_becomes_a_dead_letter(tmp_path: Path) -> None:
    server, counters = _deliver(tmp_path, (200, _items(201, 400)), (200, _items(201)))
    meta, letter = (json.loads(line) for line in server.asked[1].body.splitlines())
    assert meta == {
        "create": {"_index": f"logs-lab-dead-letter-{time.strftime('%Y.%m.%d', time.gmtime())}", "_id": "2"}
    }
    assert (letter["reason"], letter["index"], letter["refused_status"], letter["app"]) == ("t: r", "i", 400, "chat")
    assert json.loads(letter["document"]) == {"message": "b", "app": "chat"}
    assert 'refused_lines_total{app="chat",output="es",reason="t"} 1' in counters.text({})


def test_what_the_dead_letters_refuse_stays_on_the_host(tmp_path: Path) -> None:
    _deliver(tmp_path, (200, _items(201, 400)), (200, _items(400)))
    assert json.loads((tmp_path / "refused").read_text())["message"] == "b"


def test_what_was_there_already_is_counted(tmp_path: Path) -> None:
    _server, counters = _deliver(tmp_path, (200, _items(409, 201)))
    assert 'log_shipper_duplicate_lines_total{output="es"} 1' in counters.text({})


def test_what_is_refused_for_now_is_asked_again_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "PATIENCE", (0, 0))
    server, _counters = _deliver(tmp_path, (200, _items(201, 429)), (200, _items(503)), (200, _items(201)))
    assert [request.body.count(b"create") for request in server.asked] == [2, 1, 1]
    with pytest.raises(outputs.ServerError, match="again and again"):
        _deliver(tmp_path, (200, _items(429, 429)), (200, _items(429, 429)), (200, _items(429, 429)))


@pytest.mark.parametrize("answer", [(429, {}), (401, {}), (200, {"items": []}), (200, {"error": 1}), (200, [])])
def test_an_answer_that_says_nothing_of_each_line_is_none(tmp_path: Path, answer: tuple[int, Any]) -> None:
    with pytest.raises(outputs.ServerError):
        _deliver(tmp_path, answer)


def test_a_request_that_is_too_large_is_halved(tmp_path: Path) -> None:
    server, _counters = _deliver(tmp_path, (413, {}), (200, _items(201)), (413, {}), (200, _items(201)))
    letter = json.loads(server.asked[3].body.splitlines()[1])
    assert letter["reason"].startswith("too_large")


def test_lines_in_streams_of_loki() -> None:
    loki = outputs.Loki("l", FakeServer(), {}, reports.Counters(), ["app", "level"])
    lines = [("i", key, {**DOCUMENT, "service": "api", "level": "info"}) for key in ("2", "1")]
    [stream] = loki.streams([*lines])
    assert stream["stream"] == {"app": "chat", "job": "chat-api", "level": "info"}
    assert [at for at, _text in stream["values"]] == ["1795255200500000000"] * 2


def test_what_was_added_to_all_lines_can_be_a_label_of_loki() -> None:
    loki = outputs.Loki("l", FakeServer(), {"rest": "fields"}, reports.Counters(), ["team", "app"])
    [stream] = loki.streams([("i", "1", {**DOCUMENT, "fields": {"team": "web", "app": "other"}})])
    assert stream["stream"] == {"app": "chat", "job": "chat", "team": "web"}


@pytest.mark.parametrize(
    ("document", "job"),
    [
        ({"app": "chat", "service": "api", "source": "docker"}, "chat-api"),
        ({"app": "auth-service", "service": "auth-service"}, "auth-service"),
        ({"app": "auth-service", "service": ""}, "auth-service"),
        ({"service": "nginx"}, "nginx"),
        ({"source": "journal"}, "journal"),
        ({}, "system"),
    ],
)
def test_jobs_are_called_as_prometheus_calls_them(document: dict[str, Any], job: str) -> None:
    assert documents.job(document) == job


def _push(tmp_path: Path, *answers: tuple[int, Any]) -> tuple[FakeServer, reports.Counters]:
    server, counters = FakeServer(*answers), reports.Counters()
    loki = outputs.Loki("loki", server, {"refused": f"{tmp_path}/refused"}, counters, ["app"])
    loki.deliver([("i", "1", {"message": "a", "app": "chat"}), ("i", "2", {"message": "b", "app": "shop"})])
    return server, counters


def test_what_loki_refuses_for_good_stays_on_the_host(tmp_path: Path) -> None:
    server, counters = _push(tmp_path, (400, "too long"), (204, ""), (400, "too long"))
    assert len(server.asked) == 3
    kept = json.loads((tmp_path / "refused").read_text())
    assert (kept["document"]["message"], kept["reason"]) == ("b", '"too long"')
    assert 'refused_lines_total{app="shop",output="loki",reason="400"} 1' in counters.text({})
    assert 'shipped_lines_total{output="loki"} 1' in counters.text({})


def test_of_what_loki_refuses_for_now_only_too_many_streams_are_given_up(tmp_path: Path) -> None:
    with pytest.raises(outputs.ServerError, match="rate limit"):
        _push(tmp_path, (429, "ingestion rate limit exceeded"))
    words = "maximum active stream limit exceeded when trying to create stream"
    _push(tmp_path, (429, words), (204, ""), (429, words))
    assert json.loads((tmp_path / "refused").read_text())["document"]["app"] == "shop"


def test_labels_of_metrics_are_quoted() -> None:
    counters = reports.Counters()
    counters.add("log_lines_total", 3, app='a"b\\c\n')
    assert 'log_lines_total{app="a\\"b\\\\c\\n"} 3\n' in counters.text({})


def test_the_shipper_waits_while_its_disk_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "rsyslogd"])
    (tmp_path / "pid").write_text(str(process.pid))
    watch, free = guard.Guard(str(tmp_path), f"{tmp_path}/pid"), 10

    class Disk(NamedTuple):
        f_bavail: int
        f_frsize: int = 1
        f_blocks: int = 1000

    monkeypatch.setattr(os, "statvfs", lambda _path: Disk(free))

    def state() -> str:
        time.sleep(0.05)
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    while b"rsyslogd" not in Path(f"/proc/{process.pid}/cmdline").read_bytes():
        time.sleep(0.01)  # it is not yet what it is going to be
    try:
        free = 199
        watch.look()
        assert state() == "T"
        free = 240  # of 200 that are wanted, and not yet a quarter more
        watch.look()
        assert state() == "T"
        free = 251
        watch.look()
        assert state() == "S"
        assert not watch.paused
        # All is delivered, but the file that it had begun stays until there is a newer one.
        free = 199
        watch.look()
        watch.since -= guard.ROTATED + 1
        free = 100  # what fills the disk is somebody else's
        watch.look()
        assert state() == "T"
        free = 199
        watch.used = lambda: 0.1
        watch.look()
        assert state() == "T"
        watch.used = lambda: 0.0
        watch.look()
        assert state() == "S"
        watch.look()
        assert state() == "T"
        free = 251
        watch.look()
        assert state() == "S"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(5)
    free = 0
    watch.look()  # nobody is there any more
    assert not watch.paused


def _gateway(tmp_path: Path, *answers: tuple[int, Any]) -> gateway.Gateway:
    output = {"name": "es", "type": "elasticsearch", "port": 0, "urls": ["http://127.0.0.1:1"]}
    config = {**CONFIG, "fields": ["message"], "rest": "fields", "spool": str(tmp_path), "spool_limit": 100,
              "refused": f"{tmp_path}/refused", "outputs": [output]}  # fmt: skip
    made = gateway.Gateway(config)
    made.outputs["es"].server = FakeServer(*answers)
    return made


def test_what_was_cut_off_is_kept_once_and_not_sent(tmp_path: Path) -> None:
    made = _gateway(tmp_path, (503, {}), (200, _items(201)))
    lines = [b'{"message": "whole", "key": "k", "order": 1}', b'{"message": "cut o', b"[1]"]
    with pytest.raises(outputs.ServerError):
        made.take("es", lines, True)
    assert not (tmp_path / "refused").exists()
    assert made.take("es", lines, True) == 3
    sent = [json.loads(line) for line in made.outputs["es"].server.asked[1].body.splitlines()]
    assert sent[1] == {"message": "whole", "fields": {"order": 1}}
    kept = [json.loads(line) for line in (tmp_path / "refused").read_text().splitlines()]
    assert kept == [{"torn": '{"message": "cut o'}, {"torn": "[1]"}]
    assert "log_shipper_torn_lines_total{} 2" in made.counters.text({})


def test_a_spool_is_followed_however_often_the_server_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause doubles, to an end: a number that grows for a day is more than a pause can be."""
    failing = 1100
    made = _gateway(tmp_path, *[(503, {})] * failing, (200, _items(201)))
    (tmp_path / "es-202601310000.ndjson").write_text('\n{"message": "m"}\n')
    pauses: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0)
            if len(pauses) > failing:
                self.set()
            return self.is_set()

    monkeypatch.setattr(gateway, "say", lambda _text: None)
    made.follow("es", True, Stop())
    assert (pauses[0], max(pauses)) == (0.2, 30.0)
    assert pauses[-1] == pytest.approx(gateway.LINGER, rel=0.01)
    assert made.spools["es"].waiting() == 0


@pytest.mark.parametrize(("moved", "pauses"), [(spool.BATCH_LINES, []), (spool.BATCH_LINES // 2, [gateway.LINGER / 2])])
def test_lines_gather_the_shorter_the_more_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int, pauses: list[float]
) -> None:
    """Where the shipper is busy, the server is not kept waiting; where lines trickle, it is not asked for each."""
    made = _gateway(tmp_path)
    waited: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0)
            return self.is_set()

    stop = Stop()

    def step(_deliver: Any) -> int:
        stop.set()
        return moved

    monkeypatch.setattr(made.spools["es"], "step", step)
    made.follow("es", True, stop)
    assert waited == pauses


def test_the_shipper_waits_while_the_spool_is_full(tmp_path: Path) -> None:
    made = _gateway(tmp_path)
    (tmp_path / "es-202601310000.ndjson").write_bytes(b"x" * 150)
    assert made.used() == 1.5
