"""The tables are good enough: every change of a threshold, comparison, operator, duration or wait makes a case fail."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.monitoring.harness import promtool as runner
from tests.monitoring.harness.cases import all_cases
from tests.monitoring.harness.mutants import Mutant, Verdict, mutants, report, step_of, summary
from tests.monitoring.harness.rules import ROOT, all_rules

EQUIVALENT = Path(__file__).parent / "equivalent.yml"
REPORT = ROOT / "build" / "rule-mutants.txt"


@pytest.mark.timeout(600)
def test_every_mutant_dies(promtool: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reasons = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8"))
    runs: list[tuple[Mutant, runner.Run]] = []
    for rule in all_rules():
        cases = [case for case in all_cases() if case.rule is rule]
        for mutant in mutants(rule, step_of(cases)):
            runs += [(mutant, runner.Run(case.rules(mutant.data), case.content())) for case in cases]
    said = runner.verdicts(promtool, [run for _mutant, run in runs], tmp_path)

    broken = [f"{mutant}: {text}" for (mutant, _run), text in zip(runs, said, strict=True) if runner.is_broken(text)]
    assert not broken, "what promtool cannot read is no test of the tables:\n" + "\n".join(broken)
    killed: dict[str, bool] = {}
    kinds: dict[str, str] = {}
    for (mutant, _run), text in zip(runs, said, strict=True):
        killed[str(mutant)] = killed.get(str(mutant), False) or bool(text)
        kinds[str(mutant)] = mutant.kind
    verdicts = {
        name: Verdict(kinds[name], "dead" if dead else "equivalent" if name in reasons else "alive")
        for name, dead in killed.items()
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report(verdicts), encoding="utf-8")
    with capsys.disabled():
        print("\n" + "\n".join(summary(verdicts.values())))

    alive = [name for name, verdict in verdicts.items() if verdict.said == "alive"]
    assert not alive, "no case fails, so the tables have a hole:\n" + "\n".join(alive)
    needless = set(reasons) - {name for name, verdict in verdicts.items() if verdict.said == "equivalent"}
    assert not needless, f"no longer equivalent, or no longer there: {sorted(needless)}"
