"""What Maven gives is what is pinned, and hosts get it as a tarball."""

from __future__ import annotations

import hashlib
import io
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


def given(monkeypatch: pytest.MonkeyPatch, folder: Path, content: bytes | None) -> Path:
    """A repository of Maven's layout in a folder, in which the archive is `content`."""
    path = folder / "repository" / ARTIFACT.path
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(maven.SOURCE, (folder / "repository").as_uri())
    return path


def test_it_is_where_maven_puts_it() -> None:
    folder = "org/elasticsearch/distribution/integ-test-zip/elasticsearch/8.15.0"
    assert ARTIFACT.path == f"{folder}/elasticsearch-8.15.0.zip"


def test_it_is_fetched_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = given(monkeypatch, tmp_path, CONTENT)
    state = State(tmp_path / "state")
    assert maven.fetch(ARTIFACT, state).read_bytes() == CONTENT
    source.unlink()
    assert maven.fetch(ARTIFACT, state) == state.root / "downloads" / "elasticsearch-8.15.0.zip"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"something else", "the pinned one is"), (None, "elasticsearch-8.15.0.zip is not to be had: .*No such file")],
)
def test_nothing_else_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, message: str
) -> None:
    given(monkeypatch, tmp_path, content)
    with pytest.raises(LabError, match=message):
        maven.fetch(ARTIFACT, State(tmp_path / "state"))
    assert list((tmp_path / "state" / "downloads").iterdir()) == []


def test_what_was_cut_off_is_fetched_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, tmp_path, CONTENT)
    state = State(tmp_path / "state")
    maven.fetch(ARTIFACT, state).write_bytes(CONTENT[:10])
    assert maven.fetch(ARTIFACT, state).read_bytes() == CONTENT


def test_another_pin_is_another_recipe() -> None:
    assert maven.recipe_digest(ARTIFACT) != maven.recipe_digest(maven.ELASTICSEARCH)
