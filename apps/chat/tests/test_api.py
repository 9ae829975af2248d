from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests
import support
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql
from support import Service
from werkzeug.test import TestResponse

from chat.api import create_app
from chat.config import Program, load

METRICS = (
    "http_requests_total", "http_request_duration_seconds_bucket", "http_requests_in_progress", "errors_total",
    "connections_used", "query_duration_seconds_bucket", "slow_queries_total", "messages_in_total",
    "messages_out_total",
)  # fmt: skip


@pytest.fixture(scope="module")
def api(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with support.service("chat-api", environment, tmp_path_factory.mktemp("api") / "api.log") as replica:
        replica.wait_ready()
        yield replica


def post(replica: Service, room: str, **payload: object) -> tuple[int, dict[str, object]]:
    response = requests.post(f"{replica.url}/api/rooms/{room}/messages", json=payload, timeout=10)
    return response.status_code, response.json()


def test_write_and_read(api: Service, room: str) -> None:
    ids = []
    for number in range(5):
        status, message = post(api, room, text=f"text {number}", client_id=f"client-{number}")
        assert status == 201
        assert message["room"] == room
        ids.append(message["id"])
    url = f"/api/rooms/{room}/messages"
    everything = api.get(url).json()["messages"]
    assert [message["id"] for message in everything] == ids == sorted(ids)  # type: ignore[type-var]
    assert [message["text"] for message in api.get(f"{url}?after={ids[1]}&limit=2").json()["messages"]] == [
        "text 2",
        "text 3",
    ]
    assert [message["text"] for message in api.get(f"{url}?limit=2").json()["messages"]] == ["text 3", "text 4"]
    assert api.get("/api/rooms/nobody-was-here/messages").json() == {"room": "nobody-was-here", "messages": []}


def test_sending_again_is_harmless(api: Service, room: str) -> None:
    first = post(api, room, text="once", client_id="the-same-one")
    again = post(api, room, text="once", client_id="the-same-one")
    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    status, refused = post(api, room, text="another", client_id="the-same-one")
    assert status == 409
    assert len(api.get(f"/api/rooms/{room}/messages").json()["messages"]) == 1
    assert "request_id" in refused


def test_the_same_message_many_times_at_once(api: Service, room: str) -> None:
    answers: list[tuple[int, dict[str, object]]] = []
    work = [
        threading.Thread(target=lambda: answers.append(post(api, room, text="once", client_id="in-parallel")))
        for _ in range(8)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({message["id"] for _, message in answers}) == 1


def test_refusals(api: Service, room: str) -> None:
    url = f"{api.url}/api/rooms/{room}/messages"
    status, body = post(api, room, text="", client_id="!")
    assert status == 400
    assert body["error"] == {
        "code": "invalid",
        "message": "the request is not valid",
        "fields": {
            "text": "must not be empty",
            "client_id": "must be 8 to 64 of letters, digits, '-' and '_'",
        },
    }
    assert post(api, "UPPER", text="x")[0] == 400
    assert requests.post(url, data="text=x", timeout=5).status_code == 415
    assert requests.post(url, data="{", headers={"Content-Type": "application/json"}, timeout=5).status_code == 400
    assert requests.post(url, json={"text": "x" * 70_000}, timeout=5).status_code == 413
    assert requests.post(url, json=["text"], timeout=5).status_code == 400
    for path in ("?after=x", "?limit=0", "?limit=201", "?after=-1"):
        assert api.get(f"/api/rooms/{room}/messages{path}").status_code == 400
    missing = api.get("/api/nothing")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=60), room=st.text(max_size=20))
def test_no_text_breaks_it(environment: dict[str, str], text: str, room: str) -> None:
    client = _client(environment)
    response: TestResponse = client.post(f"/api/rooms/{'h-' + room}/messages", json={"text": text})
    assert response.status_code in (201, 301, 308, 400, 404, 405), response.text
    if response.status_code == 201:
        assert response.json is not None
        assert response.json["text"] == text


_CLIENTS: dict[str, object] = {}


def _client(environment: dict[str, str]):  # type: ignore[no-untyped-def]
    port = environment["DATABASE_PORT"]
    if port not in _CLIENTS:
        _CLIENTS[port] = create_app(load(environment, Program.API)).test_client()
    return _CLIENTS[port]


def test_metrics(api: Service, room: str) -> None:
    post(api, room, text="counted", client_id="counted-once")
    api.get(f"/api/rooms/{room}-not/at/all")
    text = api.get("/metrics").text
    for name in METRICS:
        assert f"\n{name}" in text, name
    assert 'route="/api/rooms/<room>/messages",status="201"' in text
    assert 'route="unmatched",status="404"' in text
    assert room not in text  # labels name routes, never paths
    assert api.metric("connections_used") == 0


def test_request_ids(api: Service, room: str) -> None:
    url = f"/api/rooms/{room}/messages"
    assert (
        api.get(url, headers={"X-Request-ID": "given-by.the_edge-1"}).headers["X-Request-ID"] == "given-by.the_edge-1"
    )
    replaced = api.get(url, headers={"X-Request-ID": 'x", "level": "forged'}).headers["X-Request-ID"]
    assert replaced.isalnum()
    logged = {line.get("request_id"): line for line in api.lines()}
    assert logged["given-by.the_edge-1"]["status"] == 200
    assert logged[replaced]["route"] == "/api/rooms/<room>/messages"


def test_other_origins(environment: dict[str, str]) -> None:
    header = "Access-Control-Allow-Origin"
    closed = create_app(load(environment, Program.API)).test_client()
    assert header not in closed.get("/healthz", headers={"Origin": "https://other.example"}).headers
    listed = {**environment, "CORS_ORIGINS": "https://other.example"}
    opened = create_app(load(listed, Program.API)).test_client()
    assert (
        opened.get("/healthz", headers={"Origin": "https://other.example"}).headers[header] == "https://other.example"
    )
    assert header not in opened.get("/healthz", headers={"Origin": "https://third.example"}).headers


@pytest.mark.parametrize(("away", "failing"), [("DATABASE_PORT", "postgresql"), ("REDIS_PORT", "redis")])
def test_not_ready(environment: dict[str, str], away: str, failing: str) -> None:
    client = create_app(load({**environment, away: str(support.free_port())}, Program.API)).test_client()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["failing"] == [failing]
    assert "refused" in response.json["checks"][failing]
    assert client.get("/healthz").status_code == 200


def test_not_ready_without_tables(environment: dict[str, str], empty_database: dict[str, str]) -> None:
    client = create_app(load({**environment, **empty_database}, Program.API)).test_client()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["checks"]["postgresql"] == "the tables are missing: run chat-migrate"


def test_the_database_away(environment: dict[str, str], room: str) -> None:
    client = create_app(load({**environment, "DATABASE_PORT": str(support.free_port())}, Program.API)).test_client()
    response = client.post(f"/api/rooms/{room}/messages", json={"text": "x"})
    assert response.status_code == 503
    figures = client.get("/metrics").text
    assert 'errors_total{kind="database"} 1.0' in figures
    assert 'messages_in_total{outcome="failed"} 1.0' in figures


def test_redis_away_loses_no_message(environment: dict[str, str], room: str) -> None:
    client = create_app(load({**environment, "REDIS_PORT": str(support.free_port())}, Program.API)).test_client()
    assert client.post(f"/api/rooms/{room}/messages", json={"text": "kept"}).status_code == 201
    assert 'errors_total{kind="redis"} 1.0' in client.get("/metrics").text


def test_sigterm_finishes_requests_in_flight(
    environment: dict[str, str], database: psycopg.Connection, room: str, tmp_path: Path
) -> None:
    with support.service("chat-api", environment, tmp_path / "api.log") as replica:
        post(replica, room, text="makes the room")
        answers: list[int] = []
        with database.transaction():
            # The request waits for this lock while the service is told to stop.
            database.execute(sql.SQL("SELECT 1 FROM rooms WHERE name = %s FOR UPDATE"), [room])
            request = threading.Thread(target=lambda: answers.append(post(replica, room, text="in flight")[0]))
            request.start()
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            with psycopg.connect(database.info.dsn, password=environment["DATABASE_PASSWORD"]) as other:
                support.wait_for("lock", lambda: other.execute(waiting).fetchone() != (0,))
            replica.process.terminate()
            time.sleep(0.5)
            assert replica.process.poll() is None
        request.join(10)
        assert answers == [201]
        assert replica.process.wait(10) == 0
