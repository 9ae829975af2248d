"""Secrets: what platform.yml says of them, and the files that those of the backend `files` are kept in.

Only the controller runs this; how a value is found stands in module_utils/secrets. Parallel runs, and the parallel
workers of one run, must agree on one value: a value is made under a lock, written beside its place and renamed into
it, so that a reader sees either nothing or all of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import string
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .model import Data, PlatformError, section

ALPHABET = string.ascii_letters + string.digits  # needs no quoting in any file, URL or command that it may end up in
UNSET = "unset-in-check-mode"
DEFAULT_LENGTH = 32
MAX_AGE = 90
DEFAULT_DIRECTORY = ".secrets"
LOCK = ".lock"
UNFINISHED = ".unfinished-"

FILES = "files"
ANSIBLE_VAULT = "ansible_vault"
AWS_SECRETS_MANAGER = "aws_secrets_manager"
AWS_SSM = "aws_ssm"
VAULT = "vault"
BACKENDS = (FILES, AWS_SECRETS_MANAGER, AWS_SSM, VAULT, ANSIBLE_VAULT)
FORMER = {"generated": FILES, "variables": ANSIBLE_VAULT}  # as they were called before there were others

Find = Callable[[str], Any]  # the value of an Ansible variable; None where it is not defined


def directory_of(platform: Data, root: Path) -> Path:
    """Where values stand, also those that need no name there. Relative directories start at `root`."""
    return root / str(section(platform, "secrets").get("directory") or DEFAULT_DIRECTORY)


@dataclass(frozen=True)
class Declaration:
    """`platform.secrets`. `names` is what is declared of each, `directory` is absolute, `prefix` stands before the
    name of a secret at a backend outside, `logins` is `{secret: user}` of the database users that a secret lets
    in."""

    backend: str
    directory: Path
    names: Mapping[str, Data]
    prefix: str = ""
    aws: Data = field(default_factory=dict)
    vault: Data = field(default_factory=dict)
    logins: Mapping[str, str] = field(default_factory=dict)
    root: Path = Path()
    max_age: int = MAX_AGE  # days

    @classmethod
    def of(cls, platform: Data, root: Path) -> Declaration:
        """PlatformError where platform.yml declares no secrets. Relative directories start at `root`."""
        declared = section(platform, "secrets")
        if not declared:
            raise PlatformError("platform.yml declares no secrets; list their names below platform.secrets.names")
        names = section(declared, "names")
        backend = str(declared.get("backend", FILES))
        users = section(platform, "data", "postgresql", "users")
        return cls(
            FORMER.get(backend, backend),
            directory_of(platform, root),
            {str(name): section(names, name) for name in names},
            str(declared.get("prefix") or f"{platform.get('name', '')}/{platform.get('environment', '')}/"),
            section(declared, "aws"),
            section(declared, "vault"),
            {str(section(users, user).get("password")): str(user) for user in users},
            root,
            int(declared.get("max_age") or MAX_AGE),
        )

    def length(self, name: str) -> int:
        return int(self.names[name].get("length") or DEFAULT_LENGTH)

    def variable(self, name: str) -> str:
        return str(self.names[name].get("variable") or f"vault_{name}")

    def base(self, name: str) -> str:
        """The secret that `name` is a part of: itself, unless it says `of`."""
        return str(self.names[name].get("of") or name)

    def undeclared(self, name: str) -> str | None:
        """What of it is not declared: the name, or what that is a part of."""
        if name not in self.names:
            return name
        base = self.base(name)
        return None if base in self.names else base

    def identifier(self, name: str) -> str:
        """What the backend calls it: `id` where that is given, otherwise its name, behind the prefix outside of
        here."""
        given = self.names[name].get("id")
        if given:
            return str(given)
        if self.backend in (FILES, ANSIBLE_VAULT):
            return name
        return f"{self.prefix}{name}" if self.backend != AWS_SSM else f"/{self.prefix.strip('/')}/{name}"

    def login(self, name: str) -> str:
        """The database user that a secret lets in first; empty where it lets nobody in."""
        return self.logins.get(name, "")


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

    def remove(self, name: str) -> None:
        """Called under the lock. What is not there is removed already."""
        with _explained(self.directory / name):
            (self.directory / name).unlink(missing_ok=True)

    def changed(self, name: str) -> float | None:
        """When the value was written, as seconds since 1970; None where there is none."""
        try:
            return (self.directory / name).stat().st_mtime
        except OSError:
            return None

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
