"""What an alert refers to is there, and what is written about alerts is of alerts that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.monitoring.harness import promtool as runner
from tests.monitoring.harness.cases import all_cases
from tests.monitoring.harness.promql import metrics
from tests.monitoring.harness.rules import ROOT, Rule, all_rules

DOCS = ROOT / "docs"
RUNBOOKS = sorted((DOCS / "runbooks").glob("*.md"))
ALERTS = [rule for rule in all_rules() if rule.is_alert]
SEVERITIES = {"high", "medium", "low"}
QUERY = re.compile(r"^    promtool query instant \S+ '(?P<query>[^']+)'", re.MULTILINE)
# What Prometheus writes into an annotation that it could not fill in.
ANNOTATIONS = re.compile(r"Annotations:\{(?P<texts>.*)\}")
UNFILLED = ("<error", "<no value>", "%!", "NaN")


def test_no_alert_without_a_runbook_and_none_without_an_alert() -> None:
    assert [path.stem for path in RUNBOOKS] == sorted({rule.labels["runbook"] for rule in ALERTS})


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_says_what_it_means_what_to_look_at_what_to_do_and_when_to_escalate(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^#+ (.+)$", text, re.MULTILINE)[1:] == ["Look", "Do", "Escalate"]
    for rule in ALERTS:
        if rule.labels["runbook"] == path.stem:
            assert f"`{rule.name}`" in text or rule.name in text.splitlines()[0], f"says nothing of {rule.name}"
    for target in re.findall(r"\]\(([^)]+\.md)\)", text):
        assert (path.parent / target).is_file(), f"{target} is not there"


def test_queries_in_runbooks_are_promql(promtool: str, tmp_path: Path) -> None:
    queries = [
        (path.stem, found["query"]) for path in RUNBOOKS for found in QUERY.finditer(path.read_text(encoding="utf-8"))
    ]
    assert len(queries) > 20
    rules = [{"record": f"query:{number}", "expr": query} for number, (_, query) in enumerate(queries)]
    run = runner.Run({"groups": [{"name": "runbooks", "rules": rules}]}, {"tests": []})
    [said] = runner.verdicts(promtool, [run], tmp_path)
    assert not said, said


@pytest.mark.parametrize("rule", ALERTS, ids=str)
def test_an_alert_says_who_should_look_how_soon_and_what_is_wrong(rule: Rule) -> None:
    assert set(rule.labels) >= {"severity", "team", "family", "runbook"}
    assert rule.labels["severity"] in SEVERITIES or rule.name == "Watchdog"
    annotations = rule.data["annotations"]
    assert set(annotations) == {"summary", "description"}
    assert all(text == text.strip() and len(text) < 250 for text in annotations.values())


def test_annotations_are_filled_in(promtool: str, tmp_path: Path) -> None:
    """Each as it reads when the alert fires in the first of its cases; all of them are left in build/alerts.txt."""
    cases = {case.rule.identity: case for case in reversed(all_cases()) if case.rule.is_alert and case.fires}
    assert len(cases) == len(ALERTS)
    runs = [runner.Run(case.rules(), case.asked_for_alerts()) for case in cases.values()]
    texts = {}
    for case, said in zip(cases.values(), runner.verdicts(promtool, runs, tmp_path), strict=True):
        found = ANNOTATIONS.search(said)
        assert found, f"{case.rule}: {said or 'does not fire'}"
        texts[str(case.rule)] = found["texts"]
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "alerts.txt").write_text("".join(f"{name}\n    {text}\n" for name, text in texts.items()))
    assert {name: text for name, text in texts.items() if any(mark in text for mark in UNFILLED)} == {}


def test_alerts_of_one_name_are_of_one_family_and_differ_in_severity() -> None:
    """What inhibits relies on it."""
    families: dict[str, set[str]] = {}
    for rule in ALERTS:
        if not rule.name.startswith("Slo"):
            families.setdefault(rule.name, set()).add(rule.labels["family"])
    assert {name: names for name, names in families.items() if len(names) > 1} == {}
    static = [(rule.name, rule.labels["severity"]) for rule in ALERTS if rule.file not in ("slos", "no_data")]
    assert len(static) == len(set(static))


def test_every_metric_of_a_rule_is_in_the_glossary() -> None:
    rows = re.findall(
        r"^\| `([a-zA-Z_:][a-zA-Z0-9_:]*)", (DOCS / "metrics.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    used = {name for rule in all_rules() for name in metrics(rule.expression)}
    # Names that hold a window stand there once, with the window left open.
    assert {re.sub(r"(?<=rate)\d+[mhd]$", "", name) if name.startswith("slo:") else name for name in used} <= set(rows)
    assert len(rows) == len(set(rows)), "a metric stands there twice"
