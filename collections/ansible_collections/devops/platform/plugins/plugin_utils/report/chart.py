# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A gate's objective as a drawing: points of lines in a box, and the same in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.plugin_utils.report.words import count, moment, number

WIDTH, HEIGHT = 320, 120
LEFT, RIGHT, TOP, BOTTOM = 6, 6, 10, 18  # margins

Points = list[tuple[float, float]]


@dataclass
class Chart:
    """One objective. The lines are SVG's ``points``; ``threshold`` is a height, None where there is none."""

    name: str
    query: str
    verdict: str
    reason: str
    value: str
    comparison: str
    limit: str
    samples: int
    baseline: str
    ratio: str
    changed_line: str
    baseline_line: str
    threshold: float | None
    dots: Points
    top: str
    start: str
    end: str
    words: str


def chart(objective: Mapping[str, Any]) -> Chart:
    changed = _series(objective.get("series"))
    against = objective.get("baseline")
    compared: Mapping[str, Any] = against if isinstance(against, Mapping) else {}
    baseline = _series(compared.get("series"))
    limit = _finite(objective.get("threshold"))
    every = [*changed, *baseline]
    values = [value for _at, value in every] + ([limit] if limit is not None else [])
    low, high = min([0.0, *values]), max([0.0, *values]) or 1.0
    high += (high - low) * 0.08
    first, last = (min(at for at, _ in every), max(at for at, _ in every)) if every else (0.0, 1.0)

    def place(points: Points) -> Points:
        return [
            (
                round(LEFT + (at - first) / ((last - first) or 1) * (WIDTH - LEFT - RIGHT), 1),
                round(HEIGHT - BOTTOM - (value - low) / ((high - low) or 1) * (HEIGHT - TOP - BOTTOM), 1),
            )
            for at, value in points
        ]

    placed = place(changed)
    return Chart(
        name=str(objective.get("name") or "objective"),
        query=str(objective.get("query") or ""),
        verdict=str(objective.get("verdict") or "skipped"),
        reason=str(objective.get("reason") or ""),
        value=number(objective["value"]) if objective.get("value") is not None else "",
        comparison=str(objective.get("comparison") or ""),
        limit=number(objective["threshold"]) if objective.get("threshold") is not None else "",
        samples=int(_finite(objective.get("samples")) or 0),
        baseline=number(compared["value"]) if compared.get("value") is not None else "",
        ratio=number(compared["ratio"]) if compared.get("ratio") is not None else "",
        changed_line=_line(placed),
        baseline_line=_line(place(baseline)),
        threshold=place([(first, limit)])[0][1] if limit is not None and every else None,
        dots=placed[-1:] if len(placed) > 1 else placed,
        top=number(max(value for _at, value in every)) if every else "",
        start=moment(first, date=False) if every else "",
        end=moment(last, date=False) if every else "",
        words=_words(objective, changed, baseline, limit),
    )


def _words(objective: Mapping[str, Any], changed: Points, baseline: Points, limit: float | None) -> str:
    """What the drawing shows, for those who cannot see it."""
    if not changed:
        return "No samples to draw."
    values = [value for _at, value in changed]
    text = (
        f"Changed hosts: {count(len(values), 'sample')}, from {number(values[0])} to {number(values[-1])}, "
        f"lowest {number(min(values))}, highest {number(max(values))}."
    )
    if baseline:
        others = [value for _at, value in baseline]
        text += f" Hosts not changed yet: lowest {number(min(others))}, highest {number(max(others))}."
    if limit is not None:
        text += f" Threshold: {objective.get('comparison') or ''} {number(limit)}."
    return text


def _series(given: Any) -> Points:
    """What of a series can be drawn."""
    found = []
    for point in given if isinstance(given, list) else ():
        if isinstance(point, Sequence) and len(point) == 2:
            at, value = _finite(point[0]), _finite(point[1])
            if at is not None and value is not None:
                found.append((at, value))
    return sorted(found)


def _finite(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _line(points: Points) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
