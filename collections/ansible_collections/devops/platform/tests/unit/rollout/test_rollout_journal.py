"""The controller's memory: written whole or not at all, and readable after any death."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.devops.platform.plugins.module_utils.rollout import journal as journals
from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import Journal, JournalError, lives


@pytest.fixture
def journal(tmp_path):
    begun = Journal(tmp_path / "new" / "r1.jsonl")
    begun.append("begin", format=1, id="r1")
    return begun


def names(journal):
    return [event["event"] for event in journal.events()]


def test_only_its_owner_reads_it(journal):
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("torn", ['{"event": "cha', '{"event": "change"}', "\x00"])
def test_a_line_that_was_never_finished_is_no_event_and_does_not_spoil_the_next(journal, torn):
    with journal.path.open("a") as stream:
        stream.write(torn)
    assert names(journal) == ["begin"]
    journal.append("end", result="done")
    assert names(journal) == ["begin", "end"]


def test_a_torn_line_longer_than_a_block_is_cut_off_too(journal):
    with journal.path.open("a") as stream:
        stream.write('{"event": "' + "x" * 200_000)
    journal.append("end", result="done")
    assert names(journal) == ["begin", "end"]


def test_a_damaged_line_is_named(journal):
    with journal.path.open("a") as stream:
        stream.write("nonsense\n")
    with pytest.raises(JournalError, match=r"r1\.jsonl:2 is damaged"):
        journal.events()


def test_another_format_is_refused(tmp_path):
    other = Journal(tmp_path / "r2.jsonl")
    other.append("begin", format=2)
    with pytest.raises(JournalError, match="has format 2, this version knows 1"):
        other.events()


def test_a_full_disk_leaves_what_there_was(journal, monkeypatch):
    real = os.pwrite

    def half(descriptor, content, offset):
        if len(content) > 10:
            real(descriptor, content[:10], offset)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, content, offset)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(JournalError, match="No space left on device; make room"):
        journal.append("change", host="app1", status="changed")
    monkeypatch.undo()
    assert journal.path.read_bytes().endswith(b"}\n")
    assert names(journal) == ["begin"]


def test_many_writers_lose_nothing(journal):
    def write(number):
        journal.append("change", host=f"app{number}", status="changed", diff="x" * 20_000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(64)))
    assert sorted(event["host"] for event in journal.events()[1:]) == sorted(f"app{number}" for number in range(64))


@pytest.mark.parametrize(
    ("event", "over"),
    [
        ({"event": "end", "result": "done"}, True),
        ({"event": "end", "result": "reversed"}, True),
        ({"event": "end", "result": "unchanged"}, True),
        ({"event": "end", "result": "incomplete"}, False),
        ({"event": "resume", "how": "forward"}, False),
    ],
)
def test_whether_it_is_over_stands_in_its_last_line(journal, event, over):
    with journal.path.open("a") as stream:
        stream.write(json.dumps(event) + "\n")
    assert journal.over() is over


def test_what_had_nothing_to_do_is_forgotten_with_its_report(journal):
    report = journal.path.with_suffix(".html")
    report.write_text("")
    journal.append("end", result="unchanged")
    assert journal.ending() == "unchanged"
    journal.discard()
    assert list(journal.path.parent.iterdir()) == []


def test_a_process_lives_only_as_itself():
    here = journals.identity(os.getpid())
    assert lives(here)
    assert not lives({**here, "started": "1"})  # its id was given to another one
    assert not lives({**here, "boot": "another"})
    assert not lives({})
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        known = journals.identity(child.pid)
        assert lives(known)
        child.kill()
        child.wait()
    assert not lives(known)
