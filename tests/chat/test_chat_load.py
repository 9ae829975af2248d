"""The chat under load through the edge, beside a bare gunicorn on the same hosts, and how quickly messages spread.

Rolled out for it, as data: an application `hello` (gunicorn that answers one word), and rates that no load test meets.
Both are taken away again at the end. The figures are printed and kept in build/chat/load.json.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.journey import account
from lab import REPOSITORY
from tests.chat.harness import load
from tests.chat.harness.browser import PASSWORD, unused
from tests.lab.harness.fleet import Fleet

GENEROUS = {
    f"RATE_LIMIT_{name}": "1000000/minute" for name in ("SIGN_UP", "SIGN_IN", "SIGN_IN_NAME", "MESSAGES", "REQUESTS")
}
HELLO = {
    "group": "app",
    "services": {
        "hello": {
            "image": "chat-api",
            "port": 5900,
            "health": "/",
            "environment": {"PORT": 5900},  # where the image's own health check asks; hello answers to every path
            # As the API is served; what it serves is one word.
            "command": [
                *("gunicorn", "--bind", "0.0.0.0:5900", "--worker-class", "gthread", "--threads", "16"),
                *(
                    "--worker-tmp-dir",
                    "/dev/shm",
                    "--no-control-socket",
                    "--keep-alive",
                    "30",
                    'werkzeug.wrappers:Response("hello")',
                ),
            ],
        }
    },
}
USERS = 8
LISTENERS, MESSAGES = 40, 50
REMOVE_HELLO = """
- name: Remove hello
  hosts: app
  gather_facts: false
  become: true
  tasks:
    - name: Remove hello
      devops.platform.component: {name: hello, state: absent, purge: true}
"""


@pytest.fixture(scope="module")
def loaded(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The lab with hello beside the chat, and without limits that a load test would run into."""
    inventory = REPOSITORY / "build" / "chat" / "inventory"
    shutil.rmtree(inventory, ignore_errors=True)
    shutil.copytree(REPOSITORY / "inventories" / "lab", inventory)
    (inventory / "lab.yml").write_text(f"---\nplugin: devops.platform.lab\nstate: {fleet.state.root}\n")
    # The edge takes us for one client, of which it would not bear as much.
    (inventory / "group_vars" / "all" / "load.yml").write_text("---\nedge_request_rate: 0\n")
    path = inventory / "group_vars" / "all" / "platform.yml"
    data: dict[str, Any] = yaml.safe_load(path.read_text())
    platform = data["platform"]
    platform["apps"]["chat"]["environment"].update(GENEROUS)
    platform["apps"]["hello"] = HELLO
    platform["edge"]["routes"].append({"path": "/hello", "app": "hello", "service": "hello"})
    path.write_text(yaml.safe_dump(data, explicit_start=True))
    try:
        fleet.play("site.yml", "--tags", "hosts,apps,edge", "-i", str(inventory)).expect_ok()
        yield fleet
    finally:
        playbook = tmp_path_factory.mktemp("hello") / "remove.yml"
        playbook.write_text(REMOVE_HELLO)
        fleet.play("site.yml", "--tags", "hosts,apps,edge").expect_ok()
        fleet.play(str(playbook)).expect_ok()


def test_load_beside_a_bare_gunicorn(loaded: Fleet) -> None:
    edge, address = loaded.edge, loaded.address(loaded.of("edge")[0])
    sessions = [account.enter(edge, account.Account(f"load{number}", PASSWORD)) for number in range(USERS)]
    room = unused("load")
    for session in sessions:
        account.become_member(session, room)
    cookies = [session.cookie for session in sessions]
    members = {
        "CHAT_COOKIES": " ".join(cookies),
        "CHAT_TOKENS": " ".join(session.token for session in sessions),
        "CHAT_ROOM": room,
    }
    print("\nbare gunicorn through the edge, more and more users:")
    bare = load.limit(address, {"CHAT_PATH": "/hello"})
    print("the chat's API through the edge, more and more users:")
    chat = load.limit(address, members)
    limit = max(stage.rate for stage in chat)
    users = 16
    half = load.locust(address, users, 20, {**members, "CHAT_RATE": str(limit / 2 / users)})
    print(f"at half of {limit:.0f} requests/s:\n  {half}")
    spread = load.fan_out(edge, cookies, unused_room(sessions), LISTENERS, MESSAGES, pause=0.2)
    p50, p95, p99 = (load.percentile(Counter(spread), share) for share in (0.5, 0.95, 0.99))
    print(
        f"{MESSAGES} messages to {LISTENERS} clients each: {len(spread)} arrived; "
        f"p50 {p50:.0f}  p95 {p95:.0f}  p99 {p99:.0f} ms"
    )
    keep = {
        "bare": [asdict(stage) for stage in bare],
        "chat": [asdict(stage) for stage in chat],
        "half": asdict(half),
        "fan_out": {"clients": LISTENERS, "messages": MESSAGES, "p50": p50, "p95": p95, "p99": p99},
    }
    kept = REPOSITORY / "build" / "chat" / "load.json"
    kept.write_text(json.dumps(keep, indent=2) + "\n")
    assert [stage.failures for stage in (*bare, *chat, half)] == [0] * (len(bare) + len(chat) + 1)
    assert len(spread) == LISTENERS * MESSAGES
    assert half.p95 < 200, half


def unused_room(sessions: list[account.Session]) -> str:
    """A room that all are members of and nothing has been written to."""
    room = unused("spread")
    for session in sessions:
        account.become_member(session, room)
    return room
