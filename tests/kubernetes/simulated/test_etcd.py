"""Snapshots of a real etcd, and the way back from one. What stands for the kubelet starts and ends it by its file."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import restore, snapshots
from ansible_collections.devops.platform.plugins.module_utils.monitoring.backup import BackupError
from tests.kubernetes.programs import program
from tests.kubernetes.simulated.cluster import free_port


class Etcd:
    """A member that runs while its file is in the kubelet's directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client, self.peer = free_port(), free_port()
        self.place = restore.Place(folder / "etcd", folder / "manifests")
        for path in (self.place.data, self.place.manifests):
            path.mkdir()
        self.place.data.chmod(0o700)
        for name in restore.MANIFESTS:
            (self.place.manifests / name).touch()
        self.process: subprocess.Popen[bytes] | None = None
        self.refuses = False

    def start(self) -> None:
        own, peers = f"http://127.0.0.1:{self.client}", f"http://127.0.0.1:{self.peer}"
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(program("etcd")),
                    "--name=c1",
                    f"--data-dir={self.place.data}",
                    f"--listen-client-urls={own}",
                    f"--advertise-client-urls={own}",
                    f"--listen-peer-urls={peers}",
                    f"--initial-advertise-peer-urls={peers}",
                    f"--initial-cluster=c1={peers}",
                ],
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(program("etcdctl")), f"--endpoints=http://127.0.0.1:{self.client}", "--write-out=json"]
        return subprocess.run([*command, *words], capture_output=True, text=True, check=False)

    def value(self, key: str) -> str:
        return "there" if json.loads(self.ask("get", key).stdout).get("count") else ""

    def revision(self) -> int:
        return int(json.loads(self.ask("get", "nothing").stdout)["header"]["revision"])

    # ---- what the module's tools do on a node

    def unpack(self, archive: Path, target: Path) -> str:
        members = {"c1": f"http://127.0.0.1:{self.peer}"}
        words = restore.arguments(str(program("etcdutl")), archive, target, "c1", members)
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stderr

    def stopped(self) -> str:
        self.stop()
        return ""

    def prove(self) -> str:
        if self.refuses and self.place.old.exists():
            return "it is made to fail"
        if self.process is None:
            self.start()
        done = self.ask("endpoint", "health")
        return "" if done.returncode == 0 else done.stderr

    @property
    def tools(self) -> restore.Tools:
        return restore.Tools(self.unpack, self.stopped, self.prove, lambda _seconds: time.sleep(0.1))


@pytest.fixture
def etcd(tmp_path):
    made = Etcd(tmp_path)
    made.start()
    try:
        restore._wait(made.prove, made.tools, 300)
        yield made
    finally:
        made.stop()


@pytest.fixture
def snapshot(etcd, tmp_path):
    assert etcd.ask("put", "before", "there").returncode == 0
    (tmp_path / "kept").mkdir()
    etcdctl, etcdutl = (str(program(name)) for name in ("etcdctl", "etcdutl"))
    settings = snapshots.Settings(f"http://127.0.0.1:{etcd.client}", tmp_path / "kept", "c1", etcdctl, etcdutl)
    made = settings.directory / snapshots.run(settings)
    assert snapshots.status(settings.etcdutl, made)["totalKey"] == 1
    assert etcd.ask("put", "after", "there").returncode == 0
    return made


def test_what_was_kept_comes_back_and_what_came_later_is_gone(etcd, snapshot):
    revision = etcd.revision()
    kept, said = restore.restore(snapshot, etcd.place, etcd.tools, time.time(), 300)
    assert said[-1] == "etcd and the API server run with it"
    assert (etcd.value("before"), etcd.value("after")) == ("there", "")
    # Who watched goes on from a revision that it has not seen.
    assert etcd.revision() > revision + restore.BUMP / 2
    assert (Path(kept) / "member").is_dir()


def test_what_does_not_prove_itself_is_taken_back(etcd, snapshot):
    etcd.refuses = True
    etcd.place.new.mkdir()  # as a run that died has left it
    with pytest.raises(BackupError, match="The data from before are back, and etcd runs with them"):
        restore.restore(snapshot, etcd.place, etcd.tools, time.time(), 2)
    assert (etcd.value("before"), etcd.value("after")) == ("there", "there")


def test_a_snapshot_that_is_none_is_refused_by_etcd(etcd, snapshot):
    with snapshot.open("r+b") as file:
        file.truncate(snapshot.stat().st_size // 2)
    digest = snapshots.digest(snapshot)
    snapshot.with_name(f"{snapshot.name}.sha256").write_text(f"{digest}  {snapshot.name}\n")
    with pytest.raises(BackupError, match="Nothing was switched; etcd was not touched"):
        restore.restore(snapshot, etcd.place, etcd.tools, time.time(), 5)
    assert etcd.value("after") == "there"
