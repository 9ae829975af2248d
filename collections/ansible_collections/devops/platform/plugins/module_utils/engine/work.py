"""What is known of one component's run: how it is to be run, what is planned, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .masking import Mask
from .plan import Observed, Plan
from .spec import Runtime, Spec
from .store import PATIENCE

if TYPE_CHECKING:
    from .history import Way


@dataclass
class Result:
    """What one component's run says of itself."""

    name: str
    changed: bool = False
    effect: str = "none"
    plan: list[dict[str, str]] = field(default_factory=list)
    recovered: str = ""
    notes: list[str] = field(default_factory=list)
    diff: str = ""
    generation: str = ""
    previous: str = ""
    failed: bool = False
    message: str = ""
    step: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Mode:
    check: bool = False
    diff: bool = False
    rollout: str = ""
    patience: float = PATIENCE


@dataclass(frozen=True)
class Work:
    """Everything that is known of one component once it is planned."""

    spec: Spec
    target: Spec
    plan: Plan
    observed: Observed
    ledger: Mapping[str, Any] | None
    generation: Mapping[str, Any]
    release: str
    runtime: Runtime
    mask: Mask
    way: Way | None = None

    @property
    def unit(self) -> str:
        return self.runtime.unit if self.runtime.kind in ("unit", "service") else ""
