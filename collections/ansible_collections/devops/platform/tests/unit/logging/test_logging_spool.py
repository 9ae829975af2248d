"""Segments of lines between shipper and gateway: everything is delivered, nothing is forgotten, whoever dies when."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.logging import spool
from ansible_collections.devops.platform.plugins.module_utils.logging.spool import Spool


class DiedError(Exception):
    pass


def put(folder: Path, minute: int, *lines: str, out: str = "es") -> Path:
    path = folder / f"{out}-20260131{minute:04d}.ndjson"
    with path.open("a") as handle:
        handle.writelines(f"\n{line}\n" for line in lines)
    return path


def everything(made: Spool) -> list[str]:
    found: list[bytes] = []
    while made.step(found.extend):
        pass
    return [line.decode() for line in found]


def test_lines_come_in_order_and_once(tmp_path: Path) -> None:
    put(tmp_path, 2, "c")
    put(tmp_path, 1, "a", "b")
    put(tmp_path, 1, "other", out="loki")
    made = Spool(str(tmp_path), "es")
    assert made.waiting() == 9
    assert everything(made) == ["a", "b", "c"]
    put(tmp_path, 2, "d")
    assert everything(Spool(str(tmp_path), "es")) == ["d"]
    assert made.segments() == [tmp_path / "es-202601310002.ndjson"]  # the last one may be written to


def test_what_is_not_delivered_comes_again(tmp_path: Path) -> None:
    put(tmp_path, 1, "a")
    made = Spool(str(tmp_path), "es")

    def fail(_lines: list[bytes]) -> None:
        raise DiedError

    with pytest.raises(DiedError):
        made.step(fail)
    assert everything(made) == ["a"]
    assert made.waiting() == 0


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = put(tmp_path, 1, "a")
    with path.open("a") as handle:
        handle.write("\nhalf")
    made = Spool(str(tmp_path), "es")
    assert everything(made) == ["a"]
    with path.open("a") as handle:
        handle.write(" and half\n")
    assert everything(made) == ["half and half"]


def test_a_batch_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "BATCH_LINES", 2)
    monkeypatch.setattr(spool, "BATCH_BYTES", 8)
    put(tmp_path, 1, "a", "b", "c", "x" * 100)
    sizes: list[int] = []
    made = Spool(str(tmp_path), "es")
    while made.step(lambda lines: sizes.append(len(lines))):
        pass
    assert sizes == [2, 1, 1]


def test_a_segment_stays_while_the_shipper_has_it_open(tmp_path: Path) -> None:
    """It writes to the old one after the new one is there: a thread that was slow, a clock that was set back."""
    old = put(tmp_path, 1, "a")
    put(tmp_path, 2, "b")
    made = Spool(str(tmp_path), "es")
    with old.open("a") as handle:
        assert everything(made) == ["a", "b"]
        assert not old.exists()
        handle.write("\nlate\n")
        handle.flush()
        put(tmp_path, 1, "later")  # by its name it is a new one
        assert everything(made) == ["late", "later"]
        assert old.with_suffix(".taken").exists()
    assert everything(made) == []
    assert everything(made) == []
    assert made.segments() == [tmp_path / "es-202601310002.ndjson"]


def test_a_new_file_with_an_old_number_is_read_from_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between forgetting a segment and removing it."""
    put(tmp_path, 1, "a")
    put(tmp_path, 2, "b")
    made = Spool(str(tmp_path), "es")

    def die(_path: Path) -> None:
        raise DiedError

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", die)
        with pytest.raises(DiedError):
            everything(made)
    assert everything(Spool(str(tmp_path), "es")) == ["a", "b"]


def test_what_was_noted_may_be_broken(tmp_path: Path) -> None:
    put(tmp_path, 1, "a")
    for text in ("", "[]", '{"1'):
        (tmp_path / "es.delivered").write_text(text)
        assert everything(Spool(str(tmp_path), "es")) == ["a"]


EVENTS = st.lists(st.sampled_from(["write", "next", "back", "step", "die", "fail", "close"]), max_size=60)


@given(EVENTS)
def test_nothing_is_lost_whatever_happens(events: list[str]) -> None:
    """Lines are written to the segment of a clock that also goes back, while the gateway works, fails and dies."""

    def fail(_lines: list[bytes]) -> None:
        raise DiedError

    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        minute, number = 1, 0
        delivered: list[bytes] = []
        at: tuple[int, IO[str]] | None = None  # the shipper has one open at a time
        made = Spool(name, "es")
        for event in events:
            if event == "write":
                if at is None or at[0] != minute:
                    opened.close()
                    at = minute, opened.enter_context((Path(name) / f"es-20260131{minute:04d}.ndjson").open("a"))
                at[1].write(f"\nline {number}\n")
                at[1].flush()
                number += 1
            elif event in ("next", "back"):
                minute = max(1, minute + (1 if event == "next" else -1))
            elif event == "step":
                made.step(delivered.extend)
            elif event == "fail":
                with suppress(DiedError):
                    made.step(fail)
            elif event == "die":
                made = Spool(name, "es")
            else:
                opened.close()
                at = None
        while made.step(delivered.extend):
            pass
        assert sorted(delivered) == sorted(f"line {one}".encode() for one in range(number))
        assert made.waiting() == 0
