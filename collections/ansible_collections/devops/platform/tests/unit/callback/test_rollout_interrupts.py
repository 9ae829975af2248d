"""The handler by itself: what it says, notes, and passes on."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from types import SimpleNamespace

import pytest
from ansible.utils.display import Display

from ansible_collections.devops.platform.plugins.callback.rollout import CallbackModule
from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import Journal
from ansible_collections.devops.platform.plugins.plugin_utils.interrupts import Interrupts


class Stage:
    """An open rollout; ``passed``: signals that came through to the handler that was there before."""

    def __init__(self, folder) -> None:
        self.journal = Journal(folder / "one.jsonl")
        self.journal.append("begin", format=1)
        self.now = 100.0
        self.passed: list[int] = []
        self.ours, self.theirs = os.pipe()
        self.interrupts = Interrupts(self.theirs, lambda: self.now)
        signal.signal(signal.SIGINT, lambda number, _frame: self.passed.append(number))
        self.interrupts.open(self.journal.path, "resume it")

    def press(self, later: float = 0.0) -> None:
        self.now += later
        signal.raise_signal(signal.SIGINT)

    def said(self) -> str:
        os.set_blocking(self.ours, False)
        try:
            return os.read(self.ours, 65536).decode()
        except BlockingIOError:
            return ""

    def noted(self) -> int:
        return [event["event"] for event in self.journal.events()].count("interrupted")


@pytest.fixture
def stage(tmp_path):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    stage = Stage(tmp_path)
    yield stage
    for number, handler in before.items():
        signal.signal(number, handler)


def test_first_then_second(stage):
    stage.press()
    assert (stage.noted(), stage.passed) == (1, [])
    assert "once more stops at once and leaves it to be resumed: resume it\n" in stage.said()
    stage.press(0.2)
    assert (stage.noted(), stage.passed) == (1, [])
    stage.press(1)
    assert (stage.noted(), stage.passed) == (1, [signal.SIGINT])


@pytest.mark.parametrize("decided", ["it is on its way back already", "every wave is proved"])
def test_what_is_decided_is_not_interrupted_but_said(stage, decided):
    stage.interrupts.decided = decided
    stage.press()
    assert stage.noted() == 0
    assert stage.said().startswith(decided)
    stage.press(1)
    assert stage.passed == [signal.SIGINT]


def test_one_that_has_just_ended_is_not_interrupted(stage):
    stage.journal.append("end", result="done")
    stage.press()
    assert stage.noted() == 0
    assert "it is over already" in stage.said()


def test_closed_it_is_as_if_never_there(stage):
    stage.interrupts.close()
    stage.press()
    assert (stage.noted(), stage.passed, stage.said()) == (0, [signal.SIGINT], "")


def test_whoever_took_over_meanwhile_keeps_it(stage):
    taken: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: taken.append(number))
    stage.interrupts.close()
    stage.press()
    assert taken == [signal.SIGINT]


def test_a_worker_does_not_write(stage, monkeypatch):
    """Forked a moment ago it is in the terminal's group still: its end would end the run. Later it ends as ever."""
    monkeypatch.setattr(stage.interrupts, "_process", 1)
    stage.press()
    assert (stage.noted(), stage.passed, stage.said()) == (0, [], "")
    monkeypatch.setattr(stage.interrupts, "_group", 1)
    stage.press()
    assert (stage.noted(), stage.passed) == (0, [signal.SIGINT])


def test_no_lock_of_ansible_is_waited_for(stage):
    with Display()._lock:
        held = threading.Thread(target=lambda: None)
        held.start()
        stage.press()
        held.join()
    assert stage.noted() == 1


def test_a_line_that_a_worker_writes_is_waited_for(stage):
    with stage.journal.path.open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def release() -> None:
            time.sleep(0.2)
            fcntl.flock(other, fcntl.LOCK_UN)

        thread = threading.Thread(target=release)
        thread.start()
        stage.press()
        thread.join()
    assert stage.noted() == 1


def test_a_journal_that_cannot_be_written_is_said(stage, monkeypatch):
    stage.journal.path.unlink()
    stage.journal.path.mkdir()
    stage.press()
    assert "could not be noted" in stage.said()
    stage.press(1)
    assert stage.passed == [signal.SIGINT]


def result(step: str, **answer) -> SimpleNamespace:
    task = SimpleNamespace(action="devops.platform.rollout", args={"step": step})
    return SimpleNamespace(task=task, result=answer)


@pytest.fixture
def callback(stage, monkeypatch):
    stage.interrupts.close()
    monkeypatch.setattr("ansible.context.CLIARGS", {})
    monkeypatch.setattr("atexit.register", lambda _function: None)
    callback = CallbackModule()
    callback._interrupts = stage.interrupts
    return callback


@pytest.mark.parametrize(
    ("steps", "guarded"),
    [
        ([("open", {"go": True})], True),
        ([("open", {"go": False, "reverse": True})], True),
        ([("open", {"go": False})], False),
        ([("open", {"go": True}), ("enter", {"go": True})], True),
        ([("open", {"go": True}), ("left", {"go": False, "reverse": True})], True),
        ([("open", {"go": True}), ("plan", {"go": False})], False),
        ([("open", {"go": True}), ("close", {"go": True})], False),
        ([("enter", {"go": True})], False),
    ],
)
def test_when_it_is_on_guard(stage, callback, steps, guarded):
    for step, answer in steps:
        callback.v2_runner_on_ok(result(step, journal=str(stage.journal.path), id="one", **answer))
    stage.press()
    assert stage.noted() + ("on its way back" in stage.said()) == int(guarded)


def test_a_journal_of_check_mode_is_none(stage, callback):
    callback.v2_runner_on_ok(result("open", journal=str(stage.journal.path.with_suffix(".check")), go=True))
    stage.press()
    assert stage.passed == [signal.SIGINT]
    assert callback._journals == []


@pytest.mark.parametrize(("step", "guarded"), [("plan", False), ("close", False), ("proved", True)])
def test_after_a_failure(stage, callback, step, guarded):
    callback.v2_runner_on_ok(result("open", journal=str(stage.journal.path), id="one", go=True))
    callback.v2_runner_on_failed(result(step))
    stage.press()
    assert stage.noted() == int(guarded)


def test_other_tasks_are_none_of_its_business(stage, callback):
    other = result("open", journal=str(stage.journal.path), go=True)
    other.task.action = "ansible.builtin.command"
    callback.v2_runner_on_ok(other)
    stage.press()
    assert stage.passed == [signal.SIGINT]
