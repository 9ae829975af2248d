# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a moment lies on the time axis: runs side by side, what lay between them cut short. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 6.0  # per cent of the width for the time between two runs
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400, 604800)


@dataclass(frozen=True)
class Run:
    """From when to when somebody was at work."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


class Scale:
    """Moments as per cent of the axis."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list(runs)
        gaps = len(self.runs) - 1
        self.gap = min(GAP, 40 / gaps) if gaps > 0 else 0.0
        whole = sum(run.seconds for run in self.runs) or 1.0
        self._rate = (100 - self.gap * max(0, gaps)) / whole

    def x(self, at: float) -> float:
        left = 0.0
        for run in self.runs:
            if at <= run.end or run is self.runs[-1]:
                return round(min(100.0, left + min(max(0.0, at - run.start), run.seconds) * self._rate), 3)
            left += run.seconds * self._rate + self.gap
        return 0.0

    def ticks(self, about: int = 8) -> list[float]:
        """Round moments, so that there are about so many."""
        whole = sum(run.seconds for run in self.runs)
        step = next((step for step in STEPS if whole / step <= about), STEPS[-1])
        found: list[float] = []
        for run in self.runs:
            at = (int(run.start) // step + 1) * step
            while at < run.end and len(found) < 200:
                found.append(float(at))
                at += step
        return found

    def breaks(self) -> list[tuple[float, float, float]]:
        """(from, width, seconds) of what was cut short."""
        pairs = zip(self.runs, self.runs[1:], strict=False)
        return [(self.x(one.end), self.gap, max(0.0, other.start - one.end)) for one, other in pairs]
