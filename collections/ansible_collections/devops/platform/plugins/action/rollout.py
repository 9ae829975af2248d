# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a rollout that happen on the controller: its journal, its waves, its verdicts. Opens no connection."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants as C  # noqa: N812 (its name throughout Ansible)
from ansible.plugins.action import ActionBase

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError, section
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import root_of, shown
from ansible_collections.devops.platform.plugins.module_utils.rollout import steps
from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import (
    FORMAT,
    SUFFIX,
    Journal,
    JournalError,
    directory_of,
    identity,
    journals,
    lives,
)
from ansible_collections.devops.platform.plugins.module_utils.rollout.settings import (
    settings_of,
    target_of,
    upstreams_of,
)
from ansible_collections.devops.platform.plugins.module_utils.rollout.state import State, fold
from ansible_collections.devops.platform.plugins.plugin_utils.refusal import Refused
from ansible_collections.devops.platform.plugins.plugin_utils.run import platform_of, run_id


class ActionModule(ActionBase):
    """One step; which one, says the argument ``step``. See the documentation of the module of the same name."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        _validation, arguments = self.validate_argument_spec(
            {
                "step": {"required": True, "choices": [*_STEPS]},
                "id": {"type": "str"},
                "target": {"type": "str"},
                "to": {"type": "str"},
                "undo": {"type": "str"},
                "resume": {"type": "str"},
                "reverse": {"type": "bool", "default": False},
                "batch": {"type": "dict", "default": {}},
                "out": {"type": "list", "elements": "str", "default": []},
                "settle": {"type": "bool", "default": False},
                "smoke": {"type": "dict", "default": {}},
                "gate": {"type": "dict", "default": {}},
            }
        )
        try:
            result.update(Step(self, arguments, variables).take())
        except (JournalError, PlatformError, steps.RolloutError) as error:
            raise Refused(str(error)) from error
        return result

    def platform(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        return platform_of(variables, self._templar.template)


class Step:
    """What one step knows: the platform, the journal, and how the rollout stands."""

    def __init__(self, action: ActionModule, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        self.arguments = arguments
        self.variables = variables
        self.check = bool(action._task.check_mode)
        self.platform = action.platform(variables)
        self.groups = variables["groups"]
        self.settings = settings_of(self.platform)
        self.upstreams = upstreams_of(self.platform, self.groups) if self.groups.get("platform_edge") else {}
        self.directory = directory_of(root_of(variables), self.settings.directory, self.platform)
        self.journal = self._journal(str(arguments.get("id")))
        self.state = State()

    def take(self) -> dict[str, Any]:
        name = str(self.arguments["step"])
        if self.check and name not in ("open", "plan"):
            return {"changed": False, **self._standing(), "go": False}
        if name != "open":
            self.state = fold(self.journal.events())
        before = self.state
        more = _STEPS[name](self)
        message = steps.news(name, before, self.state, self.arguments["batch"]) if name != "open" else ""
        return {"changed": False, **self._standing(), **({"message": message} if message else {}), **more}

    def write(self, event: str, **more: Any) -> None:
        self.journal.append(event, **more)
        self.state = fold(self.journal.events())

    def _standing(self) -> dict[str, Any]:
        begin = self.state.begin
        return {
            "id": begin.get("id"),
            "journal": str(self.journal.path),
            "target": begin.get("target"),
            "tasks": begin.get("tasks"),
            "apps": begin.get("apps") or [],
            "to": begin.get("to"),
            "undo": begin.get("undo"),
            "components": begin.get("components") or [],
            "hosts": begin.get("hosts") or [],
            "speaker": self.variables["inventory_hostname"],
            "parts": self.state.parts(),
            "objectives": self.settings.objectives(str(begin.get("target"))),
            "window": self.settings.window,
            "interval": self.settings.interval,
            "prove": self.state.prove,
            "go": not self.state.reverse and not self.state.result,
            "reverse": self.state.reverse,
            "out": [],
            "edge": False,
            "edge_touched": bool(self.state.edges),
            "changed_hosts": self.state.changed(),
            "watched": steps.watched(self.state),
            "unchanged": [] if self.state.reverse else self.state.waiting(),
            "batches": [],
            "back": [],
        }

    # Steps

    def open(self) -> dict[str, Any]:
        """A new rollout, or one that goes on; refused while another one is not finished."""
        resumed = self.arguments.get("resume")
        for other in reversed(journals(self.directory)):
            if other.rollout == resumed:
                continue
            if other.over():
                if other.ending() == "unchanged" and not self.check:
                    other.discard()  # each site.yml without changes leaves one
                continue
            state = fold(other.events())
            alive = lives(state.controller)
            if alive or state.unfinished:
                raise steps.RolloutError(steps.refusal(state, alive, self._command()))
        if resumed:
            return self._resume(str(resumed))
        back = self.arguments.get("to") or self.arguments.get("undo")
        begin = self._of_rollback(str(back)) if back else self._of_rollout()
        identifier = f"{run_id()}-{begin['target']}"
        self.journal = self._journal(identifier)
        begin.update(id=identifier, declaration=self._declaration(), controller=identity(os.getppid()))
        begin.update(format=FORMAT, platform=self.platform.get("name"), environment=self.platform.get("environment"))
        self.write("begin", **begin)
        return {"message": f"rollout {identifier}"}

    def _of_rollout(self) -> dict[str, Any]:
        target = target_of(self.platform, str(self.arguments["target"]), self.groups)
        return {
            "kind": "rollout",
            "target": target.name,
            "tasks": target.tasks,
            "apps": list(target.apps),
            "hosts": self._of_play(target.hosts),
        }

    def _of_rollback(self, identifier: str) -> dict[str, Any]:
        way = "to" if self.arguments.get("to") else "undo"
        earlier = self._read(identifier)
        if way == "undo":
            steps.refuse_nothing_to_undo(earlier, identifier)
        target = target_of(self.platform, str(earlier.begin["target"]), self.groups)
        hosts = self._of_play([host for host in target.hosts if host in earlier.hosts])
        return {
            "kind": "rollback",
            "target": target.name,
            "tasks": "rollback",
            "apps": list(target.apps),
            "hosts": hosts,
            way: identifier,
            "components": earlier.parts(),
        }

    def _read(self, identifier: str) -> State:
        journal = Journal(self.directory / f"{identifier}.jsonl")
        if not journal.path.exists():
            known = ", ".join(found.rollout for found in journals(self.directory)[-8:])
            raise steps.RolloutError(
                f"there is no rollout {identifier} in {shown(self.directory)}; the last ones: {known or 'none'}"
            )
        return fold(journal.events())

    def _resume(self, identifier: str) -> dict[str, Any]:
        state = self._read(identifier)
        if lives(state.controller):
            raise steps.RolloutError(steps.refusal(state, True, self._command()))
        if not state.unfinished:
            raise steps.RolloutError(
                f"rollout {identifier} needs no resuming: it ended as '{state.result or 'nothing was changed'}'"
            )
        how = "reverse" if self.arguments["reverse"] or state.reverse else "forward"
        if how == "forward" and state.begin.get("declaration") != self._declaration():
            raise steps.RolloutError(
                f"platform.yml, or a lock file that it names, is another one than when rollout {identifier} began: "
                "going on would leave the hosts with some of either. Put it back, or take the rollout back: "
                f"{self._command()} playbooks/rollout.yml -e resume={identifier} -e reverse=true"
            )
        gone = [host for host in state.hosts if host not in self.groups["all"]]
        self.journal = self._journal(identifier)
        self.write("resume", how=how, controller=identity(os.getppid()), reason=state.reason, gone=gone)
        return {"message": f"rollout {identifier} goes on: {how}"}

    def plan(self) -> dict[str, Any]:
        """The waves, from what every host said would change on it."""
        state = self.state
        if state.reverse:
            return {}
        hosts = [host for host in state.begin["hosts"] if host in self.groups["all"]]
        if self.check:
            self.journal.path.unlink()
            waves = steps.planned_waves(state, hosts, self.settings)
            return {"go": False, "message": steps.told(waves) if waves else f"{len(hosts)} hosts are as declared"}
        if not state.waves:
            waves = steps.planned_waves(state, hosts, self.settings)
            prove = any(not state.hosts[host].new for host in hosts)
            if not waves:
                self.write("end", result="unchanged")
                return {"go": False, "message": f"{len(hosts)} hosts are as declared"}
            self.write("waves", waves=waves, prove=prove, parallel=self.settings.parallel)
        else:
            steps.planned_waves(state, hosts, self.settings)  # does every host answer?
        batches = steps.remaining(self.state, self.settings, self.upstreams)
        return {"batches": batches, "message": steps.told(self.state.waves)}

    def enter(self) -> dict[str, Any]:
        """A batch begins: its hosts are to leave the edge."""
        batch = self.arguments["batch"]
        if self.state.interrupted and not self._back:
            self.write("stop", reason="interrupted")
        if not self._back and self.state.reverse:
            return {}
        wrong = steps.out_of_turn(self.state, int(batch["number"]))
        if wrong and not self._back:
            self.write("stop", reason=wrong)
            return {}
        kept = ("number", "wave", "waves", "hosts", "drain", "last")
        self.write("enter", back=self._back, **{key: batch[key] for key in kept})
        return self._edge(batch["drain"])

    def left(self) -> dict[str, Any]:
        """A batch is over: did it go well, and who comes back to the edge?"""
        batch = self.arguments["batch"]
        if not self._back and not self.state.reverse and not batch.get("prove_only"):
            reason = steps.verdict(self.state, batch["hosts"])
            if reason:
                self.write("stop", reason=reason, wave=batch["wave"])
        self.write("left", back=self._back, number=batch["number"])
        return self._edge([])

    def proved(self) -> dict[str, Any]:
        """A wave was asked whether it serves; or, after a way back, whether the old state does."""
        batch = self.arguments["batch"]
        reason = steps.proof_words(self.arguments["smoke"], self.arguments["gate"])
        objectives = self.arguments["gate"].get("objectives") or []
        asked = bool(objectives or reason or self.arguments["smoke"].get("results"))
        self.write(
            "proof",
            wave=0 if self._back else batch["wave"],
            passed=not reason,
            asked=asked,
            reason=reason,
            objectives=objectives,
        )
        if not self._back and (reason or self.state.interrupted):
            self.write("stop", reason=reason or "interrupted", wave=batch["wave"])
        return {}

    def failed(self) -> dict[str, Any]:
        """A task of a host failed that says nothing to the journal by itself."""
        host = str(self.variables["inventory_hostname"])
        answer = self.variables.get("ansible_failed_result") or {}
        known = self.state.hosts.get(host)
        if answer and not (known and (known.undone if self._back else known.trouble)):
            phase = "undo" if self._back else "change"
            self.write(phase, host=host, status="failed", message=str(answer.get("msg") or "a task failed"))
        return {}

    def steered(self) -> dict[str, Any]:
        """An edge was told: it took that, else no host must be changed, for all are still asked; and requests that were
        sent to a host before it left get the time to end."""
        reason = steps.unsteered(self.state, self.arguments["out"])
        if reason and not self._back and not self.state.reverse:
            self.write("stop", reason=reason, wave=self.arguments["batch"].get("wave"))
        elif self.arguments["settle"]:
            time.sleep(self.settings.settle)
        return {"out": self.arguments["out"]}

    def turn(self) -> dict[str, Any]:
        """The waves are over, one way or the other: what is to be taken back?"""
        if self.state.interrupted and not self.state.reason:
            self.write("stop", reason="interrupted")
        if not self.state.reverse:
            return self._edge([])
        return {"back": steps.backwards(self.state, self.settings, self.upstreams)}

    def close(self) -> dict[str, Any]:
        """The last word; a failure unless every change holds."""
        state = self.state
        if state.result == "unchanged":
            return {"message": "nothing to do: every host is as declared"}
        if not state.reason:  # whoever interrupts after the last look back comes too late
            self.write("end", result="done")
            return {"message": f"rollout {state.begin['id']}: {len(state.changed())} hosts changed"}
        left = steps.not_taken_back(state)
        whole = not left and state.edge_told([])
        self.write("end", result="reversed" if whole else "incomplete", left=left)
        raise steps.RolloutError(steps.closing_words(state, left, state.restored, self._command()))

    # Parts of steps

    def _journal(self, rollout: str) -> Journal:
        """In check mode another file, which the plan takes away again: nothing has begun."""
        return Journal(self.directory / f"{rollout}{'.check' if self.check else SUFFIX}")

    @property
    def _back(self) -> bool:
        return bool(self.arguments["batch"].get("back"))

    def _edge(self, drained: list[str]) -> dict[str, Any]:
        """Who is to be out of service at the edge, and whether it has to be told."""
        out = steps.out_of_service(self.state, drained)
        wanted = bool(self.upstreams and self.state.prove and not self.state.edge_told(out))
        return {"out": out, "edge": wanted}

    def _of_play(self, hosts: Any) -> list[str]:
        """Those of ``hosts`` that --limit leaves."""
        limited = set(self.variables.get("ansible_play_hosts_all") or hosts)
        return [str(host) for host in hosts if host in limited]

    def _declaration(self) -> str:
        """A digest of everything that the rollout is made from: the platform, and the locks that it names."""
        root = root_of(self.variables)
        digest = hashlib.sha256(json.dumps(self.platform, sort_keys=True, default=str).encode())
        for part in ("artifacts", "images"):
            for lock in section(self.platform, part).get("locks") or ():
                path = root / str(lock)
                digest.update(path.read_bytes() if path.is_file() else b"")
        return digest.hexdigest()

    def _command(self) -> str:
        sources = [Path(str(source)) for source in self.variables.get("ansible_inventory_sources") or ()]
        usual = [Path(str(source)) for source in C.DEFAULT_HOST_LIST or ()]
        if [path.resolve() for path in sources] == [path.resolve() for path in usual]:
            return "ansible-playbook"
        return " ".join(["ansible-playbook", *(f"-i {shown(path)}" for path in sources)])


_STEPS = {
    "open": Step.open,
    "plan": Step.plan,
    "enter": Step.enter,
    "left": Step.left,
    "proved": Step.proved,
    "failed": Step.failed,
    "steered": Step.steered,
    "turn": Step.turn,
    "close": Step.close,
}
