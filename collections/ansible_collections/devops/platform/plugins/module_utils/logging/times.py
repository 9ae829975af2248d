"""Formats of time stamps: one description, and a pattern whose groups put together an ISO 8601 time."""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TOKENS = {
    "Y": ("year", "[0-9]{4}"),
    "m": ("month", "[0-9]{2}"),
    "b": ("name", "[A-Z][a-z]{2}"),
    "d": ("day", "[0-9]{2}"),
    "H": ("hour", "[0-9]{2}"),
    "M": ("minute", "[0-9]{2}"),
    "S": ("second", "[0-9]{2}"),
    "f": ("fraction", "[0-9]{1,9}"),
    "z": ("zone", "Z|[+-][0-9]{2}:?[0-9]{2}"),
}
NEEDED = ("year", "day", "hour", "minute", "second")
RFC3339 = "%Y-%m-%dT%H:%M:%S.%f%z"
# A time that needs no change.
AS_IT_SHOULD_BE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"
SPECIAL = ("rfc3339", "unix", "unix_ms")


@dataclass(frozen=True)
class TimeFormat:
    """``format`` is one of `SPECIAL` or has tokens of strftime: %Y %m %b %d %H %M %S %f (fraction) %z.
    Without a zone it is UTC."""

    format: str

    def __post_init__(self) -> None:
        if self.format in SPECIAL:
            return
        tokens = re.findall(r"%(.?)", self.format)
        unknown = [token for token in tokens if token not in TOKENS]
        if unknown:
            known = " ".join(f"%{token}" for token in TOKENS)
            raise ValueError(f"'%{unknown[0]}' is no token of a time; there are {known}, and {', '.join(SPECIAL)}")
        names = [TOKENS[token][0] for token in tokens]
        lacking = [name for name in NEEDED if name not in names]
        if lacking or ("month" not in names and "name" not in names):
            raise ValueError(f"'{self.format}' lacks the {(lacking or ['month'])[0]}; no time follows from that")
        if len(set(names)) != len(names):
            raise ValueError(f"'{self.format}' has a token twice")

    @property
    def pattern(self) -> str:
        """An expression of the dialect of `patterns`, a group a part."""
        if self.format == "rfc3339":
            date, time = (
                "(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})",
                "(?<hour>[0-9]{2}):(?<minute>[0-9]{2})",
            )
            rest = r"(?<second>[0-9]{2})(\.(?<fraction>[0-9]{1,9}))?(?<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
            return f"^{date}[Tt ]{time}:{rest}$"
        if self.format == "unix":
            return r"^(?<seconds>[0-9]{9,10})(\.(?<fraction>[0-9]{1,9}))?$"
        if self.format == "unix_ms":
            return r"^(?<seconds>[0-9]{9,10})(?<fraction>[0-9]{3})$"
        parts = re.split(r"(%.)", self.format)
        return "^" + "".join(self._part(part) for part in parts) + "$"

    @staticmethod
    def _part(part: str) -> str:
        if part.startswith("%"):
            name, expression = TOKENS[part[1:]]
            return f"(?<{name}>{expression})"
        return "".join(f"\\{char}" if char in r".^$*+?()[]{}|\/-" else char for char in part)
