"""What a suite's output says about its tests: the closing lines of pytest and Vitest, counted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)")
# `=== 2 failed, 3 passed, 1 skipped in 0.12s ===`, with -q without the rules, with -n `in 61.20s (0:01:01)`.
CLOSING = re.compile(r"^(?:=+ )?(?P<counts>\d+ [a-z]+(?:, \d+ [a-z]+)*) in [\d.]+s(?: \([\d:]+\))?(?: =+)?$")
# Vitest: `Tests  1 failed | 169 passed | 2 skipped (172)`.
VITEST = re.compile(r"^Tests +(?P<counts>\d+ [a-z]+(?: \| \d+ [a-z]+)*) \(\d+\)$")
PASSED = frozenset({"passed", "xfailed"})
FAILED = frozenset({"failed", "error", "errors", "xpassed"})
SKIPPED = frozenset({"skipped"})


@dataclass(frozen=True)
class Counts:
    """Tests of one suite or of many."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def plain_text(text: str) -> str:
    """Without colours and links."""
    return ANSI.sub("", text)


def count(lines: Iterable[str]) -> Counts:
    """Sum of all closing lines: a suite may run pytest more than once (Molecule does, a scenario each)."""
    total = Counts()
    for line in lines:
        text = plain_text(line).strip()
        closing = CLOSING.match(text) or VITEST.match(text)
        if closing is None:
            continue
        for part in re.split(r", | \| ", closing["counts"]):
            number, word = part.split()
            total += Counts(
                int(number) if word in PASSED else 0,
                int(number) if word in FAILED else 0,
                int(number) if word in SKIPPED else 0,
            )
    return total


def outcome(lines: Iterable[str], exit_code: int) -> Counts:
    """The counts of a suite that ended with ``exit_code``.

    A suite that counts nothing itself (a linter) is one test. One that fails although every counted test passed has
    failed as a whole: that counts as one more.
    """
    counts = count(lines)
    if exit_code == 0:
        return counts if counts != Counts() else Counts(passed=1)
    return counts if counts.failed else counts + Counts(failed=1)
