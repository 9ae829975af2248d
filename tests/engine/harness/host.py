"""A host that numbers every mutation, and can die or fail at any of them.

`MUTATIONS` are the primitives of the engine's Host; `OUTSIDE` are the three places that write without it, because what
they write is thrown away whole when the run dies. Together they are all places at which power can fail.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine import release, validate
from ansible_collections.devops.platform.plugins.module_utils.engine.errors import CommandError
from ansible_collections.devops.platform.plugins.module_utils.engine.host import MUTATIONS, Host

OUTSIDE = {"download": release, "_unpack": release, "stage": validate}
# What a full disk refuses; renames, removals and changed attributes need no space.
NEEDS_SPACE = ("write_new", "symlink", "keep", "mkdir", "download", "_unpack", "stage")
COMMANDS_THAT_NEED_SPACE = ("useradd", "enable")


@dataclass(frozen=True)
class Fate:
    """What happens at step number `at` (from 0).

    how: `before` and `middle` are SIGKILL; `error` is one EIO; `full` is a disk that is full from that step on.
    """

    at: int = -1
    how: str = "nothing"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Steps:
    """The steps of one run, in order, and the one at which fate strikes."""

    fate: Fate = Fate()
    taken: list[tuple[str, str, bool]] = field(default_factory=list)
    inside: int = 0

    def take(self, name: str, what: str, whole: Callable[[], Any], half: Callable[[], Any] | None) -> Any:
        """Do one step, or die in front of it or in its middle, or let it fail."""
        number = len(self.taken)
        self.taken.append((name, what, half is not None))
        if self.fate.how == "full" and number >= self.fate.at:
            self._no_space(name, what, half)
        elif number == self.fate.at:
            if self.fate.how == "error":
                raise OSError(errno.EIO, os.strerror(errno.EIO), what)
            if self.fate.how == "middle" and half is not None:
                half()
            die()
        self.inside += 1
        try:
            return whole()
        finally:
            self.inside -= 1

    def _no_space(self, name: str, what: str, half: Callable[[], Any] | None) -> None:
        if name == "run" and any(word in what.split() for word in COMMANDS_THAT_NEED_SPACE):
            raise CommandError(f"'{what}' ended with 1: {os.strerror(errno.ENOSPC)}")
        if name in NEEDS_SPACE:
            if half is not None and name == "write_new":
                half()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), what)


# The first half of what a primitive does: where it stands when it is killed in the middle.


def _half_write(_host: Host, path: str, content: bytes, *_rest: Any) -> None:
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "wb") as handle:
        handle.write(content[: len(content) // 2])


def _half_replace(_host: Host, _source: str, path: str) -> None:
    if os.path.lexists(path):
        os.unlink(path)


def _half_mkdir(_host: Host, path: str, *_rest: Any) -> None:
    os.mkdir(path, 0o700)


def _half_attributes(_host: Host, path: str, mode: int, *_rest: Any) -> None:
    os.chmod(path, mode)


def _half_rmtree(_host: Host, path: str) -> None:
    names = sorted(os.listdir(path)) if os.path.isdir(path) else []
    for name in names[: (len(names) + 1) // 2]:
        inner = os.path.join(path, name)
        shutil.rmtree(inner) if os.path.isdir(inner) and not os.path.islink(inner) else os.unlink(inner)


def _half_run(host: Host, *arguments: Any, **named: Any) -> None:
    """The command is on its way, started as the engine starts it, and nobody waits for it any more."""

    def start(argv: list[str], **options: Any) -> None:
        for waiting in ("timeout", "check"):
            options.pop(waiting)
        subprocess.Popen(argv, **options)
        die()

    subprocess.run = start  # type: ignore[assignment]
    Host.run(host, *arguments, **named)


HALVES: dict[str, Callable[..., None]] = {
    "write_new": _half_write,
    "symlink": _half_replace,
    "keep": _half_replace,
    "mkdir": _half_mkdir,
    "set_attributes": _half_attributes,
    "rmtree": _half_rmtree,
    "run": _half_run,
}


def _half_download(_urls: Any, _digest: str, path: str) -> None:
    with open(path, "wb") as handle:
        handle.write(b"the first bytes of an archive")


def _half_unpack(_release: Any, archive_path: str, folder: str) -> None:
    with tarfile.open(archive_path) as archive:
        archive.extract(next(member for member in archive if member.isfile()), folder, filter="data")


def _half_stage(_target: Any, root: str) -> None:
    with open(f"{root}/half", "wb") as handle:
        handle.write(b"half")


OUTSIDE_HALVES: dict[str, Callable[..., None]] = {
    "download": _half_download,
    "_unpack": _half_unpack,
    "stage": _half_stage,
}


def _what(arguments: tuple[Any, ...]) -> str:
    first = arguments[0]
    return " ".join(first) if isinstance(first, (list, tuple)) else str(first)


class StepHost(Host):
    """The real host, with each mutation as a numbered step."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self.steps = steps


def _primitive(name: str) -> Callable[..., Any]:
    real = getattr(Host, name)
    half = HALVES.get(name)

    def method(self: StepHost, *arguments: Any, **named: Any) -> Any:
        return self.steps.take(
            name,
            # Of two names, the second is the one that comes into being.
            str(arguments[1]) if name in ("symlink", "keep", "rename") else _what(arguments),
            lambda: real(self, *arguments, **named),
            (lambda: half(self, *arguments, **named)) if half else None,
        )

    return method


for _name in MUTATIONS:
    setattr(StepHost, _name, _primitive(_name))


def number_the_rest(steps: Steps) -> None:
    """Make the places that write without Host steps too; for a process that runs the engine once."""
    for name, module in OUTSIDE.items():
        real, half = getattr(module, name), OUTSIDE_HALVES[name]

        def numbered(*arguments: Any, real: Any = real, half: Any = half, name: str = name) -> Any:
            return steps.take(name, str(arguments[-1]), lambda: real(*arguments), lambda: half(*arguments))

        setattr(module, name, numbered)
