"""The file tree of an image, and what differs between two of them."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from tempfile import TemporaryFile
from typing import Any

from lab.runtime import Client


@dataclass(frozen=True)
class Node:
    """What is compared of a path: all but its times."""

    kind: str
    mode: int
    owner: tuple[int, int]
    link: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Tree:
    """``contents`` holds what was asked for, by path."""

    nodes: Mapping[str, Node]
    contents: Mapping[str, bytes] = field(default_factory=dict)
    holding: tuple[str, ...] = ()


KINDS = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "hard link"}


def read_tree(client: Client, image: str, below: str = "", secrets: tuple[bytes, ...] = ()) -> Tree:
    """The tree of an image, with the contents of files below a folder; ``holding`` are the files with a secret in."""
    container = client.containers.create(image, command=["true"])
    try:
        with TemporaryFile() as stream:
            for chunk in container.export():
                stream.write(chunk)
            stream.seek(0)
            return _read(stream, below.strip("/") + "/" if below else "", secrets)
    finally:
        container.remove()


def _read(stream: Any, below: str, secrets: tuple[bytes, ...]) -> Tree:
    nodes: dict[str, Node] = {}
    contents: dict[str, bytes] = {}
    holding: list[str] = []
    with tarfile.open(fileobj=stream) as tar:
        for member in tar:
            data = b""
            if member.isreg() and (file := tar.extractfile(member)) is not None:
                data = file.read()
            path = member.name.rstrip("/")
            digest = hashlib.sha256(data).hexdigest() if member.isreg() else ""
            kind = KINDS.get(member.type, str(member.type))
            nodes[path] = Node(kind, member.mode, (member.uid, member.gid), member.linkname, digest)
            if below and path.startswith(below):
                contents[path] = data
            if any(secret in data for secret in secrets):
                holding.append(path)
    return Tree(nodes, contents, tuple(holding))


def differences(first: Mapping[str, Node], second: Mapping[str, Node]) -> Iterator[str]:
    """A line for each path that is not the same in both."""
    for path in sorted({*first, *second}):
        one, other = first.get(path), second.get(path)
        if one is None or other is None:
            yield f"{path}: only in the {'second' if one is None else 'first'}"
        elif one != other:
            named = [item.name for item in fields(Node) if getattr(one, item.name) != getattr(other, item.name)]
            yield f"{path}: {', '.join(named)}"
