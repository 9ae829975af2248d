"""Whatever somebody may write as platform.monitoring.alerting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.alerting.quiet import WEEKDAYS
from ansible_collections.devops.platform.plugins.module_utils.alerting.settings import SEVERITIES
from ansible_collections.devops.platform.plugins.module_utils.platform.checks import alerting as checks
from ansible_collections.devops.platform.plugins.module_utils.platform.checks.context import Context
from ansible_collections.devops.platform.tests.unit.alerting import documented
from ansible_collections.devops.platform.tests.unit.platform import example

NAMES = ("pager", "mail", "slack")
TEAMS = ("data", "web")
RECEIVERS = {
    "pager": {"sms": {"region": "eu-central-1", "phone": "+4930123456"}},
    "mail": {"email": {"to": ["ops@example.com"], "from": "alerts@example.com", "smarthost": "smtp.example.com:587"}},
    "slack": {"webhook": {"url": "http://slack.example.com/hook"}},
}
ROUTE = st.fixed_dictionaries(
    {"receivers": st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)},
    optional={
        "severity": st.sampled_from(SEVERITIES) | st.lists(st.sampled_from(SEVERITIES), min_size=1, unique=True),
        "team": st.sampled_from(TEAMS) | st.lists(st.sampled_from(TEAMS), min_size=1, unique=True),
        "continue": st.booleans(),
        "timing": st.fixed_dictionaries({}, optional={"group_wait": st.just("1s"), "repeat_interval": st.just("2d")}),
    },
)
CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
QUIET = st.fixed_dictionaries(
    {"times": st.lists(st.builds("{}-{}".format, CLOCK, CLOCK), min_size=1, max_size=2, unique=True)},
    optional={
        "weekdays": st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
        "timezone": st.sampled_from(["Europe/Rome", "Etc/UTC", "Asia/Kolkata"]),
        "mutes": st.lists(st.sampled_from(SEVERITIES), min_size=1, unique=True),
    },
)
ALERTING = st.fixed_dictionaries(
    {
        "receivers": st.just(RECEIVERS),
        "routes": st.lists(ROUTE, max_size=6),
    },
    optional={
        "default": st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
        "group_by": st.just(["alertname"]),
        "quiet_hours": st.dictionaries(st.sampled_from(["nights", "weekends"]), QUIET),
        "watchdog": st.just({"receiver": "slack"}),
    },
)


def errors(alerting: Mapping[str, Any]) -> list[str]:
    """What preflight's checks of it refuse."""
    context = Context(documented.platform(dict(alerting)), example.INVENTORY, documented.PAGE.parent)
    return [found.text for check in checks.CHECKS for found in check(context) if found.severity == "error"]
