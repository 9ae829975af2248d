"""Snapshots of etcd and the way back, with programs of a few lines in etcd's place, and killed at every step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import components, restore, snapshots
from ansible_collections.devops.platform.plugins.module_utils.monitoring import backup

CTL = """#!/bin/sh
echo "$@" >>"$0.log"
[ -e "$0.fails" ] && { echo "context deadline exceeded" >&2; exit 1; }
for word; do target=$word; done
echo "data $$" >"$target"
"""
UTL = """#!/bin/sh
[ -e "$0.fails" ] && { echo "snapshot is corrupt" >&2; exit 1; }
echo '{"hash": 1, "revision": 7, "totalKey": 5, "totalSize": 99}'
"""
MOMENT = 1_767_225_600.0


@pytest.fixture
def settings(tmp_path):
    for name, text in (("etcdctl", CTL), ("etcdutl", UTL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "kept").mkdir()
    return snapshots.Settings(
        "https://127.0.0.1:2379",
        tmp_path / "kept",
        "c1",
        str(tmp_path / "etcdctl"),
        str(tmp_path / "etcdutl"),
        authority="/ca",
        keep=2,
        metrics=tmp_path / "etcd.prom",
    )


def test_a_snapshot_has_a_checksum_and_is_for_root_alone(settings):
    made = snapshots.run(settings, MOMENT)
    path = settings.directory / made
    assert made == "etcd-c1-20260101T000000Z.db"
    assert path.stat().st_mode & 0o777 == 0o600
    assert subprocess.run(["sha256sum", "-c", f"{made}.sha256"], cwd=settings.directory, check=False).returncode == 0
    assert (
        "--endpoints=https://127.0.0.1:2379 --cacert=/ca --command-timeout=600s snapshot save"
        in Path(f"{settings.etcdctl}.log").read_text()
    )
    restore.verified(path)
    backup.report(settings, 1.0, snapshots.FAMILY)
    assert f"etcd_backup_last_success_timestamp_seconds {MOMENT:.0f}\n" in settings.metrics.read_text()


def test_two_in_a_second_and_only_so_many_are_kept(settings):
    names = [snapshots.run(settings, MOMENT) for _ in range(3)]
    assert len(set(names)) == 3
    assert sorted(os.listdir(settings.directory)) == sorted(
        f"{name}{end}" for name in names[1:] for end in ("", ".sha256")
    )


@pytest.mark.parametrize(
    ("program", "message"), [("etcdctl", "etcd gave no snapshot: context dead"), ("etcdutl", "snapshot is corrupt")]
)
def test_what_fails_leaves_nothing(settings, program, message, capsys):
    kept = snapshots.run(settings, MOMENT)
    Path(f"{getattr(settings, program)}.fails").touch()
    with pytest.raises(backup.BackupError, match=message):
        snapshots.run(settings, MOMENT + 60)
    assert sorted(os.listdir(settings.directory)) == [kept, f"{kept}.sha256"]
    flags = ["--endpoint=x", f"--directory={settings.directory}", "--name=c1", f"--metrics={settings.metrics}"]
    assert snapshots.main([*flags, f"--etcdctl={settings.etcdctl}", f"--etcdutl={settings.etcdutl}"]) == 1
    assert "Earlier ones are as they were." in capsys.readouterr().err
    assert f"timestamp_seconds {MOMENT:.0f}" in settings.metrics.read_text()


def test_what_a_run_that_died_has_left_is_cleared(settings):
    (settings.directory / "etcd-c1-20251231T000000Z.db.unfinished").touch()
    (settings.directory / "etcd-c1-20251231T000000Z.db.sha256").touch()
    (settings.directory / "prometheus-c1-20251231T000000Z.tar.gz").touch()
    made = snapshots.run(settings, MOMENT)
    assert sorted(os.listdir(settings.directory)) == [
        made,
        f"{made}.sha256",
        "prometheus-c1-20251231T000000Z.tar.gz",
    ]


@pytest.mark.parametrize("said", ["nothing", "[]", '{"totalKey": "x"}', '{"totalKey": 0}'])
def test_what_etcdutl_says_must_be_of_a_cluster(settings, said):
    Path(settings.etcdutl).write_text(f"#!/bin/sh\necho '{said}'\n")
    with pytest.raises(backup.BackupError):
        snapshots.run(settings, MOMENT)


def test_it_runs_as_a_program_beside_what_it_shares(settings, tmp_path):
    """As the component lays it out, and as systemd starts it."""
    given = {"directory": str(settings.directory), "version": "3.6.5", "at": "hourly", "keep": 2, "max_age": "2h"}
    sources = {"snapshots": snapshots.__file__, "backup": backup.__file__}
    made = components.node_components({"name": "c1", "snapshots": given, "sources": sources}, ["snapshots"])
    assert [one["name"] for one in made] == ["etcd_tools", "etcd_snapshot"]
    folder = tmp_path / "program"
    folder.mkdir()
    for file in made[1]["files"]:
        (folder / Path(file["path"]).name).write_text(Path(file["source"]).read_text())
    words = made[1]["unit"]["exec"].split()
    assert words[:3] == ["/usr/bin/python3", "-I", "/usr/local/lib/devops-platform/etcd_snapshot"]
    command = [sys.executable, "-I", str(folder), *words[3:], f"--etcdctl={settings.etcdctl}"]
    done = subprocess.run([*command, f"--etcdutl={settings.etcdutl}"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(backup.good_archives(os.listdir(settings.directory), "c1", snapshots.FAMILY)) == 1


def test_the_rollout_says_how_old_one_may_become():
    """Before the first one is made, and where none ever is: in a file of its own."""
    given = {"directory": "/s", "version": "3.6.5", "at": "hourly", "keep": 2, "max_age": "2h"}
    sources = {"snapshots": snapshots.__file__, "backup": backup.__file__}
    for textfile, said in (("/text", ["/text/etcd_backup_declared.prom"]), ("", [])):
        settings = {"name": "c1", "snapshots": {**given, "textfile_directory": textfile}, "sources": sources}
        files = components.node_components(settings, ["snapshots"])[1]["files"]
        own = [file for file in files if "content" in file]
        assert [file["path"] for file in own] == said
        assert all(file["content"].endswith("\netcd_backup_max_age_seconds 7200\n") for file in own)


# ---- the way back


class Node:
    """A node whose kubelet does at once what it should. `dies`: at the call of a tool of this number."""

    def __init__(self, root, proves=True, dies=0):
        self.place = restore.Place(root / "etcd", root / "manifests")
        for folder in (self.place.data / "member", self.place.manifests):
            folder.mkdir(parents=True, exist_ok=True)
        self.proves, self.dies, self.calls = proves, dies, 0

    def live(self):
        return (self.place.data / "member/db").read_text()

    def step(self):
        self.calls += 1
        if self.calls == self.dies:
            raise KeyboardInterrupt

    def unpack(self, archive, target):
        self.step()
        (target / "member").mkdir(parents=True)
        (target / "member/db").write_text(archive.read_text())
        return ""

    def stopped(self):
        self.step()
        assert not list(self.place.manifests.iterdir())
        return ""

    def prove(self):
        self.step()
        assert sorted(path.name for path in self.place.manifests.iterdir()) == ["etcd.yaml", "kube-apiserver.yaml"]
        return "" if self.proves or self.live() == "old" else "it is not well"

    @property
    def tools(self):
        return restore.Tools(self.unpack, self.stopped, self.prove, lambda _seconds: None)


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "etcd-c1-20260101T000000Z.db"
    path.write_text("new")
    Path(f"{path}.sha256").write_text(f"{snapshots.digest(path)}  {path.name}\n")
    for name in restore.MANIFESTS:
        (tmp_path / "manifests").mkdir(exist_ok=True)
        (tmp_path / "manifests" / name).touch()
    (tmp_path / "etcd/member").mkdir(parents=True)
    (tmp_path / "etcd/member/db").write_text("old")
    return path


def test_a_snapshot_takes_the_place_of_what_is_live(tmp_path, archive):
    node = Node(tmp_path)
    kept, said = restore.restore(archive, node.place, node.tools, MOMENT, 5)
    assert node.live() == "new"
    assert (Path(kept) / "member/db").read_text() == "old"
    assert said[-1] == "etcd and the API server run with it"
    kept, _said = restore.restore(archive, node.place, node.tools, MOMENT + 1, 5)
    assert sorted(path.name for path in node.place.data.iterdir()) == [Path(kept).name, "member"]


def test_what_does_not_prove_itself_is_taken_back(tmp_path, archive):
    node = Node(tmp_path, proves=False)
    with pytest.raises(backup.BackupError, match="The data from before are back, and etcd runs with them"):
        restore.restore(archive, node.place, node.tools, MOMENT, 5)
    assert node.live() == "old"
    assert [path.name for path in node.place.data.iterdir()] == ["member"]
    assert not node.place.parked.exists()


@pytest.mark.parametrize("dies", range(1, 4))
def test_a_run_that_was_killed_is_taken_back_by_the_next(tmp_path, archive, dies):
    node = Node(tmp_path, dies=dies)
    with pytest.raises(KeyboardInterrupt):
        restore.restore(archive, node.place, node.tools, MOMENT, 5)
    node = Node(tmp_path)
    restore.recover(node.place, node.tools, 5)
    assert node.live() == "old"
    assert [path.name for path in node.place.data.iterdir()] == ["member"]
    assert len(list(node.place.manifests.iterdir())) == 2
    assert not node.place.parked.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_text("other"), "is damaged"),
        (lambda path: Path(f"{path}.sha256").unlink(), "there is no file"),
        (lambda path: Path(f"{path}.sha256").write_text("x"), "says none"),
    ],
)
def test_what_is_not_whole_is_refused(tmp_path, archive, change, message):
    change(archive)
    node = Node(tmp_path)
    with pytest.raises(backup.BackupError, match=message):
        restore.restore(archive, node.place, node.tools, MOMENT, 5)
    assert node.calls == 0


def test_all_members_begin_anew_together():
    members = {"c2": "https://192.0.2.2:2380", "c1": "https://192.0.2.1:2380"}
    words = restore.arguments("etcdutl", Path("/s/etcd-c1-1.db"), Path("/new"), "c2", members)
    assert "--initial-cluster=c1=https://192.0.2.1:2380,c2=https://192.0.2.2:2380" in words
    assert "--initial-advertise-peer-urls=https://192.0.2.2:2380" in words
    assert "--mark-compacted" in words
    with pytest.raises(backup.BackupError, match=r"c9 is no member of etcd; these are: c1, c2"):
        restore.arguments("etcdutl", Path("/s"), Path("/new"), "c9", members)


def test_the_newest_of_a_node_is_chosen(settings):
    with pytest.raises(backup.BackupError, match="there is no snapshot of c1"):
        restore.chosen("latest", settings.directory, "c1")
    names = [snapshots.run(settings, MOMENT + step) for step in (0, 60)]
    assert restore.chosen("latest", settings.directory, "c1").name == names[1]
    assert restore.chosen(names[0], settings.directory, "c1").name == names[0]
    assert json.dumps(str(restore.chosen("/a/b.db", settings.directory, "c1"))) == '"/a/b.db"'
