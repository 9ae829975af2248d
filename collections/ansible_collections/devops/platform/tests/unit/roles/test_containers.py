"""What verify makes of the containers that it finds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.journey import containers
from ansible_collections.devops.platform.plugins.module_utils.journey.patience import Patience

DECLARED = {"chat": {"api": 2, "web": 1}}


def line(service: str, number: int = 1, state: str = "running", status: str = "Up 2 minutes (healthy)") -> str:
    labels = (
        f"com.docker.compose.depends_on=db:service_healthy:false,cache:service_healthy:false,"
        f"com.docker.compose.project=chat,com.docker.compose.service={service},maintainer=a=b"
    )
    return json.dumps({"Names": f"chat-{service}-{number}", "State": state, "Status": status, "Labels": labels})


def other(name: str, state: str, status: str) -> str:
    return json.dumps({"Names": name, "State": state, "Status": status, "Labels": ""})


WELL = [line("api"), line("api", 2), line("web", status="Up 3 seconds"), line("migrate", 1, "exited", "Exited (0)")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (WELL, []),
        (["Warning: something", *WELL], []),
        ([*WELL[1:]], ["chat/api: 1 of 2 containers"]),
        (WELL[:2], ["chat/web: no container"]),
        (
            [*WELL[:2], line("web", 1, "exited", "Exited (137) 5 seconds ago")],
            ["chat/web: chat-web-1: Exited (137) 5 seconds ago"],
        ),
        (
            [WELL[0], line("api", 2, status="Up 1 minute (unhealthy)"), WELL[2]],
            ["chat/api: chat-api-2: Up 1 minute (unhealthy)"],
        ),
        (
            [*WELL[:2], line("web", status="Up 1 second (health: starting)")],
            ["chat/web: chat-web-1: Up 1 second (health: starting)"],
        ),
        ([*WELL, other("by-hand", "exited", "Exited (1)"), other("fresh", "running", "Up (health: starting)")], []),
        ([*WELL, other("by-hand", "restarting", "Restarting (1)")], ["by-hand: Restarting (1)"]),
        ([*WELL, other("by-hand", "running", "Up 1 day (unhealthy)")], ["by-hand: Up 1 day (unhealthy)"]),
    ],
)
def test_what_is_not_well_is_named(lines: list[str], expected: list[str]) -> None:
    assert containers.failures(DECLARED, containers.parse("\n".join(lines))) == expected


def test_waiting_ends_when_all_are_well() -> None:
    answers: list[Any] = [containers.NoAnswerError("refused"), WELL[0], "\n".join(WELL)]
    now = [0.0]

    def ask() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    def sleep(seconds: float) -> None:
        now[0] += seconds

    assert containers.wait_until_well(DECLARED, ask, Patience(60, 1, lambda: now[0], sleep)) == []
    assert now == [2.0]


def test_waiting_ends_when_time_is_over() -> None:
    now = [0.0]

    def ask() -> str:
        raise containers.NoAnswerError("no such socket")

    def sleep(seconds: float) -> None:
        now[0] += seconds

    lines = containers.wait_until_well(DECLARED, ask, Patience(5, 1, lambda: now[0], sleep))
    assert lines == ["Docker itself does not answer: no such socket"]
    assert now == [5.0]
