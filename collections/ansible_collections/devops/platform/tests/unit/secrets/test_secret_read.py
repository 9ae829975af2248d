"""From a name to its value: parts of secrets, what is asked how often, and what no message shows."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import UNSET, Declaration
from ansible_collections.devops.platform.plugins.module_utils.secrets.backend import Answer, Backend, Record, Stage
from ansible_collections.devops.platform.plugins.module_utils.secrets.cache import Cache
from ansible_collections.devops.platform.plugins.module_utils.secrets.read import Reader

NAMES: dict[str, Any] = {
    "chat_database": {"rotate": "postgresql"},
    "chat_database_user": {"of": "chat_database", "part": "username"},
    "chat_session": {"rotate": "signing"},
    "chat_session_others": {"of": "chat_session", "part": "others"},
    "chat_redis": None,
}
CLONE = json.dumps({"username": "chat_clone", "password": "two"})


class Memory(Backend):
    """A place in memory; `asked` are the requests."""

    label = "memory"
    batch = True
    makes = False
    advice = "write {name}"

    def __init__(self, **stages: dict[str, str]) -> None:
        self.kept = {stage: stages.get(stage.name.lower(), {}) for stage in Stage}
        self.asked: list[tuple[str, ...]] = []
        self.refused: dict[str, str] = {}

    def read(self, identifiers: Any, stage: Stage) -> Answer:
        self.asked.append((stage.name, *identifiers))
        found = {name: Record(self.kept[stage][name]) for name in identifiers if name in self.kept[stage]}
        return Answer(found, self.refused)

    def stage(self, identifier: str, text: str) -> None:
        self.kept[Stage.PENDING][identifier] = text

    def promote(self, identifier: str) -> None:
        raise NotImplementedError

    def retire(self, identifier: str) -> None:
        raise NotImplementedError


def reader(memory: Memory, root: Any, **more: Any) -> Reader:
    platform = {
        "name": "chat",
        "environment": "prod",
        "data": {"postgresql": {"users": {"chat": {"password": "chat_database"}}}},
        "secrets": {"backend": "vault", "prefix": "p/", "names": NAMES},
    }
    given = {"connect": lambda *_: memory, **more}
    return Reader(Declaration.of(platform, root), lambda _name: None, **given)


CURRENT = {"p/chat_database": "one", "p/chat_session": "key one", "p/chat_redis": "red"}


@pytest.mark.parametrize(
    ("stages", "names", "part", "expected"),
    [
        ({}, ["chat_database", "chat_database_user"], None, ["one", "chat"]),
        ({"current": {"p/chat_database": CLONE}}, ["chat_database_user", "chat_database"], None, ["chat_clone", "two"]),
        ({}, ["chat_session_others", "chat_redis"], None, ["", "red"]),
        ({"pending": {"p/chat_session": "key two"}}, ["chat_session_others"], None, ["key two"]),
        (
            {"pending": {"p/chat_session": "key two"}, "previous": {"p/chat_session": "key nil"}},
            ["chat_session_others", "chat_session"],
            None,
            ["key two\nkey nil", "key one"],
        ),
        ({"pending": {"p/chat_redis": "blue"}}, ["chat_redis"], "others", ["blue"]),
        (
            {"pending": {"p/chat_database": CLONE}},
            ["chat_database"],
            "logins",
            [[{"username": "chat", "password": "one"}, {"username": "chat_clone", "password": "two"}]],
        ),
    ],
)
def test_parts(stages, names, part, expected, tmp_path):
    memory = Memory(**{**stages, "current": {**CURRENT, **stages.get("current", {})}})
    assert reader(memory, tmp_path).values(names, part) == expected


def test_what_is_being_retired_is_valid_no_more(tmp_path):
    memory = Memory(current=CURRENT, previous={"p/chat_session": "key nil", "p/chat_redis": "pink"})
    found = reader(memory, tmp_path, retiring={"chat_session"})
    assert found.values(["chat_session", "chat_redis"], "others") == ["", "pink"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "secret 'chat_database': its document has no field 'password'; write one"),
        ("{", "secret 'chat_database': it is no JSON object, so nothing can be taken out of it; remove the key"),
    ],
)
def test_documents_that_are_none(text, said, tmp_path):
    with pytest.raises(PlatformError, match=said):
        reader(Memory(current={"p/chat_database": text}), tmp_path).values(["chat_database"])


def test_a_part_of_what_is_not_declared(tmp_path):
    declared = Declaration.of(
        {"secrets": {"backend": "vault", "names": {"a": {"of": "b", "part": "others"}}}}, tmp_path
    )
    with pytest.raises(PlatformError, match=r"secret 'b' is not declared"):
        Reader(declared, lambda _name: None).values(["a"])


def test_an_empty_value_is_none(tmp_path):
    with pytest.raises(PlatformError, match=r"secret 'chat_redis': p/chat_redis is empty in memory; give it a value"):
        reader(Memory(current={"p/chat_redis": ""}), tmp_path).values(["chat_redis"])


def test_all_that_are_missing_are_one_message(tmp_path):
    with pytest.raises(PlatformError) as error:
        reader(Memory(), tmp_path).values(["chat_redis", "chat_session"])
    assert str(error.value).splitlines() == [
        "secret 'chat_redis': memory has no 'p/chat_redis'; write chat_redis",
        "secret 'chat_session': memory has no 'p/chat_session'; write chat_session",
    ]


def test_in_a_run_everything_is_asked_for_once(tmp_path):
    memory = Memory(current=CURRENT)
    cached = reader(memory, tmp_path, cache=Cache())
    for _host in range(3):
        assert cached.values(["chat_redis"]) == ["red"]
        assert cached.values(["chat_database", "chat_session_others"]) == ["one", ""]
    assert memory.asked == [
        ("CURRENT", "p/chat_redis", "p/chat_database", "p/chat_session"),
        ("PENDING", "p/chat_session"),
        ("PREVIOUS", "p/chat_session"),
    ]


def test_what_is_promoted_between_two_requests_is_found(tmp_path):
    class Promoting(Memory):
        """Somebody promotes after the request number `after`."""

        after = 0

        def read(self, identifiers: Any, stage: Stage) -> Answer:
            answer = super().read(identifiers, stage)
            if len(self.asked) == self.after:
                self.kept[Stage.PREVIOUS], self.kept[Stage.CURRENT] = self.kept[Stage.CURRENT], self.kept[Stage.PENDING]
                self.kept[Stage.PENDING] = {}
            return answer

    for after in range(4):
        memory = Promoting(current={"p/chat_session": "old"}, pending={"p/chat_session": "new"})
        memory.after = after
        found = reader(memory, tmp_path).values(["chat_session", "chat_session_others"])
        assert {found[0], *found[1].splitlines()} == {"old", "new"}


def test_one_that_nobody_wants_may_be_missing(tmp_path):
    memory = Memory(current={"p/chat_redis": "red"})
    memory.refused = {"p/chat_session": "not for you"}
    assert reader(memory, tmp_path, cache=Cache()).values(["chat_redis"]) == ["red"]


def test_processes_of_a_run_share_what_one_of_them_read(tmp_path):
    cache = Cache()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            reader(Memory(current=CURRENT), tmp_path, cache=cache).values(["chat_redis"])
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    memory = Memory()
    assert reader(memory, tmp_path, cache=cache).values(["chat_redis"]) == ["red"]
    assert memory.asked == []
    cache.forget()
    with pytest.raises(PlatformError, match=r"memory has no"):
        reader(memory, tmp_path, cache=cache).values(["chat_redis"])


def test_what_a_killed_process_has_written_by_half_is_asked_for_again(tmp_path):
    cache = Cache()
    assert reader(Memory(current=CURRENT), tmp_path, cache=cache).values(["chat_redis"]) == ["red"]
    os.ftruncate(cache.descriptor, 20)
    assert reader(Memory(current=CURRENT), tmp_path, cache=cache).values(["chat_redis"]) == ["red"]


def test_another_backend_is_another_secret(tmp_path):
    cache = Cache()
    assert reader(Memory(current=CURRENT), tmp_path, cache=cache).values(["chat_redis"]) == ["red"]
    secrets = {"backend": "vault", "prefix": "p/", "names": NAMES, "vault": {"address": "http://elsewhere"}}
    other = Reader(
        Declaration.of({"secrets": secrets}, tmp_path),
        lambda _name: None,
        cache=cache,
        connect=lambda *_: Memory(current={"p/chat_redis": "green"}),
    )
    assert other.values(["chat_redis"]) == ["green"]


def test_check_mode_reads_and_makes_nothing(tmp_path):
    secrets = {"backend": "files", "directory": "s", "names": NAMES}
    checked = Reader(Declaration.of({"secrets": secrets}, tmp_path), lambda _name: None, check=True)
    assert checked.values(["chat_redis", "chat_session_others", "chat_database_user"]) == [UNSET, "", UNSET]
    assert checked.values(["chat_database"], "logins") == [[{"username": "", "password": UNSET}]]
    assert list(tmp_path.iterdir()) == []
