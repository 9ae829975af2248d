"""Which generation a way back leads to, and what a change remembers of generations."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.devops.platform.plugins.module_utils.engine.history import (
    NOT_HERE,
    before_after,
    remembered,
    way_back,
)

FIRST, SECOND, THIRD, FOURTH = (f"2026010{day}T000000Z-7" for day in (1, 2, 3, 4))


def made(name, rollout, at=1, **more):
    return {"id": name, "rollout": rollout, "at": at, **more}


def ledger(*generations, before=None, by=None, **more):
    present, *previous = generations
    return {
        "generation": present,
        "previous": previous,
        **({"before": {"rollout": before[0], "id": before[1]}} if before else {}),
        **({"changed_by": {"rollout": by, "at": 9}} if by else {}),
        **more,
    }


def changed(known, *generations_of_rollouts, keep=3):
    """The ledger after a row of changes (id, rollout), (id, rollout, 'transient')."""
    for at, (name, rollout, *transient) in enumerate(generations_of_rollouts, 10):
        generation = {"id": name, **({"transient": True} if transient else {})}
        known = remembered(known, generation, None, keep, rollout, at)
    return known


def gone_back(known, rollout, **way):
    found = way_back(known, **way)
    assert not found.idle
    assert found.generation
    return remembered(known, {"id": found.generation["id"]}, found, 3, rollout, 99)


def ids(known):
    return [item["id"] for item in (known["generation"], *known["previous"])]


def before(known):
    return known["before"]["rollout"], known["before"]["id"]


# What a change remembers


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("a", "q")], ("q", "")),
        ([("a", "q"), ("b", "r")], ("r", "a")),
        ([("a", "q"), ("b", "r"), ("c", "r")], ("r", "a")),
        ([("a", "q"), ("b", "r"), ("c", "s")], ("s", "b")),
        # What had drifted is put right: that is no other generation.
        ([("a", "q"), ("b", "r"), ("b", "s")], ("r", "a")),
        ([("a", "q"), ("b", "r"), ("b", "s"), ("c", "s")], ("s", "b")),
        # Transient ones are no change of what it was, and no generation to be taken back to.
        ([("a", "q"), ("t", "r", "transient")], ("q", "")),
        ([("a", "q"), ("t", "r", "transient"), ("a", "r")], ("q", "")),
        ([("a", "q"), ("t", "r", "transient"), ("b", "r")], ("r", "a")),
        ([("a", "q"), ("b", "r"), ("t", "r", "transient"), ("c", "r")], ("r", "a")),
        ([("t", "r", "transient"), ("a", "s")], ("s", "")),
    ],
)
def test_what_was_before_is_set_at_the_first_change_of_a_rollout(changes, expected):
    assert before(changed(None, *changes)) == expected


def test_what_was_before_outlives_keep_and_nothing_else_does():
    known = changed(None, ("x", "p"), ("a", "q"), ("b", "r"), ("c", "r"), ("d", "r"), ("e", "r"))
    assert ids(known) == ["e", "d", "c", "a"]
    assert ids(changed(known, ("f", "s"))) == ["f", "e", "d"]


def test_of_equal_generations_the_one_that_the_rollout_found_is_kept():
    known = changed(None, ("a", "q"), ("b", "r"), ("a", "r"), ("b", "r"), ("a", "r"), ("c", "r"))
    assert [(item["id"], item["rollout"]) for item in known["previous"]] == [("a", "r"), ("b", "r"), ("a", "q")]
    back = gone_back(known, "s", undo="r")
    assert (ids(back), back["generation"]["rollout"]) == (["a"], "q")


def test_a_transient_generation_leaves_the_ledger_as_it_was():
    known = changed(None, ("w", "o"), ("x", "p"), ("y", "q"), ("z", "r"))
    out = changed(known, ("t", "s", "transient"))
    assert ids(out) == ["t", "z", "y", "x"]
    other = changed(out, ("u", "s", "transient"))
    assert ids(other) == ["u", "z", "y", "x"]
    for drained in (out, other):
        again = changed(drained, ("z", "s"))
        assert again == {**known, "changed_by": again["changed_by"]}


def test_who_changed_it_last_is_told_also_where_the_generation_keeps_its_stamps():
    known = changed(None, ("a", "q"), ("b", "r"))
    again = remembered(known, {"id": "b"}, None, 3, "s", 50)
    assert again["changed_by"] == {"rollout": "s", "at": 50}
    assert (again["generation"]["rollout"], again["generation"]["at"]) == ("r", 11)


# Undo


def test_undo_leads_to_what_was_before_and_drops_what_the_rollout_made():
    known = changed(None, ("x", "p"), ("a", "q"), ("b", "r"), ("c", "r"))
    back = gone_back(known, "s", undo="r")
    assert ids(back) == ["a"]
    assert back["generation"] == {"id": "a", "rollout": "q", "at": 11}
    assert back["changed_by"] == {"rollout": "s", "at": 99}
    assert "as it was before rollout r" in way_back(back, undo="r").note
    # The same rollout, once more: what was before is still what was before.
    assert before(changed(back, ("d", "r"))) == ("r", "a")


def test_undo_of_the_first_leads_to_absence():
    found = way_back(changed(None, ("a", "r"), ("b", "r")), undo="r")
    assert (found.generation, found.rest, found.idle) == (None, (), False)


def test_undo_of_a_transient_one_leads_to_the_last_that_was_none():
    known = changed(None, ("a", "q"), ("b", "r"), ("t", "s", "transient"))
    assert ids(gone_back(known, "u", undo="s")) == ["b", "a"]
    known = changed(None, ("a", "q"), ("b", "s"), ("t", "s", "transient"))
    assert ids(gone_back(known, "u", undo="s")) == ["a"]
    assert way_back(changed(None, ("t", "s", "transient")), undo="s").generation is None


def test_undo_of_a_way_back_leads_forward_again():
    known = gone_back(changed(None, ("a", "p"), ("b", "q"), ("c", "r")), "s", to="p")
    assert ids(gone_back(known, "u", undo="s")) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (None, NOT_HERE),
        (ledger(made("a", "q"), before=("q", "")), "rollout r left nothing here; the last that changed it is q"),
        (ledger(made("a", "q")), "rollout r left nothing here"),
        (changed(None, ("a", "q"), ("b", "r"), ("c", "s")), "rollout s changed it after rollout r: it stays"),
        (changed(None, ("a", "q"), ("b", "r"), ("t", "s", "transient")), "rollout s changed it after rollout r"),
        (ledger(made("c", "s"), made("b", "r")), "it was changed after rollout r: it stays"),
        (ledger(None, before=("r", "")), "as it was before rollout r"),
        (changed(None, ("a", "q"), ("b", "r"), ("a", "r")), "as it was before rollout r"),
    ],
)
def test_nothing_to_undo(known, words):
    found = way_back(known, undo="r")
    assert found.idle
    assert words in found.note


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (ledger(made("b", "r"), made("a", "q")), "what was here before rollout r is not known: an older version"),
        (ledger(None, before=("r", "x")), "what was here before rollout r is no longer on this host; kept are none"),
    ],
)
def test_what_cannot_be_undone(known, words):
    with pytest.raises(EngineError) as raised:
        way_back(known, undo="r")
    assert words in str(raised.value)


# To


OLD = ledger(made("d", FOURTH, 4), made("c", THIRD, 3), made("b", SECOND, 2), by=FOURTH, keep=5)


@pytest.mark.parametrize(
    ("known", "rollout", "expected"),
    [
        (OLD, THIRD, "c"),
        (OLD, "20260103T120000Z-1", "c"),
        (OLD, SECOND, "b"),
        (ledger(made("x", "z"), made("a", "r", 1), made("b", "r", 2)), "r", "b"),
        # After a way back, the one that was made last is not the one that is used.
        (ledger(made("b", SECOND), made("d", FOURTH), made("c", THIRD), by="20260105T000000Z-7"), FOURTH, "d"),
        (ledger(made("t", FOURTH, transient=True), made("c", THIRD), by=FOURTH), FOURTH, "c"),
    ],
)
def test_to_the_end_of_a_rollout(known, rollout, expected):
    found = way_back(known, to=rollout)
    assert found.generation
    assert found.generation["id"] == expected
    assert not found.drops


@pytest.mark.parametrize(
    ("known", "rollout"),
    [
        (OLD, FOURTH),
        (OLD, "20260109T000000Z-1"),
        (ledger(made("b", "r"), made("a", "q")), "r"),
        (ledger(made("b", "r"), made("c", "s"), made("b", "q")), "q"),
        # A rollout that went back made no generation: what it went back to is what there was at its end.
        (ledger(made("b", SECOND), made("d", FOURTH), by="20260105T000000Z-7"), "20260105T000000Z-7"),
        (ledger(made("b", SECOND), made("d", FOURTH), by="20260105T000000Z-7"), "20260106T000000Z-7"),
        (None, "r"),
        (ledger(None, by="r"), "r"),
    ],
)
def test_to_what_it_is_already(known, rollout):
    found = way_back(known, to=rollout)
    assert found.idle
    assert found.note


def test_to_another_rollouts_generation_is_told():
    assert f"that of rollout {THIRD}" in way_back(OLD, to="20260103T120000Z-1").note
    assert way_back(OLD, to=THIRD).note == ""


def test_to_and_forward_again_forgets_nothing():
    known = changed(None, ("a", "p"), ("b", "q"), ("c", "r"))
    back = gone_back(known, "s", to="p")
    assert (ids(back), before(back)) == (["a", "c", "b"], ("s", "c"))
    assert back["generation"] == {"id": "a", "rollout": "p", "at": 10}
    assert ids(gone_back(back, "t", to="q")) == ["b", "a", "c"]
    # One back is where it came from.
    assert ids(gone_back(back, "t")) == ["c", "b"]


@pytest.mark.parametrize("rollout", [FIRST, "another"])
def test_to_what_is_no_longer_there_is_told_in_words(rollout):
    with pytest.raises(EngineError) as raised:
        way_back(OLD, to=rollout)
    assert str(raised.value) == (
        f"what rollout {rollout} left is no longer on this host; kept are {FOURTH} of 1970-01-01 00:00:04 UTC, "
        f"{THIRD} of 1970-01-01 00:00:03 UTC, {SECOND} of 1970-01-01 00:00:02 UTC; keep is 5 here"
    )


# One back


def test_one_back_is_as_ever():
    known = changed(None, ("a", "p"), ("b", "q"), ("c", "r"))
    once = gone_back(known, "s")
    assert (ids(once), once["generation"]["rollout"], before(once)) == (["b", "a"], "q", ("r", "b"))
    assert ids(gone_back(once, "s")) == ["a"]
    with pytest.raises(EngineError, match="no earlier generation"):
        way_back(changed(None, ("a", "p")))


def test_a_package_that_stays_makes_another_id_of_what_is_gone_back_to():
    known = changed(None, ("a", "p"), ("b", "r"))
    way = way_back(known, undo="r")
    back = remembered(known, {"id": "other"}, way, 3, "s", 99)
    assert before(back) == ("r", "other")
    assert way_back(back, undo="r").idle


def test_what_keep_was_counts_for_a_way_back():
    known = changed(None, *((name, name) for name in "abcdef"), keep=6)
    assert ids(gone_back(known, "s", to="b")) == ["b", "f", "e", "d", "c", "a"]


def test_absence_is_a_change_like_any_other():
    assert before_after(ledger(made("a", "q"), before=("q", "")), None, None, "r") == {"rollout": "r", "id": "a"}
    assert before_after(ledger(made("a", "r"), before=("r", "")), None, None, "r") == {"rollout": "r", "id": ""}
    assert before_after(ledger(None), None, None, "r") is None
