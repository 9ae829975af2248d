"""What the machine needs: found, installed or said."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lab.prerequisites import DEBOOTSTRAP, DOCKERD, SSH, Machine, answers, complaints, forget_dead_daemon, needs


def machine(**changes: object) -> Machine:
    found: dict[str, object] = {
        "root": True,
        "apt": True,
        "systemd": False,
        "docker_host": "",
        "socket_usable": False,
        "programs": frozenset(),
    }
    return Machine(**{**found, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "debootstrap", "expected"),
    [
        (machine(), True, [DOCKERD, SSH, DEBOOTSTRAP]),
        (machine(), False, [DOCKERD, SSH]),
        (machine(socket_usable=True), False, [SSH]),
        (machine(docker_host="tcp://x"), False, [SSH]),
        (machine(programs=frozenset({"ssh", "dockerd", "debootstrap"})), True, []),
    ],
)
def test_needs(found: Machine, debootstrap: bool, expected: list[object]) -> None:
    assert needs(found, debootstrap) == expected


@pytest.mark.parametrize(
    ("found", "debootstrap", "words"),
    [
        (machine(), True, []),  # root with apt puts it right by itself
        (machine(root=False), True, [["dockerd", "ssh", "debootstrap"], ["no access to Docker"], ["needs root"]]),
        (machine(root=False, socket_usable=True, programs=frozenset({"ssh"})), False, []),
        (machine(apt=False), False, [["dockerd", "docker.io", "ssh"]]),
    ],
)
def test_complaints_come_all_at_once(found: Machine, debootstrap: bool, words: list[list[str]]) -> None:
    problems = complaints(found, needs(found, debootstrap), debootstrap)
    assert len(problems) == len(words)
    for problem, expected in zip(problems, words, strict=True):
        assert all(word in problem for word in expected)


def test_a_socket_without_a_listener_does_not_answer(tmp_path: Path):
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        assert not answers(path)
        server.listen()
        assert answers(path)
    assert path.exists()
    assert not answers(path)
    assert not answers(tmp_path / "none")


def test_a_process_id_of_another_program_is_forgotten(tmp_path: Path):
    path = tmp_path / "docker.pid"
    path.write_text(f"{os.getpid()}\n")
    forget_dead_daemon(path)
    assert not path.exists()
    forget_dead_daemon(path)


def test_the_process_id_of_a_living_daemon_stays(tmp_path: Path):
    program = tmp_path / "dockerd"
    program.write_text(f"#!{sys.executable}\nimport time\nprint(flush=True)\ntime.sleep(60)\n")
    program.chmod(0o755)
    with subprocess.Popen([program], stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        path = tmp_path / "docker.pid"
        path.write_text(str(daemon.pid))
        forget_dead_daemon(path)
        daemon.kill()
        assert path.exists()
