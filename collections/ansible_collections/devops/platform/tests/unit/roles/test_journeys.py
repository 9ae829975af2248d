"""What verify makes of the answers that it gets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.journey import (
    account,
    chat,
    edge,
    pages,
    socketio,
    targets,
)
from ansible_collections.devops.platform.plugins.module_utils.journey.patience import Patience

JOBS: list[dict[str, Any]] = [
    {
        "job_name": "node",
        "static_configs": [{"targets": ["10.0.0.1:9100", "10.0.0.2:9100"], "labels": {"host": "app1"}}],
    },
    {"job_name": "empty", "static_configs": []},
    {"job_name": "plain", "static_configs": [{"targets": ["10.0.0.3:80"]}]},
]


def active(job: str, instance: str, health: str = "up", error: str = "") -> dict[str, Any]:
    return {"labels": {"job": job, "instance": instance}, "health": health, "lastError": error}


ALL_UP = [active("node", "10.0.0.1:9100"), active("node", "10.0.0.2:9100"), active("plain", "10.0.0.3:80")]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ALL_UP, []),
        ([*ALL_UP, active("gone", "10.0.0.9:1", "down", "refused")], []),
        (ALL_UP[:2], ["plain (10.0.0.3:80): declared, but Prometheus does not know it"]),
        (
            [active("node", "10.0.0.1:9100", "down", "connection refused"), *ALL_UP[1:]],
            ["node on app1 (10.0.0.1:9100): connection refused"],
        ),
        (
            [ALL_UP[0], ALL_UP[1], active("plain", "10.0.0.3:80", "unknown")],
            ["plain (10.0.0.3:80): not scraped yet"],
        ),
    ],
)
def test_failing_targets_are_named(answer: list[dict[str, Any]], expected: list[str]) -> None:
    assert targets.failures(JOBS, answer) == expected


def test_waiting_ends_when_all_are_up() -> None:
    answers = [OSError("refused"), ALL_UP[:1], ALL_UP]
    now = [0.0]

    def get() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(seconds: float) -> None:
        now[0] += seconds

    assert targets.wait_until_up(JOBS, get, Patience(10, clock=lambda: now[0], sleep=sleep)) == []
    assert now == [2.0]


def test_waiting_ends_when_time_is_over() -> None:
    now = [0.0]

    def get() -> Any:
        now[0] += 7
        raise OSError("no route")

    lines = targets.wait_until_up(JOBS, get, Patience(10, clock=lambda: now[0], sleep=lambda _seconds: None))
    assert lines == ["Prometheus itself does not answer: no route"]


@pytest.mark.parametrize(
    ("frame", "packet"),
    [
        ('0{"sid":"x","pingInterval":25000}', socketio.Packet("open", {"sid": "x", "pingInterval": 25000})),
        ("1", socketio.Packet("close")),
        ("2", socketio.Packet("ping")),
        ("3", socketio.Packet("pong")),
        ('40{"sid":"y"}', socketio.Packet("connected", {"sid": "y"})),
        ("41", socketio.Packet("disconnected")),
        ('42["message",{"text":"a,b"}]', socketio.Packet("event", [{"text": "a,b"}], "message")),
        ('42/room,7["message",1,2]', socketio.Packet("event", [1, 2], "message", 7)),
        ('4312["ok"]', socketio.Packet("acknowledgement", ["ok"], number=12)),
        ('44{"message":"no"}', socketio.Packet("refused", {"message": "no"})),
    ],
)
def test_frames(frame: str, packet: socketio.Packet) -> None:
    assert socketio.decode(frame) == packet


@pytest.mark.parametrize("frame", ["", "x", "0", "0{", "4", "49", "42[]", "42{}", '42["a"', "5"])
def test_broken_frames_are_refused(frame: str) -> None:
    with pytest.raises(socketio.ProtocolError):
        socketio.decode(frame)


@given(st.text(min_size=1, max_size=20), st.lists(st.dictionaries(st.text(max_size=5), st.text()), max_size=3))
def test_events_are_read_back_as_written(name: str, arguments: list[Any]) -> None:
    assert socketio.decode(socketio.encode_event(name, *arguments)) == socketio.Packet("event", arguments, name)


class Wire:
    """A connection that answers what a test wrote down beforehand."""

    def __init__(self, *frames: str) -> None:
        self.frames = list(frames)
        self.sent: list[str] = []
        self.closed = False

    def recv(self) -> str:
        if not self.frames:
            raise OSError("Connection timed out")
        return self.frames.pop(0)

    def send(self, payload: str) -> None:
        self.sent.append(payload)

    def settimeout(self, timeout: float) -> None:
        assert timeout > 0

    def close(self) -> None:
        self.closed = True


OPENING = ('0{"sid":"x"}', '40{"sid":"y"}')


def test_a_client_answers_pings_and_keeps_other_events() -> None:
    wire = Wire(*OPENING, "2", '42["joined","a"]', '42["message","b"]')
    client = socketio.Client(wire)
    assert client.wait_for(lambda packet: packet.name == "message", "a message").data == ["b"]
    assert wire.sent == ["40", "3"]
    assert client.wait_for(lambda packet: packet.name == "joined", "the other").data == ["a"]


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ((), "did not come in time"),
        (('0{"sid":"x"}', '44{"message":"who are you"}'), "refused.*who are you"),
        (('0{"sid":"x"}', "1"), "server closed"),
    ],
)
def test_a_refused_client_says_why(frames: tuple[str, ...], message: str) -> None:
    with pytest.raises(socketio.ProtocolError, match=message):
        socketio.Client(Wire(*frames))


def clients(wires: list[Wire], hosts: list[str]) -> chat.Connect:
    connections = iter(list(zip(wires, hosts, strict=True)))

    def connect() -> tuple[socketio.Client, str]:
        wire, host = next(connections)
        return socketio.Client(wire), host

    return connect


RECEIVED = '42["message",{"id":1,"client_id":"id-12345","text":"hello"}]'


def test_a_message_arrives_at_another_host() -> None:
    sender = Wire(*OPENING, "430[]", '431[{"ok":true}]')
    receiver = Wire(*OPENING, '42["message",{"client_id":"older"}]', "430[]", RECEIVED)
    wires = [sender, Wire(*OPENING), receiver]
    connect = clients(wires, ["app1", "app1", "app2"])
    delivery = chat.converse(connect, "lobby", "hello", "id-12345", attempts=4)
    assert (delivery.sender, delivery.receiver) == ("app1", "app2")
    message = '["message",{"room":"lobby","text":"hello","client_id":"id-12345"}]'
    assert sender.sent == ["40", '420["join",{"room":"lobby"}]', f"421{message}"]
    assert receiver.sent == ["40", '420["join",{"room":"lobby"}]']
    assert all(wire.closed for wire in wires)


def test_a_message_may_come_before_its_acknowledgement() -> None:
    wires = [Wire(*OPENING, "430[]", RECEIVED, "431[]"), Wire(*OPENING, "430[]", RECEIVED)]
    assert chat.converse(clients(wires, ["", ""]), "lobby", "hello", "id-12345").receiver == ""


def test_one_host_only_is_an_error_where_two_are_wanted() -> None:
    connect = clients([Wire(*OPENING) for _number in range(4)], ["app1"] * 4)
    with pytest.raises(edge.JourneyError, match="3 new WebSockets all ended at app1"):
        chat.converse(connect, "lobby", "hello", "id-12345", attempts=3)


def test_a_message_that_does_not_come_names_both_hosts() -> None:
    wires = [Wire(*OPENING, "430[]", "431[]"), Wire(*OPENING, "430[]")]
    with pytest.raises(edge.JourneyError, match="from a client at app1 to one at app2 did not come in time"):
        chat.converse(clients(wires, ["app1", "app2"]), "lobby", "hello", "id-12345", attempts=3)


@pytest.mark.parametrize("refusal", ['[{"error":{"text":"must not be empty"}}]', '[{"ok":false}]'])
def test_a_refused_message_says_why(refusal: str) -> None:
    wires = [Wire(*OPENING, "430[]", f"431{refusal}"), Wire(*OPENING, "430[]")]
    with pytest.raises(edge.JourneyError, match="writing a message at app1 was refused"):
        chat.converse(clients(wires, ["app1", "app2"]), "lobby", "", "id-12345", attempts=3)


class FakeChat:
    """Accounts and rooms of a chat as its API answers, without a network: `asked` are the requests."""

    def __init__(self, users: dict[str, str], rooms: tuple[str, ...] = (), overtaken: bool = False) -> None:
        self.users, self.rooms, self.overtaken = users, set(rooms), overtaken
        self.members: set[str] = set()
        self.asked: list[str] = []

    def __call__(self, _edge: edge.Edge, method: str, path: str, body: Any = None, headers: Any = None) -> edge.Answer:
        self.asked.append(f"{method} {path}")
        begun = "chat_session=" in (headers or {}).get("Cookie", "")
        if method != "GET" and not (begun and headers.get("X-CSRF-Token") == "token"):
            return edge.Answer(403, '{"error": {"code": "csrf"}}')
        return getattr(self, f"_{method.lower()}")(path, body)

    def _get(self, _path: str, _body: Any) -> edge.Answer:
        return edge.Answer(200, '{"user": null, "csrf_token": "token"}', {}, {"chat_session": "a"})

    def _post(self, path: str, body: Any) -> edge.Answer:
        if path == "/api/rooms":
            taken = body["name"] in self.rooms or self.overtaken
            self.rooms.add(body["name"])
            return edge.Answer(409 if taken else 201, "{}")
        if path == "/api/users" and body["name"] not in self.users:
            self.users[body["name"]] = body["password"]
            return edge.Answer(201, '{"csrf_token": "token"}', {}, {"chat_session": "b"})
        if path == "/api/users":
            return edge.Answer(409, "{}")
        known = self.users.get(body["name"]) == body["password"]
        return edge.Answer(200, '{"csrf_token": "token"}', {}, {"chat_session": "b"}) if known else edge.Answer(401, "")

    def _put(self, path: str, _body: Any) -> edge.Answer:
        room = path.split("/")[3]
        if room not in self.rooms:
            return edge.Answer(404, "{}")
        self.members.add(room)
        return edge.Answer(204, "")


EDGE = edge.Edge("https://10.0.0.1", "chat.lab")
VERIFY = account.Account("verify", "correct horse")


@pytest.mark.parametrize("users", [{}, {"verify": "correct horse"}])
def test_an_account_is_made_once(monkeypatch: pytest.MonkeyPatch, users: dict[str, str]) -> None:
    chat_ = FakeChat(dict(users))
    monkeypatch.setattr(account, "request", chat_)
    session = account.enter(EDGE, VERIFY)
    assert session.cookie == "chat_session=b"  # the one after signing in, not the one before
    assert chat_.users == {"verify": "correct horse"}
    assert ("POST /api/users" in chat_.asked) == (not users)


def test_an_account_of_somebody_else_is_named_and_its_password_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "request", FakeChat({"verify": "another"}))
    with pytest.raises(edge.JourneyError, match="'verify' of the chat has another password") as error:
        account.enter(EDGE, VERIFY)
    assert VERIFY.password not in str(error.value) + repr(VERIFY)


@pytest.mark.parametrize(
    ("service", "made"),
    [
        (FakeChat({}, ("verify",)), False),
        (FakeChat({}), True),
        (FakeChat({}, overtaken=True), True),  # somebody else made it between our two requests
    ],
)
def test_a_room_is_joined_or_made(monkeypatch: pytest.MonkeyPatch, service: FakeChat, made: bool) -> None:
    monkeypatch.setattr(account, "request", service)
    account.become_member(account.enter(EDGE, VERIFY), "verify")
    assert ("POST /api/rooms" in service.asked) == made
    assert "verify" in service.rooms
    assert bool(service.members) == (not made or service.overtaken)


def test_a_service_that_refuses_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "request", lambda *_: edge.Answer(503, "the database is away"))
    with pytest.raises(edge.JourneyError, match="beginning a session answered 503 instead of 200: the database is"):
        account.enter(EDGE, VERIFY)


def test_cookies_are_read_from_their_lines() -> None:
    lines = ["chat_session=abc; Path=/; HttpOnly; Secure; SameSite=Lax", "theme=dark; Max-Age=60"]
    assert edge.cookies(lines) == {"chat_session": "abc", "theme": "dark"}


@pytest.mark.parametrize(
    ("url", "name", "address", "host"),
    [
        ("https://10.0.0.1", "chat.lab", ("10.0.0.1", 443), "chat.lab"),
        ("https://[fd00::1]:8443", "", ("fd00::1", 8443), "fd00::1"),
        ("http://localhost", "", ("localhost", 80), "localhost"),
    ],
)
def test_an_edge_is_reached_at_its_address_under_its_name(
    url: str, name: str, address: tuple[str, int], host: str
) -> None:
    target = edge.Edge(url, name)
    assert (target.address, target.host) == (address, host)


class FakeEdge:
    """Answers each path from its hosts in turn, as an edge that nobody else uses."""

    def __init__(self, *hosts: str, named: bool = True, status: dict[tuple[str, str], int] | None = None) -> None:
        self.hosts, self.named, self.status = hosts, named, status or {}
        self.asked: list[str] = []

    def request(self, _edge: edge.Edge, _method: str, path: str, *_more: Any) -> edge.Answer:
        host = self.hosts[len(self.asked) % len(self.hosts)]
        self.asked.append(path)
        status = self.status.get((host, path), 200)
        return edge.Answer(status, f"of {host}", {edge.SERVED_BY: host} if self.named else {})


def visit(monkeypatch: pytest.MonkeyPatch, fake: FakeEdge, *hosts: str) -> pages.Visit:
    monkeypatch.setattr(edge, "request", fake.request)
    return pages.visit(edge.Edge("https://10.0.0.1"), ["/", "/health"], hosts, attempts=20)


@pytest.mark.parametrize(
    ("behind", "named", "wanted", "requests", "answered"),
    [
        (("a",), True, (), 2, ["a"]),
        (("a", "b"), True, (), 2, ["a", "b"]),
        (("a", "b", "c"), True, ("c",), 6, ["a", "b", "c"]),
        (("a", "b", "c"), True, ("a", "b", "c"), 6, ["a", "b", "c"]),
        (("a", "b", "c"), False, ("a", "b", "c"), 6, []),
    ],
)
def test_every_host_answers_every_path(
    monkeypatch: pytest.MonkeyPatch,
    behind: tuple[str, ...],
    named: bool,
    wanted: tuple[str, ...],
    requests: int,
    answered: list[str],
) -> None:
    fake = FakeEdge(*behind, named=named)
    assert visit(monkeypatch, fake, *wanted) == pages.Visit(requests, answered)
    assert len(fake.asked) == requests


def test_the_one_host_with_a_wrong_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeEdge("a", "b", "c", status={("b", "/health"): 500})
    with pytest.raises(edge.JourneyError, match=r"GET https://10\.0\.0\.1/health answered 500: of b"):
        visit(monkeypatch, fake, "b")


def test_a_host_that_the_edge_leaves_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(edge.JourneyError, match="/: of 20 requests none was answered by z; does the edge send"):
        visit(monkeypatch, FakeEdge("a", "b"), "a", "z")
