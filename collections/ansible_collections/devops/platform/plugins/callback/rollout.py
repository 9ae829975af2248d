# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rollout
type: notification
short_description: Takes rollouts back when interrupted, and writes their reports
version_added: 0.1.0
author:
  - Contributors to the devops.platform collection (@devops-platform)
description:
  - While a rollout is open, the first SIGINT (Ctrl-C) or SIGTERM does not end the run. It is noted in the rollout's
    journal; what is under way ends, then every changed host is taken back. The second one ends the run at once, as
    Ansible always does, and leaves the rollout to be resumed. Signals within half a second count as one.
  - At the end of a run, or where it ends early, writes the report of each of its rollouts as one HTML file beside the
    journal, and says where it is.
  - Does nothing in a run without a rollout, and works beside any other callback.
requirements:
  - enabled in configuration
seealso:
  - module: devops.platform.rollout
"""

EXAMPLES = r"""
# ansible.cfg
# [defaults]
# callbacks_enabled = devops.platform.rollout
"""

import atexit
import os
from pathlib import Path
from typing import Any

from ansible import constants as C  # noqa: N812 (its name throughout Ansible)
from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.devops.platform.plugins.module_utils.platform.paths import shown
from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import SUFFIX, JournalError
from ansible_collections.devops.platform.plugins.plugin_utils.interrupts import Interrupts

ACTION = "devops.platform.rollout"


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NEEDS_ENABLED = True
    CALLBACK_NAME = "devops.platform.rollout"

    def __init__(self) -> None:
        super().__init__()
        self._process = os.getpid()
        self._interrupts = Interrupts()
        self._journals: list[Path] = []  # of this run, without a report yet

    def v2_runner_on_ok(self, result: Any) -> None:
        if self._is_step(result):
            self._follow(str(result.task.args.get("step")), result.result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: ARG002 (Ansible's)
        # After these two nothing is done any more. Others' failures may be dealt with by a rescue.
        if self._is_step(result) and result.task.args.get("step") in ("plan", "close"):
            self._interrupts.close()

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002 (Ansible's)
        self._interrupts.close()
        self._write_reports()

    def _is_step(self, result: Any) -> bool:
        return ACTION in (result.task.action, getattr(result.task, "resolved_action", None))

    def _follow(self, step: str, result: dict[str, Any]) -> None:
        """Whether the rollout is open after a step."""
        journal = Path(str(result.get("journal") or ""))
        if journal.suffix != SUFFIX:
            return  # a rollout in check mode has no journal to stay
        going = bool(result.get("go") or result.get("reverse"))
        if step == "open" and going:
            if not self._journals:
                atexit.register(self._at_exit)
            if journal not in self._journals:
                self._journals.append(journal)
            self._interrupts.open(journal, f"{playbook_command()} playbooks/rollout.yml -e resume={result.get('id')}")
        if step == "close" or not going:
            self._interrupts.close()
        if result.get("reverse"):
            self._interrupts.decided = "it is on its way back already"
        elif step == "turn":
            self._interrupts.decided = "every wave is proved, and the rollout is about to end"

    def _at_exit(self) -> None:
        """A run that was ended at once has no other end than this."""
        if os.getpid() == self._process:
            self._write_reports()

    def _write_reports(self) -> None:
        journals, self._journals = self._journals, []
        for journal in journals:
            try:
                # Most runs have no rollout, and need none of this.
                from ansible_collections.devops.platform.plugins.plugin_utils.report.files import write

                path = write(journal, playbook_command())
            except (OSError, JournalError) as error:
                self._display.warning(f"the report of {journal.name} was not written: {error}")
            except Exception as error:  # noqa: BLE001 (how the rollout went does not hang on its report)
                self._display.warning(f"the report of {journal.name} was not written: {type(error).__name__}: {error}")
            else:
                self._display.display(f"report: {shown(path)}")


def playbook_command() -> str:
    """How ansible-playbook was called: with the inventories that are not the configuration's."""
    sources = [Path(str(source)) for source in context.CLIARGS.get("inventory") or ()]
    usual = [Path(str(source)) for source in C.DEFAULT_HOST_LIST or ()]
    if [path.resolve() for path in sources] == [path.resolve() for path in usual]:
        return "ansible-playbook"
    return " ".join(["ansible-playbook", *(f"-i {shown(path)}" for path in sources)])
