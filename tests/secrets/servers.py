"""A real PostgreSQL and a real Redis on loopback, as the roles leave them: users by SCRAM, and a file of users."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ansible_collections.devops.platform.plugins.module_utils.secrets.redis_users import accepts


@dataclass(frozen=True)
class Servers:
    folder: Path
    postgresql: int
    redis: int

    @property
    def acl(self) -> Path:
        return self.folder / "users.acl"

    def let_in_by_postgresql(self, username: str, password: str) -> bool:
        try:
            with self.connect(username, password) as connection:
                row = connection.execute("select current_user").fetchone()
                return row == ("chat",)  # whoever signs in: what is made belongs to the first
        except psycopg.OperationalError:
            return False

    def connect(self, username: str, password: str) -> Any:
        return psycopg.connect(
            host="127.0.0.1", port=self.postgresql, user=username, password=password, dbname="chat", autocommit=True
        )

    def let_in_by_redis(self, password: str) -> bool:
        return accepts("127.0.0.1", self.redis, password)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    folders = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    found = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))
    if found is None:
        pytest.skip(f"there is no {name} on this machine; the suite app-chat installs it")
    return found


def unprivileged() -> dict[str, Any]:
    """Arguments of Popen: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip("run by root, these tests need a user 'postgres' or 'nobody'")


def wait(answers: Any, what: str) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            if answers():
                return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not start")


@contextlib.contextmanager
def running(folder: Path, password: str) -> Iterator[Servers]:
    """Both servers; Redis knows `password`, PostgreSQL no user yet but its administrator, through the socket."""
    servers = Servers(folder, free_port(), free_port())
    with _postgresql(servers), _redis(servers, password):
        yield servers


@contextlib.contextmanager
def _postgresql(servers: Servers) -> Iterator[None]:
    who = unprivileged()
    home = servers.folder / "postgresql"
    home.mkdir()
    if who:
        os.chown(home, who["user"], who["group"])
        for parent in (servers.folder, *servers.folder.parents[:2]):
            parent.chmod(0o755)  # pytest's folders are closed to others
    data = home / "data"
    subprocess.run(
        [program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True,
        capture_output=True,
        cwd="/",
        **who,
    )
    (data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    options = {
        "port": str(servers.postgresql),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(home),
        "fsync": "off",
    }
    arguments = [item for name, value in options.items() for item in ("-c", f"{name}={value}")]
    with (servers.folder / "postgresql.log").open("wb") as log:
        server = subprocess.Popen([program("postgres"), "-D", data, *arguments], stdout=log, stderr=log, cwd="/", **who)
    try:
        administrator = f"host={home} port={servers.postgresql} user=postgres dbname=postgres"

        def answers() -> bool:
            psycopg.connect(administrator).close()
            return True

        wait(answers, "PostgreSQL")
        yield
    finally:
        server.send_signal(2)  # does not wait for clients
        server.wait(20)


@contextlib.contextmanager
def _redis(servers: Servers, password: str) -> Iterator[None]:
    servers.acl.write_text(f"user default on >{password} ~* &* +@all\n", encoding="utf-8")
    server = subprocess.Popen(
        [program("redis-server"), "--port", str(servers.redis), "--bind", "127.0.0.1", "--save", "",
         "--aclfile", str(servers.acl), "--dir", str(servers.folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait(lambda: servers.let_in_by_redis(password), "Redis")
        yield
    finally:
        server.terminate()
        server.wait(20)
