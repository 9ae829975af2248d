"""The engine's own failures; each says what failed, why, and what to do."""

from __future__ import annotations


class EngineError(Exception):
    """A failure that the operator reads. `step` names the phase in which it happened."""

    def __init__(self, message: str, step: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.step = step
        self.hint = hint

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}. {self.hint}" if self.hint else text


class SpecError(EngineError):
    """The component's description is wrong; nothing was touched."""


class CommandError(EngineError):
    """A command that the switch needs ended badly."""
