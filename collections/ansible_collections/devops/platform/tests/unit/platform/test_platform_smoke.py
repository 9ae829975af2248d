"""What preflight says of an application's smoke test, each with its whole message."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.devops.platform.tests.unit.platform import example

SMOKE = "smoke: {journey: chat, user: verify, password: chat_redis}"
HTTP = "smoke: {journey: http, paths: [/api/health, /]}"
AT = "platform.apps.chat.smoke"


@pytest.mark.parametrize(
    ("smoke", "expected"),
    [
        (SMOKE, []),
        (HTTP, []),
        ("smoke: {journey: chat}", [f"{AT}: lacks the key 'password', which journey chat needs"]),
        ("smoke: {journey: http}", [f"{AT}: lacks the key 'paths', which journey http needs"]),
        (
            "smoke: {journey: http, paths: [/], password: chat_redis}",
            [f"{AT}.password: is nothing that journey http knows; take it out"],
        ),
        ("smoke: {journey: http, paths: [health]}", [f"{AT}.paths[0]: "]),
        ("smoke: {journey: http, paths: []}", [f"{AT}.paths: "]),
        ("smoke: {journey: htp, paths: [/]}", [f"{AT}.journey: 'htp' is not"]),
    ],
)
def test_each_mistake_is_told_with_its_place(tmp_path: Path, smoke: str, expected: list[str]) -> None:
    found = example.problems(tmp_path, (SMOKE, smoke))
    assert len(found) == len(expected), found
    for problem, words in zip(found, expected, strict=True):
        assert words in problem


OTHER = """\
    tick:
      group: app
      services:
        web: {image: chat-web, port: 9000, health: /}
      smoke: {journey: http, paths: [/tick/health, /api]}
  secrets:
    backend"""


def test_a_path_of_another_application_proves_nothing(tmp_path: Path) -> None:
    route = ("routes:\n", "routes:\n      - {path: /tick, app: tick, service: web}\n")
    [problem] = example.problems(tmp_path, ("  secrets:\n    backend", OTHER), route)
    assert "apps.tick.smoke.paths[1]: the edge sends it to chat; name a path of tick" in problem


def test_a_path_that_leads_nowhere_proves_nothing(tmp_path: Path) -> None:
    lost = ("      - {path: /, app: chat, service: web}\n", "")
    [problem] = example.problems(tmp_path, (SMOKE, HTTP), lost)
    assert "apps.chat.smoke.paths[1]: no route of the edge leads there; name a path of chat" in problem
