"""Secrets are masked field by field and are in no log.

Canary values are searched for in everything that the engine returns, in its journal and in its ledger; each holds the
word CANARY in every part that could stand alone. What legitimately holds them is the file they were declared for,
and the root-only store of the contents that can be rolled back to.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.engine.harness.host import Fate
from tests.engine.harness.machine import Machine
from tests.engine.harness.scenarios import CONFIG, config, file, service

CANARY = "c4n4ry"
ENV = "/etc/probe_app/secret.env"


def values(generation: str) -> dict[str, str]:
    word = f"{CANARY}{generation}"
    return {
        "plain": f"{word}-Pl41n",
        "lines": "".join(f"{word} line {number} of a key\n" for number in range(14)),
        "quotes": f"a\"b'{word}'c\"d\\{word}",
        "percent": f"100%{word}%20&=+/{word}",
        "short": f"{word}",
    }


OLD, NEW = values("A"), values("B")


def spelled(secrets: dict[str, str]) -> str:
    """A file that holds each secret as it is, in base64, and as a part of an address."""
    lines = []
    for name, value in secrets.items():
        encoded = base64.b64encode(value.encode()).decode()
        lines += [f"{name}={value}", f"{name}_base64={encoded}", f"{name}_url=http://u:{quote(value, safe='')}@host/"]
    return "\n".join(lines) + "\n"


def holding(secrets: dict[str, str], version: str = "1.0", **more: Any) -> dict[str, Any]:
    """The service with secrets in its own configuration, which it prints at its start, and in a second file."""
    described = service(
        version,
        timeout=0.5 if version != "1.0" else 3,
        secrets=secrets,
        more_files=(file(ENV, spelled(secrets), mode="0600"),),
    )
    described["files"][0]["content"] = config("first", **secrets)
    return {**described, **more}


def needles() -> list[str]:
    """The canary itself and what it is in other spellings: base64 has three, for the three places of a byte triple."""
    shifted = [base64.b64encode(b"x" * shift + CANARY.encode())[4 if shift else 0 :][:5].decode() for shift in range(3)]
    return [CANARY, *shifted]


def assert_hidden(text: str, where: str) -> None:
    for needle in needles():
        position = text.find(needle)
        assert position < 0, f"{where}: …{text[max(0, position - 80) : position + 40]}…"


def assert_no_trace(machine: Machine, answer: dict[str, Any]) -> None:
    assert_hidden(json.dumps(answer), "the answer")
    for kind in ("ledger", "journal"):
        found = machine.execute("sh", "-c", f"cat /var/lib/devops-platform/{kind}/* 2>/dev/null || true")
        assert_hidden(found, kind)


def test_needles_are_found_where_nothing_is_masked() -> None:
    """The search itself is not blind."""
    for spelling in (spelled(OLD), spelled(NEW), config("x", **OLD), json.dumps(spelled(OLD))):
        with pytest.raises(AssertionError):
            assert_hidden(spelling, "here")
    for encoded in (base64.b64encode(value.encode()).decode() for value in OLD.values()):
        assert any(needle in encoded for needle in needles()[1:]), encoded


def test_install_and_change_with_diff(machine: Machine) -> None:
    """The diff shows that a secret is there, and that it changed, not what it is or was."""
    predicted = machine.run(holding(OLD), check=True, diff=True)
    assert_no_trace(machine, predicted)
    installed = machine.run(holding(OLD), diff=True)
    assert "<secret plain #" in installed["results"][0]["diff"]
    assert_no_trace(machine, installed)
    changed = [machine.run(holding(NEW), check=True, diff=True), machine.run(holding(NEW), diff=True)]
    for answer in changed:
        assert not answer["results"][0]["failed"], answer["results"][0]["message"]
        lines = answer["results"][0]["diff"].splitlines()
        assert any(line.startswith("-plain=<secret plain #") for line in lines)
        assert any(line.startswith("+plain=<secret plain #") for line in lines)
        assert_no_trace(machine, answer)
    assert f"{CANARY}B" in str(machine.read(ENV))


def test_a_secret_that_is_declared_no_more(machine: Machine) -> None:
    machine.well(holding(OLD))
    answer = machine.run(service(), diff=True)
    assert not answer["results"][0]["failed"]
    assert_no_trace(machine, answer)


def test_a_secret_in_a_foreign_file_that_is_taken_over(machine: Machine) -> None:
    """What stood there before may hold anything, former secrets among it: none of it is shown."""
    machine.put(ENV, f"somebody's={CANARY}\n")
    answer = machine.run(holding(OLD), check=True, diff=True)
    assert "take over" in json.dumps(answer["results"][0]["plan"])
    assert_no_trace(machine, answer)


def test_a_checker_that_prints_the_file(machine: Machine) -> None:
    machine.well(holding(OLD))
    change = holding({**NEW, "word": "invalid-secret"})
    for check, diff in ((True, True), (False, False), (False, True)):
        answer = machine.run(change, check=check, diff=diff)
        assert answer["results"][0]["step"] == "validate"
        assert "was refused by" in answer["results"][0]["message"]
        assert_no_trace(machine, answer)


def test_a_checker_that_prints_a_key_of_many_lines(machine: Machine) -> None:
    """Only the last lines of a checker's output are quoted: a part of a secret is as secret as the whole."""
    change = holding(OLD)
    change["files"][2]["validate"] = "/usr/bin/tail -n 4 %s /not/there"
    change["files"][2]["content"] = f"x\n{OLD['lines']}"
    answer = machine.run(change)
    assert answer["results"][0]["step"] == "validate"
    assert "line 13" not in answer["results"][0]["message"]
    assert_no_trace(machine, answer)


@pytest.mark.parametrize("version", ["2.0-exits", "2.0-ill", "2.0-deaf"])
def test_a_service_that_prints_its_configuration_and_fails(version: str, machine: Machine) -> None:
    """The service's last lines are quoted: those of the new start and of the old one."""
    machine.well(holding(OLD))
    answer = machine.run(holding(NEW, version), diff=True)
    message = answer["results"][0]["message"]
    assert f"service {version} starts with" in message
    assert_no_trace(machine, answer)


@pytest.mark.parametrize("secret_after", range(60, 210, 15))
def test_a_probe_whose_answer_is_cut(secret_after: int, machine: Machine) -> None:
    """The beginning of a wrong answer is quoted: a secret that is cut there is not shown in part."""
    change = holding({"long": CANARY * 12})
    change["files"][0]["content"] = json.dumps({"port": 9400, "pad": "x" * secret_after, "long": CANARY * 12})
    address = "127.0.0.1:9400"
    for probe in (
        {"http": f"http://{address}/", "status": 201},
        {"tcp": address, "send": "GET / HTTP/1.0\r\n\r\n", "expect": "no"},
    ):
        answer = machine.run({**change, "probe": {**probe, "timeout": 0.3}})
        assert answer["results"][0]["step"] == "probe"
        assert_no_trace(machine, answer)


def test_the_journal_of_a_run_that_was_killed(machine: Machine) -> None:
    machine.well(holding(OLD))
    steps = machine.run(holding(NEW), check=False)["steps"]
    machine.well(holding(OLD))
    last = max(number for number, (_name, what, _half) in enumerate(steps) if what.endswith("/ledger/probe_app.json"))
    for at in (2, last - 1, last, last + 1):
        answer = machine.run(holding(NEW), fate=Fate(at, "before"))
        assert answer["killed"]
        assert machine.find("/journal/probe_app.json")
        assert_no_trace(machine, answer)
        assert_no_trace(machine, machine.run(holding(OLD), diff=True))


def test_secrets_where_everybody_could_read_them_are_refused(machine: Machine) -> None:
    for key, value in (
        ("unit", {"exec": f"{{release}}/service {CONFIG} {OLD['plain']}"}),
        ("unit", {"exec": "x", "environment": {"PASSWORD": OLD["plain"]}}),
        ("probe", {"http": f"http://u:{OLD['plain']}@127.0.0.1:9400/"}),
    ):
        answer = machine.run({**holding(OLD), key: value})
        assert answer["results"][0]["step"] == "spec"
        assert "holds the secret 'plain'" in answer["results"][0]["message"]
        assert_no_trace(machine, answer)
    assert not machine.exists(CONFIG)


def test_kept_contents_are_for_root_alone(machine: Machine) -> None:
    machine.well(holding(OLD))
    for line in machine.execute("find", "/var/lib/devops-platform", "-printf", "%m %u %p\n").splitlines():
        mode, owner, path = line.split(" ", 2)
        assert owner == "root", path
        assert int(mode, 8) & 0o077 == 0, line
