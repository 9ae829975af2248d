"""What a check is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Addresses, Data, Groups, section
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import Key, KeyPath


@dataclass(frozen=True)
class Inventory:
    """What preflight knows of the hosts; inventory data only.

    `users` is `{host: ansible_user}` where one is set, `variables` the names of all variables that some host has,
    `effective` gives a host's variable `platform` as Ansible has it, from whatever source; None where nobody asks.
    """

    name: str  # for messages: the path of the inventory
    groups: Groups
    addresses: Addresses
    users: Mapping[str, str] = field(default_factory=dict)
    variables: frozenset[str] = frozenset()
    effective: Callable[[str], Any] | None = None

    @property
    def known_groups(self) -> list[str]:
        return sorted(name for name in self.groups if name not in ("all", "ungrouped"))


@dataclass(frozen=True)
class Pins:
    """The entries of all lock files of a kind. `complete` is False where a file could not be read."""

    files: tuple[str, ...] = ()
    entries: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = False


@dataclass(frozen=True)
class Context:
    """`platform` is the value of the key `platform` without what is wrong already: a check meets absent values, and
    None in lists, but none of a wrong type. `broken` are the paths of what was taken out, and of keys that are wrong or
    for which another key may be meant."""

    platform: Data
    inventory: Inventory
    root: Path
    artifacts: Pins = Pins()
    images: Pins = Pins()
    broken: frozenset[KeyPath] = frozenset()
    clean: bool = False  # the file had no mistake when the checks began: its data is what Ansible should have, too
    line: Callable[[KeyPath], int] = lambda _path: 0

    def section(self, *keys: str) -> Data:
        return section(self.platform, *keys)

    def trusted(self, *path: Key) -> bool:
        """Whether what stands directly at `path` is what its writer meant, so that an absence there is one."""
        return not any(path[: len(wrong)] == wrong or wrong[:-1] == path for wrong in self.broken)

    def intact(self, *path: Key) -> bool:
        """Whether nothing at `path`, around it or below it is broken."""
        return not any(path[: len(wrong)] == wrong or wrong[: len(path)] == path for wrong in self.broken)

    def items(self, *keys: str) -> Iterator[tuple[int, str]]:
        """The texts of a list with their numbers; nothing where there is no list."""
        value = self.section(*keys[:-1]).get(keys[-1])
        for number, item in enumerate(value if isinstance(value, (list, tuple)) else ()):
            if item is not None:
                yield number, str(item)


@dataclass(frozen=True)
class Finding:
    """What is wrong, at a path below `platform`; None stands for the inventory."""

    path: KeyPath | None
    text: str
    at_key: bool = False
    severity: str = "error"


Check = Callable[[Context], Iterator[Finding]]
