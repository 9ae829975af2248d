"""Ages of secrets as node_exporter reads them, and plans of what is due."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration
from ansible_collections.devops.platform.plugins.module_utils.secrets.ages import metrics
from ansible_collections.devops.platform.plugins.module_utils.secrets.backend import BackendError, Record, Stage
from ansible_collections.devops.platform.plugins.module_utils.secrets.elasticache import change
from ansible_collections.devops.platform.plugins.module_utils.secrets.rotation import DAY, plan

NAMES: dict[str, Any] = {
    "cache": {"rotate": "redis"},
    "key": {"rotate": "signing"},
    "slow": {"rotate": "redis", "drain": 3},
}
DECLARED = Declaration.of({"secrets": {"backend": "files", "max_age": 30, "names": NAMES}}, Path())
NOW = 1000 * DAY
CURRENT, PENDING, PREVIOUS = Stage.CURRENT, Stage.PENDING, Stage.PREVIOUS


def held(days: float | None, *more: Stage) -> dict[Stage, Record]:
    current = Record("a", None if days is None else NOW - days * DAY)
    return {CURRENT: current, **{stage: Record(stage.name) for stage in more}}


def test_metrics_hold_no_value():
    text = metrics({"cache": held(1), "key": held(None, PREVIOUS)}, DECLARED)
    assert text.splitlines() == [
        "# HELP platform_secret_changed_timestamp_seconds Since when a secret has its value.",
        "# TYPE platform_secret_changed_timestamp_seconds gauge",
        f'platform_secret_changed_timestamp_seconds{{secret="cache",rotate="redis"}} {NOW - DAY}',
        "# HELP platform_secret_rotating Whether a rotation of it has begun and not ended.",
        "# TYPE platform_secret_rotating gauge",
        'platform_secret_rotating{secret="cache",rotate="redis"} 0',
        'platform_secret_rotating{secret="key",rotate="signing"} 1',
        "# HELP platform_secret_allowed_age_seconds How old a secret may become.",
        "# TYPE platform_secret_allowed_age_seconds gauge",
        f"platform_secret_allowed_age_seconds {30 * DAY}",
    ]
    assert metrics({}, DECLARED) == ""


WHOLE = "stage accept prove promote accept deliver drain refuse forget"
FIRST_HALF = "stage accept prove promote accept deliver"


@pytest.mark.parametrize(
    ("name", "stages", "force", "expected", "rests"),
    [
        ("cache", held(29), False, "", None),
        ("cache", held(30), False, WHOLE, None),
        ("cache", held(1), True, WHOLE, None),
        ("cache", held(None), False, "", None),
        ("cache", held(1, PENDING), False, WHOLE.removeprefix("stage "), None),
        ("cache", held(0, PREVIOUS), False, "accept deliver drain refuse forget", None),
        ("key", held(40), False, FIRST_HALF, None),  # what the earlier key has signed counts for a day
        ("key", held(0.5, PREVIOUS), False, "accept deliver", NOW + 0.5 * DAY),
        ("key", held(1, PREVIOUS), False, "accept deliver drain refuse forget", None),
        ("slow", held(2, PREVIOUS), False, "accept deliver", NOW + DAY),
        ("slow", held(3, PREVIOUS), False, "accept deliver drain refuse forget", None),
        (
            "slow",
            held(4, PREVIOUS, PENDING),
            False,
            "accept deliver drain refuse forget accept prove promote accept deliver",
            None,
        ),
        ("cache", {}, False, "stage promote", None),
    ],
)
def test_plans(name, stages, force, expected, rests):
    found = plan(name, stages, DECLARED, NOW, force=force)
    assert " ".join(step.value for step in found.steps) == expected
    assert found.resting == (None if rests is None else pytest.approx(rests))
    assert found.said.startswith(f"{name} (")


class Client:
    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.asked: list[Any] = []

    def modify_user(self, **given: Any) -> None:
        self.asked.append(given)

    def describe_users(self, UserId: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        return {"Users": [{"UserId": UserId, "Status": self.statuses.pop(0)}]}


def test_a_user_of_elasticache_has_both_and_is_waited_for():
    client = Client("modifying", "modifying", "active")
    slept: list[float] = []
    change({}, "chat-prod-app", ["one", "two", "one"], connection=client, sleep=slept.append)
    mode = {"Type": "password", "Passwords": ["one", "two"]}
    assert client.asked == [{"UserId": "chat-prod-app", "AuthenticationMode": mode}]
    assert slept == [5.0, 5.0]


def test_what_elasticache_would_refuse_is_not_asked():
    client = Client()
    with pytest.raises(BackendError, match=r"has one or two passwords, not 3; finish its rotation"):
        change({}, "app", ["one", "two", "three"], connection=client)
    assert client.asked == []
    with pytest.raises(BackendError, match=r"user app of ElastiCache is 'modifying' after 5 s; run it again later"):
        change({}, "app", ["one"], 5, connection=Client("modifying", "modifying"), sleep=lambda _seconds: None)
