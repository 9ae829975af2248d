# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What saved objects ask Elasticsearch: the requests that Kibana makes of them, to be asked without it. Pure.

Of Kibana's aggregations those are known that our definitions use; another one is an error, and so is a query that is
not Lucene's, which Kibana would have to translate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .objects import Object

INDEX = "kibanaSavedObjectMeta.searchSourceJSON.index"
METRICS = ("count", "avg", "percentiles")
HISTOGRAM = "30m"  # what "auto" is for Elasticsearch when a day is looked at


@dataclass(frozen=True)
class Asked:
    """A search: the object's title, the indexes, the body, and every field that the object names."""

    title: str
    indexes: str
    body: Mapping[str, Any]
    fields: tuple[str, ...]


def asked(items: Sequence[Object]) -> list[Asked]:
    """A request for each object that asks something. ValueError for one that cannot be asked."""
    views = {str(item["id"]): item for item in items if item["type"] == "index-pattern"}
    found = [
        Asked(str(view["attributes"]["name"]), str(view["attributes"]["title"]), {"size": 1}, ("@timestamp",))
        for view in views.values()
    ]
    return found + [_asked(item, views) for item in items if item["type"] in ("search", "visualization")]


def _asked(item: Object, views: Mapping[str, Object]) -> Asked:
    attributes = item["attributes"]
    title = str(attributes["title"])
    [index] = [str(each["id"]) for each in item["references"] if each["name"] == INDEX]
    if index not in views:
        raise ValueError(f"'{title}' is of the data view {index}, which is not there")
    source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    query = source["query"]
    if query["language"] != "lucene" or source["filter"]:
        raise ValueError(f"'{title}' has filters, or a query that is not Lucene's")
    body: dict[str, Any] = {
        "size": 0 if item["type"] == "visualization" else 1,
        "track_total_hits": True,
        "query": {"query_string": {"query": query["query"], "analyze_wildcard": True}},
    }
    if item["type"] == "search":
        body["sort"] = [{field: {"order": order, "unmapped_type": "boolean"}} for field, order in attributes["sort"]]
        fields = tuple(attributes["columns"])
    else:
        aggregations = json.loads(attributes["visState"])["aggs"]
        body["aggs"] = _nested(title, aggregations)
        fields = tuple(each["params"]["field"] for each in aggregations if each["params"].get("field"))
    return Asked(title, str(views[index]["attributes"]["title"]), body, fields)


def _nested(title: str, aggregations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Each group within the one before it, and what is computed within the innermost."""
    metrics = {each["id"]: each for each in aggregations if each["schema"] == "metric"}
    computed: dict[str, Any] = {}
    for number, each in metrics.items():
        if each["type"] not in METRICS:
            raise ValueError(f"'{title}' computes {each['type']}; known are {', '.join(METRICS)}")
        if each["type"] != "count":  # that is in every answer
            computed[number] = {each["type"]: dict(each["params"])}
    inner = computed
    for each in reversed([each for each in aggregations if each["schema"] != "metric"]):
        group = {each["type"]: _group(title, each, metrics)}
        inner = {each["id"]: {**group, **({"aggs": inner} if inner else {})}}
    return inner


def _group(title: str, given: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    params = given["params"]
    if given["type"] == "date_histogram":
        return {"field": params["field"], "fixed_interval": HISTOGRAM, "min_doc_count": params["min_doc_count"]}
    if given["type"] == "terms":
        by = params["orderBy"]
        key = "_count" if by in metrics and metrics[by]["type"] == "count" else by
        return {"field": params["field"], "size": params["size"], "order": {key: params["order"]}}
    raise ValueError(f"'{title}' groups by {given['type']}; known are date_histogram and terms")


def emptiness(answer: Mapping[str, Any], search: Asked) -> str:
    """Why an answer shows nothing; '' where it shows something."""
    if not answer["hits"]["total"]["value"]:
        return "no line fits"
    empty = sorted(set(_empty(answer.get("aggregations") or {})))
    return f"{search.body.get('query', {})}: nothing in {', '.join(empty)}" if empty else ""


def _empty(aggregations: Mapping[str, Any]) -> Iterator[str]:
    """Numbers of aggregations that have no group and no value, in the first group of each."""
    for number, found in aggregations.items():
        if not isinstance(found, Mapping):
            continue
        if "buckets" in found:
            if not found["buckets"]:
                yield number
            else:
                best = [
                    set(_empty({key: value for key, value in each.items() if key != "key"}))
                    for each in found["buckets"]
                ]
                yield from set.intersection(*best)
        elif "values" in found:
            if all(value is None for value in found["values"].values()):
                yield number
        elif "value" in found and found["value"] is None:
            yield number
