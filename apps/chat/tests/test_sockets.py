from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import socketio
import support
import websocket
from support import Client, Person, Service

from chat.http import origin_allowed
from chat.sessions import storage_key


def rows(database: psycopg.Connection, room: str) -> list[tuple[object, ...]]:
    query = "SELECT m.id, m.client_id, m.text FROM messages m JOIN rooms r ON r.id = m.room_id WHERE r.name = %s"
    return database.execute(query + " ORDER BY m.id", [room]).fetchall()


def new(room: str, text: str, client_id: str | None = None) -> dict[str, str]:
    return {"room": room, "text": text, "client_id": client_id or secrets.token_hex(8)}


def address(replica: Service) -> str:
    return f"ws://127.0.0.1:{replica.port}/ws/socket.io/?EIO=4&transport=websocket"


def raw(replica: Service, person: Person, **options: Any) -> websocket.WebSocket:
    """A connection below Socket.IO's client, past the handshake."""
    connection = websocket.create_connection(address(replica), cookie=person.cookie, timeout=5, **options)
    assert connection.recv()[:1] == "0"  # Engine.IO: open
    connection.send("40")
    assert connection.recv()[:2] == "40"  # Socket.IO: connected
    return connection


def ended(connection: websocket.WebSocket) -> bool:
    """Whether the server closes it."""
    connection.settimeout(5)
    try:
        while connection.recv():
            pass
    except (websocket.WebSocketConnectionClosedException, OSError) as error:
        return not isinstance(error, TimeoutError | websocket.WebSocketTimeoutException)
    return True


# Messages -------------------------------------------------------------------------------------------------------------


def test_from_one_replica_to_a_client_of_another(
    replicas: tuple[Service, Service], alice: Person, bob: Person, database: psycopg.Connection, room: str
) -> None:
    first, second = replicas
    sent = first.metric('messages_in_total{outcome="stored"}'), second.metric("messages_out_total")
    lags = second.metric("queue_lag_seconds_count")
    with (
        Client(first, alice) as sender,
        Client(second, bob) as receiver,
        Client(second, bob) as elsewhere,
    ):
        online = [bob.json]
        assert receiver.call("join", {"room": room}) == {"ok": True, "room": room, "last_id": None, "online": online}
        answer = sender.call("message", new(room, "<b>hello</b> ✓", "first-one"))
        assert answer.pop("ok")
        assert answer.pop("created")
        support.wait_for("the message", lambda: receiver.received)
        time.sleep(0.3)  # a second copy would have come by now
        message = {"room": room, "client_id": "first-one", "text": "<b>hello</b> ✓", "author": alice.json, **answer}
        assert receiver.received == [message]
        assert elsewhere.received == sender.received == []
        assert receiver.call("join", {"room": room})["last_id"] == answer["id"]
        assert (first.metric("active_websockets"), second.metric("active_websockets")) == (1, 2)
    support.wait_for(
        "their leaving", lambda: first.metric("active_websockets") + second.metric("active_websockets") == 0
    )
    assert rows(database, room) == [(answer["id"], "first-one", "<b>hello</b> ✓")]
    assert first.metric('messages_in_total{outcome="stored"}') == sent[0] + 1
    assert second.metric("messages_out_total") == sent[1] + 1
    assert second.metric("queue_lag_seconds_count") > lags


def test_from_the_api_to_a_client(replicas: tuple[Service, Service], alice: Person, bob: Person, room: str) -> None:
    with Client(replicas[1], bob, room) as receiver:
        _, message = alice.post(room, text="posted")
        support.wait_for("the message", lambda: receiver.received)
        assert receiver.received == [message]


def test_sending_again_is_harmless(
    replicas: tuple[Service, Service], alice: Person, bob: Person, database: psycopg.Connection, room: str
) -> None:
    """The answer of the first try got lost: the client asks the other replica, and both mean the same message."""
    message = new(room, "once", "again-and-again")
    with (
        Client(replicas[0], alice) as sender,
        Client(replicas[1], alice) as after_reconnect,
        Client(replicas[1], bob, room) as receiver,
    ):
        first, again = sender.call("message", message), after_reconnect.call("message", message)
        assert first["id"] == again["id"]
        assert (first["created"], again["created"]) == (True, False)
        for client, changes in ((after_reconnect, {"text": "another"}), (receiver, {})):
            assert client.call("message", {**message, **changes})["error"]["code"] == "client_id_reused"
        support.wait_for("the message", lambda: receiver.received)
        assert {item["id"] for item in receiver.received} == {first["id"]}
    assert [row[2] for row in rows(database, room)] == ["once"]


def test_leaving_and_coming(replicas: tuple[Service, Service], alice: Person, bob: Person, room: str) -> None:
    with Client(replicas[0], alice, room) as one, Client(replicas[1], bob, room) as two:
        assert one.call("leave", {"room": room}) == {"ok": True, "room": room}
        two.call("message", new(room, "after"))
        support.wait_for("the last", lambda: "after" in two.texts())
        assert "after" not in one.texts()


def test_messages_sent_in_a_row_keep_their_order(
    replicas: tuple[Service, Service], alice: Person, bob: Person, room: str
) -> None:
    """Without waiting for one answer before the next message."""
    with Client(replicas[0], alice) as sender, Client(replicas[1], bob, room) as receiver:
        for number in range(50):
            sender.sio.emit("message", new(room, str(number)))
        support.wait_for("all messages", lambda: len(receiver.received) == 50)
        assert receiver.texts() == [str(number) for number in range(50)]


# Who may what ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cookie", [None, "", "chat_session=", "chat_session=" + "x" * 43, "chat_session=a%0d%0ab"])
def test_no_session_no_connection(replicas: tuple[Service, Service], cookie: str | None) -> None:
    connection = websocket.create_connection(address(replicas[0]), cookie=cookie, timeout=5)
    assert connection.recv()[:1] == "0"
    connection.send("40")
    answer = connection.recv()
    assert answer[:2] == "44"  # connect_error
    assert json.loads(answer[2:])["data"] == {"code": "unauthenticated"}
    connection.send('420["join",{"room":"lobby"}]')
    connection.settimeout(0.5)
    with pytest.raises(websocket.WebSocketTimeoutException):  # nobody answers a stranger
        connection.recv()
    connection.close()


def test_strangers_are_not_kept(replicas: tuple[Service, Service]) -> None:
    connection = websocket.create_connection(address(replicas[0]), timeout=20)
    assert connection.recv()[:1] == "0"
    began = time.monotonic()
    while time.monotonic() - began < 20:
        if connection.recv()[:1] in ("", "1"):
            break
    assert 8 < time.monotonic() - began < 19


def test_members_only(replicas: tuple[Service, Service], alice: Person, api: Service, room: str) -> None:
    stranger = Person(api)
    with Client(replicas[0], stranger) as client, Client(replicas[1], alice) as member:
        for event, payload in (("join", {"room": room}), ("message", new(room, "let me in"))):
            assert client.call(event, payload)["error"]["code"] == "not_member"
            assert client.call(event, {**payload, "room": "nobody-made-it"})["error"]["code"] == "not_found"
        stranger.enter(room)
        assert client.call("join", {"room": room})["ok"]
        assert client.call("message", new(room, "thanks"))["ok"]
        support.wait_for("it", lambda: client.texts() == ["thanks"])
        stranger.call("DELETE", f"/api/rooms/{room}/membership", expect=204)
        support.wait_for("being put out", lambda: not _online(alice, stranger, room))
        assert client.call("message", new(room, "still here?"))["error"]["code"] == "not_member"
        member.call("message", new(room, "a secret"))
        time.sleep(0.5)
        assert client.texts() == ["thanks"]


def _online(asking: Person, user: Person, room: str) -> bool:
    members = asking.call("GET", f"/api/rooms/{room}/members")["members"]
    return any(member["online"] for member in members if member["id"] == user.id)


def test_signing_out_closes_that_sessions_sockets_everywhere(
    replicas: tuple[Service, Service], api: Service, room: str, alice: Person
) -> None:
    person = Person(api)
    other = person.elsewhere()
    with (
        Client(replicas[0], person) as one,
        Client(replicas[1], person) as two,
        Client(replicas[1], other) as elsewhere,
        Client(replicas[0], alice) as somebody,
    ):
        person.call("DELETE", "/api/session", expect=204)
        support.wait_for("the end", lambda: not one.sio.connected and not two.sio.connected, 5)  # before a heartbeat
        assert one.of("signed_out") == two.of("signed_out") == [{}]
        assert elsewhere.call("leave", {"room": room})["ok"]
        assert somebody.call("leave", {"room": room})["ok"]
    with pytest.raises(socketio.exceptions.ConnectionError):
        Client(replicas[0], person)


@pytest.mark.parametrize("payload", [None, "text", [], 5, {}, {"room": "x"}, {"room": "A", "text": "", "client_id": 1}])
def test_refused(replicas: tuple[Service, Service], alice: Person, payload: object) -> None:
    before = replicas[0].metric('messages_in_total{outcome="refused"}')
    with Client(replicas[0], alice) as client:
        answer = client.call("message", payload)
        assert not answer["ok"]
        assert answer["error"]["code"] == "invalid"
        assert answer["error"]["fields"]
        assert not client.call("join", payload if payload != {"room": "x"} else {})["ok"]
        assert client.call("dance", payload)["error"]["fields"] == {"event": "must be join, leave or message"}
    assert replicas[0].metric('messages_in_total{outcome="refused"}') == before + 1


def test_websocket_only(replicas: tuple[Service, Service]) -> None:
    response = replicas[0].get("/ws/socket.io/?EIO=4&transport=polling")
    assert response.status_code == 400
    assert "transport" in response.text


def test_other_origins(replicas: tuple[Service, Service]) -> None:
    """As a browser would ask: which page it comes from stands in Origin."""
    replica = replicas[0]
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        websocket.create_connection(address(replica), origin="https://other.example", timeout=5)
    connection = websocket.create_connection(address(replica), origin=replica.url, timeout=5)
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


# What a connection may cost -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet",
    [
        "x" * 70_000, '421["message",{"text":"' + "x" * 70_000 + '"}]', "42[", "4", "49", '42{"a":1}', "42[]", "42[1]",
        '451-["message",{"_placeholder":true,"num":0}]', "42" + "[" * 50_000, "43999", "44{}", b"\x00\xff",
    ],
    ids=lambda packet: repr(packet[:12]),
)  # fmt: skip
def test_broken_packets_harm_nobody_else(
    replicas: tuple[Service, Service], alice: Person, bob: Person, room: str, packet: str | bytes
) -> None:
    errors = replicas[0].metric('errors_total{kind="internal"}')
    with Client(replicas[0], bob, room) as other:
        connection = raw(replicas[0], alice)
        if isinstance(packet, bytes):
            connection.send_binary(packet)
        else:
            connection.send(packet)
        if packet.startswith("45") if isinstance(packet, str) else False:  # announces a binary part: never comes to one
            connection.send_binary(b"x")
        if len(packet) > 60_000 or packet not in ("42[1]", "43999", "4", "42[]", '42{"a":1}'):
            assert ended(connection)
        connection.close()
        assert other.call("message", new(room, "still here"))["ok"]
    assert replicas[0].metric('errors_total{kind="internal"}') == errors


def test_slow_clients_are_let_go(
    replicas: tuple[Service, Service], environment: dict[str, str], alice: Person, bob: Person, room: str
) -> None:
    """Who does not read holds up nobody, and costs no more than what may wait."""
    first, second = replicas
    connection = raw(first, bob, sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),))
    connection.send(f'420["join",{{"room":"{room}"}}]')
    support.wait_for("his coming", lambda: _online(alice, bob, room))
    before = first.metric("slow_clients_total")
    # As a third replica would publish them: what its database and its clients took to it is not measured here.
    message = {"id": 1, "room": room, "client_id": "c" * 8, "text": "\u2713" * 4000, "author": None, "created_at": ""}
    emit = {"method": "emit", "event": "message", "data": [message], "namespace": "/", "room": f"room:{room}"}
    packet = json.dumps(emit)
    alice.enter("lobby")
    with (
        redis.Redis(port=int(environment["REDIS_PORT"]), password=environment["REDIS_PASSWORD"]) as store,
        Client(second, alice) as sender,
        Client(first, alice, "lobby") as reader,
    ):
        for number in range(100):
            for _ in range(50):
                store.publish("chat", packet)
            assert sender.call("message", new("lobby", f"meanwhile {number}"))["ok"]
            if first.metric("slow_clients_total") > before:
                break
        assert sender.call("message", new("lobby", "the last"))["ok"]
        support.wait_for("all of them", lambda: "the last" in reader.texts())
        assert first.metric("slow_clients_total") == before + 1
        assert len(reader.texts()) == number + 2
        support.wait_for(
            "its leaving", lambda: first.metric("active_websockets") == 1 and not _online(alice, bob, room)
        )
    connection.close(timeout=0)


def test_messages_per_user(environment: dict[str, str], api: Service, tmp_path: Path, room: str) -> None:
    person = Person(api)
    person.enter(room)
    settings = {**environment, "RATE_LIMIT_MESSAGES": "3/minute"}
    with support.service("chat-websocket", settings, tmp_path / "ws.log") as replica:
        with Client(replica, person) as one, Client(replica, person) as two:
            answers = [client.call("message", new(room, "quick")) for client in (one, two, one, two)]
        assert [answer["ok"] for answer in answers] == [True, True, True, False]
        assert answers[3]["error"]["code"] == "rate_limited"
        assert 1 <= answers[3]["error"]["retry_after"] <= 60
        assert replica.metric('rate_limited_total{limit="messages"}') == 1


# Presence -------------------------------------------------------------------------------------------------------------


def test_presence(replicas: tuple[Service, Service], alice: Person, bob: Person, room: str) -> None:
    with Client(replicas[0], alice, room) as watching:
        with Client(replicas[0], bob, room), Client(replicas[1], bob) as second:
            answer = second.call("join", {"room": room})
            assert answer["online"] == sorted((alice.json, bob.json), key=lambda user: user["id"])
            assert _online(alice, bob, room)
        support.wait_for("his leaving", lambda: not _online(alice, bob, room))
        time.sleep(0.3)
        assert [news for news in watching.of("presence") if news["user"] == bob.json] == [
            {"room": room, "user": bob.json, "online": True},  # once, however many connections
            {"room": room, "user": bob.json, "online": False},
        ]


def test_a_killed_replicas_users_go_offline(
    environment: dict[str, str], tmp_path: Path, alice: Person, bob: Person, room: str
) -> None:
    settings = {**environment, "PRESENCE_SECONDS": "2"}
    with (
        support.service("chat-websocket", settings, tmp_path / "stays.log") as stays,
        support.service("chat-websocket", settings, tmp_path / "dies.log") as dies,
        Client(stays, alice, room) as watching,
    ):
        with Client(dies, bob, room):
            support.wait_for("his coming", lambda: watching.of("presence")[-1:] == [_news(room, bob, True)])
            time.sleep(2.5)  # longer than it lasts without a heartbeat
            assert _online(alice, bob, room)
            # All of it at once: its worker would say goodbye otherwise.
            children = Path(f"/proc/{dies.process.pid}/task/{dies.process.pid}/children").read_text().split()
            dies.process.kill()
            for child in children:
                os.kill(int(child), 9)
            support.wait_for("his leaving", lambda: watching.of("presence")[-1:] == [_news(room, bob, False)], 8)
        assert not _online(alice, bob, room)


def _news(room: str, person: Person, online: bool) -> dict[str, Any]:
    return {"room": room, "user": person.json, "online": online}


# Redis and stops ------------------------------------------------------------------------------------------------------


def test_redis_away_and_back(environment: dict[str, str], tmp_path: Path) -> None:
    port = support.free_port()
    settings = {**environment, "REDIS_PORT": str(port), "PRESENCE_SECONDS": "3"}
    with contextlib.ExitStack() as stack:
        with support.redis_server(tmp_path, port, keep=True):
            names = ("api", "websocket", "websocket")
            api, first, second = (
                stack.enter_context(support.service(f"chat-{name}", settings, tmp_path / f"{number}.log"))
                for number, name in enumerate(names)
            )
            for replica in (api, first, second):
                replica.wait_ready()
            alice, bob = Person(api), Person(api)
            room = f"room-{secrets.token_hex(4)}"
            alice.make(room)
            bob.enter(room)
            sender = stack.enter_context(Client(first, alice, room))
            receiver = stack.enter_context(Client(second, bob, room))
            assert sender.call("message", new(room, "before"))["ok"]
            support.wait_for("it", lambda: "before" in receiver.texts())
        for replica in (first, second):
            support.wait_for("not ready", lambda replica=replica: replica.get("/readyz").status_code == 503)  # type: ignore[misc]
            assert replica.get("/readyz").json()["failing"] == ["redis"]
        # Stored and acknowledged without delay, although nobody on another replica can see it now.
        began = time.monotonic()
        assert sender.call("message", new(room, "kept"))["ok"]
        assert time.monotonic() - began < 1
        with support.redis_server(tmp_path, port, keep=True):
            first.wait_ready()
            second.wait_ready()
            # What was missed is read then: who stayed connected has not to ask for it.
            support.wait_for("what was kept", lambda: "kept" in receiver.texts())
            assert sender.call("message", new(room, "after"))["ok"]
            support.wait_for("what came after", lambda: "after" in receiver.texts())
            # A sign-out that no order told of is noticed all the same.
            with redis.Redis(port=port, password=environment["REDIS_PASSWORD"]) as store:
                store.delete(storage_key(bob.http.cookies["chat_session"]))
            support.wait_for("the end", lambda: receiver.of("signed_out") == [{}] and not receiver.sio.connected)
            assert sender.sio.connected
        assert first.metric('errors_total{kind="redis"}') > 0


def test_sigterm_lets_clients_go(
    environment: dict[str, str], tmp_path: Path, alice: Person, bob: Person, room: str
) -> None:
    with support.service("chat-websocket", environment, tmp_path / "ws.log") as replica:
        replica.wait_ready()
        seen: list[tuple[int, bool]] = []
        with Client(replica, alice) as client, Client(replica, bob, room) as other:
            watching = threading.Event()

            def watch() -> None:
                with contextlib.suppress(OSError):
                    while not watching.is_set():
                        seen.append((replica.get("/readyz").status_code, bool(client.of("drain"))))

            watcher = threading.Thread(target=watch)
            watcher.start()
            began = time.monotonic()
            replica.process.terminate()
            support.wait_for("the disconnect", lambda: not client.sio.connected and not other.sio.connected)
            watching.set()
            assert replica.process.wait(10) == 0
            assert time.monotonic() - began < 8
            watcher.join(10)
            waits = [one.of("drain")[0]["reconnect_after"] for one in (client, other)]
            assert all(0.2 <= seconds <= 5 for seconds in waits)
            assert waits[0] != waits[1]
        assert (503, False) in seen  # not ready first
        assert _online(alice, bob, room)  # a moment away is no leaving
        assert any("2 connections told to reconnect" in line["message"] for line in replica.lines())
