"""What saved objects ask, and whether an answer shows something."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.kibana.queries import INDEX, Asked, asked, emptiness

VIEW = {"type": "index-pattern", "id": "v", "attributes": {"title": "logs-*", "name": "Logs"}, "references": []}
REFERENCE = [{"id": "v", "name": INDEX, "type": "index-pattern"}]


def chart(*aggs: dict[str, Any], language: str = "lucene", view: str = "v") -> list[Any]:
    source = json.dumps({"query": {"query": "level:error", "language": language}, "filter": []})
    attributes = {
        "title": "T",
        "visState": json.dumps({"aggs": aggs}),
        "kibanaSavedObjectMeta": {"searchSourceJSON": source},
    }
    reference = [{**REFERENCE[0], "id": view}]
    return [VIEW, {"type": "visualization", "id": "c", "attributes": attributes, "references": reference}]


def agg(number: int, kind: str, schema: str, **params: Any) -> dict[str, Any]:
    return {"id": str(number), "type": kind, "schema": schema, "params": params}


COUNT = agg(1, "count", "metric")


def test_groups_within_groups_with_what_is_computed_inside():
    average = agg(2, "avg", "metric", field="duration")
    over_time = agg(3, "date_histogram", "segment", field="@timestamp", min_doc_count=1)
    by_app = agg(4, "terms", "group", field="app", size=5, order="desc", orderBy="1")
    _view, found = asked(chart(COUNT, average, over_time, by_app))
    assert found.indexes == "logs-*"
    assert found.fields == ("duration", "@timestamp", "app")
    assert found.body["query"] == {"query_string": {"query": "level:error", "analyze_wildcard": True}}
    outer = found.body["aggs"]["3"]
    assert outer["date_histogram"]["field"] == "@timestamp"
    inner = outer["aggs"]["4"]
    assert inner["terms"] == {"field": "app", "size": 5, "order": {"_count": "desc"}}
    assert inner["aggs"] == {"2": {"avg": {"field": "duration"}}}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (chart(agg(1, "std_dev", "metric", field="x")), "computes std_dev"),
        (chart(COUNT, agg(2, "filters", "group")), "groups by filters"),
        (chart(COUNT, language="kuery"), "a query that is not Lucene's"),
        (chart(COUNT, view="w"), "is of the data view w, which is not there"),
    ],
)
def test_what_cannot_be_asked(given, words):
    with pytest.raises(ValueError, match=words):
        asked(given)


def answer(total: int, **aggregations: Any) -> dict[str, Any]:
    return {"hits": {"total": {"value": total}}, "aggregations": aggregations}


def bucket(**inner: Any) -> dict[str, Any]:
    return {"key": "k", "doc_count": 1, **inner}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer(0), "no line fits"),
        (answer(1), ""),
        (answer(1, **{"2": {"buckets": []}}), "nothing in 2"),
        (answer(1, **{"2": {"buckets": [bucket()]}}), ""),
        (answer(1, **{"2": {"buckets": [bucket(**{"3": {"value": None}})]}}), "nothing in 3"),
        (answer(1, **{"2": {"buckets": [bucket(**{"3": {"value": None}}), bucket(**{"3": {"value": 1}})]}}), ""),
        (answer(1, **{"2": {"values": {"50.0": None, "95.0": None}}}), "nothing in 2"),
        (answer(1, **{"2": {"values": {"50.0": 0.5}}}), ""),
    ],
)
def test_emptiness(given, words):
    said = emptiness(given, Asked("T", "logs-*", {}, ()))
    assert words in said if words else said == ""
