# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Masked differences, each shown once with the hosts that it is for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Difference:
    """What changes in one file. ``lines``: (kind, text); kind is one of add, del, hunk, file and ''."""

    file: str
    text: str
    hosts: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[tuple[str, str]]:
        return [(_kind(line), line) for line in self.text.splitlines()]

    @property
    def added(self) -> int:
        return sum(kind == "add" for kind, _line in self.lines)

    @property
    def removed(self) -> int:
        return sum(kind == "del" for kind, _line in self.lines)


def files(text: str) -> list[tuple[str, str]]:
    """A unified difference, cut where another file begins: (file, text)."""
    parts: list[list[str]] = []
    lines = text.splitlines()
    for index, line in enumerate(lines):
        begins = line.startswith("--- ") and index + 1 < len(lines) and lines[index + 1].startswith("+++ ")
        if begins or not parts:
            parts.append([])
        parts[-1].append(line)
    return [(_file(part), "\n".join(part)) for part in parts if any(line.strip() for line in part)]


def grouped(diffs: Mapping[str, str]) -> list[Difference]:
    """``diffs``: host -> its differences. Those of most hosts come first."""
    found: dict[tuple[str, str], Difference] = {}
    for host, text in diffs.items():
        for file, part in files(text):
            found.setdefault((file, part), Difference(file, part)).hosts.append(host)
    return sorted(found.values(), key=lambda one: (-len(one.hosts), one.file))


def _file(lines: list[str]) -> str:
    """The file after the change, or before it where it is removed."""
    names = [line[4:].split("\t")[0].strip() for line in lines[:2] if line.startswith(("--- ", "+++ "))]
    real = [name for name in names if name != "/dev/null"]
    return real[-1] if real else "differences"


def _kind(line: str) -> str:
    if line.startswith(("--- ", "+++ ")):
        return "file"
    return {"+": "add", "-": "del", "@": "hunk"}.get(line[:1], "")
