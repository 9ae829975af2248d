# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What people type to find lines, as a query of Elasticsearch: words, "phrases", field:value, AND, OR, NOT, brackets.

The syntax is the common part of Lucene's and Kibana's. Elasticsearch's own `query_string` is not used: there a path is
a regular expression, a colon in a text a field, a typing error a search for nothing, and some texts take minutes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.logging import fields
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

LONGEST = 2000
DEEPEST = 20
EXPANDED = 1000  # words that the last one of a phrase with a * may be
TEXT_FIELD = "message"
KNOWN: Mapping[str, str] = {**fields.LINE, **fields.LETTER}
# A word with a colon is a field only where the part before it can be a name, and no URL begins there.
_FIELD = re.compile(r"([A-Za-z_@][A-Za-z0-9_.@]*):(?!//)")
_TOKEN = re.compile(
    r'(?P<space>\s+)|(?P<open>\()|(?P<close>\))|(?P<quote>")|(?P<minus>[-!](?=[^\s)]))|(?P<word>[^\s()"]+)'
)
_RANGE = re.compile(r"\[\s*(\S+)\s+TO\s+(\S+?)\s*\]")
_COMPARED = re.compile(r"(>=|<=|>|<)(.+)")
_BOUNDS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


class QueryError(Exception):
    """A text that is no query; says where, and what would be one."""


@dataclass(frozen=True)
class Token:
    """`kind` is AND, OR, NOT, (, ) or value; a value has a field ('' for the text of lines)."""

    kind: str
    at: int
    field: str = ""
    text: str = ""
    quoted: bool = False


def query(text: str) -> dict[str, Any]:
    """The query of Elasticsearch that finds what `text` says. QueryError where it says nothing that can be found."""
    if len(text) > LONGEST:
        raise QueryError(f"the query has {len(text)} characters; {LONGEST} are the most")
    tokens = _tokens(text)
    if not tokens:
        return {"match_all": {}}
    return _Parser(tokens, text).whole()


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(text):
        field = _FIELD.match(text, at) if not found or text[at - 1] in " \t\n(-!" else None
        if field and field.end() < len(text) and not text[field.end()].isspace():
            value, at = _value(text, at, field.end(), _known(field[1], at))
            found.append(value)
            continue
        token, at = _token(text, at)
        found += [token] if token else []
    return found


def _token(text: str, at: int) -> tuple[Token | None, int]:
    match = _TOKEN.match(text, at)
    assert match is not None  # every character begins one
    kind = str(match.lastgroup)
    if kind == "space":
        return None, match.end()
    if kind == "minus":
        return Token("NOT", at), match.end()
    if kind in ("open", "close"):
        return Token(match[0], at), match.end()
    if kind == "word" and match[0] in ("AND", "OR", "NOT"):
        return Token(match[0], at), match.end()
    return _value(text, at, at, "")


def _known(name: str, at: int) -> str:
    if name in KNOWN or name.startswith(f"{fields.REST}."):
        return name
    raise QueryError(
        f"character {at + 1}: there is no field '{name}'; an application's own are below {fields.REST}, such as "
        f'{fields.REST}.{name}; a text with a colon is quoted: "{name}:..."{did_you_mean(name, KNOWN)}'
    )


def _value(text: str, start: int, at: int, field: str) -> tuple[Token, int]:
    """The value that begins at `at`, of the field whose name begins at `start`, and where it ends."""
    if text[at] == '"':
        end = text.find('"', at + 1)
        if end < 0:
            raise QueryError(f"character {at + 1}: the quotation mark is not closed; write a second one")
        return Token("value", start, field, text[at + 1 : end], quoted=True), end + 1
    if text[at] == "[" and field:
        found = _RANGE.match(text, at)
        if not found:
            raise QueryError(f"character {at + 1}: a range is [LEAST TO MOST], such as status:[500 TO 599]")
        return Token("value", start, field, found[0]), found.end()
    if text[at] == "(" and field:
        raise QueryError(f"character {at + 1}: a field has one value; write ({field}:A OR {field}:B)")
    found = re.compile(r'[^\s()"]+').match(text, at)
    if not found:
        raise QueryError(f"character {at + 1}: '{text[at]}' is no value of {field}")
    return Token("value", start, field, found[0]), found.end()


class _Parser:
    """Recursive descent: OR of ANDs of NOTs of values and brackets. Values side by side are an AND."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self.tokens, self.text, self.next = tokens, text, 0

    def whole(self) -> dict[str, Any]:
        found = self._either(0)
        if self.next < len(self.tokens):
            raise QueryError(f"character {self.tokens[self.next].at + 1}: nothing was opened that ')' closes")
        return found

    def _kind(self) -> str:
        return self.tokens[self.next].kind if self.next < len(self.tokens) else ""

    def _either(self, depth: int) -> dict[str, Any]:
        parts = [self._all(depth)]
        while self._kind() == "OR":
            self.next += 1
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else {"bool": {"should": parts, "minimum_should_match": 1}}

    def _all(self, depth: int) -> dict[str, Any]:
        parts = [self._one(depth)]
        while self._kind() not in ("", "OR", ")"):
            if self._kind() == "AND":
                self.next += 1
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else {"bool": {"filter": parts}}

    def _one(self, depth: int) -> dict[str, Any]:
        if depth > DEEPEST:
            raise QueryError(f"brackets and NOTs are more than {DEEPEST} deep; say it in fewer")
        kind = self._kind()
        here = self.tokens[self.next].at + 1 if kind else len(self.text) + 1
        self.next += 1
        if kind == "NOT":
            return {"bool": {"must_not": [self._one(depth + 1)]}}
        if kind == "(":
            found = self._either(depth + 1)
            if self._kind() != ")":
                raise QueryError(f"character {here}: the bracket is not closed; write ')'")
            self.next += 1
            return found
        if kind == "value":
            return condition(self.tokens[self.next - 1])
        what = {"": "the query ends", ")": "')' stands"}.get(kind, f"'{kind}' stands")
        raise QueryError(f"character {here}: {what} where something to look for is missing; to find a word, quote it")


def condition(token: Token) -> dict[str, Any]:
    """One value, as the type of its field has it."""
    name, value = token.field or TEXT_FIELD, token.text
    kind = KNOWN.get(name, fields.OBJECT)
    if not value.strip():
        raise QueryError(f"character {token.at + 1}: nothing is between the quotation marks")
    if kind == fields.KEPT:
        raise QueryError(f"character {token.at + 1}: {name} is kept and cannot be searched for")
    if value == "*" and not token.quoted:
        return {"exists": {"field": name}}
    if kind in fields.MALFORMED:
        return _measured(token, name, kind)
    if kind == fields.TEXT and not re.search(r"\w", value):
        raise QueryError(
            f"character {token.at + 1}: '{value}' has no letter and no digit; only those are found in {name}"
        )
    if value.endswith("*") and not token.quoted:
        return _begins(token, name, kind)
    if kind == fields.TEXT:
        return {"match_phrase": {name: value}}
    if kind == fields.OBJECT:
        return {"term": {name: value}}
    return {"term": {name: {"value": value, "case_insensitive": True}}}


def _begins(token: Token, name: str, kind: str) -> dict[str, Any]:
    """A * at the end. One elsewhere is a character: what would begin with anything has every line read."""
    beginning = token.text.rstrip("*")
    if kind == fields.OBJECT:
        raise QueryError(f"character {token.at + 1}: {name} is found by its whole value; a * is for other fields")
    if kind == fields.TEXT and not re.fullmatch(r"\w+", beginning):
        return {"match_phrase_prefix": {name: {"query": beginning, "max_expansions": EXPANDED}}}
    return {"prefix": {name: {"value": beginning, "case_insensitive": True}}}


def _measured(token: Token, name: str, kind: str) -> dict[str, Any]:
    """A number, time or address: equal, compared, or within a range."""
    found = None if token.quoted else _RANGE.fullmatch(token.text)
    compared = None if token.quoted else _COMPARED.fullmatch(token.text)
    if found:
        bounds = {"gte": _checked(token, kind, found[1]), "lte": _checked(token, kind, found[2])}
        return {"range": {name: bounds}}
    if compared:
        return {"range": {name: {_BOUNDS[compared[1]]: _checked(token, kind, compared[2])}}}
    return {"term": {name: {"value": _checked(token, kind, token.text)}}}


def _checked(token: Token, kind: str, value: str) -> str:
    fits = {
        fields.INTEGER: lambda: re.fullmatch(r"-?\d{1,18}", value, re.ASCII),
        fields.NUMBER: lambda: re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value, re.ASCII),
        fields.DATE: lambda: re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z?)?", value, re.ASCII),
        fields.ADDRESS: lambda: ipaddress.ip_network(value, strict=False),
    }[kind]
    wanted = {
        fields.INTEGER: "a whole number", fields.NUMBER: "a number", fields.ADDRESS: "an address or a network",
        fields.DATE: "a time such as 2026-01-31T12:00:00Z",
    }[kind]  # fmt: skip
    try:
        right = bool(fits())
    except ValueError:
        right = False
    if not right:
        raise QueryError(
            f"character {token.at + 1}: {token.field} is {wanted}, and '{value}' is none; 500, >=500 and "
            "[500 TO 599] are how numbers are found"
        )
    return value
