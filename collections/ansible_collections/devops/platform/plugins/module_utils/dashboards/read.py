# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Grafana's dashboard JSON, as far as its queries to Prometheus are concerned, as typed values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.gate.spec import seconds

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "M": 30 * 86400, "y": 365 * 86400}
SPAN = re.compile(r"now-(\d+)([smhdwMy])(?:/[smhdwMy])?")
LABEL_VALUES = re.compile(r"\s*label_values\(\s*(?:(.+?)\s*,\s*)?([A-Za-z_][A-Za-z0-9_]*)\s*\)\s*", re.DOTALL)


class ReadError(Exception):
    """A file that is no dashboard, or holds what cannot be checked; the text names the place."""


@dataclass(frozen=True)
class Query:
    """One query of a panel. `step`: the least seconds between its points, where the panel or query says so."""

    dashboard: str
    panel: str
    ref: str
    expr: str
    instant: bool = False
    step: float = 0.0

    @property
    def place(self) -> str:
        return f"dashboard '{self.dashboard}', panel '{self.panel}', query {self.ref}"


@dataclass(frozen=True)
class Variable:
    """What a reader chooses. Either `label` (of the series of `metric`, or of all) or `values` say what there is.

    `many`: several values or all of them may be chosen, so that it is filled in as a pattern; `every` is the pattern
    for all of them, where the dashboard says one.
    """

    name: str
    metric: str = ""
    label: str = ""
    values: tuple[str, ...] = ()
    many: bool = False
    every: str = ""

    @property
    def text(self) -> str:
        return f"label_values({self.metric}, {self.label})" if self.metric else f"label_values({self.label})"


@dataclass(frozen=True)
class Board:
    """`span`: seconds that it shows at first. `skipped`: queries to other sources than Prometheus."""

    uid: str
    span: float
    variables: tuple[Variable, ...]
    queries: tuple[Query, ...]
    skipped: int = 0


def read(name: str, text: str) -> Board:
    """The dashboard in a file; ReadError names the file and what is wrong."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ReadError(f"{name}: is no JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("panels"), list):
        raise ReadError(f"{name}: is no dashboard: it has no list 'panels'; export it from Grafana as JSON")
    uid = str(data.get("uid") or "")
    if not uid:
        raise ReadError(f"{name}: has no uid, so its address would change with every start of Grafana; give it one")
    start = str((data.get("time") or {}).get("from") or "now-6h")
    span = SPAN.fullmatch(start)
    if not span:
        raise ReadError(f"{name}: time.from is '{start}'; write it as now-6h")
    targets = [(panel, target) for panel in _panels(data["panels"]) for target in panel.get("targets") or ()]
    ours = [(panel, target) for panel, target in targets if _is_prometheus(panel, target)]
    queries = tuple(_query(name, uid, panel, target) for panel, target in ours)
    listed = (data.get("templating") or {}).get("list") or ()
    variables = tuple(_variable(name, item) for item in listed if item.get("type") not in ("datasource", "adhoc"))
    return Board(uid, float(int(span[1]) * SECONDS[span[2]]), variables, queries, len(targets) - len(ours))


def _panels(panels: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Those in folded rows as well."""
    for panel in panels:
        if panel.get("type") == "row":
            yield from _panels(panel.get("panels") or [])
        else:
            yield panel


def _is_prometheus(panel: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
    source = target.get("datasource") or panel.get("datasource") or {}
    # Before Grafana 8.3 a source was its name, which does not say what it is.
    return not isinstance(source, Mapping) or source.get("type", "prometheus") == "prometheus"


def _query(name: str, uid: str, panel: Mapping[str, Any], target: Mapping[str, Any]) -> Query:
    title, ref = str(panel.get("title") or f"panel {panel.get('id')}"), str(target.get("refId") or "A")
    expr = str(target.get("expr") or "")
    if not expr.strip():
        raise ReadError(f"{name}: panel '{title}', query {ref}: has no expression; write one, or remove the query")
    least = str(target.get("interval") or panel.get("interval") or "")
    try:
        step = seconds(least.lstrip(">= ")) if least and not least.startswith("$") else 0.0
    except ValueError as error:
        raise ReadError(f"{name}: panel '{title}', query {ref}: interval {error}") from error
    return Query(uid, title, ref, expr, bool(target.get("instant")), step)


def _variable(name: str, item: Mapping[str, Any]) -> Variable:
    title, kind = str(item.get("name") or ""), str(item.get("type") or "")
    many = bool(item.get("multi") or item.get("includeAll"))
    every = str(item.get("allValue") or "")
    query = item.get("query")
    if isinstance(query, Mapping):
        query = query.get("query")
    text = str(query or "")
    if kind == "query":
        match = LABEL_VALUES.fullmatch(text)
        if not match:
            what = f"{name}: variable '{title}': its query is '{text}'; only label_values(METRIC, LABEL) can be checked"
            raise ReadError(what)
        return Variable(title, match[1] or "", match[2], (), many, every)
    if kind in ("custom", "interval"):
        values = tuple(part.strip().rpartition(" : ")[2] for part in text.split(","))
    elif kind in ("constant", "textbox"):
        values = (text,)
    else:
        raise ReadError(f"{name}: variable '{title}' is of type '{kind}', which cannot be checked")
    return Variable(title, "", "", values, many, every)
