"""Private servers for the tests: PostgreSQL, Redis and the services themselves, each on ports of its own."""

from __future__ import annotations

import contextlib
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
def redis_server(folder: Path, port: int | None = None) -> Iterator[Environment]:
    """A server with a password and nothing on disk; yields the REDIS_* settings."""
    port, password = port or free_port(), "p@ss:word/%"
    options = {"port": str(port), "bind": "127.0.0.1", "save": "", "dir": str(folder), "requirepass": password}
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


class Client:
    """A Socket.IO client that keeps what it received."""

    def __init__(self, replica: Service, **arguments: Any) -> None:
        self.received: list[dict[str, Any]] = []
        self.sio: Any = socketio.Client(reconnection=False)
        self.sio.on("message", self.received.append)
        self.sio.connect(replica.url, socketio_path="ws/socket.io", transports=["websocket"], **arguments)

    def call(self, event: str, *data: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.sio.call(event, data[0] if len(data) == 1 else data, timeout=10)
        return answer

    def texts(self) -> list[str]:
        return [message["text"] for message in self.received]

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.sio.disconnect()
