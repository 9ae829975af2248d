"""What platform.monitoring.alerting says: does every alert reach somebody, and an alert every route and receiver?"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Mapping

from ansible_collections.devops.platform.plugins.module_utils.alerting.config import NOBODY
from ansible_collections.devops.platform.plugins.module_utils.alerting.quiet import seconds
from ansible_collections.devops.platform.plugins.module_utils.alerting.settings import (
    SEVERITIES,
    TIMES,
    Route,
    Settings,
    quiet_of,
    routes_of,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .context import Check, Context, Finding

AT: KeyPath = ("monitoring", "alerting")
# Alertmanager forgets after this time what it has sent, and would send it again.
REMEMBERED = "5d"
LOOPBACK = ("127.", "localhost:", "[::1]:")
TEAM = re.compile(r"[A-Za-z0-9_-]+")


def alertmanager(context: Context) -> Iterator[Finding]:
    """Alerting without anybody to do it."""
    monitoring = context.section("monitoring")
    if "alerting" in monitoring and "alertmanager" not in monitoring and context.trusted("monitoring", "alertmanager"):
        text = "there is no Alertmanager to tell anybody; add platform.monitoring.alertmanager, or take this away"
        yield Finding(AT, text, at_key=True)


def references(context: Context) -> Iterator[tuple[KeyPath, str]]:
    """(path, receiver) of every use of a receiver."""
    for number, name in context.items(*map(str, AT), "default"):
        yield (*AT, "default", number), name
    for number, _route in routes_of(context.platform):
        listed = context.section(*map(str, AT)).get("routes") or ()
        for place, name in enumerate(listed[number].get("receivers") or ()):
            if name is not None:
                yield (*AT, "routes", number, "receivers", place), str(name)
    watchdog = context.section(*map(str, AT), "watchdog").get("receiver")
    if watchdog is not None:
        yield (*AT, "watchdog", "receiver"), str(watchdog)


def receivers(context: Context) -> Iterator[Finding]:
    """Receivers that are not there, and those that nobody names."""
    known = context.section(*map(str, AT), "receivers")
    if not context.trusted(*AT, "receivers"):
        return
    used = set()
    for path, name in references(context):
        used.add(name)
        if name not in known:
            yield Finding(path, f"there is no receiver '{name}'{did_you_mean(name, known)}")
    for name in known:
        if name == NOBODY:
            yield Finding((*AT, "receivers", name), "is the name of the receiver that tells nobody", at_key=True)
        elif name not in used and context.intact(*AT):
            text = "no route names this receiver, so it is never told; name it in one, or remove it"
            yield Finding((*AT, "receivers", str(name)), text, at_key=True, severity="warning")


def kinds(context: Context) -> Iterator[Finding]:
    """Keys of a receiver that belong together, or exclude each other."""
    declared = context.section(*map(str, AT), "receivers")
    for name in declared:
        path = (*AT, "receivers", str(name))
        sms = context.section(*map(str, path), "sms")
        webhook = context.section(*map(str, path), "webhook")
        mail = context.section(*map(str, path), "email")
        for kind, given, keys in (("sms", sms, ("topic", "phone")), ("webhook", webhook, ("url", "url_secret"))):
            found = [key for key in keys if key in given]
            if given and not found and context.trusted(*path, kind):
                text = f"lacks where messages go; give it one of {' and '.join(keys)}"
                yield Finding((*path, kind), text, at_key=True)
            elif len(found) > 1:
                yield Finding((*path, kind, found[1]), f"goes to {found[0]} already; keep one of them", at_key=True)
        if "bearer" in webhook and "user" in webhook:
            yield Finding((*path, "webhook", "user"), "it has a bearer token already; keep one of them", at_key=True)
        if mail.get("tls") is False and "user" in mail and not str(mail.get("smarthost")).startswith(LOOPBACK):
            text = "its password would be sent in the clear, and Alertmanager refuses to; leave TLS on"
            yield Finding((*path, "email", "tls"), text)


def names(context: Context) -> Iterator[Finding]:
    """Severities and teams of routes."""
    for number, route in routes_of(context.platform):
        path = (*AT, "routes", number)
        for severity in route.severities:
            if severity not in SEVERITIES:
                text = f"'{severity}' is no severity{did_you_mean(severity, SEVERITIES)}"
                yield Finding((*path, "severity"), text)
        for team in route.teams:
            if not TEAM.fullmatch(team):
                yield Finding((*path, "team"), f"'{team}' is no name of a team; use letters, digits, '-' and '_'")


def unreachable(context: Context) -> Iterator[Finding]:
    """Routes that no alert gets to, since earlier ones take all that would fit."""
    earlier: list[tuple[int, Route]] = []
    for number, route in routes_of(context.platform):
        if not context.intact(*AT, "routes"):
            return
        takers = {taker for severity in route.severities for taker in _takers(route, severity, earlier)}
        if None not in takers:
            lines = sorted({context.line((*AT, "routes", taker)) for taker in takers if taker is not None})
            where = ", ".join(map(str, lines))
            text = (
                f"no alert gets here: what fits is taken before, in line {where}; move it up, or set "
                f"continue: true there"
            )
            yield Finding((*AT, "routes", number), text)
        if not route.goes_on:
            earlier.append((number, route))


def _takers(route: Route, severity: str, earlier: list[tuple[int, Route]]) -> set[int | None]:
    """The earlier routes that take what fits `route` at `severity`; None among them where something is left."""
    fitting = [(number, taker) for number, taker in earlier if severity in taker.severities]
    teams: tuple[str | None, ...] = route.teams or (None,)
    return {
        next((number for number, taker in fitting if not taker.teams or (team and team in taker.teams)), None)
        for team in teams
    }


def severities(context: Context) -> Iterator[Finding]:
    """Severities of which nobody may be told."""
    settings = Settings.of(context.platform)
    if not settings.receivers or settings.default or not context.intact(*AT):
        return
    for severity in SEVERITIES:
        if not any(severity in route.severities and not route.teams for route in settings.routes):
            text = (
                f"an alert of severity {severity} may reach nobody; add default: [RECEIVER], or a route for "
                f"{severity} without a team"
            )
            yield Finding(AT, text, at_key=True)


def timing(context: Context) -> Iterator[Finding]:
    """Durations that Alertmanager refuses, or that would not do what they say."""
    settings = Settings.of(context.platform)
    for severity in SEVERITIES:
        path = (*AT, "timing", severity)
        given = context.section(*map(str, path))
        yield from _timing(path, given, settings.timing[severity])
    listed = context.section(*map(str, AT)).get("routes") or ()
    for number, route in routes_of(context.platform):
        given = listed[number].get("timing")
        for severity in route.severities:
            if isinstance(given, Mapping) and severity in SEVERITIES:
                whole = {**settings.timing[severity], **route.timing}
                found = list(_timing((*AT, "routes", number, "timing"), given, whole))
                yield from found
                if found:
                    break
    interval = context.section(*map(str, AT), "watchdog").get("interval")
    if interval is not None:
        yield from _duration((*AT, "watchdog", "interval"), str(interval))


def _timing(path: KeyPath, given: Mapping[str, object], whole: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with `given`; `whole` is what it amounts to with the defaults."""
    wrong = [
        finding
        for key in TIMES
        if given.get(key) is not None
        for finding in _duration((*path, key), str(given[key]), zero=key == "group_wait")
    ]
    yield from wrong
    if wrong or not given:
        return
    interval, repeat = whole["group_interval"], whole["repeat_interval"]
    if seconds(repeat) < seconds(interval):
        key = "repeat_interval" if given.get("repeat_interval") is not None else "group_interval"
        text = f"messages are repeated at group_interval ({interval}) only, and repeat_interval ({repeat}) is shorter"
        yield Finding((*path, key), text)


def _duration(path: KeyPath, text: str, zero: bool = False) -> Iterator[Finding]:
    try:
        length = seconds(text)
    except ValueError as error:
        yield Finding(path, str(error))
        return
    if not length and not zero:
        yield Finding(path, "must be longer than nothing")
    if length > seconds(REMEMBERED):
        yield Finding(path, f"is longer than {REMEMBERED}, after which Alertmanager forgets what it has sent")


def quiet_hours(context: Context) -> Iterator[Finding]:
    known = zoneinfo.available_timezones()
    for quiet in quiet_of(context.platform):
        path = (*AT, "quiet_hours", quiet.name)
        given = context.section(*map(str, path))
        if "timezone" in given and known and quiet.timezone not in known:
            text = f"there is no time zone '{quiet.timezone}'{did_you_mean(quiet.timezone, known)}"
            yield Finding((*path, "timezone"), text)
        if not quiet.times and not quiet.weekdays and context.intact(*path):
            text = "has neither times nor weekdays, so nobody would ever be told; add one of them"
            yield Finding(path, text, at_key=True)
        for number, span in enumerate(given.get("times") or ()):
            start, _, end = str(span or "").partition("-")
            if span is not None and start == end:
                text = f"'{span}' is no time at all; for whole days leave times out, and name weekdays"
                yield Finding((*path, "times", number), text)


CHECKS: tuple[Check, ...] = (
    alertmanager,
    receivers,
    kinds,
    names,
    unreachable,
    severities,
    timing,
    quiet_hours,
)
