"""Releases: pinned bytes or nothing, and nothing outside of their folder."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Host
from ansible_collections.devops.platform.plugins.module_utils.engine.release import install, intact, inventory, leaves
from ansible_collections.devops.platform.plugins.module_utils.engine.spec import Release

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="unpacking gives every file to root, which only root can do")


def archive(tmp_path: Path, *members: tarfile.TarInfo | tuple[str, bytes]) -> Path:
    path = tmp_path / "demo.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return path


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def release(path: Path, **keys: object) -> Release:
    given = {"strip": 1, "binaries": ("demo",), **keys}
    return Release("1.0", hashlib.sha256(path.read_bytes()).hexdigest(), (path.as_uri(),), **given)  # type: ignore[arg-type]


def test_it_appears_complete(tmp_path):
    path = archive(
        tmp_path,
        ("demo-1.0/demo", b"program"),
        ("demo-1.0/lib/x", b"lib"),
        special("demo-1.0/link", tarfile.SYMTYPE, "lib/../demo"),
        special("demo-1.0/hard", tarfile.LNKTYPE, "demo-1.0/demo"),
    )
    target = tmp_path / "r"
    files = install(Host(), release(path), str(target))
    assert (target / "link").read_bytes() == b"program"
    assert (target / "hard").read_bytes() == b"program"
    assert os.access(target / "demo", os.X_OK)
    assert set(files) == {"demo", "hard", "lib/x"}
    assert intact(str(target), files)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["demo.tar.gz", "r"]


def test_a_single_program_needs_no_archive(tmp_path):
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF program")
    install(Host(), release(path, strip=0), str(tmp_path / "r"))
    assert (tmp_path / "r" / "demo").read_bytes() == b"\x7fELF program"


def test_a_zip_of_one_program_is_that_program(tmp_path):
    path = tmp_path / "demo.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("demo-linux-amd64", b"program")
    install(Host(), release(path, strip=0), str(tmp_path / "r"))
    assert (tmp_path / "r" / "demo").read_bytes() == b"program"
    assert os.access(tmp_path / "r" / "demo", os.X_OK)
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("LICENSE", b"")
    with pytest.raises(EngineError, match="the zip holds 2 files, and the lock names 1 binaries"):
        install(Host(), release(path, strip=0), str(tmp_path / "s"))
    assert not (tmp_path / "s").exists()


def test_a_program_with_a_zip_at_its_end_is_a_program(tmp_path):
    path = tmp_path / "program"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("inside", b"")
    path.write_bytes(b"\x7fELF program" + path.read_bytes())
    install(Host(), release(path, strip=0), str(tmp_path / "r"))
    assert (tmp_path / "r" / "demo").read_bytes().startswith(b"\x7fELF")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([("x/../../evil", b"")], "would leave its folder"),
        ([special("x/evil", tarfile.SYMTYPE, "/etc/passwd")], "would leave its folder"),
        ([special("x/evil", tarfile.SYMTYPE, "../../etc")], "would leave its folder"),
        ([special("x/evil", tarfile.CHRTYPE)], "would leave its folder"),
        ([("x/other", b"")], "the archive has no 'demo'"),
    ],
)
def test_what_is_wrong_inside_leaves_nothing_behind(tmp_path, members, words):
    path = archive(tmp_path, *members)
    with pytest.raises(EngineError, match=words):
        install(Host(), release(path), str(tmp_path / "r"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo.tar.gz"]


def test_other_bytes_are_refused_and_the_next_source_is_asked(tmp_path):
    good = archive(tmp_path, ("x/demo", b"program"))
    bad = tmp_path / "bad.tar.gz"
    bad.write_bytes(b"something else")
    gone = (tmp_path / "gone").as_uri()
    pinned = hashlib.sha256(good.read_bytes()).hexdigest()
    wanted = Release("1", pinned, (gone, bad.as_uri(), good.as_uri()), 1, ("demo",))
    install(Host(), wanted, str(tmp_path / "r"))
    with pytest.raises(EngineError) as raised:
        install(Host(), Release("1", pinned, (gone, bad.as_uri()), 1), str(tmp_path / "s"))
    assert f"the pinned one is {pinned}" in str(raised.value)
    assert gone in str(raised.value)
    assert not (tmp_path / "s").exists()


def test_only_addresses_of_files_and_the_web(tmp_path):
    with pytest.raises(EngineError, match="only http, https and file"):
        install(Host(), Release("1", "a" * 64, ("ftp://x/y",)), str(tmp_path / "r"))


@pytest.mark.parametrize("harm", ["write", "remove", "append"])
def test_a_touched_file_is_noticed(tmp_path, harm):
    folder = tmp_path / "r"
    folder.mkdir()
    program = folder / "demo"
    program.write_bytes(b"program")
    files = inventory(str(folder))
    if harm == "remove":
        program.unlink()
    else:
        program.write_bytes(b"PROGRAM" if harm == "write" else b"program+")
    assert not intact(str(folder), files)


def test_a_copy_with_equal_content_is_intact(tmp_path):
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "demo").write_bytes(b"program")
    files = inventory(str(folder))
    os.utime(folder / "demo", (1, 1))
    assert intact(str(folder), files)


@pytest.mark.parametrize(
    ("name", "link", "out"),
    [("a/b", "", False), ("../a", "", True), ("a/b", "../c", False), ("a/b", "../../c", True), ("a", "/etc", True)],
)
def test_leaving(name, link, out):
    assert leaves(name, link) is out
