# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Durations, and quiet hours as Alertmanager's time intervals. Pure."""

from __future__ import annotations

import re
from typing import Any

from .settings import Quiet

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Go's parser wants the units in this order, each once; seconds of each.
UNITS = {"y": 31_536_000.0, "w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
DURATION = re.compile("".join(rf"(?:(?P<{unit}>[0-9]+){unit})?" for unit in UNITS))


def seconds(duration: str) -> float:
    """The length of a duration such as 1h30m. ValueError for one that Alertmanager would refuse."""
    matched = DURATION.fullmatch(duration)
    if not duration or matched is None:
        raise ValueError(f"'{duration}' is not a duration; write units from long to short, such as 1h30m")
    return sum(int(number) * UNITS[unit] for unit, number in matched.groupdict().items() if number)


def spans(quiet: Quiet) -> list[dict[str, Any]]:
    """The `time_intervals` of quiet hours.

    Alertmanager knows no span over midnight: such a one becomes two. The weekdays are those on which it begins, so the
    part after midnight belongs to the days that follow.
    """
    if not quiet.times:
        return [_span(quiet, None, quiet.weekdays)]
    found = []
    for text in quiet.times:
        start, _, end = text.partition("-")
        if start < end:
            found.append(_span(quiet, (start, end), quiet.weekdays))
            continue
        found.append(_span(quiet, (start, "24:00"), quiet.weekdays))
        if end != "00:00":
            following = tuple(WEEKDAYS[(WEEKDAYS.index(day) + 1) % 7] for day in quiet.weekdays)
            found.append(_span(quiet, ("00:00", end), following))
    return found


def _span(quiet: Quiet, times: tuple[str, str] | None, weekdays: tuple[str, ...]) -> dict[str, Any]:
    span: dict[str, Any] = {}
    if times:
        span["times"] = [{"start_time": times[0], "end_time": times[1]}]
    if weekdays:
        span["weekdays"] = list(weekdays)
    return {**span, "location": quiet.timezone}
