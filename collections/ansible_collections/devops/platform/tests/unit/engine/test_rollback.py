"""Several components go back: in which order, what a failure does to the others, and what the module answers."""

from __future__ import annotations

import json
import os
from dataclasses import asdict

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.engine.answer import answer, trouble
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Host
from ansible_collections.devops.platform.plugins.module_utils.engine.rollback import go_back
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store
from ansible_collections.devops.platform.plugins.module_utils.engine.work import Mode, Result
from ansible_collections.devops.platform.plugins.modules import component, rollback


class Told:
    """An engine that only writes down what it is told; `ill` fails."""

    def __init__(self, store):
        self.store = store
        self.raw = []

    def run(self, raw):
        self.raw.append(raw)
        return Result(raw["name"], failed=raw["name"] == "ill", step="probe", message="no answer")


@pytest.fixture
def engine(tmp_path):
    """Changed one after the other: old (by an older engine, which noted no time), ill, new; begun has no ledger yet."""
    for kind in ("ledger", "journal"):
        (tmp_path / kind).mkdir()
    for name, at, written in (("old", None, 100), ("ill", 200, 200.5), ("new", 200, 200.7)):
        path = tmp_path / "ledger" / f"{name}.json"
        path.write_text(json.dumps({"format": 1, **({"changed_by": {"rollout": "r", "at": at}} if at else {})}))
        os.utime(path, (written, written))
    (tmp_path / "journal" / "begun.json").write_text("{}")
    os.utime(tmp_path / "journal" / "begun.json", (300, 300))
    return Told(Store(Host(), str(tmp_path)))


def test_undo_begins_with_the_last_change_and_tries_all(engine):
    names = engine.store.known()
    assert names == ["begun", "ill", "new", "old"]
    results = go_back(engine, [*names, "nobody"], undo="r")
    assert [result.name for result in results] == ["begun", "new", "ill", "old", "nobody"]
    assert engine.raw[0] == {"name": "begun", "state": "rolled_back", "undo": "r"}
    assert trouble(results, 5) == "ill: probe: no answer"


def test_to_ends_at_the_first_failure(engine):
    results = go_back(engine, engine.store.known(), to="r")
    assert [result.name for result in results] == ["begun", "ill"]
    assert engine.raw[0] == {"name": "begun", "state": "rolled_back", "to": "r"}
    assert trouble(results, 4) == "ill: probe: no answer (2 later components not started)"


def test_a_damaged_ledger_has_its_turn(engine, tmp_path):
    (tmp_path / "ledger" / "ill.json").write_text("{")
    os.utime(tmp_path / "ledger" / "ill.json", (1, 1))
    assert [result.name for result in go_back(engine, ["ill", "new", "old"], undo="r")] == ["new", "old", "ill"]


def test_every_failure_is_named():
    results = [Result("a", failed=True, step="probe", message="x"), Result("b"), Result("c", failed=True, message="y")]
    assert trouble(results, 3) == "2 of 3 components failed. a: probe: x\nc: : y"
    assert trouble([Result("b")], 1) == ""


def test_the_answer_is_what_both_modules_document():
    result = Result("a", changed=True, diff="--- a\n")
    told = answer([result], Mode(diff=True, rollout="r"))
    assert (told["changed"], told["rollout"], told["diff"]) == (True, "r", [{"prepared": "--- a\n"}])
    assert "diff" not in answer([result], Mode())
    for module in (component, rollback):
        documented = yaml.safe_load(module.RETURN)
        assert set(documented) | {"changed", "diff"} == set(told)
        assert set(documented["components"]["contains"]) == set(told["components"][0]) == {*asdict(result)} - {"diff"}
