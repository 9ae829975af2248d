"""The secret store under parallel use, crashes and wrong permissions, and what a missing secret says."""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import UNSET, Declaration, Store
from ansible_collections.devops.platform.plugins.module_utils.secrets import read as secrets

FORK = multiprocessing.get_context("fork")


def declared(root: Path, **more: Any) -> Declaration:
    names = {"database": {"length": 24}, "redis": None, "session": {"variable": "my_session"}}
    return Declaration.of({"secrets": {"backend": "generated", "directory": "store", "names": names, **more}}, root)


def nothing(_name: str) -> None:
    return None


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_value_is_made_once_with_its_length_and_kept(tmp_path):
    first = secrets.read_secrets(["database", "redis"], declared(tmp_path), nothing)
    again = secrets.read_secrets(["redis", "database"], declared(tmp_path), nothing)
    assert [len(value) for value in first] == [24, 32]
    assert all(value.isascii() and value.isalnum() for value in first)
    assert first[0] != first[1]
    assert again == first[::-1]


def test_files_and_directory_are_the_owners_alone_even_under_a_lax_umask(tmp_path):
    before = os.umask(0)
    try:
        secrets.read_secrets(["database"], declared(tmp_path), nothing)
    finally:
        os.umask(before)
    assert mode(tmp_path / "store") == 0o700
    assert mode(tmp_path / "store" / "database") == 0o600
    assert mode(tmp_path / "store" / ".lock") == 0o600


def test_git_passes_the_directory_by(tmp_path):
    secrets.read_secrets(["database"], declared(tmp_path), nothing)
    assert (tmp_path / "store" / ".gitignore").read_text() == "*\n"


def test_check_mode_writes_nothing_and_tells_what_exists(tmp_path):
    assert secrets.read_secrets(["database"], declared(tmp_path), nothing, check=True) == [UNSET]
    assert list(tmp_path.iterdir()) == []
    made = secrets.read_secrets(["database"], declared(tmp_path), nothing)
    assert secrets.read_secrets(["database", "redis"], declared(tmp_path), nothing, check=True) == [*made, UNSET]


def test_an_existing_value_is_kept_whatever_its_length_and_line_end(tmp_path):
    store = Store(tmp_path / "store")
    store.ensure("database", 16)
    path = tmp_path / "store" / "database"
    path.write_text("by hand\n")
    assert secrets.read_secrets(["database"], declared(tmp_path), nothing) == ["by hand"]
    assert path.read_text() == "by hand\n"


def _ensure(directory: Path, start: Any, results: Any) -> None:
    start.wait()
    results.put([Store(directory).ensure(f"name{number}", 32) for number in range(10)])


def test_processes_that_start_at_once_agree(tmp_path):
    start, results = FORK.Event(), FORK.Queue()
    processes = [FORK.Process(target=_ensure, args=(tmp_path / "store", start, results)) for _ in range(8)]
    for process in processes:
        process.start()
    start.set()
    values = [results.get(timeout=30) for _ in processes]
    for process in processes:
        process.join(30)
    assert all(value == values[0] for value in values)
    assert len(set(values[0])) == 10


def _killed_in(directory: Path, step: str) -> None:
    """Kill this process where `step` of os would be called."""
    setattr(os, step, lambda *_args, **_kwargs: os.kill(os.getpid(), signal.SIGKILL))
    Store(directory).ensure("database", 32)


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_crash_leaves_nothing_that_is_read_and_the_next_one_clears_up(step, tmp_path):
    directory = tmp_path / "store"
    process = FORK.Process(target=_killed_in, args=(directory, step))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    assert [path.name[:12] for path in directory.glob(".unfinished-*")] == [".unfinished-"]
    assert Store(directory).read("database") is None

    value = Store(directory).ensure("database", 32)

    assert len(value) == 32
    assert sorted(path.name for path in directory.iterdir()) == [".gitignore", ".lock", "database"]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PlatformError, match=r"No space left on device: .*/store/database; it must be"):
        Store(tmp_path / "store").ensure("database", 32)
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == [".gitignore", ".lock"]


def test_a_file_that_others_may_read_is_refused(tmp_path):
    Store(tmp_path).directory.chmod(0o700)
    (tmp_path / "database").write_text("known")
    (tmp_path / "database").chmod(0o640)
    with pytest.raises(PlatformError) as error:
        Store(tmp_path).read("database")
    assert str(error.value) == (
        f"secret 'database': {tmp_path}/database has mode 0640, others may have read it; change the value if that "
        f"matters, then: chmod 600 {tmp_path}/database"
    )


def test_a_directory_that_others_may_look_into_is_refused(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(PlatformError, match=r"has mode 0755, so others may look into it; run: chmod 700"):
        Store(tmp_path).ensure("database", 32)
    assert not (tmp_path / "database").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "database is empty; write the value into it, or remove it"),
        (b"\n", "database is empty; write the value into it, or remove it"),
        (b"\xff\xfe", "is not UTF-8 text; write the value anew, or remove it"),
    ],
)
def test_unusable_contents_are_refused(content, message, tmp_path):
    (tmp_path / "database").write_bytes(content)
    (tmp_path / "database").chmod(0o600)
    with pytest.raises(PlatformError) as error:
        Store(tmp_path).read("database")
    assert str(error.value).endswith(message)


def test_a_symbolic_link_is_refused(tmp_path):
    (tmp_path / "database").symlink_to("/etc/hostname")
    with pytest.raises(PlatformError, match=r"it must be a file of the user who runs Ansible"):
        Store(tmp_path).read("database")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["databse"], "secret 'databse' is not declared; did you mean 'database'?"),
        (
            ["a", "redsi"],
            "secret 'a' is not declared; there is database, redis, session; 'redsi' is not declared; did you",
        ),
    ],
)
def test_names_that_are_not_declared(names, message, tmp_path):
    with pytest.raises(PlatformError) as error:
        secrets.read_secrets(names, declared(tmp_path), nothing)
    assert str(error.value).startswith(message)
    assert str(error.value).endswith("Secrets are declared below platform.secrets.names in platform.yml")
    assert list(tmp_path.iterdir()) == []


def test_no_secrets_at_all(tmp_path):
    with pytest.raises(PlatformError, match=r"declares no secrets; list their names below platform.secrets.names"):
        Declaration.of({}, tmp_path)


def test_the_default_directory_and_an_unknown_backend(tmp_path):
    assert Declaration.of({"secrets": {"names": {"a": {}}}}, tmp_path).directory == tmp_path / ".secrets"
    with pytest.raises(
        PlatformError, match=r"backend is 'vaults'; it may be files, aws_secrets_manager, aws_ssm, vault"
    ):
        secrets.read_secrets(["redis"], declared(tmp_path, backend="vaults"), nothing)


def test_variables_are_found_by_their_names(tmp_path):
    values = {"vault_database": "one", "my_session": "two"}
    given = declared(tmp_path, backend="variables")
    assert secrets.read_secrets(["session", "database"], given, values.get, check=True) == ["two", "one"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "secret 'redis': the inventory has no 'vault_redis'; define it in a file beside"),
        (4711, "secret 'redis': the variable vault_redis is not text; put quotes around its value"),
        ("", "secret 'redis': the variable vault_redis is empty; give it a value in a file beside"),
    ],
)
def test_variables_that_hold_no_secret(value, message, tmp_path):
    with pytest.raises(PlatformError) as error:
        secrets.read_secrets(["redis"], declared(tmp_path, backend="variables"), {"vault_redis": value}.get)
    assert str(error.value).startswith(message)
    assert "4711" not in str(error.value)
