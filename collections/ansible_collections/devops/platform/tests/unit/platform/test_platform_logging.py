"""What preflight says of platform.logging, each with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.tests.unit.platform import example

WITH_LOGGING = ("  edge:\n", f"{example.LOGGING}  edge:\n")


def case(title: str, edits: list[tuple[str, str]], expected: list[str]) -> Any:
    return pytest.param(edits, expected, id=title)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        case("right", [], []),
        case(
            "parser",
            [("parser: own,", "parser: owm,")],
            ["sources.own.parser: no such parser 'owm'; did you mean 'own'"],
        ),
        case(
            "group",
            [("groups: [app], path", "groups: [apps], path")],
            ["sources.own.groups[0]: the inventory has no group"],
        ),
        case("app", [("apps: [chat]", "apps: [shop]")], ["sources.chat.apps[0]: no such app"]),
        case("no path", [("path: /var/log/own.log, ", "")], ["sources.own: is a file, and lacks the key 'path'"]),
        case("path", [("parser: json}", "parser: json, path: /a}")], ["sources.chat.path: is of sources of type file"]),
        case("traces", [("parser: json}", "parser: json, multiline: go}")], ["rsyslog joins lines of files only"]),
        case(
            "start",
            [("multiline: java", "multiline: '(?=x)'")],
            ["sources.own.multiline: '(?=x' is not in the dialect"],
        ),
        case("regex", [("[0-9]+) (?<text>", "[0-9]++) (?<text>")], ["parsers.own.regex: '+' repeats nothing"]),
        case("twice", [("(?<text>", "(?<at>")], ["parsers.own.regex: the group 'at' stands twice"]),
        case("open", [("(?<text>.*)", "(?<text>.*")], ["parsers.own.regex: is no regular expression"]),
        case(
            "field",
            [("{size: integer}", "{sise: integer}")],
            ["parsers.own.fields.sise: no such group; did you mean 'size'"],
        ),
        case(
            "taken",
            [("(?<text>", "(?<host>"), ("{text: message}", "{}")],
            ["parsers.own: 'host' is what the platform says"],
        ),
        case("time", [("format: rfc3339", "format: '%Q'")], ["parsers.own.time.format: '%Q' is no token of a time"]),
        case("enrich", [("{team: web}", "{app: web}")], ["enrich.app: every line has its own"]),
        case("redaction", [("cards: false", "card: false")], ["redact.card: no such redaction; did you mean 'cards'"]),
        case("mask", [("mask: none", 'mask: "1"')], ["redact.badge.secret: fits the mask '1'"]),
        case("nothing", [('"[0-9]+", after', '"[0-9]*", after')], ["redact.badge.secret: fits nothing at all"]),
        case("names", [('"[0-9]+", after', '"(?<n>[0-9])", after')], ["redact.badge.secret: groups need no names"]),
        case(
            "secret",
            [("password: log_shipper", "password: log_shippr")],
            ["outputs.elasticsearch.password: no secret", "nothing uses"],
        ),
        case("server", [('urls: ["https://logs.example:9200"], ', "")], ["outputs.elasticsearch: has no server"]),
        case(
            "url",
            [("http://loki.example:3100", "loki.example:3100")],
            ["outputs.loki.urls[0]: 'loki.example:3100' is not a URL"],
        ),
        case("kind", [("loki: {type: loki,", "loki2: {")], ["outputs.loki2: lacks the key 'type'"]),
        case(
            "labels", [("user: shipper", "labels: [app]")], ["outputs.elasticsearch.labels: is of outputs of type loki"]
        ),
        case("spool", [("spool: 512MB", "spool: 5MB")], ["shipper.spool: 5MB holds a minute of lines"]),
        case("size", [("spool: 512MB", "spool: much")], ["shipper.spool: 'much' is not a size"]),
        case("version", [("backend: rsyslog", "backend: fluent_bit")], ["shipper: Fluent Bit comes from its makers"]),
        case(
            "rsyslog", [("backend: rsyslog", 'backend: rsyslog, version: "8.1"')], ["shipper.version: is of Fluent Bit"]
        ),
    ],
)
def test_each_mistake_is_told_with_its_place(tmp_path: Path, edits: list[tuple[str, str]], expected: list[str]) -> None:
    found = example.problems(tmp_path, WITH_LOGGING, example.LOGGING_SECRET, *edits)
    assert len(found) == len(expected), found
    for problem, words in zip(found, expected, strict=True):
        assert words in problem
