"""The runner: real small programs, run for their verdict, their log and their end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tools import REPOSITORY, suites
from tools.catalogue import Suite
from tools.outcomes import Counts
from tools.suites import Result, Screen, environment, report, run, run_all, tail


def python(code: str, name: str = "sample", **more) -> Suite:
    return Suite(name, f"what {name} shows", (sys.executable, "-c", code), **more)


def test_a_passing_suite_is_counted_and_logged(tmp_path):
    result = run(python("print('3 passed in 0.10s')"), tmp_path)
    assert (result.passed, result.counts, result.log) == (True, Counts(passed=3), tmp_path / "sample.log")
    assert result.log.read_text() == "3 passed in 0.10s\n"


def test_a_failing_suite_gives_its_exit_code(tmp_path):
    result = run(python("import sys; print('no', file=sys.stderr); sys.exit(3)"), tmp_path)
    assert (result.passed, result.reason, result.counts) == (False, "exit code 3", Counts(failed=1))
    assert result.log.read_text() == "no\n"


def test_a_missing_program_is_a_failure_that_names_it(tmp_path):
    result = run(Suite("absent", "", ("no-such-program", "x")), tmp_path)
    assert result.reason == "cannot start no-such-program: No such file or directory"
    assert result.counts == Counts(failed=1)


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


@pytest.mark.parametrize("child", ["sleep 300", "trap '' TERM; echo $$ >{pid}.ready; while :; do sleep 0.1; done"])
def test_a_hung_suite_is_ended_with_what_it_started(tmp_path, monkeypatch, child):
    """Also with a child that outlives its parent because it ignores the question."""
    monkeypatch.setattr(suites._end, "__defaults__", (2.0,))
    pid = tmp_path / "pid"
    code = (
        "import subprocess, time\n"
        f"child = subprocess.Popen(['sh', '-c', {child.format(pid=pid)!r}])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(300)\n"
    )
    start = time.monotonic()
    result = run(python(code, minutes=2 / 60), tmp_path)
    assert time.monotonic() - start < 15
    assert result.reason.startswith("ended after 0.0333")
    assert result.counts == Counts(failed=1)
    assert ended(int(pid.read_text()))


def test_a_suite_that_starts_while_all_others_are_ended_ends_too(tmp_path, monkeypatch):
    """Whoever ends the others does not know of it yet."""
    stopping = threading.Event()
    stopping.set()
    monkeypatch.setattr(suites, "STOPPING", stopping)
    start = time.monotonic()
    assert not run(python("import time; time.sleep(300)"), tmp_path).passed
    assert time.monotonic() - start < 15


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_runner_leaves_nothing_behind(tmp_path, number):
    marker = tmp_path / "pid"
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tools import suites\n"
        "from tools.catalogue import Suite\n"
        f"child = Suite('child', '', ('sh', '-c', 'echo $$ >{marker}.new; mv {marker}.new {marker}; sleep 300'))\n"
        "suites.choose = lambda _words: [child, Suite('never', '', ('false',))]\n"
        f"suites.run_all.__defaults__ = (Path({str(tmp_path)!r}),)\n"
        "sys.exit(suites.main(['x']))\n"
    )
    runner = subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 20
    while not marker.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    runner.send_signal(number)
    out, err = runner.communicate(timeout=30)
    assert (runner.returncode, err) == (130, "\ninterrupted\n")
    assert "never" not in out
    assert ended(int(marker.read_text()))


def test_a_suite_asks_nothing_and_has_no_colours(tmp_path):
    code = "import os, sys; print(repr(sys.stdin.read()), os.environ['NO_COLOR'], os.environ['EXTRA'])"
    assert run(python(code, environment={"EXTRA": "mine"}), tmp_path).log.read_text() == "'' 1 mine\n"


def test_the_locked_tools_are_first_on_the_path():
    path = environment(python(""), {"PATH": "/usr/bin"})["PATH"].split(os.pathsep)
    assert path[0].endswith("/.venv/bin")
    assert path[1:] == ["/usr/bin"]


def test_results_keep_the_catalogues_order_and_those_that_can_run_side_by_side(tmp_path):
    """Each waits for the other's file: they only end when both run at once."""
    wait = (
        "import pathlib, time\n"
        "base = pathlib.Path({base!r})\n"
        "(base / {own!r}).touch()\n"
        "end = time.monotonic() + 10\n"
        "while not (base / {other!r}).exists():\n"
        "    assert time.monotonic() < end\n"
        "    time.sleep(0.02)\n"
    )
    pair = [
        python(wait.format(base=str(tmp_path), own="a", other="b"), "first", alone=False),
        python(wait.format(base=str(tmp_path), own="b", other="a"), "second", alone=False),
    ]
    last = python("raise SystemExit(1)", "third")
    written: list[str] = []
    results = run_all([last, *pair], Screen(3, live=False, write=written.append), workers=2, logs=tmp_path / "logs")
    assert [(result.suite.name, result.passed) for result in results] == [
        ("third", False),
        ("first", True),
        ("second", True),
    ]


def result(name: str, seconds: float, counts: Counts, log: Path, reason: str = "") -> Result:
    return Result(python("", name), counts, seconds, log, reason)


def test_a_failure_shows_the_end_of_its_log_at_once(tmp_path):
    log = tmp_path / "bad.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)) + "\x1b[31mthe reason\x1b[0m\n")
    written: list[str] = []
    screen = Screen(2, live=False, write=written.append)
    screen.start(python("", "bad"))
    screen.finish(result("bad", 12.3, Counts(1, 2), log, "exit code 1"))
    text = "".join(written)
    assert "  …      bad: what bad shows\n" in text
    assert "  FAILED bad 12 s, 1 passed, 2 failed: exit code 1\n" in text
    assert "line 99\nthe reason\n" in text
    assert "line 40\n" not in text


def test_a_terminal_has_one_line_that_is_rewritten(tmp_path):
    written: list[str] = []
    screen = Screen(2, live=True, write=written.append)
    screen.start(python("", "slow"))
    screen.tick()
    assert written[-1].startswith(f"{suites.CLEAR}  0 of 2 done; running: slow 0.0 s")
    assert "\n" not in written[-1]
    screen.finish(result("slow", 1.0, Counts(1), tmp_path / "x"))
    assert written[-1].startswith(suites.CLEAR)
    screen.tick()  # nothing runs: nothing is drawn
    assert written[-1].endswith("1 passed, 0 failed\n")


def test_elsewhere_there_are_only_signs_of_life(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    written: list[str] = []
    screen = Screen(1, live=False, write=written.append)
    screen.start(python("", "slow"))
    screen.tick()
    assert len(written) == 1
    clock[0] += suites.HEARTBEAT
    screen.tick()
    assert written[1] == "  …      still running: slow 1 min 00 s\n"
    assert not any("\r" in line or "\x1b" in line for line in written)


def test_the_report_sums_up_slowest_first(tmp_path):
    results = [
        result("quick", 0.4, Counts(1), tmp_path / "a"),
        result("slow", 75, Counts(10, 2, 3), tmp_path / "b", "exit code 1"),
    ]
    lines = report(results, 80).splitlines()
    assert re.sub(r" {2,}", "|", lines[0]) == "suite|verdict|passed|failed|skipped|took|shows"
    assert re.sub(r" {2,}", "|", lines[1]) == "slow|FAILED|10|2|3|1 min 15 s|what slow shows"
    assert re.sub(r" {2,}", "|", lines[2]) == "quick|ok|1|0|0|0.4 s|what quick shows"
    assert lines[-2] == "2 suites in 1 min 20 s; logs in build/logs"
    assert lines[-1] == "11 passed, 2 failed"


def test_the_tail_is_the_end_of_a_log_without_colours(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo\n\x1b[1mthree\x1b[0m \xff\n\n")
    assert tail(log, 3) == "two\nthree \ufffd"


@pytest.mark.parametrize(
    ("arguments", "code", "out"),
    [(["--list"], 0, "unit"), (["nothing-of-that-name"], 2, "no suite is called nothing-of-that-name")],
)
def test_the_command_line(capsys, arguments, code, out):
    try:
        ended: object = suites.main(arguments)
    except SystemExit as end:
        ended = end.code
    captured = capsys.readouterr()
    assert ended == code
    assert out in captured.out + captured.err


def test_the_exit_code_and_the_last_line_are_the_verdict(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(suites, "LOGS", tmp_path)
    monkeypatch.setattr(suites.run_all, "__defaults__", (tmp_path,))
    for code, expected in ((0, "1 passed, 0 failed"), (1, "0 passed, 1 failed")):
        monkeypatch.setattr(suites, "choose", lambda _words, code=code: [python(f"raise SystemExit({code})")])
        assert suites.main(["anything"]) == code
        assert capsys.readouterr().out.splitlines()[-1] == expected
