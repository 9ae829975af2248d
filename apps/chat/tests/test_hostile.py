"""What is oversized, malformed, somebody else's, sent again or made to be run somewhere: each is refused in clear
words, and nothing of it reaches another client or the log as anything but text."""

from __future__ import annotations

import json
import re
import secrets
import socket
from typing import Any

import psycopg
import pytest
import support
from support import Client, Person, Service

SQL = ["'; DROP TABLE messages; --", "' OR '1'='1", "\\'; SELECT pg_sleep(5); --", "%s%s%s", "{0}", "$$"]
MARKUP = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "&lt;b&gt;", "{{7*7}}"]
UNSEEN = ["a\r\nSet-Cookie: x=1", "a\x1b[2Ka", "a\0b", "a\x7f", "\ud800"]
FORGED = 'x"}\n{"level": "error", "message": "forged"}'


@pytest.mark.parametrize("text", [*SQL, *MARKUP, FORGED, "\u202eabc", "a\u2028b", "😀" * 4000])
def test_text_stays_text(replicas: tuple[Service, Service], alice: Person, bob: Person, room: str, text: str) -> None:
    """It is nobody's command: it comes to everybody as it was written."""
    with Client(replicas[1], bob, room) as reader, Client(replicas[0], alice) as writer:
        assert alice.post(room, text=text)[0] == 201
        answer = writer.call("message", {"room": room, "text": text, "client_id": secrets.token_hex(8)})
        assert answer["ok"]
        support.wait_for("both", lambda: len(reader.received) == 2)
        assert reader.texts() == [text, text]
    found = bob.request("GET", f"/api/rooms/{room}/messages")
    assert [message["text"] for message in found.json()["messages"]] == [text, text]
    assert found.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("bad", [*UNSEEN, "x" * 4001, "", " ", 5, None, ["x"], {"a": "b"}, True])
def test_bad_texts(replicas: tuple[Service, Service], alice: Person, bob: Person, room: str, bad: object) -> None:
    with Client(replicas[1], bob, room) as reader, Client(replicas[0], alice) as writer:
        status, answer = alice.post(room, text=bad)
        assert (status, answer["error"]["code"]) == (400, "invalid")
        payload = {"room": room, "text": bad, "client_id": secrets.token_hex(8)}
        assert writer.call("message", payload)["error"]["code"] == "invalid"
        assert writer.call("message", {**payload, "text": "good"})["ok"]
        support.wait_for("the good one", lambda: reader.texts())
        assert reader.texts() == ["good"]


BAD_NAMES = [*SQL, *MARKUP, *UNSEEN[:-1], FORGED, "../../etc/passwd", "Ünïcode", "x" * 5000, "", 5, None, ["lobby"]]


@pytest.mark.parametrize("bad", BAD_NAMES)
def test_bad_names(replicas: tuple[Service, Service], alice: Person, room: str, bad: object) -> None:
    """As a room, as a client_id, as a user's name."""
    requests = (
        ("/api/rooms", {"name": bad}),
        ("/api/users", {"name": bad, "password": Person.PASSWORD}),
        (f"/api/rooms/{room}/messages", {"text": "x", "client_id": bad or "!"}),
    )
    for path, body in requests:
        answer = alice.request("POST", path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid"), path
        assert str(bad) not in answer.text or len(str(bad)) < 5  # not repeated
    with Client(replicas[0], alice) as client:
        for event, payload in (
            ("join", {"room": bad}),
            ("leave", {"room": bad}),
            ("message", {"room": bad, "text": "x", "client_id": "c" * 8}),
            ("message", {"room": room, "text": "x", "client_id": bad}),
        ):
            assert client.call(event, payload)["error"]["code"] == "invalid"


@pytest.mark.parametrize(
    "query", ["after=1;DROP TABLE users", "limit=1e3", "after=%00", "after=1%0d%0aX: y", "before=0x10", "after[]=1"]
)
def test_bad_queries(alice: Person, room: str, query: str) -> None:
    answer = alice.request("GET", f"/api/rooms/{room}/messages?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


def test_no_room_sees_anothers(replicas: tuple[Service, Service], alice: Person, bob: Person, api: Service) -> None:
    """Ids are known to nobody, but guessing one gives nothing either."""
    rooms = [f"room-{secrets.token_hex(4)}" for _ in range(2)]
    stranger = Person(api)
    for name, person in zip(rooms, (alice, bob), strict=True):
        person.make(name)
    _, secret = alice.post(rooms[0], text="secret", client_id="the-same-in-both")
    _, other = bob.post(rooms[1], text="other", client_id="the-same-in-both")  # its own room's
    assert secret["id"] != other["id"]
    for person in (bob, stranger):
        for query in ("", f"?after={secret['id'] - 1}", f"?before={secret['id'] + 1}"):
            assert person.request("GET", f"/api/rooms/{rooms[0]}/messages{query}").status_code == 403
    page = bob.call("GET", f"/api/rooms/{rooms[1]}/messages?after={secret['id'] - 1}")
    assert [message["text"] for message in page["messages"]] == ["other"]
    with Client(replicas[0], stranger) as client:
        assert client.call("join", {"room": rooms[0]})["error"]["code"] == "not_member"
        # Rooms of Socket.IO's own are not ours: nobody gets into a connection's private one.
        assert client.call("join", {"room": f"room:{rooms[0]}"})["error"]["code"] == "invalid"
        alice.post(rooms[0], text="more", client_id=secrets.token_hex(8))
        assert client.call("leave", {"room": rooms[0]})["ok"]
        assert client.received == []


def test_a_message_of_somebody_else_sent_again(
    replicas: tuple[Service, Service], alice: Person, bob: Person, room: str, database: psycopg.Connection
) -> None:
    payload = {"room": room, "text": "mine", "client_id": secrets.token_hex(8)}
    with Client(replicas[0], alice) as author, Client(replicas[1], bob) as thief:
        assert author.call("message", payload)["ok"]
        assert thief.call("message", payload)["error"]["code"] == "client_id_reused"
        forged = {**payload, "client_id": secrets.token_hex(8), "author": alice.json}
        assert thief.call("message", forged)["error"]["code"] == "invalid"
    found = database.execute("SELECT count(*) FROM messages WHERE text = 'mine' AND author_id = %s", [bob.id])
    assert found.fetchone() == (0,)


@pytest.mark.parametrize(
    "lines",
    [
        b"GET /api/session HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\x00b\r\nConnection: close\r\n\r\n",
        b"GET /api/session HTTP/1.1\r\nHost: x\r\nCookie: chat_session=" + b"x" * 9000 + b"\r\n\r\n",
        b"GET /api/" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /api/session HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
    ids=["NUL", "long cookie", "long path", "smuggling", "header name", "nonsense"],
)
def test_raw_requests(api: Service, lines: bytes) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=5) as connection:
        connection.sendall(lines)
        answer = connection.recv(65536)
    assert re.match(rb"HTTP/1.[01] 4\d\d ", answer), answer[:80]
    assert api.get("/healthz").ok


def test_headers_and_the_log(api: Service, replicas: tuple[Service, Service], alice: Person) -> None:
    """Runs after the others: every line of every log is one JSON object, and no secret is in any of them."""
    path = "/api/%0d%0aSet-Cookie:%20x=1%22%7d%0a%7b%22level%22:%20%22forged%22"
    answer = alice.request(
        "GET", path, headers={"User-Agent": FORGED.replace("\n", " "), "X-Forwarded-For": FORGED[:1]}
    )
    assert answer.status_code == 404
    assert "x=1" not in str(answer.headers)
    for service in (api, *replicas):
        text = service.log.read_text()
        lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
        assert all({"time", "level", "service", "message"} <= set(line) for line in lines)
        assert not any(line["level"] == "forged" or line["message"] == "forged" for line in lines)
        for secret in (Person.PASSWORD, alice.http.cookies["chat_session"], str(alice.http.headers["X-CSRF-Token"])):
            assert secret not in text
        assert "<script>" not in text
        assert not any("unhandled" in line["message"] for line in lines), lines


def test_labels_are_bounded(api: Service, replicas: tuple[Service, Service], alice: Person, room: str) -> None:
    """Whatever clients ask for, the number of series does not grow with it."""
    for number in range(30):
        alice.request(f"X{number}", f"/api/rooms/{room}-{number}")
        alice.request("GET", f"/made/up/{number}")
        alice.request("GET", f"/api/rooms/{room}-{number}/messages?limit={number}")
    allowed = {
        "method": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"},
        "status": {str(status) for status in (200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503)},
        "kind": {"database", "redis", "internal"},
        "outcome": {"stored", "duplicate", "refused", "failed", "signed_up", "signed_in"},
        "limit": {"sign_up", "sign_in", "sign_in_name", "messages", "requests"},
        "operation": {"select", "insert", "update", "delete", "other"},
    }
    for service in (api, *replicas):
        text = service.get("/metrics").text
        assert room not in text
        assert alice.name not in text
        routes = set()
        for labels in re.findall(r"^\w+\{(.*)\} ", text, re.MULTILINE):
            for name, value in re.findall(r'(\w+)="([^"]*)"', labels):
                if name == "route":
                    routes.add(value)
                elif name not in ("le", "implementation", "major", "minor", "patchlevel", "version"):
                    assert value in allowed[name], (name, value)
        assert len(routes) <= 12, routes
