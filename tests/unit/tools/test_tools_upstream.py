"""Whether a program can be had from its makers, and what the scenario is given then."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from tools import REPOSITORY, upstream
from tools.outcomes import Counts, count
from tools.upstream import PROGRAMS, AwayError, architecture, fetch, lock, prepare

DIGEST = "ab" * 32
PROGRAM = upstream.Program("1.2", "https://example.invalid/x-{version}.linux-{arch}.tar.gz", ("bin/x",))


@pytest.mark.parametrize("said", [DIGEST, f"{DIGEST}\n", f"{DIGEST}  x-1.2.linux-amd64.tar.gz\n"])
def test_the_lock_holds_what_the_makers_say(said):
    asked: list[str] = []

    def get(url):
        asked.append(url)
        return said

    made = lock("x", PROGRAM, "amd64", get)
    assert asked == ["https://example.invalid/x-1.2.linux-amd64.tar.gz.sha256"]
    assert made["artifacts"]["x"]["1.2"] == {
        "url": PROGRAM.url,
        "sha256": {"amd64": DIGEST},
        "strip": 1,
        "binaries": ["bin/x"],
    }


@pytest.mark.parametrize("said", ["", "<html>blocked</html>", "ab" * 31, "AB" * 32])
def test_something_else_is_no_digest(said):
    with pytest.raises(AwayError, match="answers with something that is no sha256"):
        lock("x", PROGRAM, "amd64", lambda _url: said)


def test_nobody_answers():
    with pytest.raises(AwayError, match="does not answer: "):
        fetch("http://127.0.0.1:9/")


def test_it_says_skipped_and_why(monkeypatch, capsys, tmp_path):
    def away(_url):
        raise AwayError("https://x does not answer: timed out")

    monkeypatch.setattr(upstream, "LOCKS", tmp_path)
    assert upstream.main(["grafana"], away) == 0
    said = capsys.readouterr().out
    assert "skipped: grafana can only be had from its makers, and https://x does not answer: timed out" in said
    assert count(said.splitlines()) == Counts(skipped=1)
    assert list(tmp_path.iterdir()) == []


def test_where_they_answer_the_scenario_runs(monkeypatch, tmp_path):
    ran = []

    def run(command, **_more):
        ran.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(upstream, "LOCKS", tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    assert upstream.main(["grafana"], lambda _url: DIGEST) == 3
    assert ran == [["molecule", "test", "--scenario-name", "grafana"]]
    assert (tmp_path / "grafana.lock.yml").exists()


@pytest.mark.parametrize(("machine", "arch"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("riscv64", "riscv64")])
def test_architectures(machine, arch):
    assert architecture(machine) == arch


def test_each_has_a_scenario_and_the_version_of_its_role(tmp_path):
    for name, program in PROGRAMS.items():
        scenario = yaml.safe_load((REPOSITORY / "molecule" / name / "molecule.yml").read_text())
        [path] = scenario["provisioner"]["inventory"]["group_vars"]["all"]["molecule_upstream"]
        assert path.endswith(f"/build/upstream/{name}.lock.yml")
        role = REPOSITORY / "collections/ansible_collections/devops/platform/roles" / name / "defaults/main.yml"
        assert yaml.safe_load(role.read_text())[f"{name}_version"] == program.version
        assert re.match(r"https://[^/]+/", program.url)
        assert prepare(name, tmp_path, "x86_64", lambda _url: DIGEST).name == f"{name}.lock.yml"
