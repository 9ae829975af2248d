"""What is done on a node: a look at what is there, and kubeadm's commands. How a command is run is handed in.

kubeadm is told by a file that root alone can read, in memory, gone when the command ends: a token in its arguments
could be read by everybody on the node. What was begun is noted before, so that a run that dies is known to the next.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import authority
from .configuration import CERTIFICATE_KEY, TOKEN, invited, with_token
from .membership import INIT, JOIN, Seen

INVITE, UPGRADE, RESET = "invite", "upgrade", "reset"
TAIL = 25  # lines of a command that failed which are shown
IMAGE = re.compile(r"^[\s-]*image:\s*\S*/kube-apiserver:v(\S+)\s*$", re.MULTILINE)
KUBELET = re.compile(r"^Kubernetes v(\S+)", re.MULTILINE)

# Exit code, and all that it printed.
Run = Callable[[Sequence[str]], "tuple[int, str]"]


class KubeadmError(Exception):
    """What kubeadm said, and what to do."""


@dataclass(frozen=True)
class Node:
    """One node. `root` is `/`, or a folder of tests."""

    run: Run
    root: Path = Path("/")

    @property
    def note(self) -> Path:
        return self.root / "var/lib/devops-platform/kubeadm.json"

    def path(self, name: str) -> Path:
        return self.root / name.lstrip("/")


def look(node: Node) -> Seen:
    """What is on the node; nothing is changed."""
    manifest = node.path("/etc/kubernetes/manifests/kube-apiserver.yaml")
    certificate = node.path("/etc/kubernetes/pki/ca.crt")
    known = ""
    if certificate.exists():
        try:
            known = authority.digest(certificate.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise KubeadmError(f"{certificate}: {error}; put the cluster's authority back there") from error
    data = [node.path(name) for name in ("/etc/kubernetes/pki/ca.key", "/var/lib/etcd/member")]
    return Seen(
        joined=node.path("/etc/kubernetes/kubelet.conf").exists(),
        serves=manifest.exists(),
        authority=known,
        data=any(path.exists() for path in data),
        attempt=_attempt(node),
        version=_kubelet_version(node),
    )


def served_version(node: Node) -> str:
    """The version of the API server that the node runs; '' where it runs none."""
    manifest = node.path("/etc/kubernetes/manifests/kube-apiserver.yaml")
    found = IMAGE.search(manifest.read_text(encoding="utf-8")) if manifest.exists() else None
    return found[1] if found else ""


def _attempt(node: Node) -> str:
    try:
        return str(json.loads(node.note.read_text(encoding="utf-8")).get("action") or INIT)
    except FileNotFoundError:
        return ""
    except ValueError:  # cut off: it had not begun yet, and a reset does no harm
        return INIT


def _kubelet_version(node: Node) -> str:
    program = node.path("/usr/local/bin/kubelet")
    if not program.exists():
        return ""
    code, said = node.run([str(program), "--version"])
    found = KUBELET.search(said) if code == 0 else None
    return found[1] if found else ""


def init(node: Node, documents: Sequence[Mapping[str, Any]], token: str, again: bool = False) -> None:
    """Make the cluster. `again`: after a run that died."""
    _check(token)
    with _begun(node, INIT, again), _told(with_token(documents, token)) as config:
        _kubeadm(node, "init", "--config", config, "--skip-token-print")


def join(
    node: Node, documents: Sequence[Mapping[str, Any]], invitation: Mapping[str, Any], again: bool = False
) -> None:
    """Become a node of the cluster that sent the invitation."""
    try:
        filled = invited(documents, invitation)
    except ValueError as error:
        raise KubeadmError(f"{error}; have a node of the control plane invite this one") from error
    with _begun(node, JOIN, again), _told(filled) as config:
        _kubeadm(node, "join", "--config", config)


def invite(node: Node, documents: Sequence[Mapping[str, Any]], token: str, certificate_key: str = "") -> None:
    """Have the cluster accept a token for a quarter of an hour; with a key, also hand out its certificates."""
    _check(token)
    if certificate_key and not CERTIFICATE_KEY.fullmatch(certificate_key):
        raise KubeadmError("the key of the certificates is not 64 hexadecimal digits")
    kinds = ("InitConfiguration", "ClusterConfiguration")
    asked = [document for document in documents if document.get("kind") in kinds]
    with _told(with_token(asked, token, certificate_key)) as config:
        try:
            _kubeadm(node, "token", "create", "--config", config)
        except KubeadmError as error:
            # Where this run has made the cluster, that knows the token since then.
            if f'token with id "{token.partition(".")[0]}" already exists' not in str(error):
                raise
        if certificate_key:
            phase = ("init", "phase", "upload-certs", "--upload-certs", "--skip-certificate-key-print")
            _kubeadm(node, *phase, "--config", config)


def upgrade(node: Node, version: str, first: bool, ignore: Sequence[str] = ()) -> bool:
    """Bring the node's part of the control plane, and the cluster's settings, to a version; False where they are."""
    if first and served_version(node) == version:
        return False
    accepted = [f"--ignore-preflight-errors={','.join(ignore)}"] if ignore else []
    if first:
        _kubeadm(node, "upgrade", "apply", f"v{version}", "--yes", *accepted)
    else:
        _kubeadm(node, "upgrade", "node", *accepted)
    return True


def reset(node: Node) -> None:
    """Forget what a run that died has left. What a cluster holds is gone as well: never done to a member."""
    _kubeadm(node, "reset", "--force")
    node.note.unlink(missing_ok=True)


def _check(token: str) -> None:
    if not TOKEN.fullmatch(token):
        raise KubeadmError("the token is not of the form abcdef.0123456789abcdef")


@contextmanager
def _begun(node: Node, action: str, again: bool) -> Iterator[None]:
    """The note stays where the command fails, or its run dies."""
    if again:
        reset(node)
    node.note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(node.note, json.dumps({"action": action}))
    yield
    node.note.unlink()
    _sync(node.note.parent)


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(documents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A file with the documents, which mkstemp makes for its owner alone; in memory where the host has such a place."""
    place = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - made by mkstemp, which guesses no name
    descriptor, name = tempfile.mkstemp(prefix="kubeadm-", suffix=".yaml", dir=place)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            # JSON is YAML, for which nodes need not have a library.
            file.write("\n---\n".join(json.dumps(document) for document in documents) + "\n")
        yield name
    finally:
        os.unlink(name)


def _kubeadm(node: Node, *words: str) -> str:
    code, said = node.run([str(node.path("/usr/local/bin/kubeadm")), *words])
    if code != 0:
        shown = "\n".join(f"    {line}" for line in hidden(said).splitlines()[-TAIL:])
        what = " ".join(word for word in words if not word.startswith(("-", "/")))
        raise KubeadmError(f"kubeadm {what} ended with {code}:\n{shown}")
    return said


def hidden(text: str) -> str:
    """kubeadm's words without tokens and keys, which it quotes in some of its errors."""
    return CERTIFICATE_KEY.sub("(key)", TOKEN.sub("(token)", text))
