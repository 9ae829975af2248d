"""What is counted in the output of suites; the lines are recorded ones."""

from __future__ import annotations

import pytest

from tools.outcomes import Counts, count, outcome, plain_text

MOLECULE = """\
INFO     [base > verify] Executing Testinfra tests found in molecule/shared/tests/...
............................                                             [100%]
28 passed, 54 deselected in 6.63s
INFO     [base > verify] Verifier completed successfully.
"""
XDIST = """\
bringing up nodes...
........................................................................ [ 40%]
=========================== short test summary info ============================
SKIPPED [1] tests/unit/test_a.py:12: no Docker
1 failed, 175 passed, 1 skipped in 61.20s (0:01:01)
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Counts()),
        ("All checks passed!\n12 files already formatted", Counts()),
        ("3 passed in 0.12s", Counts(passed=3)),
        ("\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[32m170 passed\x1b[39m\x1b[22m\x1b[90m (170)\x1b[39m", Counts(170)),
        ("Tests  1 failed | 168 passed | 2 skipped | 1 todo (172)", Counts(168, 1, 2)),
        ("Test Files  9 passed (9)", Counts()),
        ("============ 2 failed, 3 passed, 1 skipped in 0.12s ============", Counts(3, 2, 1)),
        ("\x1b[31m\x1b[1m1 failed\x1b[0m, \x1b[32m2 passed\x1b[0m\x1b[31m in 1.05s\x1b[0m", Counts(2, 1)),
        ("1 passed, 2 xfailed, 1 xpassed, 3 errors, 4 warnings in 2.00s", Counts(passed=3, failed=4)),
        ("1 error in 0.05s", Counts(failed=1)),
        ("no tests ran in 0.01s", Counts()),
        (MOLECULE, Counts(passed=28)),
        (MOLECULE + MOLECULE, Counts(passed=56)),
        (XDIST, Counts(175, 1, 1)),
        ("the run said: 3 passed in 0.12s", Counts()),  # a sentence is no closing line
    ],
)
def test_closing_lines_are_counted(text, expected):
    assert count(text.splitlines()) == expected


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("All checks passed!", 0, Counts(passed=1)),  # a linter is one test
        ("Found 3 errors.", 1, Counts(failed=1)),
        ("3 passed in 0.1s", 0, Counts(passed=3)),
        ("1 failed, 2 passed in 0.1s", 1, Counts(2, 1)),
        ("3 passed in 0.1s", 1, Counts(3, 1)),  # failed as a whole, after tests that passed
        ("2 skipped in 0.1s", 0, Counts(skipped=2)),
    ],
)
def test_the_exit_code_has_the_last_word(text, code, expected):
    assert outcome(text.splitlines(), code) == expected


def test_counts_add_up_and_speak():
    total = Counts(1, 2, 3) + Counts(10, 20, 30)
    assert total == Counts(11, 22, 33)
    assert str(total) == "11 passed, 22 failed"


def test_colours_and_links_are_taken_out():
    assert plain_text("\x1b[1;31mno-free-form\x1b[0m \x1b]8;;https://x\x07here\x1b]8;;\x07") == "no-free-form here"
