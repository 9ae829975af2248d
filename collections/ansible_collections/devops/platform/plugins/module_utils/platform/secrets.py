"""Secrets by name: made once and kept in files, or taken from Ansible variables.

Only the controller runs this. Parallel runs, and the parallel workers of one run, must agree on one value: a value is
made under a lock, written beside its place and renamed into it, so that a reader sees either nothing or all of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import string
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .model import Data, PlatformError, section
from .suggest import did_you_mean

ALPHABET = string.ascii_letters + string.digits  # needs no quoting in any file, URL or command that it may end up in
UNSET = "unset-in-check-mode"
DEFAULT_LENGTH = 32
DEFAULT_DIRECTORY = ".secrets"
LOCK = ".lock"
UNFINISHED = ".unfinished-"

Find = Callable[[str], Any]  # the value of an Ansible variable; None where it is not defined


def directory_of(platform: Data, root: Path) -> Path:
    """Where values stand, also those that need no name there. Relative directories start at `root`."""
    return root / str(section(platform, "secrets").get("directory") or DEFAULT_DIRECTORY)


@dataclass(frozen=True)
class Declaration:
    """`platform.secrets`: `names` is `{name: {length, variable}}`, `directory` is absolute."""

    backend: str
    directory: Path
    names: Mapping[str, Data]

    @classmethod
    def of(cls, platform: Data, root: Path) -> Declaration:
        """PlatformError where platform.yml declares no secrets. Relative directories start at `root`."""
        declared = section(platform, "secrets")
        if not declared:
            raise PlatformError("platform.yml declares no secrets; list their names below platform.secrets.names")
        names = section(declared, "names")
        return cls(
            str(declared.get("backend", "generated")),
            directory_of(platform, root),
            {str(name): section(names, name) for name in names},
        )

    def length(self, name: str) -> int:
        return int(self.names[name].get("length") or DEFAULT_LENGTH)

    def variable(self, name: str) -> str:
        return str(self.names[name].get("variable") or f"vault_{name}")


def read_secrets(names: Sequence[str], declared: Declaration, find: Find, *, check: bool = False) -> list[str]:
    """The values of `names`, in their order.

    `find` looks up an Ansible variable. With `check`, a value that is not made yet is UNSET, and nothing is written.
    PlatformError for a name that is not declared (all such names in one message) and for a value that is not usable.
    """
    unknown = sorted({name for name in names if name not in declared.names})
    if unknown:
        listed = "; ".join(f"'{name}' is not declared{did_you_mean(name, declared.names)}" for name in unknown)
        raise PlatformError(f"secret {listed}. Secrets are declared below platform.secrets.names in platform.yml")
    if declared.backend == "variables":
        return [_from_variable(name, declared.variable(name), find) for name in names]
    if declared.backend != "generated":
        raise PlatformError(f"platform.secrets.backend is '{declared.backend}'; it may be generated or variables")
    store = Store(declared.directory)
    if check:
        return [store.read(name) or UNSET for name in names]
    return [store.ensure(name, declared.length(name)) for name in names]


def _from_variable(name: str, variable: str, find: Find) -> str:
    value = find(variable)
    where = "in a file beside platform.yml, encrypted with ansible-vault"
    if value is None:
        raise PlatformError(f"secret '{name}' is the variable {variable}, which is not defined; define it {where}")
    if not isinstance(value, str):
        raise PlatformError(f"secret '{name}': the variable {variable} is not text; put quotes around its value")
    if not value:
        raise PlatformError(f"secret '{name}': the variable {variable} is empty; give it a value {where}")
    return value


class Store:
    """A directory (0700) of values, one file (0600) each."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def read(self, name: str) -> str | None:
        """The value, without the line end that an editor may have left; None where there is none.

        PlatformError where the file is empty, or others may read it: then the value may be known already.
        """
        path = self.directory / name
        with _explained(path):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            with open(descriptor, encoding="utf-8", newline="") as handle:
                mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
                value = handle.read().rstrip("\r\n")
        if mode & 0o077:
            raise PlatformError(
                f"secret '{name}': {path} has mode {mode:04o}, others may have read it; change the value if that "
                f"matters, then: chmod 600 {path}"
            )
        if not value:
            raise PlatformError(f"secret '{name}': {path} is empty; write the value into it, or remove it")
        return value

    def ensure(self, name: str, length: int) -> str:
        """The value; made now, of `length` letters and digits, where there is none. An existing value is kept
        whatever its length: it is in use."""
        value = self.read(name)
        if value is not None:
            return value
        with self.locked():
            value = self.read(name)  # another process may have been first
            if value is not None:
                return value
            self._sweep()
            value = "".join(secrets.choice(ALPHABET) for _ in range(length))
            self.write(name, value)
            return value

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Alone in the store. The kernel lets go when the holder ends, however it ends."""
        with _explained(self.directory):
            # A store may lie in another one: that is made for nobody else, either.
            for folder in reversed([self.directory, *self.directory.parents]):
                folder.mkdir(mode=0o700, exist_ok=True)
            ignore = self.directory / ".gitignore"  # wherever the directory stands, `git add .` passes it by
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            mode = stat.S_IMODE(self.directory.stat().st_mode)
            if mode & 0o077:
                raise PlatformError(
                    f"the directory of secrets {self.directory} has mode {mode:04o}, so others may look into it; "
                    f"run: chmod 700 {self.directory}"
                )
            lock = os.open(self.directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _sweep(self) -> None:
        """Remove what a process that was killed while writing has left. Called under the lock: nobody is writing."""
        for path in self.directory.glob(f"{UNFINISHED}*"):
            path.unlink(missing_ok=True)

    def write(self, name: str, value: str) -> None:
        with _explained(self.directory / name):
            descriptor, unfinished = tempfile.mkstemp(prefix=UNFINISHED, dir=self.directory)  # O_EXCL, 0600
            try:
                with open(descriptor, "w", encoding="utf-8") as handle:
                    handle.write(value)
                    handle.flush()
                    os.fsync(descriptor)
                os.rename(unfinished, self.directory / name)
            except BaseException:
                Path(unfinished).unlink(missing_ok=True)
                raise
            folder = os.open(self.directory, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)  # a password that the database knows must not be lost with the power
            finally:
                os.close(folder)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What the system refuses, with the file and what to do."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise PlatformError(f"secret store: {path} is not UTF-8 text; write the value anew, or remove it") from error
    except OSError as error:
        raise PlatformError(
            f"secret store: {error.strerror or error}: {path}; it must be a file of the user who runs Ansible, "
            f"in a directory that this user may write to (platform.secrets.directory)"
        ) from error
