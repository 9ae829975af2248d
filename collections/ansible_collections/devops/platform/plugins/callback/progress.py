# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: One line a task, a live line while it runs, sums at the end
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - Shows which play and task a run is at, how many hosts of all have finished it, and the time elapsed. On a terminal
    that is one line that is rewritten. Elsewhere, and in CI, only finished tasks are printed.
  - Prints one line for each finished task, with its seconds, how many hosts were ok, changed, failed or skipped, and
    the names of those that changed.
  - Prints failures in full, for each host, at once.
  - Ends with the usual recap, the slowest tasks, and the number of tasks, round trips and seconds. A round trip is one
    host asked once to do something. Each item of a loop is one, a task that runs on the controller is none.
  - Of a rollout it says what it is at; M(devops.platform.rollout) puts that into words. Of
    M(devops.platform.slo_gate) it shows one line an objective. Tasks that only carry data on have no line.
  - Differences of C(--diff) are shown below the names of the hosts that have them, each once. With C(-v) and above,
    results are shown as P(ansible.builtin.default#callback) shows them.
options:
  report:
    description: A file to which the run is written as JSON, with the sums of all hosts and every task.
    type: path
    env:
      - name: DEVOPS_PLATFORM_REPORT
    ini:
      - section: callback_progress
        key: report
  live:
    description:
      - Whether to show the line that is rewritten.
      - V(auto) does so on a terminal, unless E(CI) is set or C(-v) is given.
    type: str
    choices: [auto, always, never]
    default: auto
    env:
      - name: DEVOPS_PLATFORM_PROGRESS
    ini:
      - section: callback_progress
        key: live
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - set as stdout in configuration
seealso:
  - plugin: ansible.builtin.default
    plugin_type: callback
"""

EXAMPLES = r"""
# ansible.cfg
# [defaults]
# stdout_callback = devops.platform.progress
# callback_result_format = yaml
#
# As data, for another program:
# DEVOPS_PLATFORM_REPORT=build/run.json ansible-playbook site.yml
"""

import json
import os
import shutil
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible import constants as C  # noqa: N812 (its name throughout Ansible)
from ansible import context
from ansible.plugins.callback.default import CallbackModule as DefaultCallback

from ansible_collections.devops.platform.plugins.plugin_utils.progress import (
    GATE,
    ROLLOUT,
    Run,
    closing_lines,
    gate_lines,
    grouped_plans,
    live_line,
    plan_lines,
    task_line,
)

CLEAR = "\r\x1b[2K"
INTERVAL = 0.5  # seconds between two drawings of the live line


class LiveLine:
    """The last line of a terminal. Everything else that is displayed first takes it away."""

    def __init__(self, run: Run, display: Any, stream: Any) -> None:
        self._run = run
        self._descriptor = stream.fileno()
        self._process = os.getpid()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._drawn = False
        original = display.display

        def cleared(*args: Any, **kwargs: Any) -> Any:
            # Workers are forks with this same wrapper: what they display comes here through the parent.
            if os.getpid() != self._process:
                return original(*args, **kwargs)
            with self._lock:
                self._clear()
                return original(*args, **kwargs)

        display.display = cleared
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        while not self._stop.wait(INTERVAL):
            with self._lock:
                if self._run.current and self._run.current.action.rpartition(".")[2] == "pause":
                    continue  # somebody is asked something on this line
                self._write(CLEAR + live_line(self._run, shutil.get_terminal_size().columns))
                self._drawn = True

    def _clear(self) -> None:
        if self._drawn:
            self._write(CLEAR)
            self._drawn = False

    def _write(self, text: str) -> None:
        # Not through sys.stdout: a fork while this thread held its lock would leave a worker with it locked for ever.
        try:
            os.write(self._descriptor, text.encode(errors="replace"))
        except OSError:
            self._stop.set()

    def end(self) -> None:
        self._stop.set()
        self._thread.join()
        with self._lock:
            self._clear()


class CallbackModule(DefaultCallback):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "devops.platform.progress"

    def __init__(self) -> None:
        super().__init__()
        self.run = Run()
        self._started = datetime.now(UTC)
        self._playbook = ""
        self._live: LiveLine | None = None
        self._shown = ""  # the play whose heading stands above

    # --- where the run is

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._playbook = os.path.basename(getattr(playbook, "_file_name", "") or "")
        if self._wants_live():
            self._live = LiveLine(self.run, self._display, sys.stdout)
        super().v2_playbook_on_start(playbook)

    def _wants_live(self) -> bool:
        wish = self.get_option("live")
        if wish == "auto":
            return sys.stdout.isatty() and not os.environ.get("CI") and not self._display.verbosity
        return bool(wish == "always")

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._close_task()
        self._play = play
        manager = play.get_variable_manager()
        hosts = manager.get_vars(play=play, include_hostvars=False).get("ansible_play_batch", ()) if manager else ()
        name = play.get_name().strip()
        self.run.start_play(name, len(hosts))
        if self._shown == play._uuid:
            return  # the next batch of a serial play
        self._shown = play._uuid
        marker = " [CHECK MODE]" if play.check_mode and self.get_option("check_mode_markers") else ""
        self._display.display(f"\n{name}{marker}", color=C.COLOR_HIGHLIGHT)

    def _task_start(self, task: Any, prefix: str | None = None) -> None:
        self._close_task()
        name = task.get_name().strip()
        super()._task_start(task, prefix)
        self.run.start_task(task._uuid, name, task.action)

    def _print_task_banner(self, task: Any) -> None:
        """Called before anything is shown of a task: its name stands above that, once."""
        self._last_task_banner = task._uuid
        if not self._is_terse():
            super()._print_task_banner(task)

    def _close_task(self) -> None:
        """Print the line of the task that has just ended."""
        task = self.run.close()
        if not task or not self._is_terse():
            return
        for text, hosts in task.diffs.items():
            self._display.display(f"{task.name}: differences on {', '.join(sorted(hosts))}")
            self._display.display(text)
        counts = task.counts
        if task.is_bookkeeping or (set(counts) <= {"skipped"} and not self.get_option("display_skipped_hosts")):
            return
        if counts["failed"] or counts["unreachable"]:
            color = C.COLOR_ERROR
        else:
            color = C.COLOR_CHANGED if counts["changed"] else C.COLOR_OK
        self._display.display(task_line(task, self.run.now()), color=color)
        for line in grouped_plans(task.plans):
            self._display.display(line)

    def _is_terse(self) -> bool:
        return not self._display.verbosity

    # --- what hosts answer

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self.run.begin(host.get_name())
        super().v2_runner_on_start(host, task)

    def v2_runner_on_ok(self, result: Any) -> None:
        self.run.finish(result.host.get_name(), "changed" if result.result.get("changed") else "ok")
        self._tell(result)
        wanted = context.CLIARGS.get("check") or context.CLIARGS.get("diff") or result.task.check_mode
        if result.result.get("components") and wanted:
            self.run.planned(result.host.get_name(), plan_lines(result.result["components"]))
        if self._is_shown(result):
            super().v2_runner_on_ok(result)
        else:
            self._handle_warnings_and_exception(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self.run.finish(result.host.get_name(), "skipped")
        if not self._is_terse():
            super().v2_runner_on_skipped(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self.run.finish(result.host.get_name(), "ignored" if ignore_errors else "failed")
        self._tell(result)
        if self._is_terse() and result.task.action == ROLLOUT:
            # How it ended, in words that need no more.
            stderr = self.get_option("display_failed_stderr")
            self._display.display(str(result.result.get("msg")), color=C.COLOR_ERROR, stderr=stderr)
            return
        self._announce(result)
        if self._is_terse() and result.result.get("components"):
            # The engine's message says it all; the answer as data, and the place of the task, would say it thrice.
            self._display.display(
                f"fatal: [{self.host_label(result)}]: {result.result.get('msg')}",
                color=C.COLOR_ERROR,
                stderr=self.get_option("display_failed_stderr"),
            )
            return
        super().v2_runner_on_failed(result, ignore_errors)

    def _tell(self, result: Any) -> None:
        """What a rollout says by itself."""
        answer = result.result
        if result.task.action == ROLLOUT:
            lines = self.run.told(str(result.task.args.get("step")), str(answer.get("message") or ""))
        elif result.task.action == GATE:
            lines = gate_lines(answer.get("objectives") or ())
        else:
            return
        for line in lines:
            self._display.display(line, color=C.COLOR_HIGHLIGHT if result.task.action == ROLLOUT else None)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self.run.finish(result.host.get_name(), "unreachable")
        self._announce(result)
        super().v2_runner_on_unreachable(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self.run.item(result.host.get_name())
        if self._is_shown(result):
            super().v2_runner_item_on_ok(result)
        else:
            self._handle_warnings_and_exception(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self.run.item(result.host.get_name())
        self._announce(result)
        super().v2_runner_item_on_failed(result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        if not self._is_terse():
            super().v2_runner_item_on_skipped(result)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        if not self._is_terse():
            super().v2_playbook_on_include(included_file)

    def v2_on_file_diff(self, result: Any) -> None:
        asked = context.CLIARGS.get("diff") or context.CLIARGS.get("check")
        if result.task.check_mode and not asked:
            return  # a rollout plans with differences for its report; nobody wants to see them here
        results = result.result.get("results", ()) if result.task.loop else (result.result,)
        for one in results:
            if not one.get("changed") or not one.get("diff"):
                continue
            text = self._get_diff(one["diff"])
            if text and self._is_terse() and self.run.current:
                self.run.differs(self.host_label(result), text)
            elif text:
                self._display.display(f"{result.task.get_name().strip()}: differences on {self.host_label(result)}")
                self._display.display(text)

    def _is_shown(self, result: Any) -> bool:
        """Whether one host's answer is printed by itself: with -v, and always for what a debug task says."""
        return not self._is_terse() or self._run_is_verbose(result)

    def _announce(self, result: Any) -> None:
        if self._is_terse() and self._last_task_banner != result.task._uuid:
            self._last_task_banner = result.task._uuid
            self._display.display(f"TASK [{result.task.get_name().strip()}]", color=C.COLOR_ERROR)

    # --- the end

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._close_task()
        if self._live:
            self._live.end()
        super().v2_playbook_on_stats(stats)
        for line in closing_lines(self.run):
            self._display.display(line)
        report = self.get_option("report")
        if report:
            self._write_report(Path(report), {host: stats.summarize(host) for host in sorted(stats.processed)})

    def _write_report(self, path: Path, hosts: dict[str, dict[str, int]]) -> None:
        data = self.run.report(
            hosts,
            playbook=self._playbook,
            check=bool(context.CLIARGS.get("check")),
            started=self._started.isoformat(timespec="seconds"),
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            temporary.write_text(json.dumps(data, indent=2) + "\n")
            temporary.replace(path)
        except OSError as error:
            # The run itself is over and went as it went: a report that cannot be written does not change that.
            self._display.warning(f"the report {path} was not written: {error.strerror}")
