"""What people type, as queries; how lines read; and whether a line arrives."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import arrival, search
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import (
    Elasticsearch,
    ElasticsearchError,
)
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.query import QueryError, query
from ansible_collections.devops.platform.plugins.module_utils.journey.patience import Patience


def text(value: str) -> dict[str, Any]:
    return {"match_phrase": {"message": value}}


def word(field: str, value: str) -> dict[str, Any]:
    return {"term": {field: {"value": value, "case_insensitive": True}}}


def either(*parts: Any) -> dict[str, Any]:
    return {"bool": {"should": list(parts), "minimum_should_match": 1}}


def both(*parts: Any) -> dict[str, Any]:
    return {"bool": {"filter": list(parts)}}


def without(part: Any) -> dict[str, Any]:
    return {"bool": {"must_not": [part]}}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", {"match_all": {}}),
        ("  ", {"match_all": {}}),
        ("timeout", text("timeout")),
        ("GET /api/rooms", both(text("GET"), text("/api/rooms"))),
        ('"no answer"', text("no answer")),
        ('msg="no answer"', both(text("msg="), text("no answer"))),
        ("level:error", word("level", "error")),
        ("level:ERROR service:api", both(word("level", "ERROR"), word("service", "api"))),
        ("a OR b c", either(text("a"), both(text("b"), text("c")))),
        ("(a OR b) AND c", both(either(text("a"), text("b")), text("c"))),
        ("NOT a", without(text("a"))),
        ("-a !b", both(without(text("a")), without(text("b")))),
        ("a-b", text("a-b")),
        ("-level:info", without(word("level", "info"))),
        ("not and or", both(text("not"), text("and"), text("or"))),
        ("http://h/p?x=1", text("http://h/p?x=1")),
        ("12:30:01", text("12:30:01")),
        ("error: late", both(text("error:"), text("late"))),
        ("fields.order:4711", {"term": {"fields.order": "4711"}}),
        ("status:500", {"term": {"status": {"value": "500"}}}),
        ('status:"500"', {"term": {"status": {"value": "500"}}}),
        ("status:>=500", {"range": {"status": {"gte": "500"}}}),
        ("status:[500 TO 599]", {"range": {"status": {"gte": "500", "lte": "599"}}}),
        ("duration:>0.5", {"range": {"duration": {"gt": "0.5"}}}),
        ("@timestamp:<2026-01-31T12:00:00Z", {"range": {"@timestamp": {"lt": "2026-01-31T12:00:00Z"}}}),
        ("client:192.0.2.0/24", {"term": {"client": {"value": "192.0.2.0/24"}}}),
        ("trace_id:*", {"exists": {"field": "trace_id"}}),
        ("time*", {"prefix": {"message": {"value": "time", "case_insensitive": True}}}),
        ("/api/ro*", {"match_phrase_prefix": {"message": {"query": "/api/ro", "max_expansions": 1000}}}),
        ("logger:chat.*", {"prefix": {"logger": {"value": "chat.", "case_insensitive": True}}}),
        ('logger:"chat.*"', word("logger", "chat.*")),
    ],
)
def test_what_is_typed(typed: str, expected: dict[str, Any]) -> None:
    assert query(typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("lvel:error", "character 1: there is no field 'lvel'; an application's own"),
        ("lvel:error", "\"lvel:...\"; did you mean 'level'?"),
        ("a order:7", "character 3: there is no field 'order'; an application's own are below fields, such as fields."),
        ('a "b', "character 3: the quotation mark is not closed"),
        ("a AND", "character 6: the query ends where something to look for is missing"),
        ("OR a", "character 1: 'OR' stands where something"),
        ("a AND OR b", "character 7: 'OR' stands where"),
        ("(a", "character 1: the bracket is not closed"),
        ("a)", "character 2: nothing was opened that ')' closes"),
        ("()", "character 2: ')' stands where"),
        ("NOT", "character 4: the query ends"),
        ("level:(a b)", "character 7: a field has one value; write (level:A OR level:B)"),
        ("status:[1 2]", "character 8: a range is [LEAST TO MOST]"),
        ("status:teapot", "character 1: status is a whole number, and 'teapot' is none"),
        ("status:[1 TO x]", "status is a whole number, and 'x' is none"),
        ("duration:>fast", "duration is a number, and 'fast'"),
        ("@timestamp:today", "is a time such as 2026-01-31T12:00:00Z"),
        ("client:here", "client is an address or a network"),
        ('level:""', "nothing is between the quotation marks"),
        ("level:)", "')' is no value of level"),
        ("document:x", "document is kept and cannot be searched for"),
        ("---", "character 3: '-' has no letter and no digit"),
        ("fields.a:b*", "fields.a is found by its whole value"),
        ("x" * 2001, "the query has 2001 characters"),
        ("(" * 30, "are more than 20 deep"),
    ],
)  # fmt: skip
def test_what_is_no_query(typed: str, expected: str) -> None:
    with pytest.raises(QueryError) as caught:
        query(typed)
    assert expected in str(caught.value)


PARTS = st.sampled_from(
    [
        "a",
        "level:",
        "status:",
        "fields.x:",
        '"',
        "(",
        ")",
        "[",
        "]",
        " ",
        "AND",
        "OR",
        "NOT",
        "-",
        "!",
        "*",
        "1",
        ">",
        "\\",
        "/",
        "é",
    ]
)


@given(st.one_of(st.text(max_size=40), st.lists(PARTS, max_size=12).map("".join)))
def test_any_text_is_a_query_or_says_why_not(typed: str) -> None:
    with suppress(QueryError):
        assert len(query(typed)) == 1


def test_what_is_asked() -> None:
    body = search.request(search.Wanted("logs-lab-*", "timeout", "2h", "chat", "app1", 50))
    assert body["query"]["bool"]["filter"] == [
        {"range": {"@timestamp": {"gte": "now-7200s"}}}, {"term": {"app": "chat"}}, {"term": {"host": "app1"}},
        text("timeout"),
    ]  # fmt: skip
    assert body["size"] == 50
    for wrong in (search.Wanted("i", limit=0), search.Wanted("i", limit=10001), search.Wanted("i", since="a while")):
        with pytest.raises(ValueError, match=r"limit is|is no duration"):
            search.request(wrong)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"host": "app1", "app": "chat", "service": "api", "level": "error", "message": "no answer"},
         "app1  chat/api  error  no answer"),
        ({"host": "app1", "source": "system", "message": "up"}, "app1  system  -  up"),
        ({"message": "Traceback\n  File x\n"}, "-  -  -  Traceback\n      File x"),
        ({"host": "h", "app": "a", "message": "m", "reason": "no number"}, "h  a  refused  m [no number]"),
        ({"message": "a\x1b[2J\x00\x9b", "host": "h\ni"}, "h i  -  -  a\\x1b[2J\\x00\\x9b"),
    ],
)  # fmt: skip
def test_a_line_reads_well(document: dict[str, Any], expected: str) -> None:
    assert search.line(document, 1769860800123) == f"2026-01-31 12:00:00.123  {expected}"


class Fake(Elasticsearch):
    def ask(self, method: str, path: str, body: Any = None) -> Any:
        found = ANSWERS[self.url].pop(0)
        if isinstance(found, ElasticsearchError):
            raise found
        return found


ANSWERS: dict[str, list[Any]] = {}


def test_the_newest_are_last() -> None:
    hits = [{"_source": {"message": f"m{number}"}, "sort": [number, 0]} for number in (2, 1)]
    ANSWERS["a"] = [{"_shards": {}, "hits": {"total": {"value": 7}, "hits": hits}}]
    found = search.search(Fake("a"), search.Wanted("i"))
    assert [shown[-2:] for shown in found.lines] == ["m1", "m2"]
    assert found.total == 7


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"_shards": {"failed": 1, "failures": [{"reason": {"reason": "no copy"}}]}}, "was searched: no copy"),
        ({"_shards": {"failed": 1}}, "was searched: parts of it have no node now"),
        ({"timed_out": True}, "more than 30 s"),
    ],
)
def test_half_an_answer_is_none(answer: dict[str, Any], expected: str) -> None:
    ANSWERS["a"] = [answer]
    with pytest.raises(ElasticsearchError, match=expected):
        search.search(Fake("a"), search.Wanted("i"))


CLUSTER = {"version": "8.15.0", "passwords": {"shipper": "s"}}


@pytest.mark.parametrize(
    ("logging", "expected"),
    [
        ({"elasticsearch": CLUSTER, "outputs": {"elasticsearch": {}}}, ""),
        ({"elasticsearch": CLUSTER, "outputs": {"loki": {"urls": ["u"]}}}, "sends no lines to"),
        ({"outputs": {"loki": {"urls": ["u"]}}}, "Loki is the only output"),
        ({"outputs": {"mine": {"type": "loki", "urls": ["u"]}}}, "Loki is the only output"),
        ({"outputs": {"elasticsearch": {"urls": ["u"]}}}, "servers of somebody else"),
        ({}, "no lines are kept"),
    ],
)
def test_where_lines_cannot_be_found(logging: dict[str, Any], expected: str) -> None:
    found = search.unsearchable({"logging": logging})
    assert expected in found if expected else found == ""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "journal"}, True), ({"type": "journal", "groups": ["web"]}, True),
        ({"type": "journal", "groups": ["db"]}, False), ({"type": "journal", "units": ["a.service"]}, False),
        ({"type": "file", "path": "/x"}, False),
    ],
)  # fmt: skip
def test_hosts_whose_journal_is_shipped(source: dict[str, Any], expected: bool) -> None:
    groups = {"all": ["w1", "d1"], "web": ["w1"], "db": ["d1"]}
    logging = {"elasticsearch": CLUSTER, "outputs": {"elasticsearch": {}}, "sources": {"system": source}}
    assert arrival.verifiable({"logging": logging}, "w1", groups) is expected
    assert not arrival.verifiable({"logging": {**logging, "outputs": {"loki": {}}}}, "w1", groups)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([{"count": 0}, {"count": 1}], [], ""),
        ([ElasticsearchError("away")] * 2, [{"count": 0}, {"count": 1}], ""),
        ([{"count": 0}] * 3, [], "the line is not in logs-lab-*"),
        ([ElasticsearchError("away")] * 3, [ElasticsearchError("gone")] * 3, "gone"),
    ],
)
def test_a_line_arrives(first: list[Any], second: list[Any], expected: str) -> None:
    ANSWERS.update(a=list(first), b=list(second))
    written: list[str] = []
    now = iter(range(100))
    wait = Patience(2, clock=lambda: next(now), sleep=lambda _seconds: None)
    wrong = arrival.arrives([Fake("a"), Fake("b")], "logs-lab-*", "app1", "mark", written.append, wait)
    assert wrong == expected
    assert written == ["devops.platform verifies that logs arrive: mark"]
