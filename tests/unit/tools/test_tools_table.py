"""Tables and durations."""

from __future__ import annotations

import pytest

from tools.table import duration, markdown, plain


def test_columns_are_aligned():
    text = plain(("name", "n"), [("a", "1"), ("longer", "20")], right=frozenset({1}))
    assert text.splitlines() == ["name     n", "a        1", "longer  20"]


def test_a_markdown_table():
    text = markdown(("name", "n"), [("a|b", "1")], right=frozenset({1}))
    assert text.splitlines() == ["| name | n |", "| --- | ---: |", "| a\\|b | 1 |"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
