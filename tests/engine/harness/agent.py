"""Runs on the host: one request a line on standard input, one answer a line on standard output.

Each run of the engine is a forked process, as a module's is, so that it can be killed; this process only watches.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine import engine, probe, rollback, store
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode
from tests.engine.harness import asker, snapshot
from tests.engine.harness.host import Fate, StepHost, Steps, number_the_rest

SAVED = "/srv/saved"
# What a saved state consists of, beside accounts and the unit.
TREES = (
    "/etc/systemd/system",
    "/etc/probe_app",
    "/etc/probe_app.foreign",
    "/var/lib/probe_app",
    "/opt/devops-platform",
    "/usr/local/bin",
    snapshot.STORE,
)
UNIT, PORT = "probe_app.service", 9400
EVENTS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown"}
EVENTS |= {"os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_real_random = os.urandom


def fixed_key(length: int) -> bytes:
    """The same host key in each life of the host, so that digests keyed with it compare; other numbers stay random."""
    return b"k" * 32 if length == 32 else _real_random(length)


def in_child(work: Callable[[], Any]) -> tuple[Any, int]:
    """(result of `work`, 0), or (None, signal that ended it)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            answer = {"result": work()}
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
            answer = {"raised": f"{type(error).__name__}: {error}"}
        with os.fdopen(writing, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    answer = json.loads(text)
    if "raised" in answer:
        raise RuntimeError(answer["raised"])
    return answer["result"], 0


class Watch:
    """Records what is written or started outside of the numbered steps."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.seen: list[str] = []
        self.queries: list[list[str]] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen" and not self.steps.inside:
            self.queries.append([str(word) for word in arguments[1]])
        elif event in EVENTS or (event == "open" and (arguments[2] or 0) & WRITING):
            path = path_of(arguments[0])
            if event in ("os.remove", "os.rmdir") and arguments[1] != -1:
                # Given relative to an open folder.
                path = f"{path_of(arguments[1])}/{path}"
            # A lock is no state: it is gone with the process that holds it. A folder that is there is not made.
            harmless = path.startswith((f"{snapshot.STORE}/locks/", "/dev/", "pipe:"))
            harmless |= event == "os.mkdir" and os.path.isdir(path)
            if not self.steps.inside and not harmless:
                self.seen.append(f"{event} {path}")


def path_of(argument: Any) -> str:
    return os.readlink(f"/proc/self/fd/{argument}") if isinstance(argument, int) else os.fsdecode(argument)


def run(request: dict[str, Any]) -> dict[str, Any]:
    """The engine over the request's components; dies where its fate says."""

    def work() -> dict[str, Any]:
        os.urandom = fixed_key
        probe.INTERVAL = 0.02
        steps = Steps(Fate(**request.get("fate", {})))
        host = StepHost(steps)
        number_the_rest(steps)
        watch = Watch(steps)
        sys.addaudithook(watch)
        mode = Mode(
            bool(request.get("check")),
            bool(request.get("diff")),
            request.get("rollout", "test"),
            request.get("patience", store.PATIENCE),
        )
        runner = engine.Engine(host, store.Store(host), "amd64", mode)
        if "go_back" in request:
            given = request["go_back"]
            names = given.pop("components", None) or runner.store.known()
            results = [asdict(result) for result in rollback.go_back(runner, names, **given)]
            return {"results": results, "steps": steps.taken, "outside": watch.seen, "queries": watch.queries}
        results = []
        for raw in request["components"]:
            if request.get("recover_only"):
                # What any run does first.
                runner.store.prepare()
                with runner.store.lock(raw["name"], mode.patience):
                    results.append({"recovered": runner._recover(raw["name"])})
                continue
            # A description may name its rollout itself, so that a row of changes is one of several rollouts.
            runner.mode = replace(mode, rollout=raw.pop("rollout", mode.rollout))
            results.append(asdict(runner.run(raw)))
            if results[-1]["failed"]:
                break
        return {"results": results, "steps": steps.taken, "outside": watch.seen, "queries": watch.queries}

    answer, killed = in_child(work)
    return answer or {"results": [], "steps": [], "outside": [], "queries": [], "killed": killed}


# Putting the host into a known state


def save(request: dict[str, Any]) -> None:
    """Keep the present state of the component under a name; `restore` makes it so again."""
    place = f"{SAVED}/{request['name']}"
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    for number, tree in enumerate((*TREES, *request.get("also", ()))):
        if os.path.lexists(tree):
            subprocess.run(["cp", "-a", tree, f"{place}/{number}"], check=True)
    facts = {"user": _has_user(), "unit": snapshot.settled(UNIT)["ActiveState"], "also": request.get("also", [])}
    with open(f"{place}/facts.json", "w", encoding="utf-8") as handle:
        json.dump(facts, handle)


def restore(request: dict[str, Any]) -> None:
    place = f"{SAVED}/{request['name']}"
    with open(f"{place}/facts.json", encoding="utf-8") as handle:
        facts = json.load(handle)
    if snapshot.show(UNIT)["ActiveState"] != "inactive":
        subprocess.run(["systemctl", "stop", UNIT], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["systemctl", "reset-failed", UNIT], check=False, stderr=subprocess.DEVNULL)
    if _has_user() != facts["user"]:
        command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--user-group"]
        command += ["--shell", "/usr/sbin/nologin", "probe_app"]
        subprocess.run(command if facts["user"] else ["userdel", "probe_app"], check=True)
    for number, tree in enumerate((*TREES, *facts["also"])):
        remove(tree)
        if os.path.lexists(f"{place}/{number}"):
            subprocess.run(["cp", "-a", f"{place}/{number}", tree], check=True)
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    if facts["unit"] == "active":
        subprocess.run(["systemctl", "restart", UNIT], check=True)


def _has_user() -> bool:
    return subprocess.run(["getent", "passwd", "probe_app"], stdout=subprocess.DEVNULL, check=False).returncode == 0


def remove(tree: str) -> None:
    if os.path.isdir(tree) and not os.path.islink(tree):
        shutil.rmtree(tree)
    elif os.path.lexists(tree):
        os.unlink(tree)


# States, remembered here by name: only a digest and differences travel

_states: dict[str, dict[str, str]] = {}


def remember(request: dict[str, Any]) -> str:
    whole = request.get("what") == "system"
    _states[request["name"]] = snapshot.whole_system() if whole else snapshot.state(UNIT, PORT)
    return snapshot.digest(_states[request["name"]])


def compare(request: dict[str, Any]) -> dict[str, Any]:
    """Which of the remembered states the host is in, or how it differs from each.

    A reload ends before the service has read its file: a difference has to last to count.
    """
    deadline = time.monotonic() + request.get("patience", 1.5)
    while True:
        found = snapshot.whole_system() if request.get("what") == "system" else snapshot.state(UNIT, PORT)
        for name in request["names"]:
            if found == _states[name]:
                return {"is": name, "differences": {}}
        if time.monotonic() > deadline:
            differences = {name: snapshot.differences(_states[name], found)[:12] for name in request["names"]}
            return {"is": "", "differences": differences}
        time.sleep(0.05)


def execute(request: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(request["argv"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return {"code": done.returncode, "output": done.stdout}


def put(request: dict[str, Any]) -> None:
    os.makedirs(os.path.dirname(request["path"]), exist_ok=True)
    with open(request["path"], "w", encoding="utf-8") as handle:
        handle.write(request["content"])
    os.chmod(request["path"], int(request.get("mode", "0644"), 8))


def read(request: dict[str, Any]) -> str | None:
    if not os.path.isfile(request["path"]):
        return None
    with open(request["path"], encoding="utf-8", errors="replace") as handle:
        return handle.read()


OPERATIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "run": run,
    "save": save,
    "restore": restore,
    "remember": remember,
    "compare": compare,
    "execute": execute,
    "put": put,
    "read": read,
    "remove": lambda request: remove(request["path"]),
    "exists": lambda request: os.path.lexists(request["path"]),
    "describe": lambda request: snapshot.describe(request["path"]),
    "find": lambda request: sorted(path for path in snapshot.files() if request["part"] in path),
    "ask": lambda request: snapshot.ask(request.get("port", PORT)),
    "show": lambda request: snapshot.show(request.get("unit", UNIT)),
    "start_asking": lambda request: asker.start(PORT, request.get("seconds", 30.0)),
    "stop_asking": lambda request: asker.stop(),
}


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": OPERATIONS[request.pop("operation")](request)}
        except Exception as error:  # noqa: BLE001 - it is raised again at the other end
            answer = {"raised": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
