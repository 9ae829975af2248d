"""Which indexes and snapshots go, and when the next snapshot is due."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import restore, retention
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import ElasticsearchError

DAY = 86400
POLICY = retention.Policy("logs-lab-", 14 * DAY, {"chat": 30 * DAY}, "logs-lab", 2 * 3600, 2)
NOW = dt.datetime(2026, 3, 20, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("name", "app"),
    [
        ("logs-lab-chat-2026.01.02", "chat"),
        ("logs-lab-chat-admin-2026.01.02", "chat-admin"),
        ("logs-lab-chat", None),
        ("logs-lab-2026.01.02", None),
        ("logs-prod-chat-2026.01.02", None),
        ("restored-logs-lab-chat-2026.01.02", None),
        ("logs-lab-chat-2026.13.02", None),
        ("logs-lab-chat-2026.01.02-1", None),
    ],
)
def test_names(name, app):
    parsed = retention.parse_index("logs-lab-", name)
    assert (parsed[0] if parsed else None) == app


@given(st.text())
def test_whatever_a_name_is_it_is_read_or_passed_by(text):
    parsed = retention.parse_index("logs-lab-", f"logs-lab-{text}")
    assert parsed is None or text == f"{parsed[0]}-{parsed[1]:%Y.%m.%d}"


@pytest.mark.parametrize(
    ("app", "kept", "gone"),
    [
        ("other", "2026.03.06", "2026.03.05"),
        ("chat", "2026.02.18", "2026.02.17"),
        ("chat-x", "2026.03.06", "2026.03.05"),
    ],
)
def test_the_edge_of_expiry(app, kept, gone):
    """At noon of the 20th, lines of the 6th's afternoon are not 14 days old yet; all of the 5th are."""
    names = [f"logs-lab-{app}-{day}" for day in (kept, gone)]
    assert retention.expired(POLICY, names, NOW) == names[1:]


@given(st.integers(0, 400), st.integers(1, 60))
def test_no_line_goes_before_its_time(age, days):
    policy = retention.Policy("logs-lab-", days * DAY)
    day = NOW - dt.timedelta(days=age)
    last = day.replace(hour=23, minute=59, second=59)
    gone = retention.expired(policy, [f"logs-lab-x-{day:%Y.%m.%d}"], NOW)
    assert bool(gone) is (NOW - last >= dt.timedelta(days=days) or NOW - last > dt.timedelta(days=days, seconds=-1))


def snapshot(name: str, hours_ago: float, state: str = "SUCCESS") -> retention.Snapshot:
    return retention.Snapshot(name, state, NOW - dt.timedelta(hours=hours_ago))


@pytest.mark.parametrize(
    ("snapshots", "due"),
    [
        pytest.param([], True, id="the first"),
        pytest.param([snapshot("a", 10)], False, id="taken at 02:00 today"),
        pytest.param([snapshot("a", 10.5)], True, id="taken before that"),
        pytest.param([snapshot("a", 1, "FAILED")], True, id="failed"),
        pytest.param([snapshot("a", 1, "IN_PROGRESS")], False, id="being taken"),
        pytest.param([snapshot("a", 34)], True, id="yesterday's"),
    ],
)
def test_due(snapshots, due):
    assert retention.due(POLICY, snapshots, NOW) is due


def test_before_the_hour_yesterdays_counts():
    early = NOW.replace(hour=1)
    assert not retention.due(POLICY, [retention.Snapshot("a", "SUCCESS", early - dt.timedelta(hours=20))], early)


@pytest.mark.parametrize(
    ("snapshots", "gone"),
    [
        ([snapshot("a", 30), snapshot("b", 20)], []),
        ([snapshot("a", 30), snapshot("b", 20), snapshot("c", 10)], ["a"]),
        ([snapshot("a", 30, "FAILED"), snapshot("b", 20), snapshot("c", 10)], []),
        ([snapshot("a", 40), snapshot("b", 30, "FAILED"), snapshot("c", 20), snapshot("d", 10)], ["a", "b"]),
        ([snapshot("a", 40), snapshot("b", 30), snapshot("c", 20, "FAILED")], []),
    ],
)
def test_surplus(snapshots, gone):
    assert retention.surplus(POLICY, snapshots) == gone


class Fake:
    """A server with these snapshots and indexes."""

    def __init__(self, snapshots=(), indexes=(), trouble=None):
        self.snapshots, self.indexes, self.trouble = list(snapshots), list(indexes), trouble
        self.told: list[str] = []

    def get(self, path):
        if self.trouble:
            raise self.trouble
        if path.startswith("/_snapshot"):
            listed = [
                {"snapshot": s.name, "state": s.state, "start_time_in_millis": int(s.started.timestamp() * 1000)}
                for s in self.snapshots
            ]
            return {"snapshots": listed}
        if path.startswith("/_cat/master"):
            return [{"node": "log1"}]
        return {name: {} for name in self.indexes}

    def ask(self, method, path, _body=None):
        self.told.append(f"{method} {path}")


OLD = [f"logs-lab-x-2025.01.{day:02d}" for day in range(1, 26)]
NAME = "logs-lab-2026.03.20-120000"


@pytest.mark.parametrize(
    ("fake", "told"),
    [
        pytest.param(Fake(indexes=OLD), [f"PUT /_snapshot/logs-lab/{NAME}"], id="a snapshot first"),
        pytest.param(Fake([snapshot("logs-lab-a", 1, "IN_PROGRESS")], OLD), [], id="none while one is taken"),
        pytest.param(
            Fake([snapshot("logs-lab-a", 1)], OLD),
            [f"DELETE /{','.join(OLD[:20])}", f"DELETE /{','.join(OLD[20:])}"],
            id="then indexes",
        ),
        pytest.param(
            Fake([snapshot(f"logs-lab-{name}", age) for name, age in (("a", 50), ("b", 30), ("c", 1))]),
            ["DELETE /_snapshot/logs-lab/logs-lab-a"],
            id="and snapshots",
        ),
        pytest.param(Fake([snapshot("mine", 1)]), [f"PUT /_snapshot/logs-lab/{NAME}"], id="others' do not count"),
    ],
)
def test_a_round(fake, told):
    retention.work(fake, POLICY, NOW)
    assert fake.told == told


def test_only_the_master_works(monkeypatch, capsys):
    fake: Any = Fake([snapshot("logs-lab-a", -1)])
    assert retention._round(fake, POLICY, "log2") == 0
    assert fake.told == []
    assert retention.is_master(fake, "log1")
    away: Any = Fake(trouble=ElasticsearchError("away"))
    assert retention._round(away, POLICY, "log1") == 1
    assert "nothing done: away" in capsys.readouterr().err


def test_settings_are_read(tmp_path, monkeypatch):
    policy = {"prefix": "logs-lab-", "default": 5, "more": "than it knows"}
    settings = {"url": "https://127.0.0.1:9", "user": "u", "password": "p", "ca": "", "node": "log1", "policy": policy}
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(settings))
    assert retention.main([str(path), "--once"]) == 1  # nobody is there


def raw(name: str, at: int, state: str = "SUCCESS", indices: tuple[str, ...] = ("logs-lab-a-2026.01.01",)) -> Any:
    return {"snapshot": name, "state": state, "start_time_in_millis": at * DAY * 1000, "indices": list(indices)}


@pytest.mark.parametrize(
    ("wanted", "snapshots", "chosen"),
    [
        (restore.Wanted("r"), [raw("b", 2), raw("a", 1)], "b"),
        (restore.Wanted("r"), [raw("a", 1), raw("b", 2, "PARTIAL"), raw("c", 3, "FAILED")], "a"),
        (restore.Wanted("r", "b"), [raw("a", 1), raw("b", 2, "PARTIAL")], "b"),
    ],
)
def test_which_snapshot(wanted, snapshots, chosen):
    assert restore.choose(wanted, snapshots).snapshot == chosen


def test_which_indexes():
    names = ("logs-lab-a-2026.01.01", "logs-lab-a-2026.01.02", "logs-lab-b-2026.01.01", ".security-7")
    found = restore.choose(restore.Wanted("r", index="logs-lab-a-*"), [raw("a", 1, indices=names)])
    assert found.indexes == names[:2]
    assert found.day == "1970.01.02"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (restore.Wanted("r", "c"), "no snapshot 'c'; the last ones are: a"),
        (restore.Wanted("r", index="x*"), r"snapshot a has no index 'x\*'; it has logs-lab-a-2026.01.01"),
    ],
)
def test_what_there_is_not(wanted, message):
    with pytest.raises(ElasticsearchError, match=message):
        restore.choose(wanted, [raw("a", 1)])


@pytest.mark.parametrize(
    ("day", "restored", "live", "wrong"),
    [
        ("2026.01.01", 5, 5, False),
        ("2026.01.01", 4, 5, True),
        ("2026.01.01", 5, None, False),
        ("2026.01.02", 4, 5, False),  # of the snapshot's own day: it has grown since
        ("2026.01.01", 6, 5, False),
    ],
)
def test_counts(day, restored, live, wrong):
    proof = restore.Proof(f"logs-lab-a-{day}", restored, live)
    assert bool(restore.verdict([proof], "logs-lab-", "2026.01.02")) is wrong
