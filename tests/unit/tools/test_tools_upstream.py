"""Whether a program can be had from its makers, and what the scenario is given then."""

from __future__ import annotations

import hashlib
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


def test_a_longer_digest_is_checked_and_the_pinned_one_found(tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(b"archive")
    url = (tmp_path / "x.tar.gz").as_uri()
    long = hashlib.sha512(b"archive").hexdigest()
    assert upstream.weigh(url, long) == hashlib.sha256(b"archive").hexdigest()
    with pytest.raises(AwayError, match="something else"):
        upstream.weigh(url, "ab" * 64)
    with pytest.raises(AwayError, match="does not answer"):
        upstream.weigh(f"{url}.none", long)


def test_machines_are_called_as_their_makers_call_them():
    program = upstream.Program("1.2", "https://x.invalid/{version}-{machine}.tgz", ("x",), published="sha512")
    made = lock("x", program, "arm64", lambda _url: "cd" * 64, lambda url, said: f"{url} {said[:2]}")
    [release] = made["artifacts"]["x"].values()
    assert release["url"] == "https://x.invalid/{version}-aarch64.tgz"
    assert release["sha256"] == {"arm64": "https://x.invalid/1.2-aarch64.tgz cd"}


def test_each_scenario_names_its_lock_and_is_of_these_versions(tmp_path):
    shared = yaml.safe_load((REPOSITORY / "molecule/shared/group_vars/all.yml").read_text())
    grafana = REPOSITORY / "collections/ansible_collections/devops/platform/roles/grafana/defaults/main.yml"
    versions = {name: shared["kept"]["logging"][name]["version"] for name in ("elasticsearch", "kibana")}
    versions["grafana"] = yaml.safe_load(grafana.read_text())["grafana_version"]
    assert {name: program.version for name, program in PROGRAMS.items()} == versions
    assert all(re.match(r"https://[^/]+/", program.url) for program in PROGRAMS.values())
    for name, programs in upstream.SCENARIOS.items():
        scenario = yaml.safe_load((REPOSITORY / "molecule" / name / "molecule.yml").read_text())
        [path] = scenario["provisioner"]["inventory"]["group_vars"]["all"]["molecule_upstream"]
        assert path.endswith(f"/build/upstream/{name}.lock.yml")
        made = prepare(name, tmp_path, "x86_64", lambda url: DIGEST * (1 + url.endswith("512")), lambda *_: DIGEST)
        assert made.name == f"{name}.lock.yml"
        assert set(yaml.safe_load(made.read_text())["artifacts"]) == set(programs)
