"""A real Alertmanager tells real servers: who gets what, when it is over, and what stays silent.

What must not come is shown by something that must, sent after it to the same receiver, or by what Alertmanager counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.monitoring.alerting.alertmanager import Alertmanager, eventually, free_port, running
from tests.monitoring.alerting.sinks import PHONE, REGION, Http, Mail, Sms, http_sink, mail_sink, part, sms_sink

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is on loopback

FAST = {"group_wait": "1s", "group_interval": "1s", "repeat_interval": "1h"}
DISK = {"alertname": "HostDiskHigh", "family": "disk", "runbook": "host-disk"}


def platform(alerting: Mapping[str, Any]) -> dict[str, Any]:
    timing = dict.fromkeys(("high", "medium", "low"), FAST)
    return {"monitoring": {"group": "monitoring", "alerting": {"timing": timing, **alerting}}}


def span(start: timedelta, end: timedelta) -> str:
    now = datetime.now(UTC)
    return f"{now + start:%H:%M}-{now + end:%H:%M}"


@dataclass
class World:
    alertmanager: Alertmanager
    http: Http
    mail: Mail
    sms: Sms


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One Alertmanager with a receiver of each kind."""
    with http_sink() as http, mail_sink(free_port()) as mail, sms_sink(free_port()) as sms:
        login = {"user": "alerts", "password": "smtp_password"}
        keys = {"access_key": "aws_key_id", "secret_key": "aws_key"}
        alerting = {
            "receivers": {
                "slack": {"slack": {"webhook": "slack_url", "channel": "#ops"}},
                "mail": {
                    "email": {
                        "to": ["ops@example.com", "oncall@example.com"],
                        "from": "alerts@example.com",
                        "smarthost": f"127.0.0.1:{mail.port}",
                        "tls": False,
                        **login,
                    }
                },
                "pager": {"sms": {"region": REGION, "phone": PHONE, "endpoint": sms.url, **keys}},
                "hook": {"webhook": {"url": f"{http.url}/hook", "bearer": "token"}},
                "login": {"webhook": {"url": f"{http.url}/login", "user": "u", "password": "smtp_password"}},
                "log": {"webhook": {"url": f"{http.url}/log", "resolved": False}},
                "deadman": {"webhook": {"url_secret": "deadman_url"}},
            },
            "default": ["login"],
            "routes": [
                {"receivers": ["log"], "continue": True},
                {"severity": "high", "team": "ops", "receivers": ["slack", "mail", "pager", "hook"]},
                {"team": "data", "receivers": ["hook"]},
            ],
            "quiet_hours": {
                "now": {
                    "times": [span(timedelta(hours=-2), timedelta(hours=2))],
                    "timezone": "Etc/UTC",
                    "mutes": ["low"],
                },
                "later": {
                    "times": [span(timedelta(hours=2), timedelta(hours=3))],
                    "timezone": "Etc/UTC",
                    "mutes": ["high", "medium"],
                },
            },
            "watchdog": {"receiver": "deadman", "interval": "1s"},
        }
        secrets = {
            "slack_url": f"{http.url}/slack",
            "smtp_password": "pass-of-the-mail",
            "aws_key_id": "AKIAEXAMPLE",
            "aws_key": "secret-of-aws",
            "token": "token-of-the-hook",
            "deadman_url": f"{http.url}/deadman",
        }
        with running(tmp_path_factory.mktemp("am"), platform(alerting), secrets) as alertmanager:
            yield World(alertmanager, http, mail, sms)


def test_each_kind_of_receiver_is_told_and_hears_of_the_end(world):
    alert = {**DISK, "severity": "high", "team": "ops", "host": "app1"}
    world.alertmanager.post(alert, summary="/ on app1 is 95 % full, <!channel>")

    [slack] = eventually(lambda: world.http.bodies("/slack"), "a message in Slack")
    [attachment] = slack["attachments"]
    assert slack["channel"] == "#ops"
    assert attachment["color"] == "danger"
    assert attachment["title"] == "HIGH: HostDiskHigh on app1 [chat (lab)]"
    assert "*app1*: / on app1 is 95 % full, &lt;!channel&gt;" in attachment["text"]
    assert "since 20" in attachment["text"]
    assert "Runbook: https://git.example.com/runbooks/host-disk.md" in attachment["text"]

    [(recipients, mail)] = eventually(lambda: world.mail.messages, "a mail")
    assert set(recipients) <= {"ops@example.com", "oncall@example.com"}
    assert mail["To"] == "ops@example.com, oncall@example.com"
    assert mail["Subject"] == attachment["title"]
    for kind in ("text/plain", "text/html"):
        text = part(mail, kind)
        for words in ("app1", "95 % full", "since 20", "severity high, team ops", "runbooks/host-disk.md"):
            assert words in text, f"{words} in {kind}"
    assert "&lt;!channel&gt;" in part(mail, "text/html")
    assert world.mail.logins == [("alerts", "pass-of-the-mail")]

    [(number, text)] = eventually(world.sms.texts, "a text message")
    assert number == PHONE
    assert text.startswith("HIGH HostDiskHigh app1: / on app1 is 95 % full")
    assert text.endswith("Z. See host-disk")
    assert len(text) <= 160

    eventually(lambda: world.http.came.get("/hook"), "a webhook")
    [(headers, body)] = world.http.came["/hook"]
    assert headers["Authorization"] == "Bearer token-of-the-hook"
    assert [each["labels"] for each in body["alerts"]] == [alert]

    world.alertmanager.post(alert, over=True)
    ended = eventually(lambda: world.http.bodies("/slack")[1:], "the end in Slack")[0]["attachments"][0]
    assert ended["color"] == "good"
    assert ended["title"] == "RESOLVED: HostDiskHigh on app1 [chat (lab)]"
    assert re.search(r"lasted 1[2-9]m \d+s, until 20", ended["text"])
    [_, (_, mail)] = eventually(lambda: world.mail.messages[1:] and world.mail.messages, "the end by mail")
    assert mail["Subject"] == ended["title"]
    assert "lasted 1" in part(mail, "text/plain")
    texts = eventually(lambda: len(world.sms.texts()) > 1 and world.sms.texts(), "the end by text message")
    assert texts[1][1].startswith("RESOLVED HostDiskHigh app1, lasted 1")
    eventually(lambda: world.http.alerts("/hook", "resolved"), "the end by webhook")
    assert world.http.alerts("/log") == [alert]
    assert world.http.alerts("/log", "resolved") == []


def test_default_and_basic_authentication(world):
    world.alertmanager.post({"alertname": "Unmarked", "host": "app1"})
    [(headers, _body)] = eventually(lambda: world.http.came.get("/login"), "the default")
    assert headers["Authorization"].startswith("Basic ")


def test_ten_alerts_of_an_application_are_one_message(world):
    world.http.came.pop("/hook", None)
    common = {"alertname": "ChatErrors", "severity": "high", "team": "data", "app": "chat"}
    alerts = [{**common, "host": f"app{number}"} for number in range(10)]
    world.alertmanager.post(*alerts, since=datetime.now(UTC))
    [body] = eventually(lambda: world.http.bodies("/hook"), "a message")
    assert len(body["alerts"]) == 10
    assert body["groupLabels"] == {"alertname": "ChatErrors", "app": "chat", "team": "data"}


def test_a_host_that_is_down_silences_what_runs_on_it(world):
    """Another host's alert comes, after what is silent was due."""
    world.http.came.pop("/log", None)
    down = {"alertname": "InstanceDown", "job": "node", "severity": "high", "team": "ops", "host": "db1"}
    world.alertmanager.post(down)
    eventually(lambda: down in world.http.alerts("/log"), "that the host is down")
    silent = {"alertname": "DatabaseDown", "job": "postgresql", "severity": "high", "team": "data", "host": "db1"}
    world.alertmanager.post(silent)
    eventually(lambda: _inhibited(world, "DatabaseDown"), "what it silences")
    other = {**silent, "host": "db2"}
    world.alertmanager.post(other)
    eventually(lambda: other in world.http.alerts("/log"), "the other host's alert")
    assert silent not in world.http.alerts("/log")
    world.alertmanager.post(down, over=True)
    eventually(lambda: silent in world.http.alerts("/log"), "it, once the host is back")


def test_of_a_family_the_highest_severity_is_told(world):
    """Alertmanager tells of what began long ago at once: the higher severity is known before the lesser comes."""
    world.http.came.pop("/log", None)
    thing = {"family": "memory", "host": "app3", "team": "data"}
    high = {**thing, "alertname": "HostMemoryHigh", "severity": "high"}
    medium = {**thing, "alertname": "HostMemoryMedium", "severity": "medium"}
    world.alertmanager.post(high)
    eventually(lambda: high in world.http.alerts("/log"), "the higher severity")
    world.alertmanager.post(medium)
    eventually(lambda: _inhibited(world, "HostMemoryMedium"), "what it silences")
    elsewhere = {**medium, "host": "app4"}
    world.alertmanager.post(elsewhere)
    eventually(lambda: elsewhere in world.http.alerts("/log"), "the lesser severity elsewhere")
    assert medium not in world.http.alerts("/log")


def _inhibited(world: World, name: str) -> bool:
    found = world.alertmanager.get("/api/v2/alerts?active=true")
    return any(each["status"]["inhibitedBy"] for each in found if each["labels"]["alertname"] == name)


def test_quiet_hours_keep_back_what_they_mute(world):
    world.http.came.pop("/log", None)
    suppressed = 'alertmanager_notifications_suppressed_total{reason="mute_time_interval"'
    before = world.alertmanager.metric(suppressed)
    low = {"alertname": "Cpu", "severity": "low", "team": "data", "host": "app5"}
    medium = {**low, "severity": "medium", "alertname": "Load"}
    world.alertmanager.post(low, medium)
    eventually(lambda: medium in world.http.alerts("/log"), "what other quiet hours mute, at another time")
    eventually(lambda: world.alertmanager.metric(suppressed) > before, "that something was kept back")
    assert low not in world.http.alerts("/log")


def test_the_watchdog_is_told_again_and_again(world):
    world.alertmanager.post({"alertname": "Watchdog", "severity": "none"})
    eventually(lambda: len(world.http.bodies("/deadman")) >= 3, "three messages of the watchdog")
    assert {alert["alertname"] for alert in world.http.alerts("/deadman")} == {"Watchdog"}
    assert "Watchdog" not in {alert["alertname"] for alert in world.http.alerts("/log")}


def test_the_api_shows_no_secret(world):
    shown = str(world.alertmanager.get("/api/v2/status"))
    assert "sigv4" in shown
    for secret in ("pass-of-the-mail", "secret-of-aws", "token-of-the-hook", "/slack", "/deadman"):
        assert secret not in shown.replace("/secrets/", "")


def test_nothing_failed(world):
    assert world.alertmanager.metric("alertmanager_notifications_failed_total") == 0
