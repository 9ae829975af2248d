"""The Mann-Whitney U test, against published values, brute force, and what must hold of any such test."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.gate import statistics
from ansible_collections.devops.platform.plugins.module_utils.gate.statistics import least_p, mann_whitney, ranks

# Few different values, so that there are ties.
GROUP = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=6)
LARGE = st.lists(st.floats(0, 100, allow_subnormal=False), min_size=1, max_size=45)

# Hollander & Wolfe, permeability of membranes, as in the manual of R's wilcox.test: W = 35, p = 0.1272.
TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLY = [1.15, 0.88, 0.90, 0.74, 1.21]
# From the manual of scipy.stats.mannwhitneyu: U = 17 of 20; two-sided p = 0.1111 exactly, 0.11134688653 approximately.
MALES = [19.0, 22, 16, 29, 24]
FEMALES = [20.0, 11, 17, 12]


def test_published_exact_values():
    assert mann_whitney(TERM, EARLY) == pytest.approx(0.1272, abs=5e-5)
    assert 2 * mann_whitney(MALES, FEMALES) == pytest.approx(0.1111111111)


def test_a_published_approximate_value(monkeypatch):
    monkeypatch.setattr(statistics, "EXACT", 0)
    assert 2 * mann_whitney(MALES, FEMALES) == pytest.approx(0.11134688653314041)


def separated(size, u):
    """Two groups of `size` without ties whose U is `u` short of complete separation."""
    for chosen in itertools.combinations(range(2 * size), size):
        if sum(chosen) == sum(range(size, 2 * size)) - u:
            return [float(n) for n in chosen], [float(n) for n in range(2 * size) if n not in chosen]
    raise AssertionError


@pytest.mark.parametrize(("size", "critical"), [(4, 0), (5, 1), (6, 3), (7, 6), (8, 9)])
def test_critical_values_of_the_printed_tables(size, critical):
    """One-sided at 0.01 for 5 to 8; for 4 no U is significant at that, and U=0 is the least."""
    if size == 4:
        assert mann_whitney(*separated(4, 0)) == pytest.approx(1 / 70) == least_p(4, 4)
        return
    assert mann_whitney(*separated(size, critical)) <= 0.01 < mann_whitney(*separated(size, critical + 1))


def brute(larger, smaller):
    every = ranks([*larger, *smaller])
    sums = [sum(chosen) for chosen in itertools.combinations(every, len(larger))]
    return sum(total >= sum(every[: len(larger)]) for total in sums) / len(sums)


@given(GROUP, GROUP)
def test_exact_with_ties_is_what_counting_all_ways_gives(larger, smaller):
    assert mann_whitney(larger, smaller) == pytest.approx(brute(larger, smaller))


@given(LARGE, LARGE)
def test_it_is_a_probability(larger, smaller):
    assert 0 <= mann_whitney(larger, smaller) <= 1


@given(LARGE, LARGE)
def test_the_two_sides_overlap(larger, smaller):
    """What is observed is on both sides: together they are at least 1, and a mirror image is the other side."""
    p_value, other = mann_whitney(larger, smaller), mann_whitney(smaller, larger)
    assert p_value + other >= 1 - 1e-9
    mirrored = mann_whitney([-x for x in smaller], [-x for x in larger])
    assert mirrored == pytest.approx(p_value)


@given(LARGE, LARGE, st.floats(0, 50))
def test_the_larger_the_less_by_chance(larger, smaller, more):
    moved = [value + more for value in larger]
    assert mann_whitney(moved, smaller) <= mann_whitney(larger, smaller) + 0.02  # ties come and go in the approximation


@given(GROUP, GROUP, st.integers(0, 3))
def test_the_larger_the_less_by_chance_exactly(larger, smaller, more):
    """In ranks without ties it is monotone to the last digit."""
    first = [value + number / 100 for number, value in enumerate(larger)]
    second = [value + number / 100 + 0.001 for number, value in enumerate(smaller)]
    assert mann_whitney([value + more for value in first], second) <= mann_whitney(first, second) + 1e-12


@given(GROUP, GROUP)
def test_only_the_order_counts(larger, smaller):
    assert mann_whitney(larger, smaller) == mann_whitney([math.exp(x) for x in larger], [math.exp(x) for x in smaller])


@pytest.mark.parametrize("size", [15, 20])
def test_the_approximation_is_close_where_it_takes_over(size, monkeypatch):
    groups = [float(3 * n % 17) for n in range(size)], [float(5 * n % 13) for n in range(size)]
    exact = mann_whitney(*groups)
    monkeypatch.setattr(statistics, "EXACT", 0)
    assert mann_whitney(*groups) == pytest.approx(exact, abs=0.005)


@pytest.mark.parametrize(
    ("larger", "smaller", "p_value"),
    [([], [1.0], 1.0), ([1.0], [], 1.0), ([5.0] * 30, [5.0] * 30, 1.0), ([5.0] * 3, [5.0] * 3, 1.0)],
)
def test_where_nothing_can_be_said(larger, smaller, p_value):
    assert mann_whitney(larger, smaller) == p_value


def test_ranks_are_shared():
    assert ranks([3.0, 1.0, 3.0, 2.0]) == [7, 2, 7, 4]
