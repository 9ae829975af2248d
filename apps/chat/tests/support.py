"""Private servers for the tests: PostgreSQL, Redis and the services themselves, each on ports of its own."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import redis
import requests
import socketio

SECRET_KEY = "x" * 32
Environment = dict[str, str]


class MissingError(RuntimeError):
    """A program that the tests need is not installed; the message says which package has it."""


def program(name: str, package: str, *folders: Path) -> str:
    """Its path: on PATH or in one of ``folders``, of which the last is tried first."""
    for folder in reversed(folders):
        if os.access(folder / name, os.X_OK):
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise MissingError(f"these tests need {name}: apt-get install {package}")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, check: Callable[[], object], seconds: float = 15) -> None:
    """Until ``check`` returns something true; exceptions count as 'not yet'."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = check()
        except Exception as error:
            last = error
        if last and not isinstance(last, Exception):
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s; last: {last!r}")


def stop(process: subprocess.Popen[bytes], seconds: float = 15) -> int:
    """SIGTERM, and the status it ended with."""
    process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def unprivileged() -> dict[str, Any]:
    """Arguments for Popen: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise MissingError("these tests run as root and need a user 'postgres' or 'nobody' for PostgreSQL")


def _answers(address: str) -> bool:
    psycopg.connect(address).close()
    return True


def _version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[Environment]:
    """A server with an empty database chat; yields the DATABASE_* settings of its owner."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version)
    initdb = program("initdb", "postgresql", *installed)
    postgres = program("postgres", "postgresql", *installed)
    who = unprivileged()
    if who:
        os.chown(folder, who["user"], who["group"])
    data, port, password = folder / "data", free_port(), secrets.token_hex(8)
    # UTC and C: the same on every machine. Nothing here has to survive a power cut.
    subprocess.run(
        [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True, capture_output=True, cwd="/", **who,
    )  # fmt: skip
    (data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    options = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(folder),
        "fsync": "off",
    }
    arguments = [item for name, value in options.items() for item in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([postgres, "-D", data, *arguments], stdout=log, stderr=log, cwd="/", **who)
    try:
        admin = f"host={folder} port={port} user=postgres dbname=postgres"
        wait_for("PostgreSQL", lambda: _answers(admin))
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE chat LOGIN CREATEDB PASSWORD '{password}'")
            connection.execute("CREATE DATABASE chat OWNER chat")
        yield {
            "DATABASE_HOST": "127.0.0.1",
            "DATABASE_PORT": str(port),
            "DATABASE_NAME": "chat",
            "DATABASE_USER": "chat",
            "DATABASE_PASSWORD": password,
        }
    finally:
        server.send_signal(2)  # 'fast': does not wait for clients
        server.wait(15)


@contextlib.contextmanager
def redis_server(folder: Path, port: int | None = None, keep: bool = False) -> Iterator[Environment]:
    """A server with a password; yields the REDIS_* settings. ``keep``: the next one in this folder knows it all."""
    port, password = port or free_port(), "p@ss:word/%"
    options = {"port": str(port), "bind": "127.0.0.1", "save": "", "dir": str(folder), "requirepass": password}
    if keep:
        options.update(appendonly="yes", appendfsync="always")
    arguments = [item for name, value in options.items() for item in (f"--{name}", value)]
    command = [program("redis-server", "redis-server"), *arguments]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port, password=password)
        wait_for("Redis", client.ping)
        yield {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port), "REDIS_PASSWORD": password}
    finally:
        stop(server)


def command(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def run(name: str, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """One of the app's commands to its end, with this environment and nothing else."""
    return subprocess.run(
        [command(name), *arguments], env=dict(environment), capture_output=True, text=True, timeout=30, check=False
    )


class Service:
    """A running replica: its address and what it wrote to the log."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path) -> None:
        self.port, self.log = free_port(), log
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {**environment, "PORT": str(self.port), "LISTEN_HOST": "127.0.0.1"}
        with log.open("wb") as output:
            self.process = subprocess.Popen([command(name)], env=settings, stdout=output, stderr=output)

    def get(self, path: str, **arguments: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=10, **arguments)

    def metric(self, line: str) -> float:
        """The value of one line of /metrics, written as it stands there; 0 where it is missing."""
        for found in self.get("/metrics").text.splitlines():
            if found.startswith(line + " "):
                return float(found.rsplit(" ", 1)[1])
        return 0.0

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def wait_ready(self) -> None:
        wait_for(f"{self.log.name} ready", lambda: self.get("/readyz").ok)


@contextlib.contextmanager
def service(name: str, environment: Mapping[str, str], log: Path) -> Iterator[Service]:
    replica = Service(name, environment, log)
    try:
        wait_for(name, lambda: replica.process.poll() is not None or replica.get("/healthz").ok)
        if replica.process.poll() is not None:
            raise AssertionError(f"{name} ended: {log.read_text()}")
        yield replica
    finally:
        if replica.process.poll() is None:
            stop(replica.process)


class Person:
    """Somebody with an account: a browser's cookie and CSRF token, without the browser."""

    PASSWORD = "correct horse battery"

    def __init__(self, api: Service, name: str | None = None) -> None:
        self.api, self.name = api, name or f"user-{secrets.token_hex(5)}"
        self.http = requests.Session()
        self.http.headers["X-CSRF-Token"] = self.http.get(f"{api.url}/api/session", timeout=10).json()["csrf_token"]
        body = self.call("POST", "/api/users", {"name": self.name, "password": self.PASSWORD}, expect=201)
        self.id: int = body["user"]["id"]
        self.http.headers["X-CSRF-Token"] = body["csrf_token"]

    def elsewhere(self) -> Person:
        """The same user at another browser."""
        other = copy.copy(self)
        other.http = requests.Session()
        other.http.headers["X-CSRF-Token"] = other.call("GET", "/api/session")["csrf_token"]
        answer = other.call("POST", "/api/session", {"name": self.name, "password": self.PASSWORD})
        other.http.headers["X-CSRF-Token"] = answer["csrf_token"]
        return other

    def request(self, method: str, path: str, body: object = None, **arguments: Any) -> requests.Response:
        return self.http.request(method, self.api.url + path, json=body, timeout=10, **arguments)

    def call(self, method: str, path: str, body: object = None, expect: int = 200) -> dict[str, Any]:
        response = self.request(method, path, body)
        assert response.status_code == expect, response.text
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    @property
    def json(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name}

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies)

    def make(self, room: str) -> None:
        self.call("POST", "/api/rooms", {"name": room}, expect=201)

    def enter(self, room: str) -> None:
        self.call("PUT", f"/api/rooms/{room}/membership", expect=204)

    def post(self, room: str, **payload: object) -> tuple[int, dict[str, Any]]:
        response = self.request("POST", f"/api/rooms/{room}/messages", payload)
        return response.status_code, response.json()


class Client:
    """A Socket.IO client that keeps what it received: messages in ``received``, everything in ``events``."""

    def __init__(self, replica: Service, person: Person | None = None, *joined: str, **arguments: Any) -> None:
        self.received: list[dict[str, Any]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.sio: Any = socketio.Client(reconnection=False)
        self.sio.on("*", self._keep)
        headers = {"Cookie": person.cookie} if person else {}
        self.sio.connect(
            replica.url, headers, socketio_path="ws/socket.io", transports=["websocket"], wait_timeout=5, **arguments
        )
        for room in joined:
            assert self.call("join", {"room": room})["ok"]

    def _keep(self, event: str, data: Any) -> None:
        self.events.append((event, data))
        if event == "message":
            self.received.append(data)

    def of(self, event: str) -> list[dict[str, Any]]:
        return [data for name, data in self.events if name == event]

    def call(self, event: str, *data: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.sio.call(event, data[0] if len(data) == 1 else data, timeout=10)
        return answer

    def texts(self) -> list[str]:
        return [message["text"] for message in self.received]

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.sio.disconnect()
