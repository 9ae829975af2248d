"""A rotation is killed at every step, beside other runs: nobody is ever refused, and the end is reached.

The world is small: a store with its stages, who checks, and some clients. Whatever changes it is one small action: a
write to the store, a server told, one client told. A rotation dies after any number of them and is begun anew;
between them another run may tell anybody what the store holds, as `site.yml` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration
from ansible_collections.devops.platform.plugins.module_utils.secrets.backend import Record, Stage
from ansible_collections.devops.platform.plugins.module_utils.secrets.read import POSTGRESQL, REDIS, SIGNING, login_of
from ansible_collections.devops.platform.plugins.module_utils.secrets.rotation import (
    DAY,
    Step,
    age_of,
    missing,
    new_value,
    postgresql_roles,
    rotated,
    steps,
)

CURRENT, PENDING, PREVIOUS = Stage.CURRENT, Stage.PENDING, Stage.PREVIOUS
NAMES = {"database": {"rotate": "postgresql"}, "cache": {"rotate": "redis"}, "key": {"rotate": "signing"}, "x": None}
PLATFORM = {
    "data": {"postgresql": {"users": {"chat": {"password": "database"}, "other": {"password": "x"}}}},
    "secrets": {"backend": "files", "names": NAMES},
}
DECLARED = Declaration.of(PLATFORM, Path())
NAME = {POSTGRESQL: "database", REDIS: "cache", SIGNING: "key"}
CLIENTS = 3


class World:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.store = {CURRENT: "first"}
        self.server: Any = self.accepted()
        self.shown = ["first"] * CLIENTS
        self.rings = [frozenset({"first"})] * CLIENTS  # of signing: the clients check as well
        self.retiring = False

    def held(self) -> dict[Stage, Record]:
        return {stage: Record(text) for stage, text in self.store.items()}

    def accepted(self) -> Any:
        """What whoever renders a configuration from the store lets in, now."""
        stages = [CURRENT, PENDING] if getattr(self, "retiring", False) else list(Stage)
        texts = [self.store[stage] for stage in stages if stage in self.store]
        if self.kind != POSTGRESQL:
            return frozenset(texts)
        logins: dict[str, str] = {}
        for text in texts:  # the first of a user's is the one that counts
            login = login_of("database", text, "chat")
            logins.setdefault(login["username"], login["password"])
        return logins

    def lets_in(self, text: str) -> bool:
        if self.kind == POSTGRESQL:
            login = login_of("database", text, "chat")
            return self.server.get(login["username"]) == login["password"]
        if self.kind == REDIS:
            return text in self.server
        return all(text in ring for ring in self.rings)

    def tell(self, client: int) -> None:
        self.shown[client] = self.store[CURRENT]
        self.rings[client] = frozenset(self.accepted()) if self.kind == SIGNING else frozenset()

    def actions(self, step: Step) -> Iterator[Any]:
        """The small actions of a step; the store's promotion is two writes, as at the backend that can do least."""
        name = NAME[self.kind]
        if step is Step.STAGE:
            yield lambda: self.store.update({PENDING: new_value(DECLARED, name, self.held())})
        elif step is Step.PROMOTE:
            if PENDING in self.store and self.store.get(CURRENT) != self.store[PENDING]:
                yield lambda: self.store.update({PREVIOUS: self.store[CURRENT]})
                yield lambda: self.store.update({CURRENT: self.store[PENDING]})
            yield lambda: self.store.pop(PENDING, None)
        elif step in (Step.ACCEPT, Step.REFUSE, Step.DELIVER):
            self.retiring = step is Step.REFUSE
            if step is not Step.DELIVER and self.kind != SIGNING:
                yield lambda: setattr(self, "server", self.accepted())
            else:
                for client in range(CLIENTS):
                    yield lambda client=client: self.tell(client)
        elif step is Step.FORGET:
            yield lambda: self.store.pop(PREVIOUS, None)
        elif step is Step.PROVE:
            assert self.lets_in(self.store[PENDING])

    def another_run(self, part: int) -> None:
        """Another run tells somebody what the store says; it retires nothing."""
        before, self.retiring = self.retiring, False
        if part == CLIENTS:
            self.server = self.accepted()
        else:
            self.tell(part)
        self.retiring = before

    def check(self) -> None:
        for client, text in enumerate(self.shown):
            assert self.lets_in(text), f"client {client} is refused with {text}; {self.store} {self.server}"


def rotate(world: World, lives: list[int], intruders: dict[int, int]) -> None:
    """Rotations, each of which dies after some actions; the last one does not. `intruders`: another run at an
    action."""
    count = 0
    for life in [*lives, 10_000]:
        world.retiring = False
        for step in steps(world.held(), due=True):
            for action in world.actions(step):
                if life == 0:
                    break
                action()
                world.check()
                count += 1
                life -= 1  # noqa: PLW2901 - what is left of it
                if count in intruders:
                    world.another_run(intruders[count])
                    world.check()
            if life == 0:
                break
        if life:
            return


KINDS = pytest.mark.parametrize("kind", [POSTGRESQL, REDIS, SIGNING])


def at_its_end(world: World, before: str) -> None:
    assert list(world.store) == [CURRENT]
    assert world.store[CURRENT] != before
    assert world.shown == [world.store[CURRENT]] * CLIENTS
    assert not world.lets_in(before)


@KINDS
def test_killed_at_every_action(kind):
    for life in range(40):
        world = World(kind)
        rotate(world, [life], {})
        at_its_end(world, "first")


@KINDS
@given(
    lives=st.lists(st.integers(0, 25), max_size=6),
    intruders=st.dictionaries(st.integers(1, 60), st.integers(0, CLIENTS), max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_killed_again_and_again_beside_other_runs(kind, lives, intruders):
    world = World(kind)
    rotate(world, lives, intruders)
    world.check()
    assert list(world.store) == [CURRENT]
    # Other runs may have told somebody of what was valid then: one more tells everybody.
    for part in range(CLIENTS + 1):
        world.another_run(part)
        world.check()
    at_its_end(world, "first")


@KINDS
def test_again_and_again(kind):
    world = World(kind)
    for _time in range(4):
        before = world.store[CURRENT]
        rotate(world, [], {})
        at_its_end(world, before)


@pytest.mark.parametrize(
    ("held", "due", "expected"),
    [
        ({CURRENT: "a"}, False, ""),
        ({CURRENT: "a"}, True, "stage accept prove promote accept deliver drain refuse forget"),
        ({CURRENT: "a", PENDING: "b"}, False, "accept prove promote accept deliver drain refuse forget"),
        ({CURRENT: "b", PREVIOUS: "a"}, False, "accept deliver drain refuse forget"),
        ({CURRENT: "a", PENDING: "b", PREVIOUS: "a"}, True, "accept prove promote accept deliver drain refuse forget"),
        (
            {CURRENT: "b", PENDING: "c", PREVIOUS: "a"},
            True,
            "accept deliver drain refuse forget accept prove promote accept deliver drain refuse forget",
        ),
        ({}, True, "stage promote"),
        ({PENDING: "a"}, False, "promote"),
    ],
)
def test_what_is_left(held, due, expected):
    found = steps({stage: Record(text) for stage, text in held.items()}, due=due)
    assert " ".join(step.value for step in found) == expected


def test_values_are_long_enough_and_users_take_turns():
    first = json.loads(new_value(DECLARED, "database", {}))
    assert first["username"] == "chat"
    plain = json.loads(new_value(DECLARED, "database", {CURRENT: Record("plain text")}))
    assert plain["username"] == "chat_clone"
    back = json.loads(new_value(DECLARED, "database", {CURRENT: Record(json.dumps(plain))}))
    assert back["username"] == "chat"
    assert len(back["password"]) == 32
    assert new_value(DECLARED, "cache", {}).isalnum()


@pytest.mark.parametrize(
    ("changed", "due"), [(None, False), (0, True), (10 * DAY, True), (10 * DAY + 1, False), (200 * DAY, False)]
)
def test_age(changed, due):
    found = age_of("x", {CURRENT: Record("a", changed)}, DECLARED, 100 * DAY)
    assert found.due is due
    assert found.seconds is None or found.seconds >= 0


def test_what_can_be_rotated():
    assert rotated(DECLARED) == ["cache", "database", "key"]
    assert rotated(DECLARED, ["key", "x"]) == ["key"]


def test_what_is_made_where_it_is_missing():
    names = {**NAMES, "verify": {"length": 20}, "made": {"id": "arn:x"}, "user": {"of": "database", "part": "username"}}
    secrets = {"backend": "vault", "names": names}
    assert missing(Declaration.of({"secrets": secrets}, Path())) == ["verify", "x"]
    assert missing(Declaration.of({"secrets": secrets}, Path()), ["x"]) == ["verify"]
    assert missing(Declaration.of({"secrets": {**secrets, "backend": "files"}}, Path())) == []


def test_users_of_the_database():
    one, two = {"username": "chat", "password": "1"}, {"username": "chat_clone", "password": "2"}
    other = [{"username": "other", "password": "o"}]
    for valid, passwords, closed in (
        ([one], {"chat": "1"}, ["chat_clone"]),
        ([one, two], {"chat": "1", "chat_clone": "2"}, []),
        ([two], {"chat_clone": "2"}, ["chat"]),
    ):
        assert postgresql_roles(PLATFORM, {"database": valid, "x": other}) == {
            "passwords": {**passwords, "other": "o"},
            "members": {"chat_clone": "chat"},
            "closed": closed,
        }
