# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`platform.monitoring.alerting` as typed values, with every default. Pure.

Preflight reads files with mistakes through this too: what is absent is empty, and nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, section

SEVERITIES = ("high", "medium", "low")
# What waits longer is less urgent. A group waits `group_wait` for its first message, `group_interval` for news of it,
# and is told again every `repeat_interval` while nothing changes.
TIMING: Mapping[str, Mapping[str, str]] = {
    "high": {"group_wait": "10s", "group_interval": "1m", "repeat_interval": "1h"},
    "medium": {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"},
    "low": {"group_wait": "2m", "group_interval": "15m", "repeat_interval": "1d"},
}
TIMES = ("group_wait", "group_interval", "repeat_interval")
MUTED = ("medium", "low")  # by quiet hours that do not say
WATCHDOG_INTERVAL = "1m"


@dataclass(frozen=True)
class Route:
    """One entry of `routes`: alerts of `severities` and `teams` (none stands for any) go to all of `receivers`."""

    severities: tuple[str, ...]
    teams: tuple[str, ...]
    receivers: tuple[str, ...]
    timing: Mapping[str, str]
    goes_on: bool = False  # `continue`: later routes see the alert as well

    def takes_all(self, severity: str) -> bool:
        """Whether no alert of `severity` gets past it."""
        return severity in self.severities and not self.teams and not self.goes_on


@dataclass(frozen=True)
class Quiet:
    """One of `quiet_hours`: when alerts of the severities `mutes` are kept back. No times are whole days."""

    name: str
    times: tuple[str, ...]
    weekdays: tuple[str, ...]
    timezone: str
    mutes: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """`default` receives what no route takes; `watchdog` is the receiver of the dead man's switch, or empty."""

    receivers: Mapping[str, Data]
    routes: tuple[Route, ...]
    default: tuple[str, ...]
    timing: Mapping[str, Mapping[str, str]]
    group_by: tuple[str, ...]
    quiet: tuple[Quiet, ...]
    watchdog: str
    watchdog_interval: str

    @classmethod
    def of(cls, platform: Data) -> Settings:
        """The settings of a platform; those of one that says nothing about alerting tell nobody."""
        alerting = section(platform, "monitoring", "alerting")
        receivers = section(alerting, "receivers")
        timing = section(alerting, "timing")
        watchdog = section(alerting, "watchdog")
        return cls(
            receivers={str(name): section(receivers, name) for name in receivers},
            routes=tuple(route for _number, route in routes_of(platform)),
            default=texts(alerting.get("default")),
            timing={severity: {**TIMING[severity], **_timing(timing.get(severity))} for severity in SEVERITIES},
            group_by=texts(alerting.get("group_by")),
            quiet=tuple(quiet_of(platform)),
            watchdog=str(watchdog.get("receiver") or ""),
            watchdog_interval=str(watchdog.get("interval") or WATCHDOG_INTERVAL),
        )

    def muted_by(self, severity: str) -> list[str]:
        """Names of the quiet hours that keep `severity` back."""
        return [quiet.name for quiet in self.quiet if severity in quiet.mutes]


def routes_of(platform: Data) -> Iterator[tuple[int, Route]]:
    """Each route with its place in the list."""
    listed = section(platform, "monitoring", "alerting").get("routes")
    for number, given in enumerate(listed if isinstance(listed, (list, tuple)) else ()):
        if isinstance(given, Mapping):
            yield (
                number,
                Route(
                    severities=texts(given.get("severity")) or SEVERITIES,
                    teams=texts(given.get("team")),
                    receivers=texts(given.get("receivers")),
                    timing=_timing(given.get("timing")),
                    goes_on=given.get("continue") is True,
                ),
            )


def quiet_of(platform: Data) -> Iterator[Quiet]:
    """Each of the quiet hours; their time zone is the hosts', where they name none."""
    declared = section(platform, "monitoring", "alerting", "quiet_hours")
    default = str(section(platform, "hosts").get("timezone") or "Etc/UTC")
    for name in declared:
        given = section(declared, name)
        yield Quiet(
            name=str(name),
            times=texts(given.get("times")),
            weekdays=texts(given.get("weekdays")),
            timezone=str(given.get("timezone") or default),
            mutes=texts(given.get("mutes")) or MUTED,
        )


def texts(value: Any) -> tuple[str, ...]:
    """One text, or a list of them, as a tuple."""
    if value is None:
        return ()
    if isinstance(value, (list, tuple)):
        return tuple(str(item) for item in value if item is not None)
    return (str(value),)


def _timing(given: Any) -> dict[str, str]:
    known = given if isinstance(given, Mapping) else {}
    return {name: str(known[name]) for name in TIMES if known.get(name) is not None}
