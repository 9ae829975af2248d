"""A fake package manager: apt and dpkg as the engine speaks to them, over a few sets; and a fake host that has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine.errors import CommandError
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Completed, Host
from ansible_collections.devops.platform.plugins.module_utils.engine.packages import ARCHIVES, INSTALL

PROGRAMS = ("apt-get", "apt-cache", "dpkg", "dpkg-query")
INTERRUPTED = "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem."


class FakePackages:
    """`cache` and `sources` hold (name, version); `half` is what dpkg was at when it died, and how far it had come.

    `refuse` says why apt's resolver would not install these versions. `tick` is called wherever dpkg could die.
    """

    def __init__(self, **installed: str) -> None:
        self.installed = dict(installed)
        self.half: dict[str, str] = {}
        self.interrupted = False
        self.cache: set[tuple[str, str]] = set()
        self.sources: set[tuple[str, str]] = set()
        self.refuse: Callable[[Mapping[str, str]], str] = lambda _wanted: ""
        self.broken: set[tuple[str, str]] = set()
        self.tick: Callable[[], None] = lambda: None

    def has(self, path: str) -> bool:
        return any(path == f"{ARCHIVES}/{name}_{version}_amd64.deb" for name, version in self.cache)

    def answer(self, argv: Sequence[str]) -> Completed:
        if argv[0] == "dpkg" and argv[1] == "--print-architecture":
            return Completed(0, "amd64\n")
        if argv[0] == "dpkg-query":
            return self._status(argv[argv.index("--showformat") + 2 :])
        if argv[0] == "apt-cache":
            rows = [f" {name} | {version} | http://mirror x/main" for name, version in sorted(self.sources)]
            return Completed(0, "\n".join(row for row in rows if row.split()[0] in argv))
        if argv[0] == "apt-get":
            return self._install(argv)
        if "--install" in argv:
            return self._unpack(dict(self._named(word) for word in argv if word.startswith("/")))
        assert argv[-2:] == ["--configure", "-a"], argv
        self.interrupted = False
        for name in [name for name, state in self.half.items() if state == "half-configured"]:
            self.tick()
            del self.half[name]
        return Completed(1 if self.half else 0, "".join(self.half))

    def _status(self, names: Sequence[str]) -> Completed:
        rows = [
            f"{name}\t{self.half.get(name, 'installed')}\t{self.installed[name]}"
            for name in names
            if name in self.installed
        ]
        return Completed(0 if len(rows) == len(names) else 1, "\n".join(rows))

    def _install(self, argv: Sequence[str]) -> Completed:
        words = argv[len(INSTALL) :]
        wanted = dict(self._named(word) for word in words if not word.startswith("--"))
        why = self.refuse(wanted)
        if "half-installed" in self.half.values():
            return Completed(100, "E: The package x needs to be reinstalled, but I can't find an archive for it.")
        if why:
            return Completed(100, f"The following packages have unmet dependencies:\n {why}\nE: Unable to correct.")
        if "--simulate" in argv or "--download-only" in argv:
            return Completed(0, "")
        if self.interrupted:
            return Completed(100, INTERRUPTED)
        return self._unpack({name: version for name, version in wanted.items() if self.installed[name] != version})

    def _unpack(self, wanted: Mapping[str, str]) -> Completed:
        for name, version in wanted.items():
            self.interrupted = True
            self.half[name] = "half-installed"
            self.tick()
            self.half[name], self.installed[name] = "half-configured", version
            self.tick()
            self.interrupted = False
            if (name, version) in self.broken:
                return Completed(100, f"E: the scripts of {name} {version} failed")
            del self.half[name]
        return Completed(0, "")

    def _named(self, word: str) -> tuple[str, str]:
        """(name, version) of an argument, which must be there to be had."""
        if word.startswith("/"):
            name, version, _architecture = word[len(ARCHIVES) + 1 :].split("_")
            assert (name, version) in self.cache, word
        else:
            name, version = word.split("=")
            assert (name, version) in self.sources, word
        return name, version


class FakeHost(Host):
    """A real host but for its packages. `told`: every command to them, changing ones with `!` in front; `probe` is
    the exit code of the command `fake-probe`."""

    def __init__(self, packages: FakePackages) -> None:
        self.packages = packages
        self.told: list[str] = []
        self.environments: list[Mapping[str, str]] = []
        self.probe = 0

    def exists(self, path: str) -> bool:
        return self.packages.has(path) or super().exists(path)

    def query(self, argv: Sequence[str], *arguments: Any, **named: Any) -> Completed:
        if argv[0] == "fake-probe":
            return Completed(self.probe, "as it was told")
        if argv[0] not in PROGRAMS:
            return super().query(argv, *arguments, **named)
        self.told.append(" ".join(argv))
        assert argv[0] != "apt-get" or "--simulate" in argv, f"no question: {argv}"
        return self.packages.answer(argv)

    def run(self, argv: Sequence[str], *arguments: Any, **named: Any) -> str:
        if argv[0] not in PROGRAMS:
            return super().run(argv, *arguments, **named)
        self.told.append("!" + " ".join(argv))
        self.environments.append(named["environment"])
        done = self.packages.answer(argv)
        if done.code:
            raise CommandError(f"'{argv[0]}' ended with {done.code}: {done.output}")
        return done.output

    @property
    def changed(self) -> list[str]:
        """The last word of every command that changes packages."""
        return [words.split()[-1] for words in self.told if words.startswith("!")]
