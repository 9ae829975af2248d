"""Dashboard files as typed values, and what is said of those that are none."""

from __future__ import annotations

import json

import pytest

from ansible_collections.devops.platform.plugins.module_utils.dashboards.read import (
    Query,
    ReadError,
    Variable,
    read,
)


def panel(title="p", expr="up", ref="A", **more):
    return {"title": title, "type": "timeseries", "targets": [{"refId": ref, "expr": expr, **more}]}


def text(*panels, variables=(), **more):
    return json.dumps({"uid": "u", "panels": list(panels), "templating": {"list": list(variables)}, **more})


def test_queries_and_time():
    board = read(
        "u.json",
        text(
            panel("a", "up"),
            {"type": "row", "title": "folded", "panels": [panel("b", "down", instant=True, interval="1m")]},
            time={"from": "now-24h", "to": "now"},
        ),
    )
    assert board.queries == (Query("u", "a", "A", "up"), Query("u", "b", "A", "down", True, 60.0))
    assert (board.uid, board.span) == ("u", 86400.0)
    assert board.queries[1].place == "dashboard 'u', panel 'b', query A"


@pytest.mark.parametrize(
    ("source", "ours"),
    [
        ({"type": "prometheus", "uid": "x"}, True),
        ({"uid": "x"}, True),
        ("Prometheus", True),
        ({"type": "loki"}, False),
    ],
)
def test_other_sources_are_counted_and_left_out(source, ours):
    board = read("u.json", text({**panel(), "datasource": source}))
    assert (len(board.queries), board.skipped) == ((1, 0) if ours else (0, 1))


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            {"type": "query", "query": 'label_values(up{a="b, c"}, host)', "multi": True, "allValue": ".*"},
            Variable("v", 'up{a="b, c"}', "host", (), True, ".*"),
        ),
        ({"type": "query", "query": {"query": "label_values(job)"}}, Variable("v", "", "job")),
        ({"type": "query", "query": "label_values(up,job)", "includeAll": True}, Variable("v", "up", "job", (), True)),
        ({"type": "custom", "query": "99.9, 99"}, Variable("v", values=("99.9", "99"))),
        ({"type": "custom", "query": "three nines : 99.9,99"}, Variable("v", values=("99.9", "99"))),
        ({"type": "constant", "query": "x"}, Variable("v", values=("x",))),
    ],
)
def test_variables(item, expected):
    assert read("u.json", text(panel(), variables=[{"name": "v", **item}])).variables == (expected,)


def test_variables_that_choose_a_source_are_none():
    items = [{"name": "d", "type": "datasource", "query": "prometheus"}]
    assert read("u.json", text(panel(), variables=items)).variables == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "u.json: is no JSON: "),
        ("[]", "u.json: is no dashboard"),
        ('{"uid": "u"}', "it has no list 'panels'"),
        ('{"panels": []}', "u.json: has no uid"),
        (text(time={"from": "2024-01-01"}), "time.from is '2024-01-01'; write it as now-6h"),
        (text(panel("a", " ")), "panel 'a', query A: has no expression"),
        (text(panel("a", interval="often")), "panel 'a', query A: interval 'often' is no duration"),
        (text(variables=[{"name": "v", "type": "query", "query": "metrics(x)"}]), "variable 'v': its query is"),
        (text(variables=[{"name": "v", "type": "groupby"}]), "variable 'v' is of type 'groupby'"),
    ],
)
def test_what_cannot_be_read(content, words):
    with pytest.raises(ReadError) as error:
        read("u.json", content)
    assert words in str(error.value)
    assert str(error.value).startswith("u.json: ")
