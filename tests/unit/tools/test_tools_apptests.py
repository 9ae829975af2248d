"""What an application's folder is tested with."""

from __future__ import annotations

import subprocess

import pytest

from tools import apptests


@pytest.fixture
def node(tmp_path, monkeypatch):
    """apps/web of a repository, with a package.json; records what is run. Exit codes by the second word."""
    folder = tmp_path / "apps" / "web"
    (folder / "node_modules").mkdir(parents=True)
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text("1")
    ran: list[tuple[str, ...]] = []
    codes: dict[str, int] = {}

    def run(command, **_more):
        ran.append(tuple(command))
        return subprocess.CompletedProcess(command, codes.get(command[1], 0))

    monkeypatch.setattr(apptests, "REPOSITORY", tmp_path)
    monkeypatch.setattr(apptests, "ensure", list)
    monkeypatch.setattr(subprocess, "run", run)
    return folder, ran, codes


def test_modules_are_installed_once_a_lock(node):
    folder, ran, _codes = node
    assert apptests.main(["web"]) == 0
    assert ran == [("npm", "ci"), ("npm", "run", "check")]
    apptests.main(["web"])
    assert ran[2:] == [("npm", "run", "check")]
    (folder / "package-lock.json").write_text("2")
    apptests.main(["web"])
    assert ran[3:] == [("npm", "ci"), ("npm", "run", "check")]


def test_a_failed_installation_is_tried_again_and_named(node, capsys):
    _folder, ran, codes = node
    codes["ci"] = 1
    assert apptests.main(["web"]) == 1
    assert capsys.readouterr().err == "apps/web: failed: npm ci\n"
    apptests.main(["web"])
    assert ran.count(("npm", "ci")) == 2


def test_every_step_runs_also_after_one_that_failed(node, monkeypatch, capsys):
    folder, ran, _codes = node
    (folder / "package.json").unlink()
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_more: ran.append(command) or subprocess.CompletedProcess(command, 3)
    )
    assert apptests.main(["web"]) == 1
    assert [command[4] for command in ran] == ["ruff", "ruff", "mypy", "python"]
    assert "failed: ruff check .; ruff format --check .; mypy; python -m pytest" in capsys.readouterr().err


def test_the_platforms_environment_stays_outside():
    found = apptests.environment({"VIRTUAL_ENV": "x", "PYTHONPATH": "y", "HOME": "z"})
    assert (found.get("VIRTUAL_ENV"), found.get("PYTHONPATH"), found["HOME"]) == (None, None, "z")
