"""Back to before a rollout, to the end of an earlier one, and in and out of a transient state."""

from __future__ import annotations

from typing import Any

from tests.engine.harness.host import Fate
from tests.engine.harness.machine import Machine
from tests.engine.harness.scenarios import NAME, ROLLED_BACK, service, to, undo
from tests.engine.test_secrets import NEW, OLD, assert_no_trace, holding

LEDGER = "/var/lib/devops-platform/ledger/probe_app.json"
FOREIGN = "/etc/probe_app.foreign"
# Accepted only as long as /srv/well is there.
CHECKED = {"path": FOREIGN, "content": "first\n", "validate": "/bin/sh -c 'test -e /srv/well' %s"}
OTHER = {"name": "other", "state": "present", "files": [CHECKED]}


def by(rollout: str, version: str = "1.0", message: str = "first", **more: Any) -> dict[str, Any]:
    return service(version, message, rollout=rollout, **more)


def serves(machine: Machine) -> tuple[str, str]:
    found = machine.ask()
    return str(found.get("version")), str(found.get("message"))


def assert_is_but_for_the_ledger(machine: Machine, name: str) -> None:
    found = machine.compare(name, patience=1)
    assert {line.split(":")[0] for line in found["differences"].get(name, [])} <= {LEDGER}, found


def idle(machine: Machine, description: dict[str, Any]) -> str:
    """The note of a run that has nothing to do, and does nothing."""
    machine.remember("as it is")
    answer = machine.run(description)
    result = answer["results"][0]
    assert (result["failed"], result["changed"], answer["steps"]) == (False, False, []), result["message"]
    machine.assert_is("as it is")
    assert len(result["notes"]) == 1
    return str(result["notes"][0])


# Undo


def test_an_undone_first_install_is_gone_but_for_its_data(machine: Machine) -> None:
    machine.well(by("r"))
    machine.put("/var/lib/probe_app/rows", "precious\n")
    result = machine.well(undo("r"))
    assert result["effect"] == "stop"
    assert "failure" in machine.ask()
    assert not machine.exists("/etc/probe_app")
    assert not machine.exists("/opt/devops-platform/probe_app/releases")
    assert machine.read("/var/lib/probe_app/rows") == "precious\n"
    assert "as it was before rollout r" in idle(machine, undo("r"))
    # It comes back like at first, and goes again.
    machine.well(by("s"))
    assert serves(machine) == ("1.0", "first")
    machine.well(undo("s"))
    assert machine.read("/var/lib/probe_app/rows") == "precious\n"


def test_an_undone_upgrade_is_the_old_one(machine: Machine) -> None:
    """Two changes and a broken one in one rollout: back to before the first, without a network."""
    machine.well(by("q"))
    machine.remember("first")
    generation = machine.ledger(NAME)["generation"]
    machine.well(by("r", "1.1", "second", start="b"))
    machine.well(by("r", "1.2", "third", unit={"environment": {"PLACE": "here"}}))
    assert machine.result(by("r", "2.0-exits"))["failed"]
    machine.execute("mv", "/srv/artifacts", "/srv/artifacts.away")
    try:
        assert machine.well(undo("r"))["effect"] == "restart"
    finally:
        machine.execute("mv", "/srv/artifacts.away", "/srv/artifacts")
    assert serves(machine) == ("1.0", "first")
    assert_is_but_for_the_ledger(machine, "first")
    ledger = machine.ledger(NAME)
    assert (ledger["generation"], ledger["previous"]) == (generation, [])
    assert "as it was before rollout r" in idle(machine, undo("r"))


def test_what_keep_does_not_reach_can_still_be_undone(machine: Machine) -> None:
    machine.well(by("q"))
    machine.remember("first")
    for number in range(4):
        machine.well(by("r", "1.1" if number % 2 else "1.2", f"change {number}", keep=2))
    assert len(machine.ledger(NAME)["previous"]) == 2
    machine.well(undo("r"))
    assert_is_but_for_the_ledger(machine, "first")


def test_a_later_rollout_protects_what_it_made(machine: Machine) -> None:
    machine.well(by("q"))
    machine.well(by("r", message="second"))
    machine.well(by("s", message="third"))
    assert "rollout s changed it after rollout r" in idle(machine, undo("r"))
    assert "rollout t left nothing here" in idle(machine, undo("t"))
    assert "not on this host" in idle(machine, {**undo("r"), "name": "unknown"})


def test_an_interrupted_change_is_taken_back_first(machine: Machine) -> None:
    machine.well(by("q"))
    machine.remember("first")
    steps = machine.run(by("r", "1.1", "second"))["steps"]
    machine.well(undo("r"))
    at = next(number for number, step in enumerate(steps) if step[:2] == ["run", "systemctl restart probe_app.service"])
    assert machine.run(by("s", "1.1", "second"), fate=Fate(at, "before"))["killed"]
    result = machine.well(undo("s"))
    assert (result["recovered"], result["changed"]) == ("taken back", True)
    assert "rollout s left nothing here" in result["notes"][0]
    assert_is_but_for_the_ledger(machine, "first")


def test_a_ledger_of_an_older_engine(machine: Machine) -> None:
    machine.well(by("q"))
    machine.well(by("r", message="second"))
    script = "import json; p = '{}'; d = json.load(open(p)); [d.pop(k) for k in ('before', 'changed_by', 'keep')]"
    machine.execute("python3", "-c", f"{script.format(LEDGER)}; json.dump(d, open(p, 'w'))")
    assert "an older version of the collection" in machine.result(undo("r"))["message"]
    assert machine.well(by("r", message="second"))["plan"] == []
    machine.well(to("q"))
    machine.well(undo("test"))
    machine.well(ROLLED_BACK)
    assert serves(machine) == ("1.0", "first")


# To


def test_back_two_and_forward_again(machine: Machine) -> None:
    machine.well(by("a", "1.0", "first"))
    machine.remember("first")
    machine.well(by("b", "1.1", "second"))
    machine.well(by("c", "1.2", "third"))
    machine.remember("third")
    machine.well(to("a"))
    assert serves(machine) == ("1.0", "first")
    assert idle(machine, to("a")) == "it is as rollout a left it"
    machine.well(to("c"))
    assert serves(machine) == ("1.2", "third")
    assert_is_but_for_the_ledger(machine, "third")
    machine.well(to("b"))
    assert serves(machine) == ("1.1", "second")
    # The way back to it is a change of its own, and can be undone.
    machine.well(undo("test"))
    assert serves(machine) == ("1.2", "third")


def test_what_was_pruned_is_told_in_words(machine: Machine) -> None:
    for number in range(1, 5):
        machine.well(by(f"2026010{number}T000000Z-1", message=f"number {number}", keep=2))
    machine.remember("fourth")
    for rollout in ("20260102T000000Z-1", "never"):
        result = machine.result(to(rollout))
        assert result["step"] == "plan"
        assert f"what rollout {rollout} left is no longer on this host; kept are 20260104T" in result["message"]
        assert "keep is 2 here" in result["message"]
    machine.assert_is("fourth")
    machine.well(to("20260103T120000Z-9"))
    assert serves(machine) == ("1.0", "number 3")


# Transient


def test_out_of_rotation_and_back(machine: Machine) -> None:
    machine.well(by("q"))
    machine.well(by("r", message="second"))
    machine.remember("in")
    known = machine.ledger(NAME)
    drained = by("s", message="out", transient=True)
    machine.well(drained)
    assert serves(machine) == ("1.0", "out")
    assert machine.well(drained)["plan"] == []
    machine.well(by("s", message="second"))
    assert_is_but_for_the_ledger(machine, "in")
    back = machine.ledger(NAME)
    changed = {key for key in {*known, *back} if known.get(key) != back.get(key)}
    assert changed == {"transaction", "changed_by"}
    machine.well(drained)
    machine.well(undo("s"))
    assert_is_but_for_the_ledger(machine, "in")
    machine.well(undo("r"))
    assert serves(machine) == ("1.0", "first")


# A whole host


def test_a_component_that_fails_does_not_keep_the_others(machine: Machine) -> None:
    """In the reverse order of their last change; the first and the last are taken back, the one between is not well."""
    third = {"name": "third", "state": "present", "files": [{"path": "/etc/probe_app/third", "content": "x\n"}]}
    machine.put("/srv/well", "")
    machine.well({**OTHER, "rollout": "q"})
    machine.well(by("q"))
    changed = {**OTHER, "rollout": "r", "files": [{"path": FOREIGN, "content": "second\n"}]}
    machine.well(by("r", "1.1", "second"))
    machine.well(changed)
    machine.well({**third, "rollout": "r"})
    machine.remove("/srv/well")
    try:
        results = machine.go_back(undo="r")
        assert [(item["name"], item["failed"]) for item in results] == [
            ("third", False),
            ("other", True),
            ("probe_app", False),
        ]
        assert results[1]["step"] == "validate"
        assert serves(machine) == ("1.0", "first")
        assert machine.read(FOREIGN) == "second\n"
        assert not machine.exists("/etc/probe_app/third")
        machine.put("/srv/well", "")
        assert [item["changed"] for item in machine.go_back(undo="r")] == [False, True]
        assert machine.read(FOREIGN) == "first\n"
        stopped = machine.go_back(to="never", components=["other", "probe_app"])
        assert [(item["name"], item["failed"]) for item in stopped] == [("other", True)]
        noted = machine.go_back(undo="r", components=["nobody"])
        assert "not on this host" in noted[0]["notes"][0]
    finally:
        machine.remove("/srv/well")
        machine.well({"name": "other", "state": "absent"})
        machine.remove(FOREIGN)


def test_a_killed_first_install_is_taken_back_with_the_host(machine: Machine) -> None:
    """It has a journal, and no ledger yet."""
    machine.remember("empty")
    assert machine.run(by("r"), fate=Fate(30, "before"))["killed"]
    assert [(item["name"], item["recovered"]) for item in machine.go_back(undo="r")] == [(NAME, "taken back")]
    machine.assert_is("empty")
    assert machine.go_back(undo="r") == []


# Secrets


def test_secrets_of_a_generation_that_comes_back_are_hidden(machine: Machine) -> None:
    """In the diff, and in what a checker and a service say of them."""
    machine.well(holding(OLD, rollout="q"))
    machine.well(holding(NEW, rollout="r"))
    for check in (True, False):
        answer = machine.run(undo("r"), check=check, diff=True)
        assert "+plain=<secret plain #" in answer["results"][0]["diff"]
        assert_no_trace(machine, answer)
    checked = holding(OLD, rollout="s")
    checked["files"][2]["validate"] = "/bin/sh -c 'cat %s; test ! -e /srv/refused'"
    machine.well(checked)
    machine.well(holding(NEW, rollout="t"))
    machine.put("/srv/refused", "")
    try:
        for check in (True, False):
            answer = machine.run(undo("t"), check=check, diff=True)
            assert "was refused by" in answer["results"][0]["message"]
            assert_no_trace(machine, answer)
    finally:
        machine.remove("/srv/refused")
