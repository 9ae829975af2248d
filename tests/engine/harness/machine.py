"""A lab host as the tests see it: the process on it that runs the engine, and what was put there for it."""

from __future__ import annotations

import hashlib
import io
import json
import shlex
import subprocess
import tarfile
import threading
from pathlib import Path
from typing import Any

import lab
from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import LabHost, inventory_data
from lab.prerequisites import ensure_docker
from lab.runtime import PREFIX, FileEntry, archive
from lab.state import State
from tests.engine.harness.host import Fate

PLACE = "/srv/engine-under-test"
ARTIFACTS = "/srv/artifacts"
SOURCES = (
    "collections/ansible_collections/devops/platform/plugins/module_utils/engine",
    "tests/engine/harness",
)
RELEASES = {"1.0": "", "1.1": "", "1.2": "", "2.0-exits": "exits", "2.0-deaf": "deaf", "2.0-ill": "ill"}


def packed(version: str, fault: str) -> bytes:
    """A release of the service under test as upstream would publish it: one folder, two programs, one file."""
    here = Path(__file__).parent
    folder = f"probe_app-{version}"
    members = {
        "service": ((here / "service.py").read_bytes(), 0o755),
        "probe-app-check": ((here / "check.py").read_bytes(), 0o755),
        "release.json": (json.dumps({"version": version, "fault": fault}).encode(), 0o644),
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, (content, mode) in members.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size, info.mode = len(content), mode
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


ARCHIVES = {version: packed(version, fault) for version, fault in RELEASES.items()}
DIGESTS = {version: hashlib.sha256(content).hexdigest() for version, content in ARCHIVES.items()}


def program() -> dict[str, FileEntry]:
    """Engine and harness as they stand in the working tree, and the releases."""
    files = {f"{ARTIFACTS}/probe_app-{version}.tar": FileEntry(content) for version, content in ARCHIVES.items()}
    for source in SOURCES:
        for path in sorted((lab.REPOSITORY / source).glob("*.py")):
            inner = path.relative_to(lab.REPOSITORY).as_posix().removeprefix("collections/")
            files[f"{PLACE}/{inner}"] = FileEntry(path.read_bytes())
    return files


class Machine:
    """One host. Every method is one request to the process on it; a failure there is raised here."""

    def __init__(self, host: LabHost, state: State, fresh: bool = True) -> None:
        self.name = host.name
        self._of = (host, state)
        if fresh:
            container = ensure_docker(state).containers.get(f"{PREFIX}-{host.name}")
            container.put_archive("/", archive(program()))
        facts = inventory_data([host], str(state.root))["all"]["hosts"][host.name]
        command = ["ssh", "-i", facts["ansible_ssh_private_key_file"], *shlex.split(facts["ansible_ssh_common_args"])]
        command += ["-o", "BatchMode=yes", f"{facts['ansible_user']}@{host.address}"]
        command += ["sudo", "-n", "env", f"PYTHONPATH={PLACE}", "PYTHONDONTWRITEBYTECODE=1"]
        command += ["/usr/bin/python3", "-m", "tests.engine.harness.agent"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()
        if fresh:
            self.wipe_everything()

    @classmethod
    def beside(cls, other: Machine) -> Machine:
        """A second process on the same host, for what happens at once."""
        return cls(*other._of, fresh=False)

    def wait_for_lock(self) -> None:
        """Until a run holds the component's lock."""
        lock = "/var/lib/devops-platform/locks/probe_app.lock"
        self.execute("sh", "-c", f"for i in $(seq 100); do flock -n {lock} true || exit 0; sleep 0.05; done; exit 1")

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=10)

    def _request(self, operation: str, **request: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            self._process.stdin.write(json.dumps({"operation": operation, **request}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        assert line, f"{self.name}: the process on the host ended during {operation}"
        answer = json.loads(line)
        assert "raised" not in answer, f"{self.name}: {operation}: {answer.get('raised')}"
        return answer["result"]

    # The engine

    def run(self, *components: dict[str, Any], fate: Fate | None = None, **options: Any) -> dict[str, Any]:
        """Results, numbered steps, and `killed` where the fate was a signal. options: check, diff, patience."""
        given = {"fate": {"at": fate.at, "how": fate.how}} if fate else {}
        answer: dict[str, Any] = self._request("run", components=list(components), **given, **options)
        return answer

    def result(self, component: dict[str, Any], **options: Any) -> dict[str, Any]:
        """The one result of one component's run."""
        found: dict[str, Any] = self.run(component, **options)["results"][0]
        return found

    def well(self, component: dict[str, Any], **options: Any) -> dict[str, Any]:
        """The result of a run that has to succeed."""
        result = self.result(component, **options)
        assert not result["failed"], result["message"]
        return result

    def go_back(self, **options: Any) -> list[dict[str, Any]]:
        """What devops.platform.rollback does: undo or to, and components."""
        results: list[dict[str, Any]] = self._request("run", go_back=options, rollout="back")["results"]
        return results

    def ledger(self, name: str) -> dict[str, Any]:
        """What the host remembers of a component; {} where that is nothing."""
        ledger: dict[str, Any] = json.loads(self.read(f"/var/lib/devops-platform/ledger/{name}.json") or "{}")
        return ledger

    def recover(self, name: str, fate: Fate | None = None) -> dict[str, Any]:
        """Only what any run does first: finish or take back what an earlier one left."""
        # A command that outlives the run that was killed still holds the lock; apt takes its time.
        return self.run({"name": name}, fate=fate, recover_only=True, patience=60)

    # States

    def save(self, name: str, also: tuple[str, ...] = ()) -> None:
        self._request("save", name=name, also=list(also))

    def restore(self, name: str) -> None:
        self._request("restore", name=name)

    def remember(self, name: str, what: str = "state") -> str:
        digest: str = self._request("remember", name=name, what=what)
        return digest

    def compare(self, *names: str, what: str = "state", patience: float = 1.5) -> dict[str, Any]:
        found: dict[str, Any] = self._request("compare", names=list(names), what=what, patience=patience)
        return found

    def assert_is(self, name: str, what: str = "state") -> None:
        found = self.compare(name, what=what)
        assert found["is"] == name, "\n".join(found["differences"][name])

    def wipe_everything(self) -> None:
        """Back to a host that the engine has never seen."""
        if not self.exists("/srv/saved/nothing"):
            self.save("nothing")
        self.restore("nothing")

    # Looks and small changes

    def execute(self, *argv: str) -> str:
        done = self._request("execute", argv=list(argv))
        assert done["code"] == 0, f"{' '.join(argv)}: {done['output']}"
        output: str = done["output"]
        return output

    def put(self, path: str, content: str, mode: str = "0644") -> None:
        self._request("put", path=path, content=content, mode=mode)

    def read(self, path: str) -> str | None:
        content: str | None = self._request("read", path=path)
        return content

    def remove(self, path: str) -> None:
        self._request("remove", path=path)

    def exists(self, path: str) -> bool:
        return bool(self._request("exists", path=path))

    def describe(self, path: str) -> str:
        return str(self._request("describe", path=path))

    def find(self, part: str) -> list[str]:
        """Paths of the component's part of the file system that hold `part`."""
        return list(self._request("find", part=part))

    def ask(self, port: int | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = self._request("ask", **({"port": port} if port else {}))
        return answer

    def show(self, unit: str = "probe_app.service") -> dict[str, str]:
        return dict(self._request("show", unit=unit))

    def start_asking(self, seconds: float = 30.0) -> None:
        self._request("start_asking", seconds=seconds)

    def stop_asking(self) -> list[dict[str, Any]]:
        return list(self._request("stop_asking"))
