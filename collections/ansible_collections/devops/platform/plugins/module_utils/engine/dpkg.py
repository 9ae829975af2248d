# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which Debian packages are installed, from dpkg's own list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

PACKAGE_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
AT_REST = ("installed", "not-installed", "config-files")
QUERY_FORMAT = r"${Package}\t${db:Status-Status}\t${Version}\n"


def query(names: Iterable[str]) -> list[str]:
    """The command that asks for `names`; it exits 1 where dpkg knows one of them not at all."""
    return ["dpkg-query", "--show", "--showformat", QUERY_FORMAT, *names]


def installed(output: str) -> dict[str, str]:
    """`{package: version}` of what is fully installed, from the output of `query`.

    A removed package whose configuration stayed, or one that was only half configured, counts as absent.
    """
    found = {}
    for line in output.splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and parts[1] == "installed":
            found[parts[0]] = parts[2]
    return found


def unfinished(output: str) -> list[str]:
    """Packages that dpkg was at when it ended, from the output of `query`."""
    rows = [line.split("\t") for line in output.splitlines()]
    return [row[0] for row in rows if len(row) == 3 and row[1] not in AT_REST]


def differing(recorded: Mapping[str, str], found: Mapping[str, str]) -> bool:
    """Whether one of the recorded versions is not the one that is installed."""
    return any(found.get(name) != version for name, version in recorded.items())


def missing(wanted: Sequence[str], found: Iterable[str]) -> list[str]:
    """Those of `wanted` that are not in `found`, each once, in the order of `wanted`."""
    have = set(found)
    return [name for name in dict.fromkeys(wanted) if name not in have]


def bad_names(wanted: Sequence[str]) -> list[str]:
    """Those of `wanted` that are no package names (apt's `name=version` and `name*` belong to ansible.builtin.apt)."""
    return [name for name in wanted if not PACKAGE_NAME.fullmatch(name)]
