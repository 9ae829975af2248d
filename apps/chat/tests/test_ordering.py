"""Whatever several people send through two replicas at once, again and again: all see the same, once, in order."""

from __future__ import annotations

import secrets
import threading

import pytest
import support
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import Client, Person, Service

# What one sender does, one after the other: which of its messages, and through which replica. Numbers come again.
SENDS = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=10)


@pytest.fixture(scope="module")
def people(api: Service) -> list[Person]:
    return [Person(api) for _ in range(3)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=st.lists(SENDS, min_size=3, max_size=3))
def test_concurrent_senders(
    replicas: tuple[Service, Service], people: list[Person], plans: list[list[tuple[int, bool]]]
) -> None:
    room = f"room-{secrets.token_hex(6)}"
    people[0].make(room)
    for person in people[1:]:
        person.enter(room)
    ids: list[dict[int, set[int]]] = [{} for _ in people]
    created: list[list[int]] = [[] for _ in people]
    failures: list[object] = []

    def send(which: int, clients: tuple[Client, Client]) -> None:
        for number, second in plans[which]:
            payload = {"room": room, "text": f"{which}/{number}", "client_id": f"sender-{which}-{number}"}
            answer = clients[second].call("message", payload)
            if not answer["ok"]:
                failures.append(answer)
                return
            ids[which].setdefault(number, set()).add(answer["id"])
            if answer["created"]:
                created[which].append(answer["id"])

    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        """As a page does that asks for what is new, again and again, while others write."""
        last_look = False
        while not last_look:
            last_look = done.is_set()
            answer = people[2].call("GET", f"/api/rooms/{room}/messages?after={seen[-1] if seen else 0}")
            seen.extend(message["id"] for message in answer["messages"])

    clients = [(Client(replicas[0], person), Client(replicas[1], person, room)) for person in people]
    try:
        reader = threading.Thread(target=read)
        reader.start()
        senders = [threading.Thread(target=send, args=(which, clients[which])) for which in range(3)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        done.set()
        reader.join()
        assert failures == []
        expected = {(f"{which}/{number}") for which, plan in enumerate(plans) for number, _ in plan}

        # Page by page, as a client that has missed everything.
        stored: list[dict[str, object]] = []
        more = True
        while more:
            after = stored[-1]["id"] if stored else 0
            page = people[1].call("GET", f"/api/rooms/{room}/messages?after={after}&limit=3")
            stored += page["messages"]
            more = page["more"]
        assert [message["id"] for message in stored] == sorted({message["id"] for message in stored})  # type: ignore[type-var]
        assert len(stored) == len(expected)
        assert seen == [message["id"] for message in stored]  # it missed none, and saw none twice
        assert {message["text"] for message in stored} == expected
        by_text = {str(message["text"]): message for message in stored}
        for which, person in enumerate(people):
            # The same message has one id, however often and wherever it was sent, and was new once.
            assert all(len(found) == 1 for found in ids[which].values())
            assert len(created[which]) == len(ids[which])
            for number, found in ids[which].items():
                assert by_text[f"{which}/{number}"]["id"] in found
                assert by_text[f"{which}/{number}"]["author"] == person.json
            # What one sender sent first comes first.
            firsts = list(dict.fromkeys(number for number, _ in plans[which]))
            assert sorted(created[which]) == created[which] == [by_text[f"{which}/{number}"]["id"] for number in firsts]
        for _, listener in clients:
            # Live, every message came at least once, and each copy says the same.
            support.wait_for("all of them", lambda listener=listener: set(listener.texts()) == expected)  # type: ignore[misc]
            assert all(message == by_text[message["text"]] for message in listener.received)
    finally:
        for pair in clients:
            for client in pair:
                client.sio.disconnect()
