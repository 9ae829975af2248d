"""The suite that looks for secrets, with a program in gitleaks' place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.errors import LabError
from tools import leaks


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a file that is committed, one that is not, one that is ignored, and a link."""
    folder = tmp_path / "repository"
    (folder / "sub").mkdir(parents=True)
    for name in ("committed", "sub/new", "ignored"):
        (folder / name).write_text(name, encoding="utf-8")
    (folder / "link").symlink_to("/etc/hostname")
    (folder / ".gitignore").write_text("/ignored\n/build/\n", encoding="utf-8")
    for command in (["init", "-q"], ["add", "committed", ".gitignore"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    monkeypatch.setattr(leaks, "REPOSITORY", folder)
    return folder


def gitleaks(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    program = folder.parent / "gitleaks"
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder.parent}/asked\n{body}\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("GITLEAKS", str(program))
    return folder.parent / "asked"


def test_what_git_ignores_is_not_looked_at(repository, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    leaks.tracked(repository, target)
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert found == [".gitignore", "committed", "sub/new"]


@pytest.mark.parametrize(("body", "code"), [("exit 0", 0), ("exit 1", 1), ('[ "$1" = git ]', 1), ('[ "$1" = dir ]', 1)])
def test_history_and_folder_are_both_asked(repository, monkeypatch, body, code):
    asked = gitleaks(repository, monkeypatch, body)
    assert leaks.main() == code
    rows = [row.split() for row in asked.read_text(encoding="utf-8").splitlines()]
    assert [(row[0], row[-1]) for row in rows] == [
        ("git", str(repository)),
        ("dir", str(repository / "build" / "leaks")),
    ]
    assert all("--redact" in row for row in rows)
    assert not (repository / "build" / "leaks").exists()


def test_a_program_that_is_not_there(monkeypatch):
    monkeypatch.setenv("GITLEAKS", "/nowhere/gitleaks")
    with pytest.raises(LabError, match="GITLEAKS names /nowhere/gitleaks, which is no program"):
        leaks.program()
