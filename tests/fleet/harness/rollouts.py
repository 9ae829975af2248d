"""Rollouts on a fleet: starting, killing and resuming them, and telling in which state they left it."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.journey.edge import Edge
from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import Journal, journals
from ansible_collections.devops.platform.plugins.module_utils.rollout.state import State, fold
from lab import REPOSITORY
from tests.fleet.harness.fleet import Fleet
from tests.lab.harness.fleet import Play

CALLBACKS = REPOSITORY / "tests" / "fleet" / "callbacks"
# What a host is, as far as rollouts are concerned: what the ledger says is ours, as it is on the disk, and what runs.
LOOK = r"""
import glob, hashlib, json, os, subprocess
store = "/var/lib/devops-platform"
found = {}
for path in sorted(glob.glob(store + "/ledger/*.json")):
    ledger = json.load(open(path))
    generation = ledger["generation"] or {}
    name = ledger["component"]
    found[name] = generation.get("id")
    for entry in generation.get("entries") or {}:
        kind = os.readlink(entry) if os.path.islink(entry) else ""
        if not kind and os.path.exists(entry):
            kind = hashlib.sha256(open(entry, "rb").read()).hexdigest()
        state = os.lstat(entry) if os.path.lexists(entry) else None
        found[name + entry] = [kind, state and [state.st_mode, state.st_uid, state.st_gid]]
    unit = (generation.get("runtime") or {}).get("unit")
    if unit:
        found[name + " unit"] = subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True).stdout
found["journals"] = sorted(os.listdir(store + "/journal")) if os.path.isdir(store + "/journal") else []
if os.path.exists("/usr/bin/docker"):
    lines = subprocess.run(
        ["docker", "ps", "--format", "{{.Image}} {{.Names}}"], capture_output=True, text=True
    ).stdout.splitlines()
    found["containers"] = sorted(lines)
print(json.dumps(found, sort_keys=True))
"""


def directory(fleet: Fleet) -> Path:
    return Path(fleet.platform["rollout"]["directory"]) / f"{fleet.platform['name']}-{fleet.platform['environment']}"


def last(fleet: Fleet) -> Journal:
    return journals(directory(fleet))[-1]


def state(fleet: Fleet) -> State:
    """How the fleet's last rollout stands."""
    return fold(last(fleet).events())


def in_turn(fleet: Fleet) -> bool:
    """Whether the batches of the last rollout began in their order, there and back."""
    numbers: dict[bool, list[int]] = {False: [], True: []}
    for event in last(fleet).events():
        if event["event"] == "enter":
            numbers[bool(event["back"])].append(event["number"])
    return all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def edge(fleet: Fleet) -> Edge:
    tls = fleet.platform["edge"]["tls"]
    return Edge(f"https://{fleet.address(fleet.of('edge')[0])}", fleet.platform["edge"]["server_name"], tls["ca"], 5)


def look_at(fleet: Fleet, host: str) -> dict[str, Any]:
    """What a host is, read from itself."""
    found: dict[str, Any] = json.loads(fleet.on(host, "python3", "-", given=LOOK))
    return found


def look(fleet: Fleet) -> dict[str, Any]:
    return {host: look_at(fleet, host) for host in fleet.names}


def digest(seen: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Where two looks differ, in words: empty is what a test wants."""
    found = []
    for host in before:
        old, new = before[host], after[host]
        found += [
            f"{host}: {key}: {old.get(key)} -> {new.get(key)}"
            for key in sorted({*old, *new})
            if old.get(key) != new.get(key)
        ]
    return found


class Run:
    """ansible-playbook that goes on while the test does something else."""

    def __init__(self, fleet: Fleet, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._fleet = fleet
        self.process = fleet.start(*arguments, environment=environment)
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self._lines.extend(self.process.stdout)

    @property
    def output(self) -> str:
        return "".join(self._lines)

    def wait(self, seconds: float = 900) -> Play:
        code = self.process.wait(seconds)
        self._reader.join(10)
        return Play(code, self.output, {"hosts": {}})

    def until(self, event: Callable[[Mapping[str, Any]], bool], seconds: float = 300) -> None:
        """Wait until the last rollout's journal holds such an event."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"the run ended with {self.process.returncode} before that:\n{self.output[-4000:]}"
                )
            known = journals(directory(self._fleet))
            if known and any(event(item) for item in known[-1].events()):
                return
            time.sleep(0.1)
        raise AssertionError(f"that did not happen within {seconds} s:\n{self.output[-4000:]}")


@contextmanager
def running(fleet: Fleet, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Run]:
    run = Run(fleet, *arguments, environment=environment)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait(30)


def killed_at(number: int, count: Path | None = None) -> dict[str, str]:
    """The environment in which a run ends by SIGKILL when its task of this number begins."""
    more = {"KILL_COUNT": str(count)} if count else {}
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "kill_at",
        "KILL_AT": str(number),
        **more,
    }
