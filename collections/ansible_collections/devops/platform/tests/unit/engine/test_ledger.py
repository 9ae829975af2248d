"""What the next ledger says: what is ours, what stood there before, and what nothing names any more."""

from __future__ import annotations

from ansible_collections.devops.platform.plugins.module_utils.engine.history import way_back
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Found
from ansible_collections.devops.platform.plugins.module_utils.engine.ledger import (
    Stamp,
    adjusted,
    ledger_of_absent,
    next_ledger,
    unnamed_releases,
)
from ansible_collections.devops.platform.plugins.module_utils.engine.plan import Observed, Plan
from ansible_collections.devops.platform.plugins.module_utils.engine.spec import Directory, Entry, Spec

STAMP = Stamp("t2", "rollout-2", 1000)


def generation(number: int, **entries: dict[str, object]) -> dict[str, object]:
    stamps = {"rollout": f"rollout-{number}", "at": number}
    return {"id": f"g{number}", "entries": entries, "directory": f"/r/{number}", "directories": [], **stamps}


def following(old, new, target=Spec("demo"), way=None, observed=None, release="/r/9"):  # noqa: B008 - it is frozen
    seen = observed or Observed({entry.path: Found() for entry in target.entries}, {})
    return next_ledger(target, Plan(), seen, old, new, release, ["/p"], STAMP, lambda content: content.hex(), way)


def ledger(*generations: dict[str, object], **more: object) -> dict[str, object]:
    return {
        "component": "demo",
        "generation": generations[0],
        "previous": list(generations[1:]),
        "taken_over": {},
        "created": {"user": "", "directories": [], "parents": [], "adjusted": {}},
        "releases": {f"/r/{number}": {} for number in (1, 2, 3)},
        **more,
    }


def test_the_first():
    made = following(None, generation(1))
    assert (made["changed_by"], made["keep"]) == ({"rollout": "rollout-2", "at": 1000}, 3)
    assert made["before"] == {"rollout": "rollout-2", "id": ""}
    assert made["generation"] == {**generation(1), "rollout": "rollout-2", "at": 1000, "directory": "/r/9"}
    assert made["previous"] == []
    assert made["transaction"] == "t2"
    assert made["created"]["parents"] == ["/p"]


def test_the_one_before_is_kept_and_the_oldest_forgotten():
    made = following(ledger(generation(3), generation(2), generation(1)), generation(4))
    assert [item["id"] for item in made["previous"]] == ["g3", "g2"]
    assert sorted(made["releases"]) == ["/r/2", "/r/3", "/r/9"]
    assert unnamed_releases(ledger(generation(3)), made) == ["/r/1"]


def test_the_same_again_is_no_generation_of_its_own():
    made = following(ledger(generation(3), generation(2)), generation(3))
    assert [item["id"] for item in made["previous"]] == ["g2"]
    assert (made["generation"]["rollout"], made["generation"]["at"]) == ("rollout-3", 3)


def test_going_back_goes_further_back_the_next_time():
    known = ledger(generation(3), generation(2), generation(1))
    made = following(known, generation(2), way=way_back(known))
    assert [item["id"] for item in made["previous"]] == ["g1"]
    assert made["generation"]["rollout"] == "rollout-2"


def test_what_stood_there_before_is_remembered_also_where_it_was_equal():
    target = Spec("demo", entries=(Entry("/a", b"new"), Entry("/b", b"same"), Entry("/c", b"x")))
    files = {
        path: Found("file", 0o600, "u", "g", content=content) for path, content in (("/a", b"old"), ("/b", b"same"))
    }
    new = generation(1, **{"/a": {}, "/b": {}, "/c": {}})
    made = following(None, new, target, observed=Observed({**files, "/c": Found()}, {}))
    assert made["taken_over"] == {
        "/a": {"digest": b"old".hex(), "target": "", "mode": 0o600, "owner": "u", "group": "g"},
        "/b": {"digest": b"same".hex(), "target": "", "mode": 0o600, "owner": "u", "group": "g"},
    }


def test_attributes_of_a_directory_that_was_there_are_remembered_once():
    wanted = Directory("/d", mode=0o750)
    before = Found("directory", 0o700, "u", "g")
    first = adjusted(Plan(directories=((wanted, before),)), None)
    assert first == {"/d": {"mode": 0o700, "owner": "u", "group": "g"}}
    # The next change of the same directory finds what we made of it: that is nothing to give back.
    known = {"generation": {"directories": [{"path": "/d"}]}, "created": {"directories": [], "adjusted": first}}
    drifted = Plan(directories=((wanted, Found("directory", 0o777, "x", "y")),))
    assert adjusted(drifted, known) == first


def test_a_directory_of_ours_has_no_attributes_to_give_back():
    known = {"generation": {"directories": []}, "created": {"directories": [{"path": "/d"}]}}
    assert adjusted(Plan(directories=((Directory("/d"), Found("directory", 0o700, "u", "g")),)), known) == {}


def test_nothing_is_left_to_know_of_an_absent_component():
    assert ledger_of_absent(Plan(), ledger(generation(1)), STAMP) == {}


def test_directories_that_stay_are_known_until_they_are_purged():
    created = {
        "user": "demo",
        "directories": [{"path": "/d", "data": True}, {"path": "/e", "data": False}],
        "parents": [],
    }
    left = ledger_of_absent(Plan(folders=("/e",)), ledger(generation(1), created=created), STAMP)
    assert left["generation"] is None
    assert left["created"]["directories"] == [{"path": "/d", "data": True}]
    assert left["created"]["user"] == "demo"
    assert (left["before"], left["changed_by"]["rollout"]) == ({"rollout": "rollout-2", "id": "g1"}, "rollout-2")
    assert ledger_of_absent(Plan(folders=("/e",), trees=("/d",)), ledger(generation(1), created=created), STAMP) == {}
