"""The host as the engine touches it: a few reads, and every mutation as one primitive.

Mutations go through Host alone. A test replaces it by one that dies before and after each of them,
so the list of methods below `# Mutations` is the list of places where power can fail.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .errors import CommandError, EngineError
from .units import SHOW_PROPERTIES, UnitState, parse_show


@dataclass(frozen=True)
class Found:
    """What stands at a path: kind is absent, file, link, directory or other; owner and group are names."""

    kind: str = "absent"
    mode: int = 0
    owner: str = ""
    group: str = ""
    target: str = ""
    content: bytes = b""


@dataclass(frozen=True)
class Completed:
    code: int
    output: str


def owner_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


# Programs speak plainly: their output is read by this one, or ends in a message.
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": "cat"}
# The methods of Host that change something: the places where power can fail. Tests fail each of them.
MUTATIONS = (
    "write_new",
    "symlink",
    "keep",
    "rename",
    "unlink",
    "mkdir",
    "set_attributes",
    "rmdir",
    "rmtree",
    "run",
)


class Host:
    """The real one. Paths are absolute; commands are argument lists, never a shell line."""

    # Locks that a changing command holds together with this process: where this one dies first, the next run waits
    # for the command's end.
    held: tuple[int, ...] = ()

    def look(self, path: str) -> Found:
        """The path itself, not what a link leads to; a file comes with its content."""
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return Found()
        common = (stat.S_IMODE(status.st_mode), owner_name(status.st_uid), group_name(status.st_gid))
        if stat.S_ISLNK(status.st_mode):
            return Found("link", *common, target=os.readlink(path))
        if stat.S_ISDIR(status.st_mode):
            return Found("directory", *common)
        if stat.S_ISREG(status.st_mode):
            with open(path, "rb") as handle:
                return Found("file", *common, content=handle.read())
        return Found("other", *common)

    def exists(self, path: str) -> bool:
        return os.path.lexists(path)

    def unit(self, name: str) -> UnitState:
        return parse_show(self.query(["systemctl", "show", name, f"--property={SHOW_PROPERTIES}"]).output)

    def query(self, argv: Sequence[str], timeout: float = 60, cwd: str = "/") -> Completed:
        """Run a command that changes nothing."""
        return self._execute(argv, timeout, cwd)

    @staticmethod
    def _execute(
        argv: Sequence[str],
        timeout: float,
        cwd: str = "/",
        held: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        try:
            done = subprocess.run(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                cwd=cwd,
                check=False,
                pass_fds=held,
                env={**os.environ, **ENVIRONMENT, **(environment or {})},
            )
        except FileNotFoundError:
            return Completed(127, f"{argv[0]}: no such program on this host")
        except subprocess.TimeoutExpired as error:
            partial = (error.output or b"").decode("utf-8", "replace")
            return Completed(124, f"{partial}\n{argv[0]} did not end within {timeout:.0f} s".strip())
        return Completed(done.returncode, done.stdout.decode("utf-8", "replace"))

    # Mutations

    def write_new(self, path: str, content: bytes, mode: int, owner: str = "root", group: str = "root") -> None:
        """A new file, complete and on the disk before it is returned from; an older one of that name is replaced."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with naming(path), os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fchown(handle.fileno(), _uid(owner), _gid(group))
            os.fchmod(handle.fileno(), mode)
            os.fsync(handle.fileno())

    def symlink(self, target: str, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.symlink(target, path)

    def keep(self, path: str, aside: str) -> None:
        """Hold on to what stands at `path` under another name: the same inode, so the way back is exact."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)
        os.link(path, aside, follow_symlinks=False)

    def rename(self, source: str, target: str) -> None:
        os.rename(source, target)
        self._sync(os.path.dirname(target))

    def unlink(self, path: str) -> None:
        # Looked for first: a read-only file system refuses even where there is nothing to remove.
        if os.path.lexists(path):
            os.unlink(path)

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        os.mkdir(path, 0o700)
        os.chmod(path, mode)

    def set_attributes(self, path: str, mode: int, owner: str, group: str) -> None:
        os.chown(path, _uid(owner), _gid(group))
        os.chmod(path, mode)

    def rmdir(self, path: str) -> None:
        """Remove a directory if it is empty; what others put there stays."""
        with contextlib.suppress(OSError):
            os.rmdir(path)

    def rmtree(self, path: str) -> None:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)

    def run(
        self,
        argv: Sequence[str],
        timeout: float = 120,
        cwd: str = "/",
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """Run a command that changes the host, `environment` added to ours. Raises CommandError with its last lines."""
        done = self._execute(argv, timeout, cwd, self.held, environment)
        if done.code != 0:
            raise CommandError(f"'{' '.join(argv)}' ended with {done.code}: {tail(done.output)}")
        return done.output

    @staticmethod
    def _sync(directory: str) -> None:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """A failed write names its file; by itself, only a failed open does."""
    try:
        yield
    except OSError as error:
        if error.errno and error.filename is None:
            error.filename = path
        raise


# A call in a stack trace of Java or JavaScript; in Compose's logs the service stands before it.
FRAME = re.compile(
    r"([\w.-]+ *\| )?\s+(at (async |new )?[^\s()]+( \[as \S+\])?( ?\([^()]*\)|:\d+:\d+)"
    r"|\.\.\. \d+ (more|common frames omitted))"
)


def tail(text: str, lines: int = 8) -> str:
    """The last lines of a program's output: where the reason stands. Calls of a stack trace would push it out."""
    return "\n".join([line for line in text.strip("\n").splitlines() if not FRAME.fullmatch(line)][-lines:]).strip()


def _uid(owner: str) -> int:
    try:
        return int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
    except KeyError:
        raise EngineError(f"the owner {owner!r} is no user of this host", "prepare") from None


def _gid(group: str) -> int:
    try:
        return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise EngineError(f"the group {group!r} is no group of this host", "prepare") from None


def ancestors(path: str) -> Iterator[str]:
    """The directories above `path`, outermost first, without '/'."""
    parts = [part for part in os.path.dirname(path).split("/") if part]
    for count in range(1, len(parts) + 1):
        yield "/" + "/".join(parts[:count])
