"""Which of ansible-test's checks are run, and how."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import sanity
from tools.sanity import CONTROLLER_ONLY, INSTALLING, NOT_RUN, PLAIN, Step, command, pip_version, steps


def test_every_check_is_run_or_has_a_reason_not_to(tmp_path):
    """A new ansible-core may bring a new check: it must be put somewhere."""
    folder = tmp_path / "ansible_collections" / "devops" / "platform"
    folder.mkdir(parents=True)
    (folder / "galaxy.yml").touch()  # for nothing there are no checks
    program = Path(sys.executable).with_name("ansible-test")
    done = subprocess.run([program, "sanity", "--list-tests"], cwd=folder, capture_output=True, text=True, check=True)
    listed = {line for line in (done.stdout + done.stderr).splitlines() if " " not in line}
    assert listed == {*PLAIN, *INSTALLING, *NOT_RUN}


def test_all_checks_take_three_calls():
    assert [(step.installs, step.exclude) for step in steps()] == [(False, ()), (True, ()), (True, CONTROLLER_ONLY)]
    assert sorted(test for step in steps() for test in step.tests) == sorted({*PLAIN, *INSTALLING})


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("yamllint",), [Step(("yamllint",), installs=True)]),
        (("import",), [Step(("import",), CONTROLLER_ONLY, installs=True)]),
        (("shebang", "symlinks"), [Step(("shebang", "symlinks"))]),
    ],
)
def test_named_checks_are_run_alone(wanted, expected):
    assert steps(wanted) == expected


def test_only_paths_that_exist_are_excluded(tmp_path):
    (tmp_path / "here").touch()
    call = command(Step(("import",), ("here", "gone"), installs=True), tmp_path, "--prime-venvs")
    assert call[-5:] == ["--test", "import", "--exclude", "here", "--prime-venvs"]


def test_the_copy_is_a_repository_with_a_home_that_needs_no_download(tmp_path, monkeypatch):
    source = tmp_path / "source"
    (source / "plugins" / "__pycache__").mkdir(parents=True)
    (source / "galaxy.yml").write_text("---\n")
    monkeypatch.setattr(sanity, "SOURCE", source)
    folder = sanity.prepare(tmp_path / "work")
    assert sorted(path.name for path in folder.iterdir()) == [".git", "galaxy.yml", "plugins"]
    assert list((folder / "plugins").iterdir()) == []
    script = (
        tmp_path / "work" / "home" / ".ansible" / "test" / "cache" / f"get_pip_{pip_version().replace('.', '_')}.py"
    )
    assert "ensurepip.bootstrap()" in script.read_text()


def test_what_cannot_be_installed_is_skipped_and_said(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sanity, "prepare", lambda: tmp_path)
    calls = []

    def run(call, _folder, quiet=False):
        calls.append(call)
        return 1 if quiet else 0

    monkeypatch.setattr(sanity, "run", run)
    assert sanity.main(["--test", "yamllint", "--test", "shebang"]) == 0
    assert len(calls) == 2
    assert "  yamllint: what it needs could not be installed from a package index\n" in capsys.readouterr().out


def test_a_failed_check_fails_all(monkeypatch, tmp_path):
    monkeypatch.setattr(sanity, "prepare", lambda: tmp_path)
    monkeypatch.setattr(sanity, "run", lambda call, _folder, quiet=False: int("shebang" in call))
    assert sanity.main([]) == 1
