# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether chance explains that one group of numbers is larger than another: the Mann-Whitney U test, one-sided.

It compares ranks: a single wild value counts as one value, and no distribution is assumed. What it does assume is that
values are independent. Values of overlapping windows are not: `rate(x[60s])` every 5 s says everything twelve times
over, and a chance difference looks like a certain one. So the values that come here are those of slices of the window
that do not overlap, with @window as long as a slice (`watch.slices`).

What slices cannot mend are hosts that differ by themselves: each of their values differs. Against that stands the least
ratio that a difference must have to count (`Baseline.ratio`), not a stricter test.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

EXACT = 40  # up to this many values together all ways to deal them out are counted; beyond, the normal curve is close


def ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value, so that the shared ranks of equal values are whole numbers, too."""
    seen = 0
    rank = {}
    for value, number in sorted(Counter(values).items()):
        rank[value] = 2 * seen + number + 1
        seen += number
    return [rank[value] for value in values]


def least_p(first: int, second: int) -> float:
    """The smallest p that two groups of these sizes can give: one of all ways to deal the values out."""
    return 1 / math.comb(first + second, first)


def mann_whitney(larger: Sequence[float], smaller: Sequence[float]) -> float:
    """How likely chance alone makes `larger` rank at least as high above `smaller` as it does.

    Exact where there are few values, with ties as well (the distribution given the ties); otherwise by the normal
    approximation, with corrections for ties and for continuity.
    """
    if not larger or not smaller:
        return 1.0
    every = ranks([*larger, *smaller])
    observed = sum(every[: len(larger)])
    if len(every) <= EXACT:
        return _exact(every, len(larger), observed)
    return _approximate(every, len(larger), observed)


def _exact(every: Sequence[int], taken: int, observed: int) -> float:
    """The share of all choices of `taken` ranks whose sum is at least `observed`."""
    # ways[n][s]: how many choices of n of the ranks so far have the sum s
    ways: list[Counter[int]] = [Counter({0: 1}), *(Counter() for _ in range(taken))]
    for rank in every:
        for number in range(taken, 0, -1):
            for total, count in ways[number - 1].items():
                ways[number][total + rank] += count
    reached = sum(count for total, count in ways[taken].items() if total >= observed)
    return reached / math.comb(len(every), taken)


def _approximate(every: Sequence[int], taken: int, observed: int) -> float:
    total, left = len(every), len(every) - taken
    ties = sum(number**3 - number for number in Counter(every).values())
    variance = taken * left / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:  # all are equal
        return 1.0
    above = observed / 2 - taken * (total + 1) / 2 - 0.5
    return 0.5 * math.erfc(above / math.sqrt(2 * variance))
