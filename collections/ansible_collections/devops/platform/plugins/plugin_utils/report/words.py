# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Numbers, times and foreign text as a reader wants them. Pure."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime
from typing import Any

# Control characters, lone surrogates, and the format characters that turn the direction of text around.
HIDDEN = ("Cc", "Cs", "Cf")
ALLOWED = "\n\t\u200d"


def clean(text: str) -> str:
    """Text of a host, with what a page would hide or obey made visible."""
    unix = text.replace("\r\n", "\n")
    return "".join(
        one if one in ALLOWED or unicodedata.category(one) not in HIDDEN else "\N{REPLACEMENT CHARACTER}"
        for one in unix
    )


def moment(at: float, date: bool = True) -> str:
    """``2026-11-21 16:51:14 UTC``, or the time of day alone."""
    try:
        when = datetime.fromtimestamp(at, UTC)
    except (OverflowError, OSError, ValueError):
        return "an unknown time"
    return when.strftime("%Y-%m-%d %H:%M:%S UTC" if date else "%H:%M:%S")


def duration(seconds: float) -> str:
    """``0.4 s``, ``17 s``, ``2 min 5 s``, ``1 h 3 min``, ``2 d 4 h``."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    for size, name, smaller, rest in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            more = whole % size // smaller
            return f"{whole // size} {name} {more} {rest}" if more else f"{whole // size} {name}"
    return f"{whole} s"


def number(value: Any) -> str:
    """Three digits that count; no exponent where people would not use one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "none" if value is None else str(value)
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    size = abs(value)
    if value == int(value) and size < 1e15:
        return f"{int(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    if size >= 1000:
        return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    if size < 1e-4:
        return f"{value:.2e}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(size)))}f}".rstrip("0").rstrip(".")


def short(identifier: Any) -> str:
    """Enough of a digest to tell it from others."""
    return str(identifier or "")[:8]


def count(amount: int, one: str, many: str = "") -> str:
    return f"{amount} {one if amount == 1 else many or one + 's'}"
