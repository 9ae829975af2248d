"""Restoring Prometheus: nothing is touched for a bad archive, and what was live comes back from wherever it ends."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.monitoring import backup, proof, restore
from ansible_collections.devops.platform.plugins.module_utils.monitoring.backup import BackupError
from ansible_collections.devops.platform.plugins.module_utils.monitoring.restore import Blocks, Place, Tools
from ansible_collections.devops.platform.tests.unit.monitoring import fake_snapshots
from ansible_collections.devops.platform.tests.unit.monitoring.fake_snapshots import BLOCK

NAME = "prometheus-mon1-20260101T030000Z.tar.gz"
OTHER = "01HYYYYYYYYYYYYYYYYYYYYYYY"
NOW = 1767240000.0
SUM = ".sha256"


def packed(folder: Path, name: str = NAME, **keys: Any) -> Path:
    """An archive with its checksum, as a backup makes it."""
    snapshot = folder / "snapshot"
    fake_snapshots.block(snapshot, **keys)
    backup._pack(snapshot, folder, name)
    return folder / name


@dataclass
class Host:
    """Prometheus as far as its data directory goes. `dies` is for a query that fails with the data of the archive."""

    place: Place
    runs: bool = True
    refused: str = ""
    wrong: str = ""
    done: list[str] = field(default_factory=list)

    def tools(self) -> Tools:
        return Tools(lambda: self.runs, self.stop, self.start, lambda _folder: self.refused, self.prove)

    def stop(self) -> None:
        self.done.append("stop")
        self.runs = False

    def start(self) -> None:
        self.done.append("start")
        self.runs = True
        wal = self.place.data / "wal"
        if not wal.exists():
            wal.mkdir()
            (wal / "1").write_text("of a new start")

    def prove(self, blocks: Blocks) -> str:
        assert self.runs
        assert (self.place.data / BLOCK).is_dir()
        return self.wrong


@pytest.fixture
def host(tmp_path: Path) -> Host:
    data = tmp_path / "data"
    for folder in ("wal", "snapshots/x", "lost+found", ".before-restore-20250101T000000Z"):
        (data / folder).mkdir(parents=True)
    (data / "lock").touch()
    (data / "wal" / "0").write_text("old wal")
    fake_snapshots.block(data, OTHER, "old")
    return Host(Place(data))


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


# Which archive, and whether it is one


def test_the_latest_is_the_newest_good_one_of_this_prometheus(tmp_path: Path) -> None:
    for name in (NAME, NAME.replace("0101", "0102"), NAME.replace("mon1-20260101", "mon2-20260109")):
        (tmp_path / name).touch()
        (tmp_path / f"{name}{SUM}").touch()
    (tmp_path / NAME.replace("0101", "0103")).touch()
    assert restore.chosen("latest", tmp_path, "mon1").name == NAME.replace("0101", "0102")
    assert restore.chosen(NAME, tmp_path, "mon1") == tmp_path / NAME
    assert restore.chosen("/else/where.tar.gz", tmp_path, "mon1") == Path("/else/where.tar.gz")
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(BackupError, match=r"no archive of mon3 with a checksum"):
            restore.chosen("latest", folder, "mon3")


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("a" * 64 + f"  {NAME}\n", "a" * 64),
        ("b" * 64 + "  other\n" + "a" * 64 + f" *{NAME}\n", "a" * 64),
        ("a" * 64 + "  other\n", ""),
        ("a" * 63 + f"  {NAME}\n", ""),
        ("", ""),
    ],
)
def test_checksums(text: str, digest: str) -> None:
    assert restore.digest_in(text, NAME) == digest


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, link
    return found


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (member(f"{BLOCK}/index"), ""),
        (member(BLOCK, tarfile.DIRTYPE), ""),
        (member(f"{BLOCK}/../../etc/passwd"), "no plain file"),
        (member("/etc/passwd"), "no plain file"),
        (member(f"{BLOCK}/index", tarfile.SYMTYPE, "/etc/passwd"), "no plain file"),
        (member(f"{BLOCK}/index", tarfile.LNKTYPE, "wal"), "no plain file"),
        (member("wal/00000"), "no part of a block"),
        (member("notes.txt"), "no part of a block"),
    ],
)
def test_members(found: tarfile.TarInfo, words: str) -> None:
    problem = restore.problem_of(found)
    assert words in problem
    assert bool(problem) == bool(words)


def spoiled(archive: Path, change: Callable[[bytes], bytes], trusted: bool) -> None:
    """Change its bytes, and where that is `trusted` the checksum as well."""
    content = change(archive.read_bytes())
    archive.write_bytes(content)
    if trusted:
        digest = hashlib.sha256(content).hexdigest()
        archive.with_name(f"{archive.name}{SUM}").write_text(f"{digest}  {archive.name}\n")


def foreign(_content: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        archive.addfile(member("notes.txt"))
    return made.getvalue()


def empty(_content: bytes) -> bytes:
    made = io.BytesIO()
    tarfile.open(fileobj=made, mode="w:gz").close()
    return made.getvalue()


@pytest.mark.parametrize(
    ("change", "trusted", "words"),
    [
        (lambda content: content[:-1] + b"x", False, "is damaged: its sha256 is"),
        (lambda content: content[: len(content) // 2], True, "cannot be read"),
        (lambda content: b"not an archive", True, "cannot be read"),
        (foreign, True, "'notes.txt', which is no part of a block"),
        (empty, True, "holds no whole block"),
    ],
)
def test_a_bad_archive_touches_nothing(tmp_path: Path, host: Host, change: Any, trusted: bool, words: str) -> None:
    archive = packed(tmp_path)
    before = tree(host.place.data)
    spoiled(archive, change, trusted)
    with pytest.raises(BackupError, match=words):
        restore.restore(archive, host.place, host.tools(), NOW)
    assert tree(host.place.data) == before
    assert not host.place.work.exists()
    assert host.done == []


@pytest.mark.parametrize("missing", ["", SUM])
def test_what_is_not_there(tmp_path: Path, missing: str) -> None:
    archive = packed(tmp_path)
    (tmp_path / f"{NAME}{missing}").unlink()
    with pytest.raises(BackupError, match=f"there is no file .*{missing}"):
        restore.verified(archive)


def test_a_checksum_of_something_else(tmp_path: Path) -> None:
    archive = packed(tmp_path)
    (tmp_path / f"{NAME}{SUM}").write_text("")
    with pytest.raises(BackupError, match=f"has no line for {NAME}"):
        restore.verified(archive)


def test_without_room_nothing_is_unpacked(tmp_path: Path, host: Host) -> None:
    with pytest.raises(BackupError, match=r"needs \d+ MiB beside the live data, and .* MiB left; make room"):
        restore.unpack(packed(tmp_path), host.place, 1 << 60)
    assert not host.place.work.exists()


# The switch


def test_restored(tmp_path: Path, host: Host) -> None:
    old = {name: text for name, text in tree(host.place.data).items() if name.startswith((OTHER, "wal"))}
    done = restore.restore(packed(tmp_path, begin=1000, end=5000), host.place, host.tools(), NOW)
    assert done.blocks == Blocks(1, len("samples"), 1.0, 4.999)
    assert host.done == ["stop", "start"]
    assert (host.place.data / BLOCK / "chunks/000001").read_text() == "samples"
    assert done.kept == str(host.place.data / ".before-restore-20260101T040000Z")
    assert tree(Path(done.kept)) == old
    left = {path.name for path in host.place.data.iterdir()}
    assert left == {BLOCK, "wal", "lock", "snapshots", "lost+found", Path(done.kept).name}
    assert done.said[-1] == "Prometheus runs with them, is ready, and answers a query about them"


def test_into_an_empty_directory(tmp_path: Path) -> None:
    host = Host(Place(tmp_path / "data"), runs=False)
    host.place.data.mkdir()
    done = restore.restore(packed(tmp_path), host.place, host.tools(), NOW)
    assert done.kept == ""
    assert {path.name for path in host.place.data.iterdir()} == {BLOCK, "wal"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_what_is_written_is_the_owners(tmp_path: Path) -> None:
    """A link that the owner puts in the way leads root nowhere that the owner may not write to."""
    nobody = 65534
    archive = packed(tmp_path)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        host = Host(Place(Path(folder) / "data"))
        host.place.data.mkdir()
        fake_snapshots.block(host.place.data, OTHER, "old")
        for path in [host.place.data, *host.place.data.rglob("*")]:
            os.chown(path, nobody, nobody)
        restore.restore(archive, host.place, host.tools(), NOW)
        made = list((host.place.data / BLOCK).rglob("*"))
        assert made
        assert {path.stat().st_uid for path in made} == {nobody}
        assert (os.geteuid(), os.getegid()) == (0, 0)

        closed = Path(folder) / "closed"
        closed.mkdir(0o700)
        host.place.work.symlink_to(closed)
        with pytest.raises((BackupError, OSError)):
            restore.restore(archive, host.place, host.tools(), NOW)
        assert list(closed.iterdir()) == []


@pytest.mark.parametrize(
    ("trouble", "words", "done"),
    [
        ({"refused": "index is torn"}, "promtool refuses .*index is torn.*Nothing was switched", []),
        (
            {"wrong": "no value"},
            "did not prove itself: no value. The data from before are back, and Prometheus runs with them",
            ["stop", "start", "stop", "start"],
        ),
        ({"wrong": "no value", "runs": False}, "are back; it did not run before", ["stop", "start", "stop"]),
    ],
)
def test_without_proof_all_is_as_before(
    tmp_path: Path, host: Host, trouble: dict[str, Any], words: str, done: list[str]
) -> None:
    host = replace(host, **trouble)
    before = tree(host.place.data)
    with pytest.raises(BackupError, match=words):
        restore.restore(packed(tmp_path), host.place, host.tools(), NOW)
    assert tree(host.place.data) == before
    assert not host.place.work.exists()
    assert host.done == done


def test_a_service_that_does_not_stop(tmp_path: Path, host: Host) -> None:
    def stuck() -> None:
        raise BackupError("systemctl stop: timed out")

    tools = replace(host.tools(), stop=stuck)
    with pytest.raises(BackupError, match=r"timed out\. Going back failed as well: .* The next run begins with that"):
        restore.restore(packed(tmp_path), host.place, tools, NOW)
    before = {name for name in tree(host.place.data) if not name.startswith(".")}
    assert f"{OTHER}/meta.json" in before
    assert restore.recover(host.place, host.tools()) == ["removed what an earlier restore that died had unpacked"]
    assert not host.place.work.exists()


class KilledError(BaseException):
    """As SIGKILL."""


@pytest.mark.parametrize("started", [False, True], ids=["at once", "after Prometheus was started"])
def test_killed_at_every_rename(tmp_path: Path, host: Host, started: bool) -> None:
    """The next run puts back what was live, and a new attempt then succeeds as if nothing had been."""
    archive = packed(tmp_path)
    real = Path.rename
    before = {name: text for name, text in tree(host.place.data).items() if name.startswith((OTHER, "wal"))}
    host.wrong = "no value"  # so that the way back is killed as well
    died = 0
    for number in range(40):
        count = [0]

        def rename(self: Path, target: Path, number: int = number, count: list[int] = count) -> Path:
            if count[0] == number:
                raise KilledError
            count[0] += 1
            return real(self, target)

        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(Path, "rename", rename)
            try:
                restore.restore(archive, host.place, host.tools(), NOW)
            except KilledError:
                died += 1
            except BackupError:
                break
        if started:
            host.start()
        restore.recover(host.place, host.tools())
        now = tree(host.place.data)
        assert {name: now[name] for name in before} == before, f"killed at rename {number}"
        assert not any(name.startswith((BLOCK, ".restore", "wal/1")) for name in now), f"killed at rename {number}"
    assert died > 8
    host.wrong = ""
    assert restore.restore(archive, host.place, host.tools(), NOW).kept


def test_nothing_to_recover(host: Host) -> None:
    assert restore.recover(host.place, host.tools()) == []


# The proof


def ask(monkeypatch: pytest.MonkeyPatch, answers: list[str], dead: str = "") -> tuple[str, float]:
    clock = [0.0]

    def pause(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(proof, "_ready", lambda _url: answers.pop(0) if len(answers) > 1 else answers[0])
    monkeypatch.setattr(proof, "_value", lambda _url, _query, _at: "")
    return proof.prove("http://x", "up", 0, 3, lambda: dead, lambda: clock[0], pause), clock[0]


def test_the_proof_waits_as_long_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(monkeypatch, ["not yet", "not yet", ""]) == ("", 2 * proof.PAUSE)
    problem, took = ask(monkeypatch, ["not yet"])
    assert problem == "not yet"
    assert 3 < took < 4
    assert ask(monkeypatch, ["not yet"], "has failed") == ("has failed", 0)


def test_nobody_answers() -> None:
    found = proof.prove("http://127.0.0.1:1", "up", 0, 0, lambda: "", pause=lambda _seconds: None)
    assert "http://127.0.0.1:1 does not answer" in found
