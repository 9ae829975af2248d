"""The report as data and as a table."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.drift import compare, declared, report

PLATFORM = {"name": "chat", "environment": "lab"}


def finding(kind: str = "content", **more: str) -> dict[str, str]:
    return {"component": "edge", "kind": kind, "subject": "/etc/x", "was": "#1", "now": "#2", **more}


def outcome(*kinds: str, **more: Any) -> dict[str, Any]:
    return {"compared": 3, "notes": [], "findings": [report.complete("h1", finding(kind)) for kind in kinds], **more}


@pytest.mark.parametrize("kind", report.KINDS)
def test_every_kind_says_what_to_do(kind: str) -> None:
    told = report.complete("h1", finding(kind), "/c.yml")
    assert told["what"]
    assert told["todo"]
    assert "{" not in told["todo"]


def test_compare_and_report_know_the_same_kinds() -> None:
    tree = ast.parse(Path(compare.__file__).read_text())
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding"
    ]
    used = {call.args[1].value for call in calls if isinstance(call.args[1], ast.Constant)}
    assert used == set(report.KINDS)


@pytest.mark.parametrize(
    ("hosts", "words", "drift", "complete"),
    [
        ({"h1": outcome()}, "no drift on 1 host", False, True),
        ({"h1": outcome(), "h2": outcome()}, "no drift on 2 hosts", False, True),
        ({"h1": outcome("mode")}, "drift: 1 difference on 1 of 1 host", True, True),
        ({"h1": outcome("mode", "owner"), "h2": outcome()}, "drift: 2 differences on 1 of 2 hosts", True, True),
        ({"h1": outcome(), "h2": {"trouble": "asleep"}}, "no drift on 1 host; not examined: h2", False, False),
        ({"h1": {"trouble": "asleep"}}, "no drift on 0 hosts; not examined: h1", False, False),
    ],
)
def test_the_verdict(hosts: dict[str, Any], words: str, drift: bool, complete: bool) -> None:
    data = report.report(PLATFORM, "now", hosts)
    assert report.summary(data) == words
    assert (data["drift"], data["complete"]) == (drift, complete)
    assert data["format"] == 1
    assert json.loads(json.dumps(data)) == data


def test_the_table_has_a_line_a_finding_and_what_was_not_looked_at() -> None:
    hosts = {"h1": outcome("mode", notes=["no nft"]), "h2": {"trouble": "asleep"}}
    assert report.table(report.report(PLATFORM, "now", hosts)).splitlines() == [
        "host  component  what          path or unit  was -> is",
        "h1    edge       mode changed  /etc/x        #1 -> #2",
        "",
        "host  component  what to do",
        "h1    edge       ansible-playbook site.yml --limit h1 puts it back",
        "",
        "h1: no nft",
        "h2: not examined: asleep",
    ]


def test_what_puts_several_findings_right_is_told_once() -> None:
    hosts = {"h1": outcome("mode", "content", "owner", "not-reloaded")}
    told = report.table(report.report(PLATFORM, "now", hosts)).split("\n\n")[1].splitlines()
    assert told[1:] == [
        "h1    edge       ansible-playbook site.yml --limit h1 puts it back",
        "h1    edge       on the host: systemctl daemon-reload",
    ]


@given(st.text(max_size=60))
def test_a_clipped_value_keeps_both_ends(text: str) -> None:
    shown = report.clipped(text)
    assert shown == text or len(shown) == report.WIDEST < len(text)
    assert (shown[:10], shown[-10:]) == (text[:10], text[-10:])


def test_no_table_where_there_is_nothing() -> None:
    assert report.table(report.report(PLATFORM, "now", {"h1": outcome()})) == ""


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=1))
def test_columns_line_up(rows: list[tuple[str, str, str]]) -> None:
    lines = report.aligned(("a", "b", "c"), [tuple(cell.replace("\r", "") for cell in row) for row in rows])
    assert len(lines) == len(rows) + 1


def test_services_of_a_compose_file() -> None:
    content = """
services:
  page:
    image: img:1@sha256:0
    restart: unless-stopped
    environment: {A: 1, B: true, C: "$$x"}
    command: [run, "$$y"]
    deploy: {replicas: 2}
  task: {image: img, restart: "no", environment: [D=2], command: "go 'a b'"}
  asked: {image: img, restart: always, profiles: [task]}
"""
    found = declared.services_of({"compose": {"file": "/c"}, "files": [{"path": "/c", "content": content}]})
    assert found["page"]["environment"] == {"A": "1", "B": "true", "C": "$x"}
    assert found["page"]["command"] == ["run", "$y"]
    assert (found["page"]["replicas"], found["page"]["lasts"]) == (2, True)
    assert (found["task"]["command"], found["task"]["environment"]) == (["go", "a b"], {"D": "2"})
    assert [found[name]["lasts"] for name in ("task", "asked")] == [False, False]


def test_a_payload_holds_what_is_to_be_there() -> None:
    parts: list[dict[str, Any]] = [
        {"role": "base", "packages": ["a", "b"]},
        {"components": [{"name": "x"}, {"name": "y", "state": "absent"}]},
        {"role": "base", "packages": ["b", "c"]},
    ]
    sent = declared.payload(parts, True)
    assert [component["name"] for component in sent["components"]] == ["x"]
    assert sent["packages"] == {"base": ["a", "b", "c"]}
    assert sent["everything"]
