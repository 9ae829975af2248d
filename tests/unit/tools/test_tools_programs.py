"""The programs that tests need: found, installed or named."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tools import programs
from tools.programs import POSTGRES, REDIS, MissingError, Program, ensure, missing

BOTH = (POSTGRES, REDIS)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with apt-get and nothing else; records what is run. Exit codes by the first word of a command."""
    ran: list[tuple[str, ...]] = []
    codes: dict[str, int] = {}

    def run(command, **_more):
        ran.append(tuple(command))
        return subprocess.CompletedProcess(command, codes.get(command[0], 0), "out", "no such package")

    monkeypatch.setattr(programs, "missing", list)
    monkeypatch.setattr(programs, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(shutil, "which", lambda name, **_more: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "run", run)
    return ran, codes


def test_programs_are_found_on_the_path_and_in_their_folders(tmp_path):
    assert missing(BOTH, tmp_path, str(tmp_path)) == [POSTGRES, REDIS]
    (tmp_path / "usr/lib/postgresql/17/bin").mkdir(parents=True)
    (tmp_path / "usr/lib/postgresql/17/bin/postgres").touch()
    program = tmp_path / "redis-server"
    program.touch(mode=0o755)
    assert missing(BOTH, tmp_path, str(tmp_path)) == []
    program.unlink()
    assert missing(BOTH, tmp_path, str(tmp_path)) == [REDIS]


def test_packages_are_installed_while_services_stay_off(machine, tmp_path):
    ran, _codes = machine
    ensure([POSTGRES, REDIS])
    words = [command[:2] for command in ran]
    policy = str(tmp_path / "policy-rc.d")
    assert words[:4] == [("install", "-m"), ("apt-get", "update"), ("apt-get", "install"), ("rm", "-f")]
    assert ran[0][-1] == ran[3][-1] == policy
    assert ran[2][-2:] == ("postgresql", "redis-server")


def test_a_policy_of_the_machine_is_left_alone(machine, tmp_path):
    (tmp_path / "policy-rc.d").touch()
    ran, _codes = machine
    ensure([REDIS])
    assert [command[0] for command in ran if command[0] in ("install", "rm")] == []


def test_the_policy_goes_also_where_the_installation_fails(machine):
    ran, codes = machine
    codes["apt-get"] = 100
    with pytest.raises(MissingError, match=r"redis-server \(package redis-server\); `apt-get update -q` failed:\nout"):
        ensure([REDIS])
    assert ran[-1][0] == "rm"


def test_without_root_everything_is_named(machine, monkeypatch):
    _ran, codes = machine
    codes["sudo"] = 1
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingError, match=r"postgres \(package postgresql\), redis-server .* needs root"):
        ensure([POSTGRES, REDIS])


def test_with_sudo_it_is_used(machine, monkeypatch):
    ran, _codes = machine
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    ensure([REDIS])
    assert {command[:2] for command in ran} == {("sudo", "-n")}


def test_without_apt_everything_is_named(machine, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _name, **_more: None)
    with pytest.raises(MissingError, match=r"redis-server \(package redis-server\), and there is no apt-get"):
        ensure([REDIS])


def test_what_is_there_is_not_installed(machine, monkeypatch):
    ran, _codes = machine
    monkeypatch.setattr(programs, "missing", lambda _wanted: [])
    ensure([Program("x", "x", "x.service")])
    assert ran == []
