"""Package versions that differ from a kept generation's: what is planned for them, and what apt's answers mean. Pure.

Loaded only by runs in which a version differs; apt.py does the asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ARCHIVES = "/var/cache/apt/archives"
FROM_CACHE = "from the local cache"
FROM_SOURCE = "from a package source"
NOT_INSTALLED = "it is not installed, and only versions of installed packages are changed"
# What a package brings is applied as it stands: no removal, nothing that is only recommended, our conffiles stay.
INSTALL = (
    *("apt-get", "install", "--quiet", "--yes", "--no-remove", "--no-install-recommends", "--allow-downgrades"),
    *("--allow-change-held-packages", "-o", "DPkg::Lock::Timeout=60"),
    *("-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Options::=--force-confdef"),
    # apt takes what it remembers of dpkg's list for current by that file's size and second: two changes within one
    # second it would not see.
    *("-o", "Dir::Cache::pkgcache="),
)
DPKG = ("dpkg", "--force-confold", "--force-confdef")
# Nobody is there to answer a question, and what restarts is the engine's to decide.
ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1", "NEEDRESTART_MODE": "l"}
# The headings of apt's below which the reason of a refusal stands, indented.
REASONS = ("The following packages have unmet dependencies:", "The following packages will be REMOVED:")


@dataclass(frozen=True)
class Way:
    """How a version gets onto the host: apt's argument for it. Where that is empty there is no way; `words` say why."""

    argument: str
    words: str


@dataclass(frozen=True)
class Move:
    """A package with another version on the two sides of a change.

    `back` leads to `before`. `there` leads to `after`; None where a task before the engine's installed that already.
    """

    name: str
    before: str
    after: str
    back: Way
    there: Way | None = None

    @property
    def installs(self) -> bool:
        """Whether the switch changes the version."""
        return self.there is not None and bool(self.there.argument)

    @property
    def stays(self) -> bool:
        """Whether it was to change, and cannot."""
        return self.there is not None and not self.there.argument

    @property
    def action(self) -> str:
        return "keep package" if self.stays else "package"

    @property
    def reason(self) -> str:
        if self.there and self.stays:
            return f"stays at {self.before or 'none'}; that generation had {self.after}: {self.there.words}"
        there = f", {self.there.words}" if self.there else ""
        back = f"back: {self.back.words}" if self.back.argument else f"no way back: {self.back.words}"
        return f"{self.before} becomes {self.after}{there}; {back}"


def found_changed(recorded: Mapping[str, str], installed: Mapping[str, str], ways: Mapping[str, Way]) -> list[Move]:
    """`state: present`: what other versions than the ledger's are installed by now. `ways` lead to the ledger's."""
    return [
        Move(name, recorded[name], version, ways[name])
        for name, version in sorted(installed.items())
        if recorded.get(name, version) != version
    ]


def going_back(
    recorded: Mapping[str, str], installed: Mapping[str, str], ways: Mapping[str, Way], returns: Mapping[str, Way]
) -> list[Move]:
    """`state: rolled_back`: what has to become the generation's version. `returns` lead to what is installed now."""
    none = Way("", NOT_INSTALLED)
    return [
        Move(name, installed.get(name, ""), version, returns.get(name, none), ways.get(name, none))
        for name, version in sorted(recorded.items())
        if installed.get(name) != version
    ]


def archives(name: str, version: str, architecture: str) -> list[str]:
    """Where apt keeps the package once it was downloaded. A colon, which ends an epoch, is %3a in file names."""
    stem = f"{ARCHIVES}/{name}_{version.replace(':', '%3a')}"
    return [f"{stem}_{architecture}.deb", f"{stem}_all.deb"]


def offered(madison: str) -> set[tuple[str, str]]:
    """(name, version) of everything that `apt-cache madison` lists: what the package sources have."""
    rows = [[field.strip() for field in line.split("|")] for line in madison.splitlines()]
    return {(row[0], row[1]) for row in rows if len(row) == 3}


def known_ways(wanted: Mapping[str, str], cached: Mapping[str, str], sources: set[tuple[str, str]]) -> dict[str, Way]:
    """A way to each wanted version, or why there is none. `cached` are archives by package; they come first."""
    ways = {}
    for name, version in wanted.items():
        if name in cached:
            ways[name] = Way(cached[name], FROM_CACHE)
        elif (name, version) in sources:
            ways[name] = Way(f"{name}={version}", FROM_SOURCE)
        else:
            ways[name] = Way("", f"neither the local cache nor a package source has {version}")
    return ways


def refusal(output: str) -> str:
    """Why apt refused, in one line: what it lists as unmet or to be removed, and its errors."""
    reasons, errors, listed = [], [], False
    for line in output.splitlines():
        if line in REASONS:
            listed = True
        elif listed and line.startswith(" "):
            reasons.append(" ".join(line.split()))
        else:
            listed = False
            if line.startswith("E: "):
                errors.append(line[3:])
    return "; ".join([*reasons, *errors]) or output.strip()[-200:]


def how_they_stand(moves: Iterable[Move], stayed: Mapping[str, str]) -> list[str]:
    """A sentence for each package, after its change was taken back. `stayed`: name -> why it is not as before."""
    return [
        f"The package {move.name} did not get back to {move.before}: {stayed[move.name]}"
        if move.name in stayed
        else f"The package {move.name} is at {move.before} again"
        for move in moves
        if not move.stays
    ]
