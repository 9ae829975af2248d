"""What a reader probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

FEW = 12  # choices that still fit into a message
ALIKE = 0.6
SHORTEST = 3


def nearest(word: object, known: Iterable[object]) -> str | None:
    """The one of `known` that `word` resembles, letters' case aside; None where none does.

    What `word` may abbreviate comes first: `chat_db` is nearer to `chat_database` than to `chat_redis`.
    """
    typed = str(word).lower()
    names = sorted({str(name) for name in known})
    likeness = {name: difflib.SequenceMatcher(None, name.lower(), typed).ratio() for name in names}
    candidates = [name for name in names if likeness[name] >= ALIKE or _abbreviates(typed, name.lower())]
    return max(candidates, key=lambda name: (_abbreviates(typed, name.lower()), likeness[name]), default=None)


def _abbreviates(word: str, name: str) -> bool:
    """Whether `word` is `name` with letters left out; a few letters could be those of anything."""
    left = iter(name)
    return len(word) >= SHORTEST and name[:1] == word[:1] and all(letter in left for letter in word)


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """`; did you mean 'x'?`, or the choices where there are few and none is near, or nothing."""
    names = sorted({str(name) for name in known})
    near = nearest(word, names)
    if near is not None:
        return f"; did you mean '{near}'?"
    if names and len(names) <= FEW:
        return f"; there is {', '.join(names)}"
    return ""
