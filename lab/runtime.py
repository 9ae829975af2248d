"""The Docker daemon: connecting to it, and the few calls that the SDK does not offer in one piece."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import tarfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]
import docker.errors  # type: ignore[import-untyped]

from lab.errors import LabError

PREFIX = "devops-lab"
LABEL = "devops.platform.lab"  # its value is a container's part: one of ROLES; on a network or volume: itself
ROLES = ("fleet", "ephemeral", "mirror")
# Containers inherit their image's labels: images must not bear the label by which our containers are found.
IMAGE_LABEL = f"{LABEL}.image"
RECIPE_LABEL = f"{LABEL}.recipe"
NETWORK = PREFIX

Client = Any  # docker.DockerClient; the SDK ships no types
NotFound = docker.errors.NotFound
ImageNotFound = docker.errors.ImageNotFound
APIError = docker.errors.APIError


def connect(timeout: int = 600) -> Client:
    """A client of the daemon that DOCKER_HOST names, by default the machine's own.

    ``timeout`` bounds one call in seconds; image builds and loads are single calls.
    """
    try:
        client = docker.from_env(timeout=timeout, max_pool_size=32)
        client.ping()
    except docker.errors.DockerException as error:
        raise LabError(f"the Docker daemon does not answer: {error}", "start it, or set DOCKER_HOST") from error
    return client


@dataclass(frozen=True)
class FileEntry:
    """A file to put into a container or a build context."""

    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


# One time for every file, so that equal content is an equal archive; ZIP files (Python wheels) know none before 1980.
EPOCH = 315532800


def archive(files: Mapping[str, FileEntry], directories: Mapping[str, tuple[int, int]] | None = None) -> bytes:
    """A tar archive of files (path → entry) and directories (path → (mode, uid and gid)), the same for equal input."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, (mode, owner) in sorted((directories or {}).items()):
            info = tarfile.TarInfo(path.lstrip("/"))
            info.mtime = EPOCH
            info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, mode, owner, owner
            tar.addfile(info)
        for path, entry in sorted(files.items()):
            info = tarfile.TarInfo(path.lstrip("/"))
            info.mtime = EPOCH
            info.size, info.mode, info.uid, info.gid = len(entry.content), entry.mode, entry.uid, entry.gid
            tar.addfile(info, io.BytesIO(entry.content))
    return stream.getvalue()


def digest_of(*parts: str | bytes) -> str:
    """Sixteen hexadecimal digits that stand for a recipe."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(f"{len(data)}:".encode() + data)
    return total.hexdigest()[:16]


def image_recipe(client: Client, reference: str) -> str | None:
    """The recipe that an image was built from, or None where there is no such image."""
    try:
        return str((client.images.get(reference).labels or {}).get(RECIPE_LABEL, ""))
    except ImageNotFound:
        return None


def build(
    client: Client,
    what: str,
    tag: str,
    context: bytes,
    *,
    dockerfile: str = "Dockerfile",
    target: str | None = None,
    labels: Mapping[str, str] | None = None,
    arguments: Mapping[str, str] | None = None,
) -> str:
    """Build an image from a tar archive with the daemon's own builder; return the image's id.

    Raises LabError with the last lines of output; ``what`` names the image there.
    """
    output: list[str] = []
    try:
        for event in client.api.build(
            fileobj=io.BytesIO(context),
            custom_context=True,
            dockerfile=dockerfile,
            tag=tag,
            target=target,
            labels=dict(labels or {}),
            buildargs=dict(arguments or {}),
            rm=True,
            forcerm=True,
            decode=True,
        ):
            if "error" in event:
                raise LabError(f"building {what} failed: {event['error'].strip()}\n{_tail(output)}")
            output.append(event.get("stream", ""))
    except docker.errors.DockerException as error:
        raise LabError(f"building {what} failed: {error}\n{_tail(output)}") from error
    return str(client.images.get(tag).id)


def _tail(output: Iterable[str], lines: int = 25) -> str:
    return "\n".join("    " + line for line in "".join(output).splitlines()[-lines:])


def publish(client: Client, image: str, repository: str, tag: str) -> str:
    """Push a local image as ``repository:tag`` and return its digest (``sha256:…``).

    The tag that pushing needs is taken away again: the machine's image list shows each image once.
    """
    client.images.get(image).tag(repository, tag=tag)
    digest = ""
    try:
        for event in client.api.push(repository, tag=tag, stream=True, decode=True):
            if "error" in event:
                raise LabError(f"pushing {repository}:{tag} failed: {event['error']}")
            digest = event.get("aux", {}).get("Digest", digest)
    finally:
        client.images.remove(f"{repository}:{tag}")
    if not digest:
        raise LabError(f"pushing {repository}:{tag} gave no digest", "look at the mirror: python -m lab status")
    return digest


def execute(container: Any, command: list[str], what: str) -> str:
    """Run a command in a container; return its standard output, raise LabError where it fails."""
    code, (out, err) = container.exec_run(command, demux=True)
    if code != 0:
        detail = ((err or b"") + (out or b"")).decode(errors="replace")
        raise LabError(f"{what} failed in {container.name} (exit {code}):\n{_tail([detail])}")
    return (out or b"").decode(errors="replace")


def read_file(container: Any, path: str) -> bytes:
    """The content of one file of a container."""
    chunks, _stat = container.get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        member = tar.extractfile(tar.getmembers()[0])
        if member is None:
            raise LabError(f"{path} in {container.name} is not a file")
        return member.read()


def find_container(client: Client, name: str) -> Any | None:
    try:
        return client.containers.get(name)
    except NotFound:
        return None


def wait_until(what: str, check: Callable[[], bool], timeout: float, interval: float = 0.1) -> None:
    """Poll until ``check`` is true; LabError after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not check():
        if time.monotonic() > deadline:
            raise LabError(f"{what} within {timeout:.0f} s")
        time.sleep(interval)


def port_open(address: str, port: int, timeout: float = 1.0) -> bool:
    try:
        with socket.create_connection((address, port), timeout=timeout):
            return True
    except OSError:
        return False


def machine_certificates(directory: Path = Path("/usr/local/share/ca-certificates")) -> dict[str, bytes]:
    """Certificate authorities that the machine trusts beyond its distribution's, by file name.

    Where an inspecting proxy stands between the machine and its mirrors, images need them as the machine does.
    """
    return {path.name: path.read_bytes() for path in sorted(directory.glob("*.crt"))}


def stable_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
