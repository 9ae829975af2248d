"""What a place that keeps secrets can do. Each has three stages of a secret, which AWS has names for.

CURRENT is what everybody uses. PENDING will be next and is in no use yet. PREVIOUS was in use before, and is valid
until everybody has the current one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError


class Stage(Enum):
    CURRENT = "AWSCURRENT"
    PENDING = "AWSPENDING"
    PREVIOUS = "AWSPREVIOUS"

    @property
    def suffix(self) -> str:
        """What tells the stages apart where one place holds one value: nothing for the current one."""
        return "" if self is Stage.CURRENT else f".{self.name.lower()}"


class BackendError(PlatformError):
    """A backend that does not answer, or refuses everything; says why and what to do, never a value."""


@dataclass(frozen=True)
class Record:
    """``changed``: since when it is the value, as seconds since 1970; None where nobody knows."""

    text: str = field(repr=False)
    changed: float | None = None


@dataclass
class Answer:
    """``records`` by identifier; ``refused`` says why one is not to be had. What is in neither does not exist."""

    records: dict[str, Record] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


class Backend(Protocol):
    """``label`` is how messages call it. ``batch``: asking for many costs one request. ``makes``: what is not there
    is made by the first who asks for it. ``advice``: what to do about a secret that is missing."""

    label: str
    batch: bool
    makes: bool
    advice: str

    def read(self, identifiers: Sequence[str], stage: Stage) -> Answer: ...

    def stage(self, identifier: str, text: str) -> None:
        """Make `text` the pending value."""

    def promote(self, identifier: str) -> None:
        """Make the pending value the current one, and the current one the previous. Repeated after a crash at any
        instant it gets there; between, a reader finds the old or the new value."""

    def retire(self, identifier: str) -> None:
        """Forget the previous value."""
