"""What follows of the capacity that was measured, and the generator that it is measured with."""

from __future__ import annotations

import urllib.request
from dataclasses import replace

import pytest

from tools.capacity.figures import MEMORY, SHARE, Capacity, Reading, document
from tools.capacity.generator import serving, variants

TEXT = b'# HELP a b\n# TYPE a counter\na 1\nb{c="d e"} 2.5e+06\nc NaN\n'
READING = Reading(
    hosts=100, up=100, series=100_000, samples=6_667, memory=200 << 20, processors=0.05, rules=0.01, missed=0
)


def capacity(**other: float) -> Capacity:
    return Capacity((READING, replace(READING, **other), READING))  # type: ignore[arg-type]


def test_what_is_used_up_first_decides() -> None:
    by_memory = SHARE * MEMORY / (2 << 20)
    assert (capacity().carried, capacity().narrow) == (int(float(f"{by_memory:.2g}")), "memory")
    busy = replace(READING, processors=0.6)
    assert (Capacity((busy,)).carried, Capacity((busy,)).narrow) == (200, "processors")


def test_one_reading_that_is_off_changes_nothing() -> None:
    assert capacity(memory=1 << 40).carried == capacity().carried
    assert capacity().memory_per_series == pytest.approx((200 << 20) / 100_000)


@pytest.mark.parametrize(
    ("readings", "words"),
    [
        ((READING,), []),
        ((READING, replace(READING, up=99)), ["only 99 of 100 hosts were scraped"]),
        ((READING, replace(READING, missed=1)), ["rule evaluations were left out"]),
    ],
)
def test_figures_of_a_server_that_did_not_keep_up_stand_for_nothing(
    readings: tuple[Reading, ...], words: list[str]
) -> None:
    found = Capacity(readings).wrong()
    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))


def test_the_page_has_a_row_a_run() -> None:
    page = document([capacity()], "15 s", "2 processors")
    assert "| 100 | 100,000 | 6,667 | 200 MiB | 2,097 | 0.05 | 10 ms |" in page
    assert 'count({job="..."})' in page
    assert max(map(len, page.splitlines())) <= 130


def test_variants_differ_in_values_alone() -> None:
    first, *others = variants(TEXT, 3)
    for other in others:
        assert other != first
        assert [line.rsplit(b" ", 1)[0] for line in other.splitlines()] == [
            line.rsplit(b" ", 1)[0] for line in TEXT.splitlines()
        ]
    assert variants(TEXT, 3) == [first, *others]


def test_the_generator_answers_every_path_with_the_next_text() -> None:
    with serving([b"one", b"two"]) as port:
        read = []
        for number in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{number}", timeout=10) as answer:
                read.append(answer.read())
    assert read == [b"one", b"two", b"one"]
