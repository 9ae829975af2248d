"""Asking apt for a way to a package version, and going it. Loaded only by runs in which a version differs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from typing import Any

from . import dpkg
from .errors import CommandError
from .host import Host
from .packages import (
    DPKG,
    ENVIRONMENT,
    INSTALL,
    Move,
    Way,
    archives,
    found_changed,
    going_back,
    known_ways,
    offered,
    refusal,
)

# dpkg notes here what it is at, and clears it when it ends: apt refuses to work while something is left.
UNDERWAY = "/var/lib/dpkg/updates"
# A minute is for the lock alone; then come a download and the package's own scripts.
PATIENCE = 900.0


def moves_present(host: Host, recorded: Mapping[str, str], installed: Mapping[str, str]) -> tuple[Move, ...]:
    """The packages that were changed before this run, each with the way back to the ledger's version."""
    return tuple(found_changed(recorded, installed, ways(host, _elsewhere(recorded, installed))))


def moves_back(host: Host, recorded: Mapping[str, str], installed: Mapping[str, str]) -> tuple[Move, ...]:
    """The packages that a rollback changes, or has to leave, each with the way there and the way back."""
    wanted = _elsewhere(recorded, installed)
    there = ways(host, wanted)
    # What is installed cannot be tried out: that somebody has it is all that can be said beforehand.
    returns = _known(host, {name: installed[name] for name in wanted if there[name].argument})
    return tuple(going_back(recorded, installed, there, returns))


def _elsewhere(recorded: Mapping[str, str], installed: Mapping[str, str]) -> dict[str, str]:
    """The recorded versions of the packages that are installed in another one."""
    return {name: version for name, version in recorded.items() if installed.get(name, version) != version}


def ways(host: Host, wanted: Mapping[str, str]) -> dict[str, Way]:
    """A way to each version that apt's resolver agrees to, all of them together; changes nothing."""
    found = _known(host, wanted)
    names = [name for name, way in found.items() if way.argument]
    together = _refused(host, [found[name].argument for name in names])
    if not together:
        return found
    kept: list[str] = []
    for name in names:
        why = together if len(names) == 1 else _refused(host, [*kept, found[name].argument])
        if why:
            found[name] = Way("", f"apt refuses {wanted[name]}: {why}")
        else:
            kept.append(found[name].argument)
    return found


def _known(host: Host, wanted: Mapping[str, str]) -> dict[str, Way]:
    if not wanted:
        return {}
    cached = {name: path for name, version in wanted.items() if (path := _cached(host, name, version))}
    others = [name for name in wanted if name not in cached]
    sources = offered(host.query(["apt-cache", "madison", *others]).output) if others else set()
    return known_ways(wanted, cached, sources)


def _cached(host: Host, name: str, *versions: str) -> str:
    """The archive of the first of these versions that apt's cache has; '' where it has none."""
    architecture = host.query(["dpkg", "--print-architecture"]).output.strip()
    paths = [path for version in versions for path in archives(name, version, architecture)]
    return next((path for path in paths if host.exists(path)), "")


def _refused(host: Host, arguments: list[str]) -> str:
    """Why apt would not install these together; '' where it would."""
    if not arguments:
        return ""
    done = host.query([*INSTALL, "--simulate", *arguments])
    return "" if done.code == 0 else refusal(done.output)


def incoming(moves: Iterable[Move]) -> list[str]:
    """apt's arguments for what the switch installs."""
    return [move.there.argument for move in moves if move.there and move.installs]


# What changes the host


def fetch(host: Host, moves: Iterable[Move]) -> None:
    """Download what the switch will install and the cache does not have, so that the switch needs no network."""
    arguments = incoming(moves)
    if any(not argument.startswith("/") for argument in arguments):
        host.run([*INSTALL, "--download-only", *arguments], timeout=PATIENCE, environment=ENVIRONMENT)


def install(host: Host, arguments: Iterable[str]) -> None:
    """All of a component's packages in one call; raises CommandError."""
    host.run([*INSTALL, *arguments], timeout=PATIENCE, environment=ENVIRONMENT)


def put_back(host: Host, moved: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Bring packages to the versions from before, whatever an earlier attempt left; {name: why} for those that are not.

    `moved` are the journal's words on each: `name`, `before`, `after`.
    """
    versions = {item["name"]: (item["before"], item["after"]) for item in moved}
    here = dpkg.installed(_finished(host, versions))
    differing = {name: before for name, (before, _) in versions.items() if here.get(name) != before}
    if not differing:
        return {}
    found = ways(host, differing)
    arguments = [way.argument for way in found.values() if way.argument]
    trouble = "apt ended well, and left it as it was"
    if arguments:
        try:
            install(host, arguments)
        except CommandError as error:
            trouble = str(error)
        here = dpkg.installed(host.query(dpkg.query(differing)).output)
    return {
        name: trouble if way.argument else way.words for name, way in found.items() if here.get(name) != differing[name]
    }


def _finished(host: Host, versions: Mapping[str, tuple[str, str]]) -> str:
    """dpkg's word on the packages, once a dpkg that died has been finished: with the earlier version if it is there."""
    question = dpkg.query(versions)
    output = host.query(question).output
    if not (dpkg.unfinished(output) or _underway()):
        return output
    # What dpkg cannot finish may still be replaced: apt has the last word.
    with contextlib.suppress(CommandError):
        host.run([*DPKG, "--configure", "-a"], timeout=PATIENCE, environment=ENVIRONMENT)
    # apt touches nothing as long as a package is half unpacked, unless a source has that very version.
    halves = dpkg.unfinished(host.query(question).output)
    files = [path for path in (_cached(host, name, *versions[name]) for name in halves) if path]
    if files:
        with contextlib.suppress(CommandError):
            host.run([*DPKG, "--install", *files], timeout=PATIENCE, environment=ENVIRONMENT)
    return host.query(question).output


def _underway() -> bool:
    return os.path.isdir(UNDERWAY) and any(name.isdigit() for name in os.listdir(UNDERWAY))
