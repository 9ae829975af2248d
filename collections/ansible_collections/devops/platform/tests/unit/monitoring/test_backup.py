"""Backups of Prometheus: what becomes of a snapshot, and of earlier archives whatever happens."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.monitoring import backup
from ansible_collections.devops.platform.plugins.module_utils.monitoring.backup import BackupError, Settings
from ansible_collections.devops.platform.tests.unit.monitoring import fake_snapshots
from ansible_collections.devops.platform.tests.unit.monitoring.fake_snapshots import BLOCK, Fake

A, B, C = (f"prometheus-mon1-2026010{day}T030000Z.tar.gz" for day in (1, 2, 3))
SUM = ".sha256"
SNAPSHOT = "20260101T030002Z-0123456789abcdef"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Fake]:
    (tmp_path / "data").mkdir()
    with fake_snapshots.fake(tmp_path / "data") as found:
        yield found


@pytest.fixture
def settings(tmp_path: Path, server: Fake) -> Settings:
    (tmp_path / "backups").mkdir()
    return Settings(
        server.url, server.data, tmp_path / "backups", "mon1", 2, metrics=tmp_path / "backup.prom", patience=0.05
    )


def arguments(settings: Settings) -> list[str]:
    return [
        *("--url", settings.url, "--data", str(settings.data), "--directory", str(settings.directory)),
        *("--name", settings.name, "--keep", str(settings.keep), "--metrics", str(settings.metrics)),
        *("--patience", str(settings.patience)),
    ]


def listed(settings: Settings) -> list[str]:
    return sorted(name for name in os.listdir(settings.directory) if not name.startswith("."))


def snapshots(settings: Settings) -> list[str]:
    return os.listdir(settings.data / "snapshots")


# What names say


@pytest.mark.parametrize(
    ("names", "good", "left"),
    [
        ([], [], []),
        ([B, B + SUM, A, A + SUM], [A, B], []),
        ([A], [], []),  # somebody removed its checksum: it is not ours to remove
        ([A + SUM], [], [A + SUM]),
        ([A, A + SUM, B + ".unfinished", B + SUM + ".unfinished"], [A], [B + SUM + ".unfinished", B + ".unfinished"]),
        ([A.replace("mon1", "mon10"), A.replace("mon1", "mon10") + SUM], [], []),
        (["prometheus-x-mon1-20260101T030000Z.tar.gz", "notes.txt", "notes.txt.unfinished"], [], []),
    ],
)
def test_what_is_in_the_directory(names: list[str], good: list[str], left: list[str]) -> None:
    assert backup.good_archives(names, "mon1") == good
    assert backup.leftovers(names, "mon1") == left


@pytest.mark.parametrize(
    ("good", "made", "keep", "gone"),
    [
        ([A, B, C], C, 3, []),
        ([A, B, C], C, 2, [A]),
        ([A, B, C], C, 1, [A, B]),
        ([A, B, C], A, 1, [B, C]),  # the clock was ahead when those were made
        ([A], A, 1, []),
    ],
)
def test_the_oldest_go_and_never_the_one_just_made(good: list[str], made: str, keep: int, gone: list[str]) -> None:
    assert backup.surplus(good, made, keep) == gone


@given(st.lists(st.integers(0, 4_000_000_000), min_size=1, unique=True), st.integers(1, 9), st.data())
def test_as_many_stay_as_should(moments: list[int], keep: int, data: Any) -> None:
    good = sorted(backup.archive_name("mon1", moment) for moment in moments)
    made = data.draw(st.sampled_from(good))
    gone = backup.surplus(good, made, keep)
    stay = [name for name in good if name not in gone]
    assert made in stay
    assert len(stay) == min(len(good), keep)
    assert all(old < kept for old in gone for kept in stay if kept != made)


@given(st.integers(0, 4_000_000_000))
def test_a_name_says_when(moment: int) -> None:
    name = backup.archive_name("mon-1.a", moment)
    assert backup.moment_of(name) == moment
    assert backup.good_archives([name, name + SUM], "mon-1.a") == [name]


@pytest.mark.parametrize(
    ("attempt", "left"),
    [
        ({"snapshot": SNAPSHOT}, [SNAPSHOT]),
        ({"snapshot": "20260101T030002Z-ffffffffffffffff"}, []),
        ({"since": 1767236402, "before": []}, [SNAPSHOT]),
        ({"since": 1767236342, "before": []}, [SNAPSHOT]),
        ({"since": 1767236341, "before": []}, []),  # more than a minute later: somebody else asked for it
        ({"since": 1767236403, "before": []}, []),
        ({"since": 1767236402, "before": [SNAPSHOT]}, []),
        ({}, []),
    ],
)
def test_a_snapshot_that_a_run_left_is_known_from_those_of_people(attempt: dict[str, Any], left: list[str]) -> None:
    assert backup.left_behind(attempt, [SNAPSHOT, "mine"]) == left


def test_what_node_exporter_shows() -> None:
    text = backup.metrics(A, 5, 1.23456)
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert samples == [
        "prometheus_backup_last_success_timestamp_seconds 1767236400",
        "prometheus_backup_size_bytes 5",
        "prometheus_backup_duration_seconds 1.235",
    ]
    assert "prometheus_backup_last_success_timestamp_seconds 0\n" in backup.metrics("", 0, 1)
    assert "prometheus_backup_max_age_seconds 93600\n" in backup.declared(93600)
    assert "etcd_backup_max_age_seconds 7200\n" in backup.declared(7200, backup.Family("etcd", ".db"))


# Runs


def test_a_backup_is_the_snapshot_with_its_checksum(server: Fake, settings: Settings, capsys: Any) -> None:
    assert backup.main(arguments(settings)) == 0
    made, checksum = listed(settings)
    assert str(settings.directory / made) in capsys.readouterr().out
    digest = hashlib.sha256((settings.directory / made).read_bytes()).hexdigest()
    assert (settings.directory / checksum).read_text() == f"{digest}  {made}\n"
    with tarfile.open(settings.directory / made) as archive:
        assert sorted(archive.getnames()) == [
            BLOCK, f"{BLOCK}/chunks", f"{BLOCK}/chunks/000001", f"{BLOCK}/meta.json"
        ]  # fmt: skip
    assert server.asked == ["/api/v1/admin/tsdb/snapshot"]
    assert snapshots(settings) == []
    assert not settings.attempt.exists()
    assert settings.metrics is not None
    assert oct(settings.metrics.stat().st_mode & 0o777) == "0o644"
    assert f"timestamp_seconds {backup.moment_of(made)}\n" in settings.metrics.read_text()


def test_the_last_ones_stay(settings: Settings) -> None:
    (settings.directory / "notes").touch()
    made = [backup.run(settings, 1767236400 + number) for number in range(4)]
    assert listed(settings) == ["notes", *(name for each in made[2:] for name in (each, each + SUM))]
    assert backup.run(settings, 1767236403) == made[3].replace("030003", "030004")


BAD: list[tuple[tuple[int, str], str]] = [
    ((503, "Service Unavailable"), "it does not run, or has not started yet"),
    (
        (503, '{"status":"error","errorType":"unavailable","error":"admin APIs disabled"}'),
        "start it with --web.enable-admin-api",
    ),
    ((500, "no space left on device"), "status 500: no space left on device"),
    ((200, '{"status":"success","data":{"name":"../../etc"}}'), "made no snapshot"),
    ((200, '{"status":"success","data":{}}'), "made no snapshot"),
    ((200, "[]"), "made no snapshot"),
    ((200, f'{{"data":{{"name":"{SNAPSHOT}"}}}}'), "--data must be its --storage.tsdb.path"),
]


@pytest.mark.parametrize(("answer", "words"), BAD)
def test_without_a_snapshot_the_archives_are_as_before(
    server: Fake, settings: Settings, answer: tuple[int, str], words: str, capsys: Any
) -> None:
    good = backup.run(settings, 1767236400)
    before = listed(settings)
    server.answers += [answer] * 3
    assert backup.main(arguments(settings)) == 1
    said = capsys.readouterr().err
    assert words in said
    assert "Earlier archives are as they were" in said
    assert listed(settings) == before == [good, good + SUM]
    assert settings.metrics is not None
    assert "timestamp_seconds 1767236400\n" in settings.metrics.read_text()


def test_one_that_starts_is_waited_for(server: Fake, settings: Settings) -> None:
    server.answers += [(503, "Service Unavailable")]
    assert backup.run(settings)


def test_nobody_there(settings: Settings, capsys: Any) -> None:
    gone = Settings("http://127.0.0.1:1", settings.data, settings.directory, "mon1", patience=0.05)
    with pytest.raises(BackupError, match="nobody answers there"):
        backup.run(gone)


def test_nothing_to_back_up(server: Fake, settings: Settings) -> None:
    server.text = ""
    with pytest.raises(BackupError, match="has no samples yet"):
        backup.run(settings)
    assert snapshots(settings) == []


def test_a_full_disk_leaves_what_was(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    good = backup.run(settings, 1767236400)
    real = backup.Digested.write

    def full(self: backup.Digested, data: bytes) -> int:
        real(self, data[:1])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(settings.directory))

    monkeypatch.setattr(backup.Digested, "write", full)
    assert backup.main(arguments(settings)) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert listed(settings) == [good, good + SUM]
    assert snapshots(settings) == []


def test_one_at_a_time(server: Fake, settings: Settings) -> None:
    said = []

    def second() -> None:
        with pytest.raises(BackupError) as raised:
            backup.run(settings)
        said.append(str(raised.value))

    server.meanwhile = second
    backup.run(settings)
    assert said == ["another backup of mon1 is under way; wait for it"]


class KilledError(BaseException):
    """As SIGKILL: nothing after it runs."""


def killed_at(monkeypatch: pytest.MonkeyPatch, number: int) -> list[int]:
    """Die before the change no. `number`, and let nothing be changed after it."""
    count = [0]

    def guarded(real: Any) -> Any:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is not threading.main_thread():
                return real(*args, **kwargs)  # the server does not die with it
            if real.__name__ == "open" and "w" not in str(args[1:2]) and "w" not in str(kwargs):
                return real(*args, **kwargs)
            if count[0] >= number:
                raise KilledError
            count[0] += 1
            return real(*args, **kwargs)

        return wrapped

    for owner, name in ((Path, "open"), (Path, "rename"), (Path, "unlink"), (shutil, "rmtree")):
        monkeypatch.setattr(owner, name, guarded(getattr(owner, name)))
    return count


def test_killed_at_every_step(settings: Settings, server: Fake) -> None:
    """There is always a good archive, and the run after it leaves nothing of the one that died."""
    number = 0
    over = False
    for at in range(1767236400, 1767236405, 2):
        backup.run(settings, at)
    mine = server.snapshot()
    while not over:
        with pytest.MonkeyPatch.context() as monkeypatch:
            count = killed_at(monkeypatch, number)
            try:
                backup.run(settings, 1767237000 + number)
                over = True
            except KilledError:
                pass
        assert over or count[0] == number
        good = backup.good_archives(os.listdir(settings.directory), "mon1")
        assert len(good) >= settings.keep
        for name in good:
            whole(settings, name)
        backup.run(settings, 1767237500 + number)
        assert len(listed(settings)) == 2 * settings.keep, f"killed before step {number}"
        assert snapshots(settings) == [mine], f"killed before step {number}"
        assert {name for name in os.listdir(settings.directory) if name.startswith(".")} == {".prometheus-mon1.lock"}
        number += 1
    assert number > 10


def whole(settings: Settings, name: str) -> None:
    digest = hashlib.sha256((settings.directory / name).read_bytes()).hexdigest()
    assert (settings.directory / f"{name}{SUM}").read_text() == f"{digest}  {name}\n"


def test_an_attempt_that_cannot_be_read_is_of_nobody(settings: Settings) -> None:
    settings.attempt.write_text("{")
    backup.run(settings)
    assert not settings.attempt.exists()


def test_what_was_asked_for_is_written_down_first(server: Fake, settings: Settings) -> None:
    noted = []
    server.meanwhile = lambda: noted.append(json.loads(settings.attempt.read_text()))
    mine = server.snapshot()
    backup.run(settings)
    assert noted[0]["before"] == [mine]
    assert noted[0]["snapshot"] == ""


def test_no_metrics_where_nobody_asked_for_them(settings: Settings) -> None:
    arguments_ = [each for each in arguments(settings) if each not in ("--metrics", str(settings.metrics))]
    assert backup.main(arguments_) == 0
    assert not Path(str(settings.metrics)).exists()
