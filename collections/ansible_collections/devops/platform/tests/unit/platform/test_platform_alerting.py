"""What preflight says of platform.monitoring.alerting, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.devops.platform.tests.unit.alerting import documented
from ansible_collections.devops.platform.tests.unit.platform import example

AT = "platform.monitoring.alerting"
MARK = "    targets:\n      database"
NAMES = "      chat_redis:\n"
SMALL = """\
    alerting:
      receivers:
        ops: {webhook: {url: "http://ops.example/alerts"}}
        data: {slack: {webhook: slack_data}}
      default: [ops]
      routes:
        - {severity: high, receivers: [ops]}
        - {team: data, severity: [medium, low], receivers: [data]}
      quiet_hours:
        nights: {times: ["22:00-07:00"], timezone: Europe/Rome}
      watchdog: {receiver: ops, interval: 1m}
"""


def found(root: Path, *edits: tuple[str, str]) -> list[str]:
    text = SMALL
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return example.problems(root, (MARK, text + MARK), (NAMES, f"{NAMES}      slack_data:\n"))


def case(title: str, old: str, new: str, *expected: str) -> object:
    return pytest.param([(old, new)], expected, id=title)


OPS, DATA, TIMING = "ops: {webhook: {url: ", "data: {slack: {webhook: slack_data}}", "      watchdog"
HIGH = "- {severity: high, receivers: [ops]}"
TEAM = "- {team: data, severity: [medium, low], receivers: [data]}"
NIGHTS = 'nights: {times: ["22:00-07:00"], timezone: Europe/Rome}'
MAIL = 'ops: {email: {to: [a@b.example], from: c@d.example, smarthost: "mail.example:25"'


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        case("right", HIGH, HIGH),
        case(
            "unknown receiver in a route",
            "high, receivers: [ops]",
            "high, receivers: [opss]",
            f"platform.yml:43:40: error: {AT}.routes[0].receivers[0]: there is no receiver 'opss'; did you mean 'ops'?",
        ),
        case(
            "unknown default",
            "default: [ops]",
            "default: [mail]",
            f"platform.yml:41:17: error: {AT}.default[0]: there is no receiver 'mail'; there is data, ops",
        ),
        case(
            "unknown watchdog",
            "watchdog: {receiver: ops",
            "watchdog: {receiver: deadman",
            f"platform.yml:47:28: error: {AT}.watchdog.receiver: there is no receiver 'deadman'; there is data, ops",
        ),
        case(
            "nobody uses it",
            "receivers: [data]",
            "receivers: [ops]",
            f"platform.yml:40:9: warning: {AT}.receivers.data: no route names this receiver, so it is never told; "
            "name it in one, or remove it",
        ),
        case(
            "reserved",
            "      default",
            '        nobody: {webhook: {url: "http://n"}}\n      default',
            f"platform.yml:41:9: error: {AT}.receivers.nobody: is the name of the receiver that tells nobody",
        ),
        case(
            "unknown secret",
            "slack_data",
            "slack_dta",
            f"platform.yml:40:33: error: {AT}.receivers.data.slack.webhook: no secret 'slack_dta' is declared; "
            "did you mean 'slack_data'?",
            "nothing uses this secret",
        ),
        case(
            "encrypted",
            DATA,
            "data:\n          slack:\n            webhook: !vault |\n"
            "              $ANSIBLE_VAULT;1.1;AES256\n              6162",
            f"{AT}.receivers.data.slack.webhook: is an encrypted value",
        ),
        case(
            "severity",
            "severity: high",
            "severity: critical",
            f"platform.yml:43:22: error: {AT}.routes[0].severity: "
            "'critical' is no severity; there is high, low, medium",
        ),
        case(
            "severity in a list",
            "[medium, low]",
            "[medium, lo]",
            f"{AT}.routes[1].severity: 'lo' is no severity; did you mean 'low'?",
        ),
        case("team", "team: data", 'team: "da.*"', f"{AT}.routes[1].team: 'da.*' is no name of a team"),
        case(
            "unreachable",
            HIGH,
            f"{HIGH}\n        - {{severity: [medium, low], receivers: [ops]}}",
            f"platform.yml:45:11: error: {AT}.routes[2]: no alert gets here: what fits is taken before, in line 44; "
            "move it up, or set continue: true there",
        ),
        case(
            "unreachable by several",
            TEAM,
            "- {severity: medium, receivers: [ops]}\n        - {severity: low, receivers: [ops]}\n        " + TEAM,
            "in line 44, 45; move it up",
        ),
        case("reachable after continue", HIGH, f"- {{receivers: [ops], continue: true}}\n        {HIGH}"),
        case(
            "a severity without receiver",
            "      default: [ops]\n",
            "",
            *(
                f"platform.yml:37:5: error: {AT}: an alert of severity {name} may reach nobody; add "
                f"default: [RECEIVER], or a route for {name} without a team"
                for name in ("low", "medium")
            ),
        ),
        case(
            "two targets of sms",
            OPS + '"http://ops.example/alerts"}}',
            'ops: {sms: {region: r, phone: "+49301234", topic: "arn:aws:sns:eu-central-1:123456789012:x"}}',
            f"{AT}.receivers.ops.sms.phone: goes to topic already; keep one of them",
        ),
        case(
            "no target of sms",
            OPS + '"http://ops.example/alerts"}}',
            "ops: {sms: {region: r}}",
            f"{AT}.receivers.ops.sms: lacks where messages go; give it one of topic and phone",
        ),
        case(
            "half a key",
            OPS + '"http://ops.example/alerts"}}',
            'ops: {sms: {region: r, phone: "+49301234", access_key: slack_data}}',
            f"{AT}.receivers.ops.sms.access_key: needs the key 'secret_key' beside it",
        ),
        case(
            "two logins",
            "/alerts",
            '/alerts", bearer: slack_data, user: u, password: "slack_data',
            f"{AT}.receivers.ops.webhook.user: it has a bearer token already; keep one of them",
        ),
        case(
            "password in the clear",
            OPS + '"http://ops.example/alerts"}}',
            MAIL + ", user: u, password: slack_data, tls: false}}",
            f"{AT}.receivers.ops.email.tls: its password would be sent in the clear",
        ),
        case("a relay", OPS + '"http://ops.example/alerts"}}', MAIL + ", tls: false}}"),
        case(
            "no address",
            OPS + '"http://ops.example/alerts"}}',
            MAIL.replace("a@b.example", "ops") + "}}",
            f"{AT}.receivers.ops.email.to[0]: 'ops' is not a mail address, such as ops@example.com",
        ),
        case("no kind", DATA, "data: {}", f"{AT}.receivers.data: must not be empty"),
        case(
            "order of units",
            TIMING,
            "      timing: {high: {group_wait: 5s1m}}\n" + TIMING,
            f"{AT}.timing.high.group_wait: '5s1m' is not a duration",
        ),
        case(
            "no interval",
            TIMING,
            "      timing: {high: {group_interval: 0s}}\n" + TIMING,
            f"{AT}.timing.high.group_interval: must be longer than nothing",
        ),
        case("no wait", TIMING, "      timing: {high: {group_wait: 0s}}\n" + TIMING),
        case(
            "repeated too often",
            TIMING,
            "      timing: {low: {repeat_interval: 10m}}\n" + TIMING,
            f"{AT}.timing.low.repeat_interval: messages are repeated at group_interval (15m) only",
        ),
        case(
            "repeated too often in a route",
            "high, receivers: [ops]",
            "high, receivers: [ops], timing: {group_interval: 2h}",
            f"{AT}.routes[0].timing.group_interval: messages are repeated at group_interval (2h) only",
        ),
        case(
            "forgotten",
            TIMING,
            "      timing: {low: {repeat_interval: 2w}}\n" + TIMING,
            f"{AT}.timing.low.repeat_interval: is longer than 5d, after which Alertmanager forgets",
        ),
        case("watchdog never", "interval: 1m", "interval: 0s", f"{AT}.watchdog.interval: must be longer than nothing"),
        case(
            "time zone",
            "Europe/Rome",
            "Europe/Roma",
            f"platform.yml:46:52: error: {AT}.quiet_hours.nights.timezone: there is no time zone 'Europe/Roma'; "
            "did you mean 'Europe/Rome'?",
        ),
        case(
            "no span",
            "22:00-07:00",
            "22-07",
            f"{AT}.quiet_hours.nights.times[0]: '22-07' is not a span, such as \"22:00-07:00\"",
        ),
        case(
            "empty span",
            "22:00-07:00",
            "22:00-22:00",
            f"{AT}.quiet_hours.nights.times[0]: '22:00-22:00' is no time at all",
        ),
        case(
            "always quiet",
            NIGHTS,
            "nights: {timezone: Europe/Rome}",
            f"{AT}.quiet_hours.nights: has neither times nor weekdays, so nobody would ever be told",
        ),
        case(
            "weekday",
            NIGHTS,
            "nights: {weekdays: [satuday]}",
            f"{AT}.quiet_hours.nights.weekdays[0]: 'satuday' is not one of",
        ),
    ],
)
def test_each_mistake_is_told_with_its_place(tmp_path: Path, edits: list[tuple[str, str]], expected: list[str]) -> None:
    problems = found(tmp_path, *edits)
    assert len(problems) == len(expected), problems
    for words in expected:
        assert any(words in problem for problem in problems), problems


def test_there_must_be_an_alertmanager(tmp_path: Path) -> None:
    gone = ('    alertmanager: {version: "0.28.1", port: 9093}\n', "")
    [problem] = example.problems(tmp_path, gone, (MARK, SMALL + MARK), (NAMES, f"{NAMES}      slack_data:\n"))
    assert problem == (
        f"platform.yml:36:5: error: {AT}: there is no Alertmanager to tell anybody; "
        "add platform.monitoring.alertmanager, or take this away"
    )


@pytest.mark.parametrize(("hosts", "expected"), [(["mon1"], 0), (["mon1", "edge1"], 1)])
def test_the_port_of_the_cluster_is_taken_where_there_is_one(tmp_path: Path, hosts: list[str], expected: int) -> None:
    taken = ('prometheus: {version: "2.53.3", port: 9090', 'prometheus: {version: "2.53.3", port: 9094')
    problems = example.problems(tmp_path, taken, groups={**example.GROUPS, "monitoring": hosts})
    assert len(problems) == expected
    assert all("port 9094 is prometheus's (line 35) already on edge1, mon1" in problem for problem in problems)


def test_the_documented_form_is_right(tmp_path: Path) -> None:
    whole = yaml.safe_dump({"platform": documented.platform()}, sort_keys=False)
    assert [str(problem) for problem in example.report(tmp_path, whole).problems] == []
