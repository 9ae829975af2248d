"""What preflight says of platform.rollout, each with its whole message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.tests.unit.platform import example

GATE = """\
  rollout:
    waves: [1, "50%"]
    gate:
      objectives:
        - {name: up, query: 'min(up{@hosts})', comparison: ">=", threshold: 1, targets: [chat]}
  secrets:
    backend"""
WITH_GATE = ("  secrets:\n    backend", GATE)


def case(title: str, edits: list[tuple[str, str]], expected: list[str]) -> Any:
    return pytest.param(edits, expected, id=title)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        case("right", [], []),
        case("a number", [('"50%"', "50")], []),
        case("no share", [('"50%"', '"half"')], ["platform.rollout.waves[1]: 'half' is not"]),
        case("unknown target", [("[chat]", "[chatt]")], ["objectives[0].targets[0]: 'chatt' is nothing that can be"]),
        case("not kept", [('comparison: ">="', "comparison: good")], ["platform.rollout.gate.objectives[0]: "]),
    ],
)
def test_each_mistake_is_told_with_its_place(tmp_path: Path, edits: list[tuple[str, str]], expected: list[str]) -> None:
    found = example.problems(tmp_path, WITH_GATE, *edits)
    assert len(found) == len(expected), found
    for problem, words in zip(found, expected, strict=True):
        assert words in problem


def test_a_gate_needs_somebody_to_ask(tmp_path: Path) -> None:
    start, end = example.TEXT.index("    prometheus: {"), example.TEXT.index("    alertmanager: {")
    [problem] = example.problems(tmp_path, (example.TEXT[start:end], ""), WITH_GATE)
    assert "platform.rollout.gate: asks Prometheus, and there is none" in problem


@pytest.mark.parametrize("size", ["0", "-1", '"0%"', '"101%"', '"10"', "ten", '""', "null", "true", "1.5"])
def test_a_wrong_size_is_told_with_what_is_right(tmp_path: Path, size: str) -> None:
    [problem] = example.problems(tmp_path, WITH_GATE, ('"50%"', size))
    assert "platform.rollout.waves[1]" in problem
    assert any(right in problem for right in ("10%", "at least 1", "must be a whole number or text"))


@pytest.mark.parametrize("size", ["1", "12", '"1%"', '"100%"'])
def test_a_right_size_is_no_problem(tmp_path: Path, size: str) -> None:
    assert example.problems(tmp_path, WITH_GATE, ('"50%"', size)) == []
