"""Real nodes on loopback, with the files that the product makes for hosts. Each node has an address of its own below
127.0.0.0/8, so that certificates and ports are those of hosts."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import nodes
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import (
    Elasticsearch,
    ElasticsearchError,
)
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import FILE_USERS, settings_of
from ansible_collections.devops.platform.plugins.module_utils.platform.pki import Authority
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Store

START = 120  # seconds; three of them start on two busy cores
STOP = 60
ACCOUNT = "nobody"  # Elasticsearch refuses to run as root
HEAP = "320m"
# A share of a large disk is much: by default a node takes no copies where 15 % are left.
ROOM = {
    f"cluster.routing.allocation.disk.watermark.{level}": size
    for level, size in (("low", "1gb"), ("high", "500mb"), ("flood_stage", "200mb"))
}


def java_home() -> Path | None:
    """Of Java 17 or newer, by the program in PATH."""
    program = shutil.which("java")
    return Path(program).resolve().parent.parent if program else None


def free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def platform_of(port: int, transport_port: int, repository: Path) -> dict[str, Any]:
    """A platform.yml's data, of which the nodes' files follow."""
    return {
        "name": "chat",
        "environment": "lab",
        "logging": {
            "group": "logging",
            "elasticsearch": {
                "version": "8.15.0",
                "distribution": "integ-test",
                "port": port,
                "transport_port": transport_port,
                "heap": HEAP,
                "memory_lock": False,
                # Machines of tests are not ours to set: vm.max_map_count stays as it is.
                "settings": {"node.store.allow_mmap": False, **ROOM},
                "passwords": {user: f"es_{user}" for user in FILE_USERS},
                "snapshots": {"directory": str(repository), "at": "00:00", "keep": 2},
            },
            "retention": {"default": "14d", "apps": {"chat": "30d"}},
        },
    }


@dataclass
class Node:
    """One server; `folder` stands for the host's file system."""

    name: str
    address: str
    folder: Path
    home: Path
    client: Elasticsearch
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "output.log"

    def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "ES_JAVA_HOME": str(java_home()),
            "ES_PATH_CONF": str(self.folder / "config"),
            "ES_TMPDIR": str(self.folder / "tmp"),
            "ES_JAVA_OPTS": "-XX:TieredStopAtLevel=1",  # quicker to start, slower to serve
        }
        if limits_as_in_the_unit():
            # What a node on loopback need not fulfil, one on a host has to.
            environment["ES_JAVA_OPTS"] += " -Des.enforce.bootstrap.checks=true"
        account = pwd.getpwnam(ACCOUNT)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [self.home / "bin/elasticsearch"],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                start_new_session=True,
                user=account.pw_uid if os.geteuid() == 0 else None,
                group=account.pw_gid if os.geteuid() == 0 else None,
                extra_groups=[] if os.geteuid() == 0 else None,
            )

    def stop(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(STOP)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(STOP)
        # The server is a child of the launcher; the session is theirs alone.
        for _ in range(STOP * 10):
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.1)
        self.process = None

    def wait_until_answers(self) -> None:
        deadline = time.monotonic() + START
        while True:
            try:
                self.client.get("/_cluster/health?timeout=1s")
                return
            except ElasticsearchError as error:
                if not error.away or time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                    raise AssertionError(f"{self.name} does not answer: {error}\n{self.tail()}") from error
            time.sleep(0.5)

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])


def limits_as_in_the_unit() -> bool:
    """Give this process, whose children the nodes are, the limits that the unit sets; False where it may not."""
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (65535, 65535))
    except (OSError, ValueError):
        return False
    return True


@dataclass
class Cluster:
    folder: Path
    home: Path
    names: tuple[str, ...] = ("log1", "log2", "log3")
    first: int = 11  # the last number of the first node's address
    nodes: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.addresses = {name: f"127.0.0.{self.first + number}" for number, name in enumerate(self.names)}
        first = next(iter(self.addresses.values()))
        self.repository = self.folder / "snapshots"
        self.platform = platform_of(free_port(first), free_port(first), self.repository)
        self.settings = settings_of(self.platform)
        self.passwords = {user: f"{user}-of-the-tests" for user in FILE_USERS}
        self.authority = Authority(Store(self.folder / "pki"), "chat elasticsearch", peers=True)
        self.groups: dict[str, list[str]] = {"all": list(self.names), "logging": list(self.names)}
        self.ca = self.folder / "pki" / "ca.crt"

    def url(self, name: str) -> str:
        return f"https://{self.addresses[name]}:{self.settings.port}"

    def urls(self) -> list[str]:
        return [self.url(name) for name in self.names]

    def client(self, name: str = "", user: str = "superuser", password: str = "") -> Elasticsearch:
        url = self.url(name or self.names[0])
        return Elasticsearch(url, user, password or self.passwords[user], str(self.ca), timeout=30)

    def prepare(self, only: Iterable[str] = ()) -> None:
        """Write the files of all nodes, as the component engine would; users and directories apart."""
        self.repository.mkdir(exist_ok=True)
        _give(self.repository)
        for name in only or self.names:
            self.write(name)

    def component(self, name: str) -> dict[str, Any]:
        issued = self.authority.issue(name, [self.addresses[name], "127.0.0.1"])
        tls = {"certificate": issued.certificate, "key": issued.key, "authority": issued.authority}
        return nodes.elasticsearch_component(self.platform, name, self.groups, self.addresses, self.passwords, tls)

    def write(self, name: str) -> None:
        folder = self.folder / name
        for file in self.component(name)["files"]:
            path = folder / "config" / file["path"].removeprefix(f"{nodes.CONFIG}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._moved(name, path, file["content"]))
        for part in ("data", "logs", "tmp"):
            (folder / part).mkdir(exist_ok=True)
        _give(folder)
        if name not in self.nodes:
            self.nodes[name] = Node(name, self.addresses[name], folder, self.home, self.client(name))

    def _moved(self, name: str, path: Path, content: str) -> str:
        """Paths and addresses of one machine instead of a host of its own."""
        if path.name == "elasticsearch.yml":
            config = yaml.safe_load(content)
            config |= {
                "path.data": str(self.folder / name / "data"),
                "path.logs": str(self.folder / name / "logs"),
                "network.bind_host": self.addresses[name],
            }
            return yaml.safe_dump(config)
        return content.replace(nodes.LOGS, str(self.folder / name / "logs"))

    def start(self, only: Iterable[str] = ()) -> None:
        chosen = list(only or self.names)
        for name in chosen:
            self.nodes[name].start()
        for name in chosen:
            self.nodes[name].wait_until_answers()

    def stop(self) -> None:
        for node in self.nodes.values():
            node.stop()


def _give(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    account = pwd.getpwnam(ACCOUNT)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, account.pw_uid, account.pw_gid)
