"""What is ours to give back, and in which order it goes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.uninstall import plan, record
from ansible_collections.devops.platform.plugins.module_utils.uninstall.record import Inventory


def inventory(*names: str, users: str = "", groups: str = "") -> Inventory:
    return Inventory(dict.fromkeys(names, "1"), frozenset(users.split()), frozenset(groups.split()))


def call(
    kept: dict[str, Any] | None, before: Inventory, after: Inventory, *asked: str, **data: list[str]
) -> dict[str, Any]:
    return record.finish(record.begin(kept, before, asked, data, 1), after)


def test_what_is_new_is_ours_dependencies_users_and_groups_included() -> None:
    kept = call(None, inventory("a"), inventory("a", "nginx", "nginx-common", users="www", groups="www"), "nginx")
    [only] = kept["calls"]
    assert only["asked"] == ["nginx"]
    assert only["packages"] == {"nginx": "1", "nginx-common": "1"}
    assert (only["users"], only["groups"]) == (["www"], ["www"])
    assert "pending" not in kept


def test_what_was_there_is_not() -> None:
    kept = call(None, inventory("a"), inventory("a", "b"), "b")
    assert record.ours(kept, "packages") == ["b"]
    assert kept["baseline"] == {"a": "1"}


def test_a_call_that_brought_nothing_leaves_no_trace() -> None:
    assert call(None, inventory("a"), inventory("a"), "b")["calls"] == []


def test_a_call_that_died_is_ended_by_the_next_one() -> None:
    died = record.begin(None, inventory("a"), ["b"], {}, 1)
    kept = call(died, inventory("a", "b"), inventory("a", "b", "c"), "c")
    assert [sorted(item["packages"]) for item in kept["calls"]] == [["b"], ["c"]]
    assert kept["baseline"] == {"a": "1"}


def test_the_latest_goes_first() -> None:
    kept = call(None, inventory(), inventory("a", "b"), "a")
    kept = call(kept, inventory("a", "b"), inventory("a", "b", "c"), "c")
    assert record.ours(kept, "packages") == ["c", "a", "b"]


def test_data_of_packages_from_before_is_not_ours() -> None:
    before, after = inventory("redis-server"), inventory("redis-server", "postgresql-17")
    kept = record.finish(record.begin(None, before, [], {"redis-server": ["/r"], "postgresql-17": ["/p"]}, 1), after)
    assert record.data_of(kept) == {"postgresql-17": ["/p"]}


def test_nothing_that_came_with_data_is_purged_while_that_is_there() -> None:
    kept = call(None, inventory(), inventory("nginx"), "nginx")
    before, after = inventory("nginx"), inventory("nginx", "redis-server", "redis-tools")
    kept = record.finish(record.begin(kept, before, [], {"redis-server": ["/r"]}, 1), after)
    assert record.beside_data(kept, lambda path: path == "/r") == {"redis-server", "redis-tools"}
    assert record.beside_data(kept, lambda path: False) == set()
    assert record.beside_data(None, lambda path: True) == set()


def test_what_a_purge_leaves_and_what_it_may_not_take() -> None:
    first = Inventory({}, settings=("/etc/a",))
    kept = record.finish(record.begin(None, first, [], {}, 1, ["/var/www/x", "/var/www"]), inventory("nginx"))
    later = Inventory({"nginx": "1"}, settings=("/etc/a", "/etc/nginx"))
    kept = record.finish(record.begin(kept, later, [], {}, 2), inventory("nginx", "b"))
    assert record.leaves_of(kept) == ["/var/www/x", "/var/www"]
    assert kept["settings"] == ["/etc/a"]


def test_what_was_upgraded_since_is_named() -> None:
    kept = call(None, inventory("a", "b", "c"), inventory("a", "b", "c", "d"), "d")
    assert record.upgraded(kept, {"a": "1", "b": "2", "d": "5"}) == ["b (1 -> 2)"]
    assert record.upgraded(None, {"a": "1"}) == []


NAMES = st.sets(st.sampled_from("abcdef"))


@given(NAMES, st.lists(NAMES, max_size=4))
def test_ours_and_what_was_there_never_meet(there: set[str], steps: list[set[str]]) -> None:
    kept, now = None, set(there)
    for step in steps:
        after = now | step
        kept = call(kept, inventory(*now), inventory(*after), *step)
        now = after
    ours = record.ours(kept, "packages")
    assert set(ours) == now - there
    assert len(ours) == len(set(ours))


def ledger(at: int, kind: str = "unit", *earlier: int) -> dict[str, Any]:
    return {"generation": {"at": at, "runtime": {"kind": kind}}, "previous": [{"at": before} for before in earlier]}


@pytest.mark.parametrize(
    ("ledgers", "expected"),
    [
        ({}, []),
        ({"a": ledger(1), "b": ledger(2)}, ["b", "a"]),
        ({"docker": ledger(9), "chat": ledger(5, "compose")}, ["chat", "docker"]),  # Docker was changed later
        ({"a": ledger(9, "unit", 1), "b": ledger(2)}, ["b", "a"]),  # a came first
        ({"gone": {"generation": None}, "a": ledger(1)}, ["a", "gone"]),
    ],
)
def test_the_order_of_components(ledgers: dict[str, Any], expected: list[str]) -> None:
    assert plan.order(ledgers) == expected


def test_what_apt_would_remove() -> None:
    output = "Reading…\nRemv nginx [1.26]\nPurg libx:amd64 [1]\nInst other [1]\n"
    assert plan.going(output) == {"nginx", "libx"}


NEEDS = {"app": {"lib"}, "theirs": {"lib2"}, "lib": set(), "lib2": set()}


def simulate(names: list[str]) -> set[str]:
    """Everything that needs one of them goes with it."""
    return set(names) | {package for package, needs in NEEDS.items() if needs & set(names)}


def test_what_others_need_stays() -> None:
    assert plan.removable(["app", "lib", "lib2"], simulate) == (["app", "lib"], {"lib2": ["theirs"]})
    assert plan.removable(["app", "lib"], simulate) == (["app", "lib"], {})
    assert plan.removable([], simulate) == ([], {})
