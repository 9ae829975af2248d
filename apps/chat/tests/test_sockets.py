from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests
import socketio
import support
import websocket
from support import Client, Service

from chat.http import origin_allowed


@pytest.fixture(scope="module")
def replicas(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Service]]:
    """Two of them, as on two hosts: they share PostgreSQL and Redis and nothing else."""
    folder = tmp_path_factory.mktemp("websocket")
    with contextlib.ExitStack() as stack:
        first, second = (
            stack.enter_context(support.service("chat-websocket", environment, folder / f"{name}.log"))
            for name in ("first", "second")
        )
        first.wait_ready()
        second.wait_ready()
        yield first, second


def rows(database: psycopg.Connection, room: str) -> list[tuple[object, ...]]:
    query = "SELECT m.id, m.client_id, m.text FROM messages m JOIN rooms r ON r.id = m.room_id WHERE r.name = %s"
    return database.execute(query + " ORDER BY m.id", [room]).fetchall()


def test_from_one_replica_to_a_client_of_another(
    replicas: tuple[Service, Service], database: psycopg.Connection, room: str
) -> None:
    first, second = replicas
    sent = first.metric('messages_in_total{outcome="stored"}'), second.metric("messages_out_total")
    with Client(first) as sender, Client(second) as receiver, Client(second) as elsewhere:
        assert receiver.call("join", {"room": room}) == {"ok": True, "room": room}
        assert elsewhere.call("join", {"room": room + "-other"})["ok"]
        answer = sender.call("message", {"room": room, "text": "<b>hello</b> ✓", "client_id": "first-one"})
        assert answer["ok"]
        assert not answer["duplicate"]
        support.wait_for("the message", lambda: receiver.received)
        time.sleep(0.3)  # a second copy would have come by now
        assert receiver.received == [answer["message"]]
        assert receiver.received[0]["text"] == "<b>hello</b> ✓"
        assert elsewhere.received == sender.received == []
        assert (first.metric("active_websockets"), second.metric("active_websockets")) == (1, 2)
    support.wait_for(
        "their leaving", lambda: first.metric("active_websockets") + second.metric("active_websockets") == 0
    )
    assert rows(database, room) == [(answer["id"], "first-one", "<b>hello</b> ✓")]
    assert first.metric('messages_in_total{outcome="stored"}') == sent[0] + 1
    assert second.metric("messages_out_total") == sent[1] + 1


def test_from_the_api_to_a_client(
    environment: dict[str, str], replicas: tuple[Service, Service], room: str, tmp_path: Path
) -> None:
    with support.service("chat-api", environment, tmp_path / "api.log") as api, Client(replicas[1]) as receiver:
        receiver.call("join", {"room": room})
        message = requests.post(f"{api.url}/api/rooms/{room}/messages", json={"text": "posted"}, timeout=5).json()
        support.wait_for("the message", lambda: receiver.received)
        assert receiver.received == [message]


def test_sending_again_is_harmless(replicas: tuple[Service, Service], database: psycopg.Connection, room: str) -> None:
    """The answer of the first try got lost: the client asks the other replica, and both mean the same message."""
    message = {"room": room, "text": "once", "client_id": "again-and-again"}
    with Client(replicas[0]) as sender, Client(replicas[1]) as after_reconnect, Client(replicas[1]) as receiver:
        receiver.call("join", {"room": room})
        first, again = sender.call("message", message), after_reconnect.call("message", message)
        assert first["id"] == again["id"]
        assert (first["duplicate"], again["duplicate"]) == (False, True)
        conflict = after_reconnect.call("message", {**message, "text": "another"})
        assert conflict["error"]["code"] == "conflict"
        support.wait_for("the message", lambda: receiver.received)
        assert {item["id"] for item in receiver.received} == {first["id"]}
    assert [row[2] for row in rows(database, room)] == ["once"]


def test_order_is_the_same_for_everybody(
    replicas: tuple[Service, Service], database: psycopg.Connection, room: str
) -> None:
    with Client(replicas[0]) as one, Client(replicas[1]) as two:
        for client in (one, two):
            client.call("join", {"room": room})
        for number in range(10):
            sender = (one, two)[number % 2]
            assert sender.call("message", {"room": room, "text": str(number), "client_id": f"message-{number}"})["ok"]
        for client in (one, two):
            support.wait_for("all messages", lambda client=client: len(client.received) == 10)  # type: ignore[misc]
            assert client.texts() == [str(number) for number in range(10)]
        assert one.call("leave", {"room": room})["ok"]
        two.call("message", {"room": room, "text": "after", "client_id": "message-after"})
        support.wait_for("the last", lambda: "after" in two.texts())
        assert "after" not in one.texts()
    assert len(rows(database, room)) == 11


def test_messages_sent_in_a_row_keep_their_order(replicas: tuple[Service, Service], room: str) -> None:
    """Without waiting for one answer before the next message."""
    with Client(replicas[0]) as sender, Client(replicas[1]) as receiver:
        receiver.call("join", {"room": room})
        for number in range(50):
            sender.sio.emit("message", {"room": room, "text": str(number), "client_id": f"in-a-row-{number}"})
        support.wait_for("all messages", lambda: len(receiver.received) == 50)
        assert receiver.texts() == [str(number) for number in range(50)]


@pytest.mark.parametrize("payload", [None, "text", [], 5, {}, {"room": "x"}, {"room": "A", "text": "", "client_id": 1}])
def test_refused(replicas: tuple[Service, Service], payload: object) -> None:
    before = replicas[0].metric('messages_in_total{outcome="refused"}')
    with Client(replicas[0]) as client:
        answer = client.call("message", payload)
        assert not answer["ok"]
        assert answer["error"]["code"] == "invalid"
        assert answer["error"]["fields"]
        assert not client.call("join", payload if payload != {"room": "x"} else {})["ok"]
    assert replicas[0].metric('messages_in_total{outcome="refused"}') == before + 1


def test_more_arguments_than_one_are_refused(replicas: tuple[Service, Service]) -> None:
    with Client(replicas[0]) as client:
        assert not client.call("message", "one", "two")["ok"]


def test_oversized_packets_end_the_connection_only(replicas: tuple[Service, Service], room: str) -> None:
    with Client(replicas[0]) as large, Client(replicas[0]) as other:
        with pytest.raises((socketio.exceptions.TimeoutError, socketio.exceptions.DisconnectedError)):
            large.sio.call("message", {"room": room, "text": "x" * 100_000, "client_id": "too-large"}, timeout=2)
        assert not large.sio.connected
        assert other.call("join", {"room": room})["ok"]


def test_websocket_only(replicas: tuple[Service, Service]) -> None:
    response = replicas[0].get("/ws/socket.io/?EIO=4&transport=polling")
    assert response.status_code == 400
    assert "transport" in response.text


def test_other_origins(replicas: tuple[Service, Service]) -> None:
    """As a browser would ask: which page it comes from stands in Origin."""
    replica = replicas[0]
    url = f"ws://127.0.0.1:{replica.port}/ws/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        websocket.create_connection(url, origin="https://other.example", timeout=5)
    connection = websocket.create_connection(url, origin=replica.url, timeout=5)
    assert connection.recv()[:1] == "0"  # Engine.IO: open
    connection.close()


@pytest.mark.parametrize(
    ("origin", "environ", "expected"),
    [
        ("https://chat.lab", {"HTTP_HOST": "chat.lab"}, True),
        ("https://chat.lab", {"HTTP_HOST": "app1:5001", "HTTP_X_FORWARDED_HOST": "chat.lab"}, True),
        ("https://chat.lab", {"HTTP_HOST": "app1:5001"}, False),
        ("https://listed.example", {"HTTP_HOST": "chat.lab"}, True),
        ("null", {"HTTP_HOST": "chat.lab"}, False),
        ("null", {}, False),
    ],
)
def test_origin_allowed(origin: str, environ: dict[str, str], expected: bool) -> None:
    assert origin_allowed(origin, environ, ("https://listed.example",)) is expected


def test_redis_away_and_back(environment: dict[str, str], tmp_path: Path, room: str) -> None:
    port = support.free_port()
    settings = {**environment, "REDIS_PORT": str(port)}
    with contextlib.ExitStack() as stack:
        with support.redis_server(tmp_path, port):
            first, second = (
                stack.enter_context(support.service("chat-websocket", settings, tmp_path / f"{name}.log"))
                for name in ("first", "second")
            )
            first.wait_ready()
            second.wait_ready()
        for replica in (first, second):
            answer = replica.get("/readyz")
            assert (answer.status_code, answer.json()["failing"]) == (503, ["redis"])
        with Client(first) as sender, Client(second) as receiver:
            receiver.call("join", {"room": room})
            # Stored and acknowledged without delay, although nobody on another replica can see it now.
            began = time.monotonic()
            assert sender.call("message", {"room": room, "text": "kept", "client_id": "while-away"})["ok"]
            assert time.monotonic() - began < 1
            with support.redis_server(tmp_path, port):
                first.wait_ready()
                second.wait_ready()
                assert sender.call("message", {"room": room, "text": "back", "client_id": "after-that"})["ok"]
                support.wait_for("the message", lambda: "back" in receiver.texts())
        assert first.metric('errors_total{kind="redis"}') > 0


def test_sigterm_lets_clients_go(environment: dict[str, str], tmp_path: Path) -> None:
    with support.service("chat-websocket", environment, tmp_path / "ws.log") as replica:
        with Client(replica) as client:
            began = time.monotonic()
            assert support.stop(replica.process) == 0
            assert time.monotonic() - began < 6
            support.wait_for("the disconnect", lambda: not client.sio.connected)
        assert any("1 connections told to reconnect" in line["message"] for line in replica.lines())
