"""What preflight says of platform.slos and of the platform's own rule files, each with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.platform import positions, rules
from ansible_collections.devops.platform.tests.unit.platform import example

WITH_SLOS = ("  edge:\n", f"{example.SLOS}  edge:\n")
WITH_RULES = ("    targets:\n", "    rules: [own.yml]\n    targets:\n")
RULES = """\
groups:
  - name: own
    rules:
      - {record: a:b, expr: sum(up)}
      - alert: A
        expr: up == 0
        for: 1m
        annotations: {summary: '{{ $labels.host }}'}
"""


def case(title: str, edits: list[tuple[str, str]], expected: list[str]) -> Any:
    return pytest.param(edits, expected, id=title)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        case("right", [], []),
        case("same name", [("name: latency", "name: answers")], ["slos[1].name: 'answers' is the name of another"]),
        case("name", [("name: latency", "name: La")], ["slos[1].name: 'La' is not a name of small letters"]),
        case("too good", [("objective: 95", "objective: 100")], ["slos[1].objective: 100 is out of range"]),
        case("text", [("objective: 95", 'objective: "95"')], ["slos[1].objective: is text; it must be a number"]),
        case("low", [("objective: 95", "objective: 80")], ["warning: platform.slos[1].objective: is so low"]),
        case("window", [("window: 7d", "window: 6d")], ["slos[1].window: is 6d; an objective is for a period"]),
        case("no window", [("window: 7d", "window: week")], ["slos[1].window: 'week' is not a duration"]),
        case("retention", [("window: 14d", "window: 30d")], ["slos[0].window: is 30d, but Prometheus keeps 15d only"]),
        case(
            "scrapes", [("interval: 15s", "interval: 20s")], ["slos[1].window: is so short that its alerts look at 1m"]
        ),
        case(
            "lonely", [("        total: sum(rate(http_requests_total[@window]))\n", "")], ["sli.errors: needs the key"]
        ),
        case("no @window", [("total[@window]", "total[5m]")], ["slos[0].sli.total: lacks @window"]),
        case("both", [("{histogram", "{errors: a@window, total: b@window, histogram")], ["slos[1].sli: gives errors"]),
        case("matchers", [("'app=\"chat\"'", "app")], ["slos[1].sli.matchers: are label matchers without braces"]),
        case("team", [("      team: web\n      runbook", "      runbook")], ["slos[1]: lacks the key 'team'"]),
    ],
)
def test_each_mistake_is_told_with_its_place(tmp_path: Path, edits: list[tuple[str, str]], expected: list[str]) -> None:
    found = example.problems(tmp_path, WITH_SLOS, *edits)
    assert len(found) == len(expected), found
    for problem, words in zip(found, expected, strict=True):
        assert words in problem


@pytest.mark.parametrize(("edit", "place"), [(WITH_SLOS, "platform.slos"), (WITH_RULES, "platform.monitoring.rules")])
def test_objectives_and_rules_need_somebody_to_evaluate_them(tmp_path: Path, edit: tuple[str, str], place: str) -> None:
    (tmp_path / "own.yml").write_text(RULES, encoding="utf-8")
    start, end = example.TEXT.index("    prometheus: {"), example.TEXT.index("    alertmanager: {")
    [problem] = example.problems(tmp_path, (example.TEXT[start:end], ""), edit)
    assert f"{place}: is for Prometheus, and there is none" in problem


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        case("right", [], []),
        case("not YAML", [("- name: own", "- name: [own")], ["own.yml:3:10: error: not YAML"]),
        case("no mapping", [(RULES, "[]")], ["own.yml:1:1: error: is a list; it must be a mapping"]),
        case("key", [("expr: up", "exp: up")], ["own.yml:6:9: error: groups[0].rules[1].exp: unknown key"]),
        case("no name", [("  - name: own\n    rules", "  - rules")], ["own.yml:2:5: error: groups[0]: lacks the key"]),
        case("duration", [("for: 1m", "for: 1")], ["own.yml:7:14: error: groups[0].rules[1].for: is a number"]),
        case("both", [("record: a:b", "record: a:b, alert: B")], ["groups[0].rules[0]: is both an alert and a record"]),
        case("neither", [("record: a:b, ", "")], ["groups[0].rules[0]: is neither an alert nor a record"]),
        case("for", [("record: a:b", "record: a:b, for: 1m")], ["own.yml:4:23: error: groups[0].rules[0].for: is for"]),
        case("metric", [("record: a:b", "record: a-b")], ["rules[0].record: 'a-b' is not the name of a metric"]),
        case("label", [("summary:", "1st:")], ["annotations.1st: '1st' is not a label, such as severity"]),
        case(
            "same group",
            [(RULES, f"{RULES}  - {{name: own, rules: []}}\n")],
            ["own.yml:9:12: error: groups[1].name: 'own' is the name of another group already (line 2)"],
        ),
    ],
)
def test_a_broken_rule_file_is_told_with_its_line(
    tmp_path: Path, edits: list[tuple[str, str]], expected: list[str]
) -> None:
    text = RULES
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "own.yml").write_text(text, encoding="utf-8")
    found = example.problems(tmp_path, WITH_RULES)
    assert len(found) == len(expected), found
    for problem, words in zip(found, expected, strict=True):
        assert words in problem


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ("[none.yml]", "platform.monitoring.rules[0]: no such file none.yml: make it"),
        ('["my own.yml"]', "platform.monitoring.rules[0]: 'my own' is no name for a file on a host; use letters"),
        ("[hosts.yml]", "platform.monitoring.rules[0]: the platform has a rule file hosts.yml already"),
        ("[slos.yml]", "the platform has a rule file slos.yml already"),
        ("[own.yml, a/own.yml]", "platform.monitoring.rules[1]: own.yml has a rule file own.yml already"),
    ],
)
def test_names_of_rule_files_are_free(tmp_path: Path, files: str, words: str) -> None:
    (tmp_path / "a").mkdir()
    for name in ("own.yml", "my own.yml", "a/own.yml", "hosts.yml", "slos.yml"):
        (tmp_path / name).write_text(RULES, encoding="utf-8")
    [problem] = example.problems(tmp_path, (WITH_RULES[0], WITH_RULES[1].replace("[own.yml]", files)))
    assert words in problem


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
KEYS = st.sampled_from(["groups", "name", "rules", "alert", "record", "expr", "for", "labels", "annotations", "x"])
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))


@given(ANYTHING | st.fixed_dictionaries({"groups": st.lists(st.fixed_dictionaries({"rules": ANYTHING}), max_size=3)}))
def test_whatever_a_rule_file_holds_it_is_judged(content: Any) -> None:
    document = positions.parse(json.dumps(content), "own.yml")
    rules.check_rules(document)
    assert document.problems or set(content) == {"groups"}


@given(st.text(max_size=100))
def test_whatever_text_it_is_it_is_judged(text: str) -> None:
    document = positions.parse(text, "own.yml")
    rules.check_rules(document)
    assert document.problems
