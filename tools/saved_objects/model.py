"""What Kibana shows, as far as this project needs it. Definitions are written in these words, and in no others.

Queries are Lucene's: Kibana hands them to Elasticsearch as they are, so a test can ask the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["bars", "lines", "table", "number"]


@dataclass(frozen=True)
class View:
    """A data view: indexes by their names, in which ``@environment@`` stands for the environment."""

    slug: str
    name: str
    pattern: str


@dataclass(frozen=True)
class Search:
    """Lines that a query finds, the newest first."""

    slug: str
    title: str
    about: str
    view: View
    query: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Measure:
    """What is computed of each group of lines; without a field they are counted. ``percents`` of percentiles."""

    kind: Literal["count", "avg", "percentiles"] = "count"
    field: str = ""
    percents: tuple[float, ...] = ()


@dataclass(frozen=True)
class Chart:
    """``by``: fields whose values make groups, the largest groups first; bars and lines are over time, beside that."""

    slug: str
    title: str
    view: View
    query: str = "*"
    kind: Kind = "bars"
    by: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = (Measure(),)
    size: int = 10


@dataclass(frozen=True)
class Board:
    """A dashboard: rows of charts and searches, side by side in equal shares; each row has its height."""

    slug: str
    title: str
    question: str
    rows: tuple[tuple[int, tuple[Chart | Search, ...]], ...]
