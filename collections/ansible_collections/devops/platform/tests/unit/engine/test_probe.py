"""Probes against real sockets, and the tables of the kernel that they read."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from contextlib import contextmanager

import pytest

from ansible_collections.devops.platform.plugins.module_utils.engine import probe as probing
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Completed, Host
from ansible_collections.devops.platform.plugins.module_utils.engine.units import UnitState
from ansible_collections.devops.platform.plugins.module_utils.platform import pki
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Store


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = {"/ready": 200, "/down": 503}.get(self.path, 404)
        if self.path == "/account":
            status = 200 if self.headers["Authorization"] == "Basic bWU6bXkgd29yZA==" else 401
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"build_info 1" if status == 200 else b"not yet")

    def log_message(self, *_):
        """Quiet."""


class Refusing(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """Quiet: that some are refused is what is tested."""


@pytest.fixture(scope="module")
def served():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def who_asks(tmp_path_factory):
    """(folder of certificates, a server that wants to see one of them)"""
    folder = tmp_path_factory.mktemp("pki")
    issued = pki.Authority(Store(folder / "own"), "own", peers=True).issue("h1", ["127.0.0.1"])
    (folder / "h1.crt").write_text(issued.certificate)
    (folder / "h1.key").write_text(issued.key)
    (folder / "ca.crt").write_text(issued.authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "h1.crt", folder / "h1.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    server = Refusing(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"https://127.0.0.1:{server.server_port}/ready"
    server.shutdown()
    server.server_close()


@contextmanager
def speaking(answer):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak():
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(answer)

        threading.Thread(target=speak, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("path", "keys", "reason"),
    [
        ("/ready", {}, ""),
        ("/ready", {"contains": "build_info"}, ""),
        ("/ready", {"contains": "other"}, "does not contain 'other'"),
        ("/down", {}, "status 503 instead of 200: not yet"),
        ("/down", {"status": 503}, ""),
        ("/ready?x=1", {}, "status 404"),
    ],
)
def test_http(served, path, keys, reason):
    answer = probing.ask_http({"http": served + path, **keys})
    assert (reason in answer) if reason else not answer


@pytest.mark.parametrize(("word", "reason"), [("my word", ""), ("another", "status 401 instead of 200")])
def test_the_password_comes_from_a_file(served, tmp_path, word, reason):
    (tmp_path / "password").write_text(f"{word}\n")
    probe = {"http": f"{served}/account", "user": "me", "password_file": str(tmp_path / "password")}
    answer = probing.ask_http(probe)
    assert answer.startswith(reason)
    assert bool(answer) is bool(reason)


def test_a_certificate_is_shown_to_who_wants_to_see_one(who_asks):
    folder, url = who_asks
    shown = {"certificate": str(folder / "h1.crt"), "key": str(folder / "h1.key")}
    assert probing.ask_http({"http": url, **shown}) == ""
    assert probing.ask_http({"http": url}).startswith("no answer: ")
    missing = str(folder / "none.crt")
    assert probing.ask_http({"http": url, **shown, "certificate": missing}).startswith(f"cannot show {missing}: ")


def test_a_password_that_cannot_be_read_is_named(served, tmp_path):
    answer = probing.ask_http({"http": f"{served}/account", "user": "me", "password_file": str(tmp_path / "none")})
    assert str(tmp_path / "none") in answer


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "no answer" in probing.ask_http({"http": f"http://127.0.0.1:{port}/"})
    assert "no connection" in probing.ask_tcp({"tcp": f"127.0.0.1:{port}"})


@pytest.mark.parametrize(("expect", "well"), [("PONG|NOAUTH", True), ("^OK", False)])
def test_tcp(expect, well):
    with speaking(b"-NOAUTH Authentication required.\r\n") as address:
        answer = probing.ask_tcp({"tcp": address, "send": "PING\r\n", "expect": expect})
    assert (answer == "") is well
    assert well or "does not match '^OK'" in answer


class Commands(Host):
    """Answers commands from a list."""

    def __init__(self, code, output="", unit=UnitState(active="active")):  # noqa: B008 - it is frozen
        self.done = Completed(code, output)
        self.state = unit
        self.asked = 0

    def query(self, argv, timeout=60, cwd="/"):
        self.asked += 1
        return self.done

    def unit(self, name):
        return self.state


@pytest.mark.parametrize(
    ("done", "keys", "reason"),
    [
        ((0, "fine"), {}, ""),
        ((1, "why"), {}, "it ended with 1: why"),
        ((3, ""), {"rc": 3}, ""),
        ((0, "fine"), {"contains": "good"}, "does not contain 'good'"),
    ],
)
def test_command(done, keys, reason):
    assert probing.ask_command(Commands(*done), {"command": ["x"], **keys}) == (
        "its output does not contain 'good'" if "contain" in reason else reason
    )


def test_a_probe_is_asked_until_its_time_is_over():
    host = Commands(1, "no")
    reason = probing.wait_until_well(host, ({"command": "x y", "timeout": 0.5},), "")
    assert reason == "probe 'command x y' failed: until its timeout: it ended with 1: no"
    assert host.asked >= 2


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        (UnitState(active="failed", result="exit-code"), "the unit failed (exit-code)"),
        (UnitState(active="activating", restarts=3), "keeps dying: 3 restarts"),
    ],
)
def test_a_unit_that_died_is_given_up_at_once(unit, words):
    host = Commands(1, "no", unit)
    assert words in probing.wait_until_well(host, ({"command": "x", "timeout": 60},), "demo.service")
    assert host.asked == 1


def test_an_answer_does_not_excuse_a_unit_that_is_not_active():
    host = Commands(0, "", UnitState(active="inactive", sub="dead"))
    assert probing.wait_until_well(host, ({"command": "x"},), "d.service") == "d.service is inactive (dead), not active"


def test_an_answer_of_another_process_is_no_answer(served):
    reason = probing.wait_until_well(Commands(0), ({"http": f"{served}/ready", "timeout": 0.3},), "demo.service")
    assert "something answers on port" in reason
    assert "it is not demo.service" in reason


@pytest.mark.parametrize(
    ("probe", "port"),
    [
        ({"http": "http://127.0.0.1:9100/metrics"}, 9100),
        ({"http": "https://localhost/"}, 443),
        ({"http": "http://172.30.0.1:80/"}, None),
        ({"tcp": "127.0.0.1:6379"}, 6379),
        ({"tcp": "10.0.0.1:6379"}, None),
        ({"command": ["x"]}, None),
    ],
)
def test_ports_whose_owner_can_be_looked_up(probe, port):
    assert probing.port_of(probe) == port


TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:238C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:238C 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
"""


@pytest.mark.parametrize(("port", "inodes"), [(9100, {"4711"}), (22, {"4713"}), (80, set())])
def test_listening_sockets(port, inodes):
    assert probing.listening_inodes(TABLE, port) == inodes
