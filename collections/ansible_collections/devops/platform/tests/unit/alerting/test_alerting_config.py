"""What platform.monitoring.alerting becomes: receivers, routes, quiet hours, inhibition, and no secret anywhere."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.alerting import config, quiet, receivers
from ansible_collections.devops.platform.plugins.module_utils.alerting.settings import SEVERITIES, Quiet, Settings
from ansible_collections.devops.platform.plugins.module_utils.platform.checks import alerting as checks
from ansible_collections.devops.platform.plugins.module_utils.platform.checks.context import Context
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.tests.unit.alerting import documented
from ansible_collections.devops.platform.tests.unit.alerting.any_alerting import ALERTING, CLOCK, TEAMS, errors
from ansible_collections.devops.platform.tests.unit.alerting.walk import leaves, matches, told
from ansible_collections.devops.platform.tests.unit.platform import example


def made(**alerting: Any) -> dict[str, Any]:
    return config.alertmanager_config(documented.platform({**documented.alerting(), **alerting}))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"severity": "high", "team": "ops"}, ["pager", "ops-mail"]),
        ({"severity": "high", "team": "data"}, ["pager", "ops-mail"]),
        ({"severity": "high"}, ["pager", "ops-mail"]),
        ({"severity": "medium", "team": "ops"}, ["ops-slack"]),
        ({"severity": "medium", "team": "data"}, ["data-slack"]),
        ({"severity": "low", "team": "data"}, ["data-slack"]),
        ({"severity": "low", "team": "ops"}, ["ops-slack"]),
        ({"severity": "hihg"}, ["pager", "ops-mail"]),
        ({}, ["pager", "ops-mail"]),
        ({"severity": "none", "alertname": "Watchdog"}, ["deadman"]),
        ({"severity": "none", "alertname": "Other"}, ["nobody"]),
    ],
)
def test_who_is_told(labels, expected):
    assert told(made(), **labels) == expected
    assert told(made(), **labels, app="chat") == expected


def test_without_alerting_nobody_is_told():
    alone = config.alertmanager_config(example.data())
    assert [each["name"] for each in alone["receivers"]] == ["nobody"]
    for severity in (*SEVERITIES, "none", ""):
        assert told(alone, severity=severity) == ["nobody"]
    assert told(alone, alertname="Watchdog") == ["nobody"]


def test_a_route_that_goes_on_tells_the_next_ones_too():
    routes = [{"receivers": ["ops-mail"], "continue": True}, {"severity": "high", "receivers": ["pager"]}]
    assert told(made(routes=routes), severity="high") == ["ops-mail", "pager"]
    assert told(made(routes=routes), severity="low") == ["ops-mail", "ops-slack"]


def test_several_teams_are_one_matcher():
    routes = [{"team": ["data", "web"], "receivers": ["ops-mail"]}]
    for team, expected in (("data", "ops-mail"), ("web", "ops-mail"), ("dat", "ops-slack"), ("webs", "ops-slack")):
        assert told(made(routes=routes), severity="low", team=team) == [expected]


@pytest.mark.parametrize(
    ("labels", "times"),
    [
        ({"severity": "high"}, ("10s", "1m", "1h")),
        ({"severity": "medium"}, ("45s", "5m", "4h")),
        ({"severity": "low"}, ("2m", "15m", "3d")),
        ({"severity": "low", "team": "data", "app": "chat"}, ("2m", "15m", "1d")),
        ({"alertname": "Watchdog"}, ("0s", "1m", "30000ms")),
    ],
)
def test_when_they_are_told(labels, times):
    for node in leaves(made()["route"], labels, {}):
        assert tuple(node[name] for name in ("group_wait", "group_interval", "repeat_interval")) == times


@pytest.mark.parametrize(
    ("changed", "labels", "expected"),
    [
        ({}, {"host": "app1"}, ["alertname", "team", "host"]),
        ({}, {"host": "app1", "app": "chat"}, ["alertname", "team", "app"]),
        ({"group_by": ["alertname"]}, {"host": "app1", "app": "chat"}, ["alertname"]),
    ],
)
def test_what_shares_a_message(changed, labels, expected):
    for severity in SEVERITIES:
        for node in leaves(made(**changed)["route"], {"severity": severity, **labels}, {}):
            assert node["group_by"] == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"severity": "high"}, []),
        ({"severity": "medium"}, ["nights"]),
        ({"severity": "low"}, ["nights", "weekends"]),
        ({"severity": "low", "team": "data", "app": "chat"}, ["nights", "weekends"]),
        ({"alertname": "Watchdog", "severity": "none"}, []),
    ],
)
def test_what_quiet_hours_keep_back(labels, expected):
    assert [node["mute_time_intervals"] for node in leaves(made()["route"], labels, {})] == [expected] * len(
        told(made(), **labels)
    )


def test_high_is_muted_where_that_is_said():
    asked = made(quiet_hours={"drill": {"times": ["08:00-09:00"], "mutes": ["high"]}})
    assert [node["mute_time_intervals"] for node in leaves(asked["route"], {"severity": "high"}, {})] == [["drill"]] * 2


@pytest.mark.parametrize(
    ("times", "weekdays", "expected"),
    [
        (["09:00-17:00"], [], [("09:00", "17:00", None)]),
        (["22:00-07:00"], [], [("22:00", "24:00", None), ("00:00", "07:00", None)]),
        (
            ["22:00-07:00"],
            ["friday", "sunday"],
            [("22:00", "24:00", ["friday", "sunday"]), ("00:00", "07:00", ["saturday", "monday"])],
        ),
        (["22:00-00:00"], ["monday"], [("22:00", "24:00", ["monday"])]),
        (["22:00-24:00"], ["monday"], [("22:00", "24:00", ["monday"])]),
        ([], ["saturday"], [(None, None, ["saturday"])]),
    ],
)
def test_spans_over_midnight_are_two(times, weekdays, expected):
    found = quiet.spans(Quiet("q", tuple(times), tuple(weekdays), "Europe/Rome", ("low",)))
    assert all(span["location"] == "Europe/Rome" for span in found)
    shown = []
    for span in found:
        [limits] = span.get("times", [{"start_time": None, "end_time": None}])
        shown.append((limits["start_time"], limits["end_time"], span.get("weekdays")))
    assert shown == expected


@given(CLOCK, CLOCK, st.sets(st.sampled_from(quiet.WEEKDAYS)), st.integers(0, 6), CLOCK)
def test_every_minute_is_quiet_that_should_be(start, end, weekdays, day, minute):
    """A span begins on one of its days and ends within 24 hours; Alertmanager's spans cover the same minutes."""
    if start == end:
        return
    days = weekdays or set(quiet.WEEKDAYS)
    today, yesterday = quiet.WEEKDAYS[day], quiet.WEEKDAYS[day - 1]
    if start < end:
        wanted = today in days and start <= minute < end
    else:
        wanted = (today in days and minute >= start) or (yesterday in days and minute < end)
    spans = quiet.spans(Quiet("q", (f"{start}-{end}",), tuple(weekdays), "Etc/UTC", ("low",)))
    got = any(
        today in span.get("weekdays", quiet.WEEKDAYS)
        and any(limits["start_time"] <= minute < limits["end_time"] for limits in span["times"])
        for span in spans
    )
    assert got == wanted


@pytest.mark.parametrize(
    ("text", "length"), [("15s", 15), ("1h30m", 5400), ("1d", 86400), ("500ms", 0.5), ("0s", 0), ("2w1d", 1296000)]
)
def test_durations(text, length):
    assert quiet.seconds(text) == length


@pytest.mark.parametrize("text", ["", "30m1h", "5", "1h1h", "-1s", "1.5h"])
def test_durations_that_alertmanager_refuses(text):
    with pytest.raises(ValueError, match="is not a duration"):
        quiet.seconds(text)


RECEIVERS: dict[str, dict[str, Any]] = {
    "ops-slack": {
        "slack_configs": {
            "api_url_file": "/etc/alertmanager/secrets/slack_ops",
            "channel": "#ops",
            "send_resolved": True,
        }
    },
    "data-slack": {"slack_configs": {"api_url_file": "/etc/alertmanager/secrets/slack_data", "channel": None}},
    "ops-mail": {
        "email_configs": {
            "to": "ops@example.com, oncall@example.com",
            "smarthost": "smtp.example.com:587",
            "require_tls": True,
            "auth_username": "alerts",
            "auth_password_file": "/etc/alertmanager/secrets/smtp_password",
            "auth_password": None,
        }
    },
    "pager": {
        "sns_configs": {
            "sigv4": {
                "region": "eu-central-1",
                "access_key": {"secret": "aws_key_id"},
                "secret_key": {"secret": "aws_key"},
            },
            "phone_number": "+4930123456",
            "topic_arn": None,
        },
        "webhook_configs": {
            "url": "https://pager.example.com/alerts",
            "http_config": {
                "authorization": {"type": "Bearer", "credentials_file": "/etc/alertmanager/secrets/pager_token"}
            },
        },
    },
    "deadman": {"webhook_configs": {"url_file": "/etc/alertmanager/secrets/deadman_url", "send_resolved": False}},
}


@pytest.mark.parametrize("name", sorted(RECEIVERS))
def test_receivers(name):
    [found] = (each for each in made()["receivers"] if each["name"] == name)
    assert set(found) == {"name", *RECEIVERS[name]}
    for kind, expected in RECEIVERS[name].items():
        [entry] = found[kind]
        assert {key: entry.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("kinds", "key", "expected"),
    [
        ({"email": {"to": ["a@b"], "from": "c@d", "smarthost": "127.0.0.1:25", "tls": False}}, "require_tls", False),
        ({"email": {"to": ["a@b"], "from": "c@d", "smarthost": "127.0.0.1:25"}}, "auth_username", None),
        ({"sms": {"region": "r", "topic": "arn:x", "role": "arn:r"}}, "sigv4", {"region": "r", "role_arn": "arn:r"}),
        ({"sms": {"region": "r", "topic": "arn:x"}}, "topic_arn", "arn:x"),
        ({"sms": {"region": "r", "topic": "arn:x", "endpoint": "http://e"}}, "api_url", "http://e"),
        (
            {"webhook": {"url": "http://w", "user": "u", "password": "p"}},
            "http_config",
            {"basic_auth": {"username": "u", "password_file": "/f/p"}},
        ),
    ],
)
def test_further_forms_of_receivers(kinds, key, expected):
    found = receivers.receiver("r", kinds, "/f")
    [[entry]] = [value for name, value in found.items() if name != "name"]
    assert entry.get(key) == expected


def test_secrets_are_marks_until_the_file_is_written():
    platform = documented.platform()
    names = config.alertmanager_secrets(platform)
    assert names == sorted(documented.form()["secrets"]["names"])
    values = {name: f"value-of-{name}" for name in names}
    data = config.alertmanager_config(platform)
    assert "value-of" not in json.dumps(data)
    files = config.alertmanager_secret_files(data, values)
    assert sorted(files) == [name for name in names if name not in ("aws_key", "aws_key_id")]
    assert all(files[name] == values[name] for name in files)
    text = config.alertmanager_text(data, values)
    assert re.findall(r"value-of-\w+", text) == ["value-of-aws_key_id", "value-of-aws_key"]
    with pytest.raises(PlatformError, match="names the secret 'aws_key', which was not given"):
        config.alertmanager_text(data, {"aws_key_id": "x"})


def test_the_text_is_the_data():
    data = config.alertmanager_config(documented.platform())
    assert yaml.safe_load(
        config.alertmanager_text(data, {"aws_key_id": "i", "aws_key": "k"})
    ) == receivers.with_secrets(data, {"aws_key_id": "i", "aws_key": "k"})


# Inhibition

DOWN = {"alertname": "InstanceDown", "job": "node", "host": "app1", "severity": "high"}
DISK = {"alertname": "HostDiskHigh", "family": "disk", "host": "app1", "mountpoint": "/"}


def silent(alert: Mapping[str, str], *others: Mapping[str, str]) -> bool:
    """Alertmanager's rule: silent beside a source with equal labels, unless it is a source of that rule itself and so
    is the other a target of it."""
    for rule in config.inhibit_rules():
        if not matches(rule["target_matchers"], alert):
            continue
        both = matches(rule["source_matchers"], alert)
        for other in others:
            if (
                matches(rule["source_matchers"], other)
                and not (both and matches(rule["target_matchers"], other))
                and all(alert.get(name, "") == other.get(name, "") for name in rule["equal"])
            ):
                return True
    return False


@pytest.mark.parametrize(
    ("alert", "other", "expected"),
    [
        ({**DISK, "severity": "high"}, DOWN, True),
        ({**DISK, "severity": "low"}, {**DOWN, "host": "app2"}, False),
        ({"alertname": "ChatErrors", "app": "chat", "severity": "high"}, DOWN, False),
        (DOWN, DOWN, False),
        ({**DOWN, "alertname": "HostDown"}, DOWN, False),
        ({**DISK, "severity": "high"}, {**DOWN, "job": "redis"}, False),
        ({**DISK, "severity": "low"}, {**DISK, "severity": "high"}, True),
        ({**DISK, "severity": "low"}, {**DISK, "severity": "medium"}, True),
        ({**DISK, "severity": "medium"}, {**DISK, "severity": "high"}, True),
        ({**DISK, "severity": "medium"}, {**DISK, "severity": "low"}, False),
        ({**DISK, "severity": "high"}, {**DISK, "severity": "high"}, False),
        ({**DISK, "severity": "low"}, {**DISK, "severity": "high", "mountpoint": "/srv"}, False),
        ({**DISK, "severity": "low"}, {**DISK, "severity": "high", "host": "app2"}, False),
        ({**DISK, "severity": "low"}, {**DISK, "severity": "high", "family": "memory"}, False),
        ({**DISK, "severity": "low", "job": "a"}, {**DISK, "severity": "high", "job": "b"}, False),
        ({**DISK, "severity": "low", "window": "3d"}, {**DISK, "severity": "high", "window": "1h"}, True),
        ({"severity": "low", "host": "app1"}, {"severity": "high", "host": "app1"}, False),
        ({"alertname": "Watchdog", "severity": "none"}, DOWN, False),
    ],
)
def test_inhibition(alert, other, expected):
    assert silent(alert, other) is expected


# Whatever passes preflight's checks


def wanted(alerting: Mapping[str, Any], severity: str, team: str) -> list[str]:
    """Who is told by the words of platform.yml: one after the other, as a person reads them."""
    found: list[str] = []
    for route in Settings.of(documented.platform(dict(alerting))).routes:
        if severity in route.severities and (not route.teams or team in route.teams):
            found += route.receivers
            if not route.goes_on:
                return found
    takes_all = any(
        severity in (given.get("severity") or SEVERITIES) and not given.get("team") and not given.get("continue")
        for given in alerting["routes"]
    )
    return found if takes_all else [*found, *alerting.get("default", [])]


@given(ALERTING)
def test_every_severity_and_team_reaches_whom_the_file_names(alerting):
    assume(not errors(alerting))
    made = config.alertmanager_config(documented.platform(alerting))
    known = {each["name"] for each in made["receivers"]}
    for severity, team in itertools.product(SEVERITIES, ("", *TEAMS, "other")):
        for app in ("", "chat"):
            names = told(made, severity=severity, team=team, app=app, alertname="A")
            assert names == wanted(alerting, severity, team)
            assert names
            assert "nobody" not in names
            assert set(names) <= known


@given(ALERTING)
def test_what_a_check_calls_unreachable_is(alerting):
    """A route is unreachable where, were it the only one to tell `probe`, no alert would reach that."""
    found = {
        finding.path[3]
        for finding in checks.unreachable(
            Context(documented.platform(alerting), example.INVENTORY, documented.PAGE.parent)
        )
        if finding.path
    }
    for number, route in enumerate(alerting["routes"]):
        probing = {**alerting, "routes": [*alerting["routes"]]}
        probing["routes"][number] = {**route, "receivers": ["probe"]}
        probing["receivers"] = {**alerting["receivers"], "probe": {"webhook": {"url": "http://probe"}}}
        made = config.alertmanager_config(documented.platform(probing))
        alerts = itertools.product(SEVERITIES, ("", *TEAMS))
        reached = any("probe" in told(made, severity=severity, team=team) for severity, team in alerts)
        assert (number not in found) == reached
