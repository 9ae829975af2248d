"""Runs test suites and says what took how long: ``python -m tools.suites [test | check | lint | NAME …]``.

Each suite's output goes to ``build/logs/<name>.log``; the end of it is shown where the suite fails. A failed suite does
not stop the others. The last line is ``N passed, N failed``, the exit code 1 where anything failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

from tools import REPOSITORY, locked_path
from tools.catalogue import SUITES, Suite, UnknownSuiteError, choose
from tools.outcomes import Counts, outcome, plain_text
from tools.table import duration, plain

LOGS = REPOSITORY / "build" / "logs"
TAIL = 60  # lines of a failed suite's log that are shown
CLEAR = "\r\x1b[2K"  # back to the start of the line, and empty it
HEARTBEAT = 60.0  # seconds between signs of life where lines cannot be rewritten
RUNNING: set[subprocess.Popen[bytes]] = set()  # of all threads; each adds and removes its own
STOPPING = threading.Event()  # a process that was just started when all others were ended is ended by its own thread


@dataclass(frozen=True)
class Result:
    """How a suite ended. ``reason`` is empty where it passed."""

    suite: Suite
    counts: Counts
    seconds: float
    log: Path
    reason: str = ""

    @property
    def passed(self) -> bool:
        return not self.reason


class Screen:
    """A line per finished suite; what runs now on the last line of a terminal, as signs of life elsewhere."""

    def __init__(self, total: int, live: bool, write: Callable[[str], object] = sys.stdout.write) -> None:
        self.total = total
        self.done = 0
        self._running: dict[str, float] = {}
        self._live = live
        self._write = write
        self._lock = Lock()
        self._said = time.monotonic()

    def start(self, suite: Suite) -> None:
        with self._lock:
            self._running[suite.name] = time.monotonic()
            if not self._live:
                self._line(f"  …      {suite.name}: {suite.shows}")

    def finish(self, result: Result) -> None:
        with self._lock:
            self._running.pop(result.suite.name, None)
            self.done += 1
            verdict = "ok" if result.passed else "FAILED"
            detail = f": {result.reason}" if result.reason else ""
            self._line(f"  {verdict:<7}{result.suite.name} {duration(result.seconds)}, {result.counts}{detail}")
            if not result.passed:
                self._line(f"{'-' * 8} the end of {_shown(result.log)}")
                self._line(tail(result.log))
                self._line("-" * 8)

    def tick(self) -> None:
        """Called a few times a second."""
        with self._lock:
            now = time.monotonic()
            running = ", ".join(f"{name} {duration(now - since)}" for name, since in self._running.items())
            if not running:
                return
            if self._live:
                self._write(f"{CLEAR}  {self.done} of {self.total} done; running: {running}"[:180])
                sys.stdout.flush()
            elif now - self._said >= HEARTBEAT:
                self._line(f"  …      still running: {running}")

    def _line(self, text: str) -> None:
        self._said = time.monotonic()
        self._write(f"{CLEAR if self._live else ''}{text}\n")
        sys.stdout.flush()

    @contextmanager
    def ticking(self) -> Iterator[None]:
        stop = Event()

        def loop() -> None:
            while not stop.wait(0.25):
                self.tick()

        thread = Thread(target=loop, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def tail(log: Path, lines: int = TAIL) -> str:
    """The last lines of a log, without colours."""
    with log.open(errors="replace") as stream:
        return plain_text("".join(deque(stream, maxlen=lines))).rstrip()


def _shown(path: Path) -> str:
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)


def environment(suite: Suite, base: dict[str, str]) -> dict[str, str]:
    """The suite's environment: the locked tools first on PATH, no colours, nothing that asks."""
    return {
        **base,
        "PATH": locked_path(base),
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
        "ANSIBLE_NOCOLOR": "1",
        "PY_COLORS": "0",
        **suite.environment,
    }


def run(suite: Suite, logs: Path = LOGS) -> Result:
    """Run one suite to its end. A hung one is ended with everything that it started."""
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{suite.name}.log"
    start = time.monotonic()
    reason = ""
    with log.open("w") as stream:
        try:
            process = subprocess.Popen(
                suite.command,
                cwd=REPOSITORY,
                env=environment(suite, dict(os.environ)),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            stream.write(f"{suite.command[0]}: {error.strerror}\n")
            return Result(suite, Counts(failed=1), 0.0, log, f"cannot start {suite.command[0]}: {error.strerror}")
        RUNNING.add(process)
        try:
            if STOPPING.is_set():
                _end(process)
            code = process.wait(suite.minutes * 60)
        except subprocess.TimeoutExpired:
            _end(process)
            code, reason = 1, f"ended after {suite.minutes:g} minutes"
        finally:
            RUNNING.discard(process)
    counts = outcome(log.read_text(errors="replace").splitlines(), code)
    if code and not reason:
        reason = f"exit code {code}"
    return Result(suite, counts, time.monotonic() - start, log, reason)


def _end(process: subprocess.Popen[bytes], patience: float = 20) -> None:
    """End the process and what it started: first asked, so that it can clean up, then not.

    The group ends when its last member has, not when its first one has: what ignores the question is not left behind.
    ``patience``: seconds for each of the two.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            process.poll()  # a leader that nobody asks for stays in the group
            if not _members(process.pid):
                return
            time.sleep(0.02)
    process.poll()


def _members(group: int) -> list[int]:
    """The processes of a group that still run; one that only waits to be asked for by its parent has ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything; the fields after it are: state, parent, group.
            state, _parent, its_group = path.read_text(errors="replace").rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state not in "ZX":
            found.append(int(path.parent.name))
    return found


def run_all(suites: list[Suite], screen: Screen, workers: int, logs: Path = LOGS) -> list[Result]:
    """First those that can share the machine, side by side, then the others one after the other."""

    def one(suite: Suite) -> Result:
        screen.start(suite)
        return run(suite, logs)

    results: dict[str, Result] = {}
    STOPPING.clear()
    with screen.ticking():
        for group, width in (([s for s in suites if not s.alone], workers), ([s for s in suites if s.alone], 1)):
            pool = ThreadPoolExecutor(max_workers=max(1, width))
            try:
                for future in as_completed([pool.submit(one, suite) for suite in group]):
                    result = future.result()
                    results[result.suite.name] = result
                    screen.finish(result)
            except BaseException:
                # Suites have sessions of their own, which no Ctrl-C reaches.
                pool.shutdown(wait=False, cancel_futures=True)
                STOPPING.set()
                for process in tuple(RUNNING):
                    _end(process)
                raise
            finally:
                pool.shutdown()
    return [results[suite.name] for suite in suites]


def report(results: list[Result], seconds: float) -> str:
    """The closing table and the sum."""
    rows = [
        (
            result.suite.name,
            "ok" if result.passed else "FAILED",
            str(result.counts.passed),
            str(result.counts.failed),
            str(result.counts.skipped),
            duration(result.seconds),
            result.suite.shows,
        )
        for result in sorted(results, key=lambda result: -result.seconds)
    ]
    total = sum((result.counts for result in results), Counts())
    header = ("suite", "verdict", "passed", "failed", "skipped", "took", "shows")
    table = plain(header, rows, right=frozenset({2, 3, 4, 5}))
    return f"{table}\n\n{len(results)} suites in {duration(seconds)}; logs in {_shown(LOGS)}\n{total}"


def _interrupt(_number: int, _frame: object) -> None:
    """A CI that ends a job sends SIGTERM: that is to clean up as Ctrl-C does.

    SIGINT is named as well: Python leaves it alone where the caller ignores it, as shells do for what runs behind them,
    and then the suites would inherit that.
    """
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.suites", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", default=["test"], help="suites or groups: test, check, lint")
    parser.add_argument("--list", action="store_true", help="name the suites and run none")
    options = parser.parse_args(arguments)
    if options.list:
        print(plain(("suite", "shows"), [(suite.name, suite.shows) for suite in SUITES]))
        return 0
    # `test NAME …` means these of all, as `make test SUITES=…` passes it.
    words = options.names[1:] if options.names[0] == "test" and len(options.names) > 1 else options.names
    try:
        suites = choose(words)
    except UnknownSuiteError as error:
        parser.error(str(error))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    start = time.monotonic()
    screen = Screen(len(suites), live=sys.stdout.isatty() and not os.environ.get("CI"))
    try:
        results = run_all(suites, screen, workers=max(2, os.cpu_count() or 2))
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    print(f"\n{report(results, time.monotonic() - start)}")
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
