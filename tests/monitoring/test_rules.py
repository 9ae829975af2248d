"""Every rule does what its table says: on each side of its threshold, and of its `for`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.monitoring.harness import promtool as runner
from tests.monitoring.harness.cases import all_cases
from tests.monitoring.harness.rules import Rule, all_rules

ONE_SIDED = {"Watchdog"}  # it has no threshold


@pytest.mark.parametrize("rule", all_rules(), ids=str)
def test_each_rule_has_a_case_on_each_side(rule: Rule) -> None:
    cases = [case for case in all_cases() if case.rule is rule]
    assert any(case.fires for case in cases), "no case in which it fires; add one to tests/monitoring/cases"
    assert rule.name in ONE_SIDED or any(case.silent for case in cases), "no case in which it is silent"


def test_each_case_holds(promtool: str, tmp_path: Path) -> None:
    cases = all_cases()
    said = runner.verdicts(promtool, [runner.Run(case.rules(), case.content()) for case in cases], tmp_path)
    wrong = [f"{case.rule} ({case.rule.file}.yml):\n{text}" for case, text in zip(cases, said, strict=True) if text]
    assert not wrong, "\n\n".join(wrong)
