"""Verify tells what is broken, and where."""

from __future__ import annotations

import pytest

from tests.lab.harness.fleet import Fleet, until


def test_a_well_platform_passes(fleet: Fleet) -> None:
    play = fleet.verify().expect_nothing_changed()
    skipped = [task["name"] for task in play.report["task_list"] if task["counts"].get("skipped")]
    # The lab has no endpoints, keeps no logs by itself, and its application has a journey of its own.
    assert sorted(skipped) == [
        "Ask for what an application must answer",
        "Be a user behind the load balancer",
        "Wait until what is no host of ours accepts connections",
        "Write a line, and wait until Elasticsearch has it",
    ]


@pytest.mark.parametrize(
    ("host", "stop", "start", "told"),
    [
        pytest.param(
            "data1",
            ("systemctl", "stop", "redis-server"),
            ("systemctl", "start", "redis-server"),
            "redis does not accept connections on data1",
            id="redis",
        ),
        pytest.param(
            "app2",
            ("docker", "stop", "--time", "0", "chat-web-1"),
            ("docker", "start", "chat-web-1"),
            "chat/web: chat-web-1: Exited",
            id="container",
        ),
        pytest.param(
            "edge1",
            ("systemctl", "stop", "nginx"),
            ("systemctl", "start", "nginx"),
            "Connection refused",
            id="edge",
        ),
    ],
)
def test_what_is_broken_is_named(
    fleet: Fleet, host: str, stop: tuple[str, ...], start: tuple[str, ...], told: str
) -> None:
    fleet.on(host, *stop)
    try:
        play = fleet.verify(patience=1)
    finally:
        fleet.on(host, *start)
    assert play.code != 0
    assert told in play.output
    ready = f"http://{fleet.address('app1')}:5000/readyz"
    until("the applications' readiness", lambda: fleet.attempt("app1", "curl", "-sf", ready).returncode == 0)
