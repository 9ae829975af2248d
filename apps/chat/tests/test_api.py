"""Rooms, messages and what every request goes through."""

from __future__ import annotations

import secrets
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import support
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from support import Person, Service

from chat.api import create_app
from chat.config import Program, load

METRICS = (
    "http_requests_total", "http_request_duration_seconds_bucket", "http_requests_in_progress", "errors_total",
    "connections_used", "query_duration_seconds_bucket", "slow_queries_total", "messages_in_total",
    "messages_out_total", "sign_ins_total", "rate_limited_total", "slow_clients_total", "queue_lag_seconds_bucket",
    "chat_users", "chat_rooms", "chat_messages",
)  # fmt: skip


def browser(environment: dict[str, str], person: Person | None = None) -> FlaskClient:
    """Of an application in this process, with other settings than the replica's."""
    client = create_app(load(environment, Program.API)).test_client()
    if person:
        client.set_cookie("chat_session", person.http.cookies["chat_session"])
        client.environ_base["HTTP_X_CSRF_TOKEN"] = str(person.http.headers["X-CSRF-Token"])
    return client


def code(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


# Rooms ----------------------------------------------------------------------------------------------------------------


def test_a_room(alice: Person, bob: Person) -> None:
    name = f"room-{secrets.token_hex(4)}"
    made = alice.call("POST", "/api/rooms", {"name": name, "topic": "What <we> do"}, expect=201)
    assert made == {"name": name, "topic": "What <we> do", "joined": True, "members": 1, "last_message_id": None}
    assert code(bob.request("POST", "/api/rooms", {"name": name})) == (409, "name_taken")
    url = f"/api/rooms/{name}"
    assert bob.call("GET", url) == {**made, "joined": False}
    assert code(bob.request("GET", f"{url}/messages")) == (403, "not_member")
    assert code(bob.request("GET", f"{url}/members")) == (403, "not_member")
    assert code(bob.request("POST", f"{url}/messages", {"text": "x"})) == (403, "not_member")
    for _ in range(2):
        bob.enter(name)
    _, message = bob.post(name, text="here")
    assert alice.call("GET", url) == {**made, "members": 2, "last_message_id": message["id"]}
    offline = [{**person.json, "online": False} for person in sorted((alice, bob), key=lambda person: person.name)]
    assert alice.call("GET", f"{url}/members") == {"members": offline, "more": False}
    assert alice.call("GET", f"{url}/members?limit=1") == {"members": offline[:1], "more": True}
    assert alice.call("GET", f"{url}/members?after={offline[0]['name'].upper()}")["members"] == offline[1:]
    for _ in range(2):
        bob.call("DELETE", f"{url}/membership", expect=204)
    assert code(bob.request("GET", f"{url}/messages")) == (403, "not_member")


def test_rooms_by_name(alice: Person, bob: Person) -> None:
    prefix = f"zz-{secrets.token_hex(4)}"
    names = [f"{prefix}-{letter}" for letter in "abcde"]
    for name in reversed(names):
        alice.make(name)
    found: list[str] = []
    after, more = prefix, True
    while more:
        page = bob.call("GET", f"/api/rooms?after={after}&limit=2")
        found += [room["name"] for room in page["rooms"]]
        after, more = found[-1], page["more"]
    assert found == names
    assert "lobby" in [room["name"] for room in bob.call("GET", "/api/rooms?limit=200")["rooms"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("GET", "/messages"), ("GET", "/members"), ("PUT", "/membership"), ("DELETE", "/membership"),
        ("POST", "/messages"),
    ],
)  # fmt: skip
def test_no_such_room(alice: Person, api: Service, method: str, path: str) -> None:
    body = {"text": "x"} if method == "POST" else None
    assert code(alice.request(method, f"/api/rooms/nobody-made-it{path}", body)) == (404, "not_found")
    assert code(alice.request(method, f"/api/rooms/UPPER{path}", body)) == (400, "invalid")
    nobody = requests.request(method, f"{api.url}/api/rooms/lobby{path}", json=body, timeout=5)
    assert code(nobody) == (401, "unauthenticated")


# Messages -------------------------------------------------------------------------------------------------------------


def test_write_and_read(alice: Person, bob: Person, room: str) -> None:
    ids = []
    for number in range(5):
        status, message = (alice, bob)[number % 2].post(room, text=f"text {number}", client_id=f"client-{number}")
        assert status == 201
        assert (message["room"], message["author"]) == (room, (alice, bob)[number % 2].json)
        ids.append(message["id"])
    assert ids == sorted(ids)

    def page(query: str) -> tuple[list[int], bool]:
        answer = alice.call("GET", f"/api/rooms/{room}/messages{query}")
        assert answer["room"] == room
        return [message["id"] for message in answer["messages"]], answer["more"]

    assert page("") == (ids, False)
    assert page("?limit=2") == (ids[3:], True)
    assert page(f"?before={ids[3]}&limit=2") == (ids[1:3], True)
    assert page(f"?before={ids[1]}&limit=2") == (ids[:1], False)
    assert page(f"?before={ids[0]}") == ([], False)
    assert page(f"?after={ids[1]}&limit=2") == (ids[2:4], True)
    assert page(f"?after={ids[1]}&limit=3") == (ids[2:], False)
    assert page("?after=0") == (ids, False)


def test_sending_again_is_harmless(alice: Person, bob: Person, room: str) -> None:
    first = alice.post(room, text="once", client_id="the-same-one")
    again = alice.post(room, text="once", client_id="the-same-one")
    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    for person, text in ((alice, "another"), (bob, "once")):  # the author is part of what it stands for
        status, refused = person.post(room, text=text, client_id="the-same-one")
        assert (status, refused["error"]["code"]) == (409, "client_id_reused")
    assert len(alice.call("GET", f"/api/rooms/{room}/messages")["messages"]) == 1


def test_the_same_message_many_times_at_once(alice: Person, room: str) -> None:
    answers: list[tuple[int, dict[str, Any]]] = []
    work = [
        threading.Thread(target=lambda: answers.append(alice.post(room, text="once", client_id="in-parallel")))
        for _ in range(8)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({message["id"] for _, message in answers}) == 1


def test_refusals(api: Service, alice: Person, room: str) -> None:
    status, body = alice.post(room, text="", client_id="!", more=1)
    assert status == 400
    assert body["error"] == {
        "code": "invalid",
        "message": "the request is not valid",
        "fields": {
            "body": "has unknown keys; text and client_id are known",
            "text": "must not be empty",
            "client_id": "must be 8 to 64 of letters, digits, '-' and '_'",
        },
    }
    url = f"{api.url}/api/rooms/{room}/messages"
    json_type = {"Content-Type": "application/json"}
    assert code(alice.http.post(url, data="text=x", timeout=5)) == (415, "unsupported_media_type")
    for bad in ("{", "[" * 30_000, '{"text": "\\ud800"}', "\xff", "", "null", '["text"]', '"text"'):
        assert code(alice.http.post(url, data=bad, headers=json_type, timeout=5)) == (400, "invalid"), bad[:20]
    # On a connection of its own: what is not read of it ends that.
    held = {"Cookie": alice.cookie, "X-CSRF-Token": str(alice.http.headers["X-CSRF-Token"])}
    large = requests.post(url, json={"text": "x" * 70_000}, headers=held, timeout=5)
    assert code(large) == (413, "too_large")
    for query in ("?after=x", "?limit=0", "?limit=201", "?after=-1", "?before=1&after=1", "?limit=1&limit=2", "?x=1"):
        assert code(alice.request("GET", f"/api/rooms/{room}/messages{query}")) == (400, "invalid"), query
    everything = alice.request("POST", "/api/rooms/UPPER/messages?x=1", {"text": 1}).json()["error"]["fields"]
    assert set(everything) == {"room", "query", "text"}
    assert code(alice.request("GET", "/api/nothing")) == (404, "not_found")
    answer = alice.request("PATCH", "/api/rooms")
    assert code(answer) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), client_id=st.text(max_size=20) | st.none())
def test_no_text_breaks_it(alice: Person, room: str, text: str, client_id: str | None) -> None:
    status, answer = alice.post(room, text=text, client_id=client_id)
    assert status in (201, 200, 400, 409), answer
    if status == 201:
        assert answer["text"] == text


# What every request goes through --------------------------------------------------------------------------------------


def test_metrics(api: Service, alice: Person, room: str) -> None:
    alice.post(room, text="counted", client_id="counted-once")
    api.get(f"/api/rooms/{room}-not/at/all")
    text = api.get("/metrics").text
    for name in METRICS:
        assert f"\n{name}" in text, name
    assert 'route="/api/rooms/<room>/messages",status="201"' in text
    assert 'route="unmatched",status="404"' in text
    assert room not in text  # labels name routes, never paths
    assert api.metric("connections_used") == 0


def test_request_ids(api: Service, alice: Person, room: str) -> None:
    url = f"/api/rooms/{room}/messages"
    given = alice.request("GET", url, headers={"X-Request-ID": "given-by.the_edge-1"})
    assert given.headers["X-Request-ID"] == "given-by.the_edge-1"
    replaced = alice.request("GET", url, headers={"X-Request-ID": 'x", "level": "forged'}).headers["X-Request-ID"]
    assert replaced.isalnum()
    logged = {line.get("request_id"): line for line in api.lines()}
    assert (logged["given-by.the_edge-1"]["status"], logged["given-by.the_edge-1"]["user_id"]) == (200, alice.id)
    assert logged[replaced]["route"] == "/api/rooms/<room>/messages"


def test_security_headers(api: Service) -> None:
    for path in ("/api/session", "/api/openapi.json", "/api/nothing", "/healthz"):
        headers = api.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_other_origins(environment: dict[str, str]) -> None:
    header = "Access-Control-Allow-Origin"
    closed = browser(environment)
    assert header not in closed.get("/healthz", headers={"Origin": "https://other.example"}).headers
    opened = browser({**environment, "CORS_ORIGINS": "https://other.example"})
    answer = opened.options("/api/rooms", headers={"Origin": "https://other.example"})
    assert answer.headers[header] == "https://other.example"
    assert "X-CSRF-Token" in answer.headers["Access-Control-Allow-Headers"]
    assert header not in opened.get("/healthz", headers={"Origin": "https://third.example"}).headers


@pytest.mark.parametrize(("away", "failing"), [("DATABASE_PORT", "postgresql"), ("REDIS_PORT", "redis")])
def test_not_ready(environment: dict[str, str], away: str, failing: str) -> None:
    client = browser({**environment, away: str(support.free_port())})
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["failing"] == [failing]
    assert "refused" in response.json["checks"][failing]
    assert client.get("/healthz").status_code == 200


def test_not_ready_without_tables(environment: dict[str, str], empty_database: dict[str, str]) -> None:
    client = browser({**environment, **empty_database})
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["checks"]["postgresql"] == "the tables are missing: run chat-migrate"


def test_the_database_away(environment: dict[str, str], alice: Person, room: str) -> None:
    client = browser({**environment, "DATABASE_PORT": str(support.free_port())}, alice)
    response = client.post(f"/api/rooms/{room}/messages", json={"text": "x"})
    assert response.status_code == 503
    figures = client.get("/metrics").text
    assert 'errors_total{kind="database"} 1.0' in figures
    assert 'messages_in_total{outcome="failed"} 1.0' in figures
    assert "chat_users" not in figures


def test_sigterm_finishes_requests_in_flight(
    environment: dict[str, str], database: psycopg.Connection, room: str, alice: Person, tmp_path: Path
) -> None:
    with support.service("chat-api", environment, tmp_path / "api.log") as replica:
        url = f"{replica.url}/api/rooms/{room}/messages"
        answers: list[int] = []
        with database.transaction():
            # The request waits for this lock while the service is told to stop.
            database.execute(sql.SQL("SELECT 1 FROM rooms WHERE name = %s FOR UPDATE"), [room])
            request = threading.Thread(
                target=lambda: answers.append(alice.http.post(url, json={"text": "in flight"}, timeout=15).status_code)
            )
            request.start()
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            with psycopg.connect(
                database.info.dsn, password=environment["DATABASE_PASSWORD"], autocommit=True
            ) as other:
                support.wait_for("lock", lambda: other.execute(waiting).fetchone() != (0,))
            replica.process.terminate()
            time.sleep(0.5)
            assert replica.process.poll() is None
        request.join(10)
        assert answers == [201]
        assert replica.process.wait(10) == 0
