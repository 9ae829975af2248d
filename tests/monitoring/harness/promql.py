"""PromQL as tokens: enough to find its metrics, and to change one thing at a time. It checks nothing; promtool does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
SPAN = r"(?:\d+(?:ms|[smhdwy]))+"
TOKEN = re.compile(
    rf"""
    (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<span>{SPAN}\b)
    |(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?)
    |(?P<word>[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<comparison>==|!=|>=|<=|>|<)
    |(?P<other>=~|!~|.)
    |(?P<space>\s+)
    """,
    re.VERBOSE,
)
AGGREGATIONS = {"sum", "avg", "min", "max", "count", "topk", "bottomk", "quantile", "group", "stddev", "stdvar"}
KEYWORDS = AGGREGATIONS | {"and", "or", "unless", "offset", "bool", "inf", "nan"}
LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}  # of labels, in parentheses

# Each comparison and operator -> what it may be mistaken for.
COMPARISONS = {
    ">": (">=", "<", "=="),
    "<": ("<=", ">", "=="),
    "==": ("!=", ">", "<"),
    "!=": ("==",),
    ">=": (">", "<"),
    "<=": ("<", ">"),
}
OPERATORS = {"and": "or", "or": "and", "unless": "and", "+": "-", "-": "+", "*": "/", "/": "*"}
# What stands in braces, or in the parentheses behind a word about labels; and each part of it.
ITEM = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|[^,"])+""")
PLACES = re.compile(r"""(?:\{|\b(?:by|without|on|ignoring)\s*\()(?P<items>(?:"(?:[^"\\]|\\.)*"|[^"})])*)[})]""")
STRETCH = (0.5, 0.8, 1.2, 2)  # of durations
SHIFT = 0.02  # of numbers


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    braces: int  # how many are open before it


def tokens(expression: str) -> list[Token]:
    found: list[Token] = []
    braces = 0
    for match in TOKEN.finditer(expression.replace("\n", " ")):
        kind = str(match.lastgroup)
        if kind == "space" or match[0].isspace():
            continue
        found.append(Token(kind, match[0], match.start(), braces))
        braces += {"{": 1, "}": -1}.get(match[0], 0)
    return found


def metrics(expression: str) -> set[str]:
    """The names of what an expression selects: words that are no function, keyword or label."""
    found: set[str] = set()
    listing = False
    line = tokens(expression)
    for number, token in enumerate(line):
        after = line[number + 1].text if number + 1 < len(line) else ""
        if token.kind == "word" and token.text in LISTS:
            listing = True
        elif listing:
            listing = token.text != ")" and not (token.kind == "word" and line[number - 1].text in LISTS)
        elif token.kind == "word" and not token.braces and after != "(" and token.text not in KEYWORDS:
            found.add(token.text)
    return found


@dataclass(frozen=True)
class Mutation:
    """An expression with one thing changed. `kind`: threshold (any number), comparison, operator, duration, or label
    (a matcher, or a label of a list, that is gone)."""

    kind: str
    was: str
    now: str
    expression: str

    def __str__(self) -> str:
        return f"{self.kind} {self.was} -> {self.now}"


def mutations(expression: str) -> Iterator[Mutation]:
    for token in tokens(expression):
        if not token.braces:
            for kind, now in _changes(token):
                text = expression[: token.start] + now + expression[token.start + len(token.text) :]
                yield Mutation(kind, token.text, now, text)
    yield from _without_labels(expression)


def _without_labels(expression: str) -> Iterator[Mutation]:
    """One matcher or one label less. Those are all that commas separate within braces, or behind by and on."""
    for place in PLACES.finditer(expression):
        items = [item.strip() for item in ITEM.findall(place["items"]) if item.strip()]
        for number, item in enumerate(items):
            rest = ", ".join(items[:number] + items[number + 1 :])
            text = expression[: place.start("items")] + rest + expression[place.end("items") :]
            yield Mutation("label", item, "nothing", text)


def _changes(token: Token) -> Iterator[tuple[str, str]]:
    if token.kind == "number":
        value = float(token.text)
        for shifted in (value * (1 + SHIFT), value * (1 - SHIFT)) if value else (1.0, -1.0):
            yield "threshold", f"{shifted:.10g}"
    elif token.kind == "span":
        for factor in STRETCH:
            yield "duration", span(seconds(token.text) * factor)
    elif token.kind == "comparison":
        for other in COMPARISONS[token.text]:
            yield "comparison", other
    elif token.text in OPERATORS:
        yield "operator", OPERATORS[token.text]


def seconds(text: str) -> float:
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", text))


def span(length: float) -> str:
    """Seconds as Prometheus writes them, in one unit."""
    whole = round(length)
    units = (("h", 3600), ("m", 60), ("s", 1)) if whole else (("s", 1),)
    return next(f"{whole // size}{unit}" for unit, size in units if whole % size == 0)
