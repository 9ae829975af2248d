"""The three ways in which a component runs, behind one small interface.

`apply` (start, reload, restart) and `halt` are the switch; `restore` is the way back to what ran before.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Union

from .host import Host, tail
from .plan import ENABLED, Services
from .spec import Runtime
from .units import UnitState

JOURNAL_LINES = 12
READ_LINES = 200  # of which those that say something are shown


class SystemdRuntime:
    """A unit, ours or a package's."""

    def __init__(self, host: Host, unit: str, wait: float = 60.0) -> None:
        self.host = host
        self.unit = unit
        self.wait = wait
        self.begun = time.time()

    def _systemctl(self, *words: str) -> None:
        self.host.run(["systemctl", *words, self.unit], timeout=self.wait)

    def prepare(self) -> None:
        """Nothing to fetch."""

    def apply(self, effect: str, force: bool = False) -> None:  # noqa: ARG002 - a restart is a restart
        """Raises CommandError when systemd does not accept the order or the unit does not come up in time."""
        if effect in ("start", "restart"):
            # A unit that failed before has used up its start limit; this is a new attempt with new content.
            self.host.query(["systemctl", "reset-failed", self.unit])
            self._systemctl("restart")
        elif effect == "reload":
            self._systemctl("reload-or-restart")

    def enable(self) -> None:
        self._systemctl("enable", "--quiet")

    def disable(self) -> None:
        self._systemctl("disable", "--quiet")

    def halt(self) -> None:
        """Stop and disable before its files go; a unit that does not exist is stopped already."""
        if self.host.unit(self.unit).exists:
            self._systemctl("stop")
            # One that ends badly by itself just then counts as failed, which systemd would remember beyond its file.
            self.host.query(["systemctl", "reset-failed", self.unit])
            if self.unit.endswith(".timer"):
                # When it ran last is a file of systemd's, which would outlive it.
                self.host.query(["systemctl", "clean", "--what=state", self.unit])
            self.disable()

    def restore(self, before: Mapping[str, Any], effect: str) -> None:
        """Back to the state recorded in the journal, with the files already back in place."""
        self.host.query(["systemctl", "reset-failed", self.unit])
        if before["running"]:
            self._systemctl("reload-or-restart" if effect == "reload" else "restart")
        elif self.host.unit(self.unit).exists:
            self._systemctl("stop")
        now = self.host.unit(self.unit)
        if not now.exists:
            return
        if before["enabled"] and now.enabled not in ENABLED:
            self.enable()
        elif not before["enabled"] and now.enabled in ("enabled", "enabled-runtime"):
            self.disable()

    def last_words(self) -> str:
        # Nothing from before the change: it would mislead, and hold secrets of which no ledger knows any more.
        since = f"--since=@{self.begun:.6f}"
        lines = str(READ_LINES)
        done = self.host.query(
            ["journalctl", "-u", self.unit, since, "-n", lines, "--no-pager", "-q", "-o", "cat"], timeout=10
        )
        return tail(done.output, JOURNAL_LINES)


class ComposeRuntime:
    """A Docker Compose project (v2). Images are on the host before the switch, so the switch needs no network."""

    def __init__(self, host: Host, runtime: Runtime) -> None:
        self.host = host
        self.runtime = runtime

    def _compose(self, *words: str) -> list[str]:
        return ["docker", "compose", "--project-name", self.runtime.project, "--file", self.runtime.file, *words]

    def prepare(self) -> None:
        """Fetch the images that are not there yet; each is named by digest."""
        for image in self.runtime.images:
            if self.host.query(["docker", "image", "inspect", "--format", "{{.Id}}", image]).code != 0:
                self.host.run(["docker", "pull", "--quiet", image], timeout=600)

    def apply(self, effect: str, force: bool = False) -> None:  # noqa: ARG002 - `up` is all that Compose needs
        words = ["up", "--detach", "--remove-orphans", "--wait", "--wait-timeout", str(int(self.runtime.wait))]
        words += ["--quiet-pull", *(["--force-recreate"] if force else [])]
        self.host.run(self._compose(*words), timeout=self.runtime.wait + 30)

    def enable(self) -> None:
        """Containers come back with the daemon by their own restart policy."""

    def halt(self) -> None:
        if self.host.exists(self.runtime.file):
            self.host.run(self._compose("down", "--remove-orphans", "--timeout", "20"), timeout=self.runtime.wait)

    def restore(self, before: Mapping[str, Any], effect: str) -> None:  # noqa: ARG002 - `up` finds out what differs
        if before["running"]:
            self.apply("restart", force=True)

    def last_words(self) -> str:
        done = self.host.query(self._compose("logs", "--no-color", "--tail", str(READ_LINES)), timeout=20)
        return tail(done.output, JOURNAL_LINES)


class NoRuntime:
    """Files only."""

    def prepare(self) -> None:
        """Nothing to fetch."""

    def apply(self, effect: str, force: bool = False) -> None:
        """Nothing runs."""

    def enable(self) -> None:
        """Nothing runs."""

    def halt(self) -> None:
        """Nothing runs."""

    def restore(self, before: Mapping[str, Any], effect: str) -> None:
        """Nothing ran."""

    def last_words(self) -> str:
        return ""


AnyRuntime = Union[SystemdRuntime, ComposeRuntime, NoRuntime]


def runtime_for(host: Host, runtime: Runtime) -> AnyRuntime:
    if runtime.kind in ("unit", "service"):
        return SystemdRuntime(host, runtime.unit)
    if runtime.kind == "compose":
        return ComposeRuntime(host, runtime)
    return NoRuntime()


def parse_ps(output: str) -> dict[str, str]:
    """`docker ps --format json` lines as service -> health where there is one, else state; the worst of replicas."""
    states: dict[str, str] = {}
    for line in output.splitlines():
        if not line.startswith("{"):
            continue
        row = json.loads(line)
        labels = dict(item.split("=", 1) for item in str(row.get("Labels", "")).split(",") if "=" in item)
        service = labels.get("com.docker.compose.service", "")
        status = str(row.get("Status", ""))
        state = str(row.get("State", ""))
        if "(healthy)" in status:
            state = "healthy"
        elif "(unhealthy)" in status:
            state = "unhealthy"
        if service and states.get(service, state) in ("running", "healthy"):
            states[service] = state
    return states


def observe_services(host: Host, runtime: Runtime) -> Services:
    if runtime.kind != "compose":
        return Services()
    label = f"label=com.docker.compose.project={runtime.project}"
    done = host.query(["docker", "ps", "--all", "--no-trunc", "--filter", label, "--format", "{{json .}}"])
    return Services(parse_ps(done.output) if done.code == 0 else {})


def state_before(runtime: Runtime, unit: UnitState, services: Services) -> dict[str, Any]:
    """What the journal keeps of the runtime, so that the way back is known after a crash."""
    if runtime.kind == "compose":
        return {"running": bool(services.states), "enabled": True, "exists": bool(services.states)}
    return {"running": unit.running, "enabled": unit.enabled in ("enabled", "enabled-runtime"), "exists": unit.exists}
