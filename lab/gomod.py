"""What a go.mod asks for and a go.sum pins, as data: as much of their syntax as the lab's own files use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lab.errors import LabError

HASH = re.compile(r"h1:[A-Za-z0-9+/]{43}=")
SINGLE = {"module", "go", "toolchain"}  # said once, with one word
IGNORED = {"tool", "exclude", "retract", "godebug"}  # nothing here depends on them


@dataclass(frozen=True)
class Module:
    """A module at a version; without one it is a folder."""

    path: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.path}@{self.version}" if self.version else self.path


@dataclass(frozen=True)
class GoMod:
    """``replaces`` by what is replaced: a module at one version, or without a version at all of them."""

    module: str
    go: str
    toolchain: str = ""
    requires: Mapping[str, str] = field(default_factory=dict)
    replaces: Mapping[Module, Module] = field(default_factory=dict)

    def effective(self, path: str) -> Module:
        """What is built where ``path`` is required."""
        wanted = Module(path, self.requires[path])
        return self.replaces.get(wanted) or self.replaces.get(Module(path)) or wanted


def parse_mod(text: str, where: str) -> GoMod:
    """A go.mod. ``where`` names it in errors."""
    single: dict[str, str] = {}
    requires: dict[str, str] = {}
    replaces: dict[Module, Module] = {}
    for number, directive, words in _statements(text, where):
        if directive in SINGLE and len(words) == 1:
            single[directive] = words[0]
        elif directive == "require" and len(words) == 2:
            requires[words[0]] = words[1]
        elif directive == "replace" and words.count("=>") == 1 and len(words) in range(3, 6):
            old, new = words[: words.index("=>")], words[words.index("=>") + 1 :]
            if len(old) not in {1, 2} or len(new) not in {1, 2}:
                raise LabError(f"{where}:{number}: not MODULE [VERSION] => MODULE [VERSION]: {' '.join(words)}")
            replaces[Module(*old)] = Module(*new)
        elif directive not in IGNORED:
            raise LabError(f"{where}:{number}: not understood: {' '.join([directive, *words])}")
    absent = sorted({"module", "go"} - set(single))
    if absent:
        raise LabError(f"{where}: has no line `{absent[0]}`")
    return GoMod(single["module"], single["go"], single.get("toolchain", ""), requires, replaces)


def _statements(text: str, where: str) -> Iterator[tuple[int, str, list[str]]]:
    """(line number, directive, its words), with blocks in parentheses taken apart."""
    block = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("//")[0].split()
        if not words:
            continue
        if block:
            if words == [")"]:
                block = ""
            else:
                yield number, block, words
        elif words[-1] == "(" and len(words) == 2:
            block = words[0]
        else:
            yield number, words[0], words[1:]
    if block:
        raise LabError(f"{where}: the block `{block} (` has no end")


def parse_sum(text: str, where: str) -> frozenset[Module]:
    """What a go.sum pins; of a module whose go.mod alone is pinned the version ends in ``/go.mod``."""
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if len(words) != 3 or not HASH.fullmatch(words[2]):
            raise LabError(
                f"{where}:{number}: not MODULE VERSION h1:DIGEST: {line[:100]}", "write it with `go mod tidy`"
            )
        found.add(Module(words[0], words[1]))
    return frozenset(found)


def unpinned(mod: GoMod, sums: frozenset[Module]) -> list[str]:
    """Requirements whose content or go.mod no digest stands for, sorted. Folders have none: they are in Git."""
    found = []
    for path in sorted(mod.requires):
        module = mod.effective(path)
        if module.version and not {module, Module(module.path, f"{module.version}/go.mod")} <= sums:
            found.append(str(module))
    return found
