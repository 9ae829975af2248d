"""The application by Docker Compose, as a developer starts it, in a copy of its folder: apps/chat is not touched."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab import REPOSITORY, base_images, dockerfiles, host_image
from lab.runtime import Client, FileEntry, archive, build, read_file

APP = REPOSITORY / "apps" / "chat"
PROJECT = "alone-chat-"
PROJECT_LABEL = "com.docker.compose.project"
AGAIN = "-again"  # ends the name of a project that only builds
LEFT_OUT = shutil.ignore_patterns(
    "node_modules", ".venv", "dist", "__pycache__", ".*_cache", ".hypothesis", ".secrets*", ".env"
)
PLUGIN = "/plugin/usr/libexec/docker/cli-plugins/docker-compose"
PLUGIN_DOCKERFILE = """\
FROM {rootfs}
RUN set -eu; apt-get -q update; cd /tmp; apt-get -q download docker-compose; dpkg-deb -x docker-compose_*.deb /plugin
"""


def compose_command(client: Client) -> list[str]:
    """Docker Compose 2: the machine's, else the one of Debian's package, which is kept below build/."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            answer = subprocess.run([*command, "version", "--short"], capture_output=True, text=True)
            if answer.returncode == 0 and answer.stdout.lstrip("v").startswith("2"):
                return command
    kept = REPOSITORY / "build" / "chat" / "docker-compose"
    if not kept.exists():
        rootfs = host_image.ensure_rootfs(client)
        files = {"Dockerfile": FileEntry(PLUGIN_DOCKERFILE.format(rootfs=rootfs.tag).encode())}
        tag = "alone-docker-compose"
        build(client, tag, tag, archive(files))
        container = client.containers.create(tag, command=["true"])
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(read_file(container, PLUGIN))
            kept.chmod(0o755)
        finally:
            container.remove()
            client.images.remove(tag)
    return [str(kept)]


def external_images(folder: Path) -> list[str]:
    """What the application's images are built from, and what Compose runs beside them."""
    services = yaml.safe_load((folder / "compose.yaml").read_text())["services"].values()
    texts = [path.read_text() for path in (folder / "Dockerfile", folder / "pgadmin" / "Dockerfile")]
    found = [name for text in texts for name in dockerfiles.base_images(text)]
    return sorted({*found, *(service["image"] for service in services if "build" not in service)})


@contextmanager
def upstream_names(client: Client, names: Iterable[str]) -> Iterator[None]:
    """Where no registry answers, the lab's equivalents bear upstream's names meanwhile."""
    wanted = list(names)
    try:
        base_images.lend(client, wanted)
        yield
    finally:
        base_images.take_back(client, wanted)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(eq=False)
class Alone:
    """One Compose project. ``folder`` is a copy of apps/chat of its own."""

    client: Client
    command: list[str]
    folder: Path
    project: str
    ports: Mapping[str, int] = field(default_factory=lambda: {"CHAT_PORT": free_port(), "PGADMIN_PORT": free_port()})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['CHAT_PORT']}"

    def compose(self, *arguments: str, project: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, **{name: str(port) for name, port in self.ports.items()}, "COMPOSE_ANSI": "never"}
        command = [*self.command, "--project-name", project or self.project, "--progress", "plain", *arguments]
        result = subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True)
        if check and result.returncode != 0:
            raise AssertionError(
                f"{' '.join(command)}: exit {result.returncode}\n{(result.stdout + result.stderr)[-6000:]}"
            )
        return result

    def secrets(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in (self.folder / ".secrets").iterdir()}

    def container(self, service: str) -> Any:
        return self.client.containers.get(f"{self.project}-{service}-1")

    def image(self, service: str, project: str = "") -> str:
        return f"{project or self.project}-{service}"

    def remove(self) -> None:
        """Containers, volumes, the network and the images that were built."""
        self.compose("--profile", "tools", "down", "--volumes", "--rmi", "local", "--remove-orphans", "--timeout", "5")


def remove_leftovers(client: Client) -> None:
    """What runs left behind that were killed: a project bears its process's number."""
    running = {f"{PROJECT}{path.name}" for path in Path("/proc").glob("[0-9]*")}

    def of_the_dead(thing: Any) -> bool:
        attrs = thing.attrs
        labels = attrs.get("Labels") or attrs.get("Config", {}).get("Labels") or {}
        project = str(labels.get(PROJECT_LABEL, "")).removesuffix(AGAIN)
        return project.startswith(PROJECT) and project not in running

    label = {"label": PROJECT_LABEL}
    for container in filter(of_the_dead, client.containers.list(all=True, filters=label)):
        container.remove(force=True, v=True)
    for thing in (*client.networks.list(filters=label), *client.volumes.list(filters=label)):
        if of_the_dead(thing):
            thing.remove()
    for image in filter(of_the_dead, client.images.list(filters=label)):
        for tag in image.tags:
            client.images.remove(tag)


def copy_of(folder: Path) -> Path:
    """A copy of apps/chat without what was installed or made there, as a fresh clone would be."""
    return Path(shutil.copytree(APP, folder, ignore=LEFT_OUT))


@contextmanager
def started(client: Client, folder: Path) -> Iterator[Alone]:
    """The application up and healthy, built from what apps/chat holds now; removed at the end, whatever happens."""
    remove_leftovers(client)
    alone = Alone(client, compose_command(client), copy_of(folder / "chat"), f"{PROJECT}{os.getpid()}")
    with upstream_names(client, external_images(alone.folder)):
        try:
            subprocess.run([str(alone.folder / "dev-secrets.sh")], check=True, capture_output=True)
            alone.compose("--profile", "tools", "build")
            alone.compose("up", "--wait", "--wait-timeout", "120")
            yield alone
        finally:
            alone.remove()
