"""No line is lost, whatever happens; what comes twice has the same id; what is refused is a dead letter."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Make
from .fake_elasticsearch import FakeElasticsearch
from .rig import Rig, eventually


def _numbered(first: int, last: int) -> str:
    return "".join(f"line {number:06d}\n" for number in range(first, last))


def _one_file(path: Path) -> dict[str, object]:
    return {"sources": {"a": {"type": "file", "path": str(path), "parser": "plain"}}}


def _all_there(rig: Rig, number: int, seconds: float = 60) -> None:
    expected = {f"line {count:06d}" for count in range(number)}
    eventually(
        lambda: expected <= set(rig.server.messages()), seconds, f"{len(set(rig.server.messages()))} of {number}"
    )
    assert sorted(rig.server.messages()) == sorted(expected), "a line is stored twice"


def test_the_server_is_away_and_comes_back(rig: Make, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    made = rig(_one_file(log))
    port = made.server.port
    made.server.stop()
    log.write_text(_numbered(0, 3000))
    made.start()
    eventually(lambda: any((made.spool / "queue").iterdir()), what="a queue")
    time.sleep(6)
    with log.open("a") as handle:
        handle.write(_numbered(3000, 5000))
    made.server = FakeElasticsearch(port)
    _all_there(made, 5000)


def test_the_shipper_is_killed_again_and_again(rig: Make, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    made = rig(_one_file(log))
    made.start()
    number = 0
    for _round in range(5):
        with log.open("a") as handle:
            handle.write(_numbered(number, number + 2000))
        number += 2000
        time.sleep(0.7)
        made.stop("rsyslog", signal.SIGKILL)
        made.start("rsyslog")
    _all_there(made, number)
    ids = {key for _index, key in made.server.documents}
    assert set(made.server.duplicates) <= ids


def test_shipper_and_gateway_are_killed_while_the_server_is_away(rig: Make, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    made = rig(_one_file(log))
    made.server.fault = "503"
    made.start()
    log.write_text(_numbered(0, 2000))
    time.sleep(3)
    made.stop("rsyslog", signal.SIGKILL)
    made.stop("gateway", signal.SIGKILL)
    with log.open("a") as handle:
        handle.write(_numbered(2000, 3000))
    made.server.fault = ""
    made.start()
    _all_there(made, 3000)


@pytest.mark.parametrize("fault", ["429", "503", "busy"])
def test_what_is_refused_for_now_comes_again(rig: Make, tmp_path: Path, fault: str) -> None:
    log = tmp_path / "a.log"
    made = rig(_one_file(log))
    made.server.fault = fault
    log.write_text(_numbered(0, 1200))
    made.start()
    eventually(lambda: made.server.requests > 1, what="requests that are refused")
    assert made.server.stored() == []
    made.server.fault = ""
    _all_there(made, 1200)


def test_a_document_that_no_mapping_takes_is_a_dead_letter(rig: Make, tmp_path: Path) -> None:
    """A field whose type changes, in the middle of others."""
    log = tmp_path / "a.log"
    made = rig({"sources": {"a": {"type": "file", "path": str(log), "parser": "json", "app": "shop"}}})
    lines = [
        f'{{"message": "line {n:06d}", "status": {n if n % 10 else chr(34) + "ok" + chr(34)}}}' for n in range(100)
    ]
    log.write_text("\n".join(lines) + "\n")
    made.start()
    eventually(lambda: len(made.server.stored()) + len(made.server.stored(dead=True)) >= 100, what="100 lines")
    assert len(made.server.stored()) == 90
    letters = made.server.stored(dead=True)
    assert len(letters) == 10
    assert all(
        "failed to parse field [status]" in letter["reason"] and "For input string" in letter["reason"]
        for letter in letters
    )
    assert {letter["app"] for letter in letters} == {"shop"}
    assert '"status": "ok"' in letters[0]["document"]
    eventually(
        lambda: (
            'log_shipper_refused_lines_total{app="shop",output="elasticsearch",reason="document_parsing_exception"} 10'
            in made.metrics()
        ),
        what="the metric",
    )


def test_a_line_of_a_megabyte_and_one_that_is_no_text(rig: Make, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    made = rig(_one_file(log))
    large = "x" * (1 << 20)
    log.write_bytes(
        b"line 000000\n"
        + large.encode()
        + b"\n\xff\xfe\x80 bytes\nline 000001 password=CANARY "
        + large.encode()
        + b"\n"
    )
    made.start()
    eventually(lambda: len(made.server.stored()) >= 4, 60, "4 documents")
    assert sorted(made.server.messages(), key=len) == [
        "??? bytes", "line 000000", large, f"line 000001 password=***** {large}"
    ]  # fmt: skip


def test_a_file_that_is_rotated_loses_nothing(rig: Make, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    made = rig(_one_file(log))
    log.write_text(_numbered(0, 500))
    made.start()
    eventually(lambda: len(made.server.stored()) >= 500, what="the first file")
    with log.open("a") as handle:
        handle.write(_numbered(500, 700))
    log.rename(tmp_path / "a.log.1")
    log.write_text(_numbered(700, 1000))
    _all_there(made, 1000)


def test_the_queue_is_full_and_inputs_wait(rig: Make, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    made = rig({**_one_file(log), "shipper": {"spool": "2MB"}})
    made.server.fault = "503"
    made.start()
    for first in range(0, 30000, 1000):  # ten megabytes of documents
        with log.open("a") as handle:
            handle.write(_numbered(first, first + 1000))
        time.sleep(0.15)
    eventually(lambda: "log_shipper_paused{} 1" in made.metrics(), what="the shipper waits")
    used = sum(path.stat().st_size for path in (made.spool / "queue").iterdir())
    assert used < 6_000_000
    made.server.fault = ""
    _all_there(made, 30000, 120)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=32m", "none", folder], capture_output=True, check=False
    )
    if not made or made.returncode:
        pytest.skip("no file system can be mounted here: not root, or not allowed to")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_the_disk_of_the_queue_is_full(rig: Make, tmp_path: Path, small_disk: Path) -> None:
    """Something else fills it: the queue may not grow as far as it is allowed to, so the shipper is made to wait."""
    log = tmp_path / "a.log"
    made = rig(_one_file(log), small_disk)
    made.server.fault = "503"
    made.start()
    eventually((made.folder / "pid").exists)
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 24_000_000)
    log.write_text(_numbered(0, 12000))
    eventually(lambda: "log_shipper_paused{} 1" in made.metrics(), what="the shipper waits")
    filler.unlink()
    made.server.fault = ""
    _all_there(made, 12000, 90)
