"""Definitions as the lines that Kibana imports. Ids follow from names, so that a rollout changes what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.kibana.objects import PREFIX, lines

from .model import Board, Chart, Kind, Measure, Search, View

WIDTH = 48  # columns of a dashboard
SINCE = "now-24h"
CORE = "8.8.0"
# The forms that these are written in; Kibana brings older ones up to its own.
FORMS = {"index-pattern": "8.0.0", "search": "8.0.0", "visualization": "8.5.0", "dashboard": "8.9.0"}
INDEX = "kibanaSavedObjectMeta.searchSourceJSON.index"
TYPES: dict[Kind, str] = {"bars": "histogram", "lines": "line", "table": "table", "number": "metric"}


def identity(kind: str, slug: str) -> str:
    return f"{PREFIX}{kind}-{slug}"


def text(data: Any) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def file(views: Sequence[View], searches: Sequence[Search], boards: Sequence[Board]) -> str:
    """All objects, each once, in the order in which one needs the other."""
    charts = {
        part.slug: (board, part)
        for board in boards
        for _height, row in board.rows
        for part in row
        if isinstance(part, Chart)
    }
    made = [
        *map(_view, views),
        *map(_search, searches),
        *(_chart(board, chart) for board, chart in charts.values()),
        *map(_board, boards),
    ]
    ids = [item["id"] for item in made]
    assert len(set(ids)) == len(ids), "two definitions have one name"
    return lines(made).decode()


def _object(kind: str, slug: str, attributes: dict[str, Any], references: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "id": identity(kind, slug),
        "type": kind,
        "attributes": attributes,
        "references": references,
        "coreMigrationVersion": CORE,
        "typeMigrationVersion": FORMS[kind],
    }


def _view(view: View) -> dict[str, Any]:
    attributes = {"title": view.pattern, "name": f"{view.name} (@environment@)", "timeFieldName": "@timestamp"}
    return _object("index-pattern", view.slug, attributes, [])


def _source(query: str) -> dict[str, str]:
    """What is searched for, in the indexes of the object's reference."""
    asked = {"query": {"query": query, "language": "lucene"}, "filter": [], "indexRefName": INDEX}
    return {"searchSourceJSON": text(asked)}


def _of(view: View) -> dict[str, str]:
    return {"name": INDEX, "type": "index-pattern", "id": identity("index-pattern", view.slug)}


def _search(search: Search) -> dict[str, Any]:
    attributes = {
        "title": search.title,
        "description": search.about,
        "columns": list(search.columns),
        "sort": [["@timestamp", "desc"]],
        "kibanaSavedObjectMeta": _source(search.query),
    }
    return _object("search", search.slug, attributes, [_of(search.view)])


def _measure(number: int, measure: Measure) -> dict[str, Any]:
    params: dict[str, Any] = {"field": measure.field} if measure.field else {}
    if measure.percents:
        params["percents"] = list(measure.percents)
    return {"id": str(number), "enabled": True, "type": measure.kind, "schema": "metric", "params": params}


def _groups(chart: Chart, first: int) -> Iterator[dict[str, Any]]:
    """Over time where it is drawn so, and by fields: by their most frequent values."""
    over_time = chart.kind in ("bars", "lines")
    if over_time:
        params: dict[str, Any] = {"field": "@timestamp", "interval": "auto", "min_doc_count": 1}
        yield {"id": str(first), "enabled": True, "type": "date_histogram", "schema": "segment", "params": params}
    for number, field in enumerate(chart.by, first + over_time):
        params = {
            "field": field,
            "size": chart.size,
            "order": "desc",
            "orderBy": "_key" if chart.measures[0].percents else "1",
        }
        schema = "group" if over_time else "bucket"
        yield {"id": str(number), "enabled": True, "type": "terms", "schema": schema, "params": params}


def _chart(board: Board, chart: Chart) -> dict[str, Any]:
    measures = [_measure(number, measure) for number, measure in enumerate(chart.measures, 1)]
    state = {
        "title": chart.title,
        "type": TYPES[chart.kind],
        "aggs": [*measures, *_groups(chart, len(measures) + 1)],
        "params": _params(chart, len(measures)),
    }
    attributes = {
        "title": f"{board.title}: {chart.title}",
        "description": "",
        "version": 1,
        "visState": text(state),
        "uiStateJSON": "{}",
        "kibanaSavedObjectMeta": _source(chart.query),
    }
    return _object("visualization", chart.slug, attributes, [_of(chart.view)])


def _params(chart: Chart, measures: int) -> dict[str, Any]:
    if chart.kind == "table":
        return {"perPage": chart.size, "showTotal": False}
    if chart.kind == "number":
        return {"addTooltip": True, "metric": {"metricColorMode": "None", "style": {"fontSize": 40}}}
    kind = TYPES[chart.kind]
    series = [
        {
            "show": True, "type": kind, "mode": "stacked" if kind == "histogram" else "normal", "showCircles": False,
            "data": {"id": str(number), "label": chart.title}, "valueAxis": "values",
        }
        for number in range(1, measures + 1)
    ]  # fmt: skip
    time = {"id": "time", "type": "category", "position": "bottom", "show": True, "scale": {"type": "linear"}}
    value = {
        "id": "values", "name": "values", "type": "value", "position": "left", "show": True,
        "scale": {"type": "linear", "mode": "normal"},
    }  # fmt: skip
    return {
        "type": kind, "addTooltip": True, "addLegend": True, "legendPosition": "right", "seriesParams": series,
        "categoryAxes": [time], "valueAxes": [value], "times": [], "addTimeMarker": False,
    }  # fmt: skip


def _board(board: Board) -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    references: list[dict[str, str]] = []
    top = 0
    for height, row in board.rows:
        width = WIDTH // len(row)
        for place, part in enumerate(row):
            kind = "search" if isinstance(part, Search) else "visualization"
            number = str(len(panels) + 1)
            name = f"panel_{number}"
            grid = {"x": place * width, "y": top, "w": width, "h": height, "i": number}
            panels.append(
                {
                    "type": kind, "panelIndex": number, "panelRefName": name, "gridData": grid, "title": part.title,
                    "embeddableConfig": {},
                }
            )  # fmt: skip
            references.append({"name": f"{number}:{name}", "type": kind, "id": identity(kind, part.slug)})
        top += height
    attributes = {
        "title": board.title,
        "description": board.question,
        "panelsJSON": text(panels),
        "optionsJSON": text({"useMargins": True, "hidePanelTitles": False}),
        "timeRestore": True,
        "timeFrom": SINCE,
        "timeTo": "now",
        "kibanaSavedObjectMeta": {
            "searchSourceJSON": text({"query": {"query": "", "language": "lucene"}, "filter": []})
        },
    }
    return _object("dashboard", board.slug, attributes, references)
