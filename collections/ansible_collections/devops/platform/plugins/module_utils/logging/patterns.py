"""Regular expressions that mean the same in rsyslog (POSIX), in Fluent Bit (Onigmo) and in Python.

The dialect is what all three have: characters, ``.``, sets, ``* + ? {m,n}``, ``|``, groups, ``^`` and ``$`` for the
ends of the whole text; ``(?<name>...)``, ``(?:...)``, ``\\d \\w \\s \\D \\W \\S``, and ``(?i)`` at the very beginning.
What is not in it is refused with the reason. One difference is left to the writer: POSIX prefers the longest of
alternatives, the others the first that fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \t\n\r\f\v"}
CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
PUNCTUATION = frozenset(r".^$*+?()[]{}|\/-\"'=:;,&<>#@!%~` ")
NAME = re.compile(r"\(\?P?<([A-Za-z_@][A-Za-z0-9_]*)>")
COUNT = re.compile(r"\{\d+(,\d*)?\}")
GROUPS_MAX = 49  # rsyslog's re_extract() knows fifty places, and the first is the whole


class PatternError(ValueError):
    """What of an expression is not in the dialect, and what to write instead."""


@dataclass(frozen=True)
class Piece:
    """A part of an expression: ``kind`` is text (one character), set (``text`` its inside), or as it stands."""

    kind: str
    text: str
    negated: bool = False


@dataclass(frozen=True)
class Pattern:
    """An expression of the dialect. ``groups``: name -> its number among all groups."""

    source: str
    pieces: tuple[Piece, ...]
    groups: dict[str, int] = field(hash=False)
    any_case: bool

    def posix(self) -> str:
        """An extended expression without names: groups have numbers only."""
        return "".join(_posix(piece) for piece in self.pieces)

    def onigmo(self) -> str:
        """For Fluent Bit, whose ``.`` takes line ends only when told."""
        return ("(?mi:" if self.any_case else "(?m:") + "".join(_perl(piece, r"\z") for piece in self.pieces) + ")"

    def python(self) -> re.Pattern[str]:
        return _compiled(self)


def parse(source: str) -> Pattern:
    """PatternError where it is not of the dialect."""
    any_case = source.startswith("(?i)")
    text = source[4:] if any_case else source
    pieces, groups, number = [], {}, 0
    for piece in _pieces(text):
        if piece.kind == "open":
            number += 1
            if piece.text:
                if piece.text in groups:
                    raise PatternError(f"the group '{piece.text}' stands twice; give the second another name")
                groups[piece.text] = number
        pieces.append(piece)
    if number > GROUPS_MAX:
        raise PatternError(f"has {number} groups; rsyslog knows {GROUPS_MAX}")
    pattern = Pattern(source, tuple(pieces), groups, any_case)
    try:
        pattern.python()
    except re.error as error:
        raise PatternError(f"is no regular expression: {error}") from None
    return pattern


def _pieces(text: str) -> Iterator[Piece]:
    at, previous = 0, ""
    while at < len(text):
        char = text[at]
        if char == "\\":
            yield _escaped(text, at)
            at, previous = at + 2, "atom"
        elif char == "[":
            piece, at = _set(text, at)
            yield piece
            previous = "atom"
        elif char == "(":
            piece, at = _opening(text, at)
            yield piece
            previous = ""
        elif char in "*+?{":
            found = COUNT.match(text, at) if char == "{" else None
            if char == "{" and not found:
                raise PatternError("'{' begins no count such as {2,4}; write \\{ for the character")
            if previous != "atom":
                raise PatternError(
                    f"'{char}' repeats nothing; lazy and possessive repeats (*?, ++) are not in the dialect"
                )
            raw = found.group() if found else char
            yield Piece("repeat", raw)
            at, previous = at + len(raw), "repeat"
        else:
            kind = {")": "close", "|": "or", ".": "any", "^": "begin", "$": "end"}.get(char, "text")
            if kind == "text" and ord(char) > 126:
                raise PatternError(f"'{char}' is not ASCII; rsyslog counts bytes, take '.+' for it")
            yield Piece(kind, char)
            at, previous = at + 1, "" if kind in ("or", "begin") else "atom"


def _opening(text: str, at: int) -> tuple[Piece, int]:
    if not text.startswith("(?", at):
        return Piece("open", ""), at + 1
    if text.startswith("(?:", at):
        return Piece("open", ""), at + 3  # POSIX has capturing groups only: counted for all alike
    found = NAME.match(text, at)
    if not found:
        raise PatternError(
            f"'{text[at : at + 4]}' is not in the dialect: no lookahead, lookbehind, or flags but (?i) first"
        )
    return Piece("open", found.group(1)), found.end()


def _escaped(text: str, at: int) -> Piece:
    char = text[at + 1 : at + 2]
    if char.lower() in CLASSES:
        return Piece("set", CLASSES[char.lower()], negated=char.isupper())
    if char in CONTROLS:
        return Piece("text", CONTROLS[char])
    if char and char in PUNCTUATION:
        return Piece("text", char)
    raise PatternError(f"'\\{char}' is not in the dialect: no \\b, no back references" if char else "ends with '\\'")


def _set(text: str, at: int) -> tuple[Piece, int]:
    """A set in brackets; its inside as ranges and single characters, two or one character each."""
    start, at = at, at + 1
    negated = text[at : at + 1] == "^"
    at += negated
    inside = ""
    first = True
    while at < len(text) and (text[at] != "]" or first):
        char, first = text[at], False
        if text.startswith("[:", at):
            raise PatternError("classes such as [:alpha:] are not in the dialect; write a-zA-Z")
        if char == "\\":
            piece = _escaped(text, at)
            if piece.kind == "set":
                if piece.negated:
                    raise PatternError(f"'\\{text[at + 1]}' cannot stand in a set")
                inside, at = inside + piece.text, at + 2
                continue
            char, at = piece.text, at + 1
        if ord(char) > 126:
            raise PatternError(f"'{char}' in a set is not ASCII; rsyslog counts bytes")
        at += 1
        if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("", "]"):
            end = text[at + 1]
            if end == "\\" or end < char:
                raise PatternError(f"'{char}-{end}' is no range")
            inside, at = inside + char + "-" + end, at + 2
        else:
            inside += "\\" + char if char in "-\\" else char
    if at >= len(text):
        raise PatternError(f"the set '{text[start : start + 10]}' is not closed")
    return Piece("set", inside, negated), at + 1


def _posix(piece: Piece) -> str:
    if piece.kind == "open":
        return "("
    if piece.kind == "text":
        return f"\\{piece.text}" if piece.text in r".^$*+?()[]{}|\\" else piece.text
    if piece.kind == "set":
        items = _items(piece.text)
        singles = {item for item in items if len(item) == 1}
        body = ("]" if "]" in singles else "") + "".join(item for item in items if item not in ("]", "^", "-"))
        # Where they stand decides what these three mean there.
        body += ("^" if "^" in singles else "") + ("-" if "-" in singles else "")
        if not piece.negated and body == "^":
            return "\\^"
        return f"[{'^' if piece.negated else ''}{body}]"
    return piece.text


def _perl(piece: Piece, end: str) -> str:
    if piece.kind == "open":
        return f"(?<{piece.text}>" if piece.text else "(?:"
    if piece.kind == "text":
        return _quoted(piece.text)
    if piece.kind == "set":
        body = "".join("-".join(map(_quoted_inside, item.split("-"))) if len(item) == 3 else _quoted_inside(item)
                       for item in _items(piece.text))  # fmt: skip
        return f"[{'^' if piece.negated else ''}{body}]"
    return {"begin": r"\A", "end": end}.get(piece.kind, piece.text)


def _items(inside: str) -> list[str]:
    """The members of a set: single characters, and ranges such as a-z."""
    return [item.removeprefix("\\") for item in re.findall(r"\\[\s\S]|[\s\S]-[\s\S]|[\s\S]", inside)]


def _quoted(char: str) -> str:
    controls = {value: f"\\{key}" for key, value in CONTROLS.items()}
    return controls.get(char) or (f"\\{char}" if char in r".^$*+?()[]{}|\/" else char)


def _quoted_inside(char: str) -> str:
    controls = {**{value: f"\\{key}" for key, value in CONTROLS.items()}, "\f": r"\f", "\v": r"\v"}
    return controls.get(char) or (f"\\{char}" if char in r"[]^-\&" else char)


@lru_cache(maxsize=256)
def _compiled(pattern: Pattern) -> re.Pattern[str]:
    text = "".join(_perl(piece, r"\Z").replace("(?<", "(?P<") for piece in pattern.pieces)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if pattern.any_case else 0))
