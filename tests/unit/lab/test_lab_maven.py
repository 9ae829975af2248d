"""What Maven gives is what is pinned, and hosts get it as a tarball."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from lab import maven
from lab.errors import LabError
from lab.state import State


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return stream.getvalue()


CONTENT = zipped(
    "elasticsearch-8.15.0/bin/elasticsearch", "elasticsearch-8.15.0/lib/a.jar", "elasticsearch-8.15.0/plugins/"
)
ARTIFACT = replace(maven.ELASTICSEARCH, sha256=hashlib.sha256(CONTENT).hexdigest())


def test_a_tarball_is_the_same_each_time() -> None:
    first = maven.tarball(ARTIFACT, CONTENT)
    assert first == maven.tarball(ARTIFACT, CONTENT)
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        modes = {member.name: member.mode for member in tar.getmembers() if member.isfile()}
        assert tar.getmember("elasticsearch-8.15.0/plugins").isdir()
    assert modes == {"elasticsearch-8.15.0/bin/elasticsearch": 0o755, "elasticsearch-8.15.0/lib/a.jar": 0o644}


def test_the_lock_names_it_for_all_architectures() -> None:
    (entry,) = maven.lock_entry(ARTIFACT, "0" * 64).values()
    assert entry["path"] == "elasticsearch/elasticsearch-{version}.tar.gz"
    assert set(entry["sha256"]) == {"amd64", "arm64"}


def given(monkeypatch: pytest.MonkeyPatch, content: bytes, code: int = 0) -> list[list[str]]:
    """A Maven that gives `content`."""
    called: list[list[str]] = []

    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        called.append(command)
        folder = Path(command[-1].partition("=")[2])
        (folder / ARTIFACT.file).write_bytes(content)
        return subprocess.CompletedProcess(command, code, "", "no route")

    monkeypatch.setattr("lab.maven.subprocess.run", run)
    monkeypatch.setattr("lab.maven.shutil.which", lambda _name: "/usr/bin/mvn")
    return called


def test_it_is_fetched_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    called = given(monkeypatch, CONTENT)
    state = State(tmp_path / "state")
    assert maven.fetch(ARTIFACT, state).read_bytes() == CONTENT
    assert maven.fetch(ARTIFACT, state) == state.root / "downloads" / "elasticsearch-8.15.0.zip"
    assert len(called) == 1
    assert f"-Dartifact={ARTIFACT.group}:elasticsearch:8.15.0:zip" in called[0]


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [(b"something else", 0, "the pinned one is"), (CONTENT, 1, "Maven gave no .*no route")],
)
def test_nothing_else_is_kept(monkeypatch, tmp_path, content, code, message) -> None:
    given(monkeypatch, content, code)
    with pytest.raises(LabError, match=message):
        maven.fetch(ARTIFACT, State(tmp_path))
    assert list((tmp_path / "downloads").iterdir()) == []


def test_without_maven(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("lab.maven.shutil.which", lambda _name: None)
    with pytest.raises(LabError, match="there is no Maven"):
        maven.fetch(ARTIFACT, State(tmp_path))
