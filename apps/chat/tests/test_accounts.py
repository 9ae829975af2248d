from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
import redis
import requests
import support
from argon2 import PasswordHasher
from conftest import dsn
from support import Person, Service

from chat import passwords
from chat.api import create_app
from chat.config import Program, load
from chat.sessions import storage_key

WRONG = {"code": "unauthenticated", "message": "name or password is wrong"}


def started(api: Service) -> requests.Session:
    """A browser that has just come."""
    browser = requests.Session()
    browser.headers["X-CSRF-Token"] = browser.get(f"{api.url}/api/session", timeout=10).json()["csrf_token"]
    return browser


def sign_in(api: Service, name: str, password: str = Person.PASSWORD) -> requests.Response:
    return started(api).post(f"{api.url}/api/session", json={"name": name, "password": password}, timeout=10)


@pytest.fixture
def store(environment: dict[str, str]) -> Iterator[redis.Redis]:
    with redis.Redis(port=int(environment["REDIS_PORT"]), password=environment["REDIS_PASSWORD"]) as client:
        yield client


def test_a_life(api: Service) -> None:
    browser = started(api)
    url = f"{api.url}/api/session"
    assert browser.get(url, timeout=5).json()["user"] is None
    anonymous = browser.cookies["chat_session"]
    name = f"Some.{secrets.token_hex(4)}"
    made = browser.post(f"{api.url}/api/users", json={"name": name, "password": Person.PASSWORD}, timeout=5)
    assert made.status_code == 201
    assert made.json()["user"]["name"] == name
    assert browser.cookies["chat_session"] != anonymous  # who planted the first cookie holds nothing
    assert browser.get(url, timeout=5).json()["user"] == made.json()["user"]
    browser.headers["X-CSRF-Token"] = made.json()["csrf_token"]
    assert browser.delete(url, timeout=5).status_code == 204
    assert "chat_session" not in browser.cookies
    assert browser.get(url, timeout=5).json()["user"] is None
    back = sign_in(api, name.upper())  # names are unique without regard to case
    assert (back.status_code, back.json()["user"]) == (200, made.json()["user"])


def test_the_cookie(api: Service, environment: dict[str, str]) -> None:
    cookie = sign_in(api, Person(api).name).headers["Set-Cookie"]
    assert cookie.startswith("chat_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    secure = {name: value for name, value in environment.items() if name != "SESSION_COOKIE_SECURE"}
    answer = create_app(load(secure, Program.API)).test_client().get("/api/session")
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


def test_who_signs_up_is_in_the_lobby(api: Service) -> None:
    person = Person(api)
    assert person.call("GET", "/api/rooms/lobby")["joined"]
    assert person.post("lobby", text="here I am")[0] == 201
    # As a client does that was written before: joining again is harmless, and who leaves stays out.
    person.enter("lobby")
    person.call("DELETE", "/api/rooms/lobby/membership", expect=204)
    person.elsewhere()
    assert not person.call("GET", "/api/rooms/lobby")["joined"]


def test_signing_up_without_a_lobby(environment: dict[str, str], empty_database: dict[str, str]) -> None:
    assert support.run("chat-migrate", empty_database).returncode == 0
    with psycopg.connect(dsn(empty_database)) as connection:
        connection.execute("DELETE FROM rooms")
    client = create_app(load({**environment, **empty_database}, Program.API)).test_client()
    headers = {"X-CSRF-Token": client.get("/api/session").get_json()["csrf_token"]}
    body = {"name": "early-bird", "password": Person.PASSWORD}
    assert client.post("/api/users", json=body, headers=headers).status_code == 201
    assert client.get("/api/rooms").get_json()["rooms"] == []


def test_names_are_taken_once(api: Service, alice: Person) -> None:
    for name in (alice.name, alice.name.upper()):
        answer = started(api).post(f"{api.url}/api/users", json={"name": name, "password": "another one"}, timeout=5)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "name_taken")


@pytest.mark.parametrize("name", ["nobody-has-this", "<script>", "' OR 1=1 --", "x" * 128, None])
def test_wrong(api: Service, alice: Person, name: str | None) -> None:
    """A wrong name and a wrong password look the same."""
    answer = sign_in(api, name or alice.name, "not the password")
    assert (answer.status_code, answer.json()["error"]) == (401, WRONG)


def test_unknown_names_take_as_long(api: Service, alice: Person) -> None:
    """In turns, and the quickest of each: what else the machine does then is in neither or in both."""
    times: dict[str, list[float]] = {alice.name: [], "nobody-has-this-2": []}
    for _ in range(7):
        for name, taken in times.items():
            browser = started(api)
            began = time.perf_counter()
            browser.post(f"{api.url}/api/session", json={"name": name, "password": "not the password"}, timeout=5)
            taken.append(time.perf_counter() - began)
    known, unknown = (min(taken) for taken in times.values())
    assert known / 2.5 < unknown < known * 2.5


def test_a_new_id_each_time_and_the_old_one_is_worth_nothing(api: Service, alice: Person) -> None:
    browser = started(api)
    seen = set()
    for _ in range(3):
        answer = browser.post(
            f"{api.url}/api/session", json={"name": alice.name, "password": Person.PASSWORD}, timeout=5
        )
        assert answer.status_code == 200
        browser.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        seen.add(browser.cookies["chat_session"])
    assert len(seen) == 3
    old = [cookie for cookie in seen if cookie != browser.cookies["chat_session"]]
    for cookie in [*old, "x" * 43, "chosen-by-an-attacker", "a\\r\\nb"]:
        answer = requests.get(f"{api.url}/api/session", headers={"Cookie": f"chat_session={cookie}"}, timeout=5)
        assert answer.json()["user"] is None
        assert answer.cookies["chat_session"] != cookie  # never adopted


def test_csrf(api: Service) -> None:
    person, other = Person(api), Person(api)
    url = f"{api.url}/api/rooms"
    for token in (None, "", "x", other.http.headers["X-CSRF-Token"]):
        answer = requests.post(
            url, json={"name": "csrf"}, headers={"Cookie": person.cookie, "X-CSRF-Token": token}, timeout=5
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")
    # Without a session nothing can happen, and what to do is to sign in.
    assert requests.post(url, json={"name": "csrf"}, timeout=5).status_code == 401
    answer = requests.post(f"{api.url}/api/session", json={"name": "a", "password": "b"}, timeout=5)
    assert answer.json()["error"]["code"] == "csrf"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 204),
        ({"Origin": "{url}"}, 204),
        ({"Origin": "https://listed.example"}, 204),
        ({"Origin": "https://other.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://chat.example", "X-Forwarded-Host": "chat.example"}, 204),
    ],
)
def test_origins(environment: dict[str, str], headers: dict[str, str], status: int) -> None:
    app = create_app(load({**environment, "CORS_ORIGINS": "https://listed.example"}, Program.API))
    client = app.test_client()
    token = client.get("/api/session").get_json()["csrf_token"]
    sent = {name: value.format(url="http://localhost") for name, value in headers.items()}
    answer = client.delete("/api/session", headers={"X-CSRF-Token": token, **sent})
    assert answer.status_code == status, answer.text
    if sent.get("Origin") == "https://listed.example":
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert answer.headers["Access-Control-Allow-Origin"] == sent["Origin"]


def test_passwords_are_hashed_again_when_parameters_change(api: Service, database: psycopg.Connection) -> None:
    person = Person(api)
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(Person.PASSWORD)
    database.execute("UPDATE users SET password_hash = %s WHERE id = %s", [weak, person.id])
    assert sign_in(api, person.name, "not the password").status_code == 401
    assert database.execute("SELECT password_hash FROM users WHERE id = %s", [person.id]).fetchone() == (weak,)
    assert sign_in(api, person.name).status_code == 200
    ((stored,),) = database.execute("SELECT password_hash FROM users WHERE id = %s", [person.id]).fetchall()
    assert stored != weak
    assert not passwords.outdated(stored)
    assert sign_in(api, person.name).status_code == 200


def test_the_same_password_from_every_keyboard() -> None:
    assert passwords.matches(passwords.make("gr\u00fc\u00dfe und mehr"), "gru\u0308\u00dfe und mehr")


def test_sessions_slide_and_those_of_nobody_are_short(api: Service, store: redis.Redis) -> None:
    browser, person = started(api), Person(api)
    anonymous = storage_key(browser.cookies["chat_session"])
    assert 0 < store.ttl(anonymous) <= 3600
    key = storage_key(person.http.cookies["chat_session"])
    store.expire(key, 60)
    person.call("GET", "/api/rooms")
    assert store.ttl(key) > 29 * 24 * 3600
    cookie = person.http.cookies["chat_session"].encode()
    assert not any(cookie in bytes(name) for name in store.scan_iter())


def test_a_session_that_ended_stays_ended(
    api: Service, environment: dict[str, str], database: psycopg.Connection, store: redis.Redis
) -> None:
    """A request that was under way while the user signed out must not bring the session back."""
    person = Person(api)
    key = storage_key(person.http.cookies["chat_session"])
    room = f"room-{secrets.token_hex(4)}"
    person.make(room)
    with contextlib.ExitStack() as stack:
        stack.enter_context(database.transaction())
        database.execute("LOCK TABLE memberships IN ACCESS EXCLUSIVE MODE")
        request = threading.Thread(target=lambda: person.request("GET", f"/api/rooms/{room}"))
        request.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with psycopg.connect(database.info.dsn, password=environment["DATABASE_PASSWORD"], autocommit=True) as other:
            support.wait_for("lock", lambda: other.execute(waiting).fetchone() != (0,))
        store.delete(key)
    request.join(10)
    assert not store.exists(key)
    assert person.request("GET", "/api/rooms").status_code == 401


def test_redis_away(environment: dict[str, str], alice: Person) -> None:
    client = create_app(load({**environment, "REDIS_PORT": str(support.free_port())}, Program.API)).test_client()
    client.set_cookie("chat_session", alice.http.cookies["chat_session"])
    for path in ("/api/session", "/api/rooms"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.get_json()["error"]["code"] == "unavailable"
    assert client.get("/healthz").status_code == 200
    assert 'errors_total{kind="redis"} 4.0' in client.get("/metrics").text  # the others looked for the session, too


# Rates ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def limited(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With low limits, a Redis of its own, and one proxy in front."""
    folder = tmp_path_factory.mktemp("limited")
    rates = {
        "RATE_LIMIT_SIGN_UP": "3/minute", "RATE_LIMIT_SIGN_IN": "6/minute", "RATE_LIMIT_SIGN_IN_NAME": "2/minute",
        "RATE_LIMIT_MESSAGES": "4/minute", "RATE_LIMIT_REQUESTS": "30/minute", "TRUSTED_PROXIES": "1",
    }  # fmt: skip
    with (
        support.redis_server(folder) as place,
        support.service("chat-api", {**environment, **place, **rates}, folder / "api.log") as replica,
    ):
        replica.wait_ready()
        yield replica


def from_address(replica: Service, address: str) -> requests.Session:
    browser = requests.Session()
    browser.headers["X-Forwarded-For"] = address
    browser.headers["X-CSRF-Token"] = browser.get(f"{replica.url}/api/session", timeout=5).json()["csrf_token"]
    return browser


def test_sign_ups_per_address(limited: Service) -> None:
    def sign_up(address: str) -> requests.Response:
        body = {"name": f"user-{secrets.token_hex(4)}", "password": Person.PASSWORD}
        return from_address(limited, address).post(f"{limited.url}/api/users", json=body, timeout=5)

    # What a client writes in front of what our proxy added is no address.
    statuses = [sign_up(f"10.9.9.{number}, 192.0.2.1").status_code for number in range(4)]
    assert statuses == [201, 201, 201, 429]
    refused = sign_up("192.0.2.1")
    assert refused.json()["error"]["code"] == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert sign_up("192.0.2.2").status_code == 201
    assert limited.metric('rate_limited_total{limit="sign_up"}') == 2


def test_failed_sign_ins_per_name_and_all_per_address(limited: Service) -> None:
    body = {"name": f"user-{secrets.token_hex(4)}", "password": Person.PASSWORD}
    url = f"{limited.url}/api/session"
    assert from_address(limited, "192.0.2.3").post(f"{limited.url}/api/users", json=body, timeout=5).status_code == 201
    wrong = {**body, "password": "not the password"}

    def attempts(address: str, *bodies: dict[str, str]) -> list[int]:
        return [from_address(limited, address).post(url, json=body, timeout=5).status_code for body in bodies]

    assert attempts("192.0.2.4", body, body, body, wrong) == [200, 200, 200, 401]
    assert attempts("192.0.2.5", wrong, wrong, {**body, "name": body["name"].upper()}) == [401, 429, 429]
    others = [{"name": f"nobody-{number}", "password": "not the password"} for number in range(7)]
    assert attempts("192.0.2.6", *others) == [401] * 6 + [429]
    assert limited.metric('sign_ins_total{outcome="refused"}') == 8


def test_messages_and_requests_per_user(limited: Service) -> None:
    browser = from_address(limited, "192.0.2.7")
    body = {"name": f"user-{secrets.token_hex(4)}", "password": Person.PASSWORD}
    made = browser.post(f"{limited.url}/api/users", json=body, timeout=5)
    browser.headers["X-CSRF-Token"] = made.json()["csrf_token"]
    browser.put(f"{limited.url}/api/rooms/lobby/membership", timeout=5)
    url = f"{limited.url}/api/rooms/lobby/messages"
    sent = [browser.post(url, json={"text": str(number)}, timeout=5).status_code for number in range(5)]
    assert sent == [201] * 4 + [429]
    statuses = [browser.get(url, timeout=5).status_code for _ in range(30)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
