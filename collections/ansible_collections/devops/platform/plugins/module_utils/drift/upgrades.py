"""Packages that a host upgraded by itself, as it is told to: that is no drift. From apt's own log."""

from __future__ import annotations

import contextlib
import glob
import gzip


def history() -> str:
    """apt's own log, older parts first; read only where a version differs."""
    parts = []
    for path in sorted(glob.glob("/var/log/apt/history.log*"), reverse=True):
        # One that is rotated away in between is the newest part of another by then.
        with contextlib.suppress(OSError):
            opened = gzip.open if path.endswith(".gz") else open
            with opened(path, "rt", encoding="utf-8", errors="replace") as stream:
                parts.append(str(stream.read()))
    return "\n\n".join(parts)


def rolled(text: str) -> frozenset[tuple[str, str]]:
    """(package, version) of everything that unattended-upgrades brought, from apt's log."""
    found = set()
    for block in text.split("\n\n"):
        if not any(line.startswith("Commandline: /usr/bin/unattended-upgrade") for line in block.splitlines()):
            continue
        for line in block.splitlines():
            word, _, rest = line.partition(": ")
            if word == "Upgrade":
                # name:architecture (old, new), name:architecture (old, new)
                for item in rest.split("), "):
                    name, _, versions = item.partition(" (")
                    found.add((name.partition(":")[0], versions.rstrip(")").partition(", ")[2]))
    return frozenset(found)
