"""What a dashboard is, as far as this project needs it. Definitions are written in these words, and in no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Color = Literal["green", "yellow", "orange", "red", "blue"]
Kind = Literal["graph", "stat", "table"]
# From this value on, this colour; None stands for what is below all others, which is green where nothing says more.
Steps = tuple[tuple[float | None, Color], ...]


@dataclass(frozen=True)
class Query:
    """PromQL, and how a series of its answer is called: ``{{label}}`` is filled in. Graphs ask for a range, stats and
    tables for the value now."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Link:
    """Where a click leads. ``url`` may hold what Grafana fills in, such as ``${__field.labels.host}``."""

    title: str
    url: str


@dataclass(frozen=True)
class Panel:
    """``unit`` is one of Grafana's (https://grafana.com/docs/grafana/latest/panels-visualizations/): ``percentunit``
    for shares of 1, ``s``, ``bytes``, ``reqps`` and the like. ``columns`` of a table: label -> heading, in this order;
    what is not named is not shown, and the value is ``Value``. ``states``: value -> (text, colour)."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Kind = "graph"
    about: str = ""
    steps: Steps = ()
    minimum: float | None = 0
    maximum: float | None = None
    decimals: int | None = None
    stacked: bool = False
    width: int = 0  # of 24; 0 shares the row
    height: int = 0  # 0 is what the kind usually has
    columns: tuple[tuple[str, str], ...] = ()
    states: tuple[tuple[str, str, Color], ...] = ()
    links: tuple[Link, ...] = ()
    empty: str = ""  # what stands there where there is nothing


@dataclass(frozen=True)
class Row:
    """Panels below one title, side by side until 24 columns are full."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """What a reader chooses. ``query`` is Grafana's, mostly ``label_values(METRIC, LABEL)``; ``choices`` instead are
    fixed ones, the first of them chosen. ``many``: several may be chosen, and at first all are."""

    name: str
    label: str
    query: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True)
class Dashboard:
    """``uid`` is its address and the name of its file; ``asks`` the question that it answers. ``span`` is the time that
    it shows at first."""

    uid: str
    title: str
    asks: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    tags: tuple[str, ...] = ()
    span: str = "1h"
    links: tuple[Link, ...] = ()
