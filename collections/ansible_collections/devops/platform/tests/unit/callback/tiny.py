"""A rollout on this machine alone: the real steps, and a script that says what tasks on hosts would have said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

COLLECTIONS = Path(__file__).parents[6]
NOTE = """
import json, pathlib, sys, time
from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import Journal
journal, seconds = Journal(pathlib.Path(sys.argv[1])), float(sys.argv[2])
for argument in sys.argv[3:]:
    event = json.loads(argument)
    journal.append(event.pop("event"), **event)
    time.sleep(seconds)
    seconds = 0
"""
PLAYBOOK = """
- name: Roll out
  hosts: all
  gather_facts: false
  tasks:
    - name: Begin
      devops.platform.rollout: {step: open, target: base}
      register: r
    - name: Plan
      ansible.builtin.command:
        argv: ["{{ python }}", "{{ note }}", "{{ r.journal }}", "0", "{{ planned | to_json }}"]
      changed_when: false
    - name: Keep something
      ansible.builtin.set_fact: {kept: true}
    - name: Sort
      devops.platform.rollout: {step: plan, id: "{{ r.id }}"}
      register: r
    - name: Enter
      devops.platform.rollout: {step: enter, id: "{{ r.id }}", batch: "{{ batch }}"}
      register: r
    - name: Change
      ansible.builtin.command:
        argv:
          - "{{ python }}"
          - "{{ note }}"
          - "{{ r.journal }}"
          - "{{ seconds }}"
          - "{{ begun | to_json }}"
          - "{{ ended | to_json }}"
      changed_when: true
    - name: Left
      devops.platform.rollout: {step: left, id: "{{ r.id }}", batch: "{{ batch }}"}
      register: r
    - name: Turn
      devops.platform.rollout: {step: turn, id: "{{ r.id }}"}
      register: r
    - name: Take back
      ansible.builtin.command:
        argv: ["{{ python }}", "{{ note }}", "{{ r.journal }}", "0", "{{ undone | to_json }}"]
      changed_when: true
      when: r.reverse
    - name: End
      devops.platform.rollout: {step: close, id: "{{ r.id }}"}
"""
PART = {"name": "base", "changed": True, "previous": "aa", "generation": "", "plan": []}
VARIABLES = {
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "python": sys.executable,
    "seconds": 2,
    "platform": {"name": "tiny", "environment": "test"},
    "batch": {"number": 1, "wave": 1, "waves": 1, "hosts": ["alpha"], "drain": [], "last": True},
    "planned": {"event": "planned", "host": "alpha", "components": [PART]},
    "begun": {"event": "change", "host": "alpha", "status": "begun"},
    "ended": {"event": "change", "host": "alpha", "status": "changed", "components": [PART]},
    "undone": {"event": "undo", "host": "alpha", "status": "changed"},
}


class Tiny:
    """A repository of its own. ``callback``: stdout's."""

    def __init__(self, folder: Path, callback: str = "devops.platform.progress", playbook: str = PLAYBOOK) -> None:
        self.folder = folder
        (folder / "site.yml").write_text(playbook)
        (folder / "note.py").write_text(NOTE)
        variables = {**VARIABLES, "note": str(folder / "note.py"), "folder": str(folder)}
        (folder / "hosts.yml").write_text(json.dumps({"all": {"vars": variables, "hosts": {"alpha": {}}}}))
        (folder / "ansible.cfg").write_text(
            f"[defaults]\ninventory = hosts.yml\nstdout_callback = {callback}\ncollections_path = {COLLECTIONS}\n"
            "callbacks_enabled = devops.platform.rollout\n"
        )

    @property
    def journals(self) -> Path:
        return self.folder / ".rollouts" / "tiny-test"

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "CI"))}
        config = str(self.folder / "ansible.cfg")
        return {**kept, "ANSIBLE_CONFIG": config, "ANSIBLE_NOCOLOR": "1", "PYTHONPATH": str(COLLECTIONS)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        program = Path(sys.executable).with_name("ansible-playbook")
        return subprocess.Popen(
            [str(program), "site.yml", *arguments], cwd=self.folder, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str) -> tuple[int, str, str]:
        return finish(self.start(*arguments))

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "that never happened"
            time.sleep(0.02)

    def changing(self) -> None:
        """Wait until the host is being changed."""
        self.wait(lambda: any(event["event"] == "change" for event in self.events()))

    def events(self) -> list[dict[str, Any]]:
        found = []
        for path in self.journals.glob("*.jsonl"):
            found += [json.loads(line) for line in path.read_text().split("\n")[:-1]]
        return found

    def names(self) -> list[str]:
        return [event["event"] for event in self.events()]

    def report(self) -> Path:
        (path,) = self.journals.glob("*.html")
        return path


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    try:
        output, errors = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, output, errors
