"""What members of a room do over HTTP: mostly reading on, sometimes writing. Run by tests/chat/test_chat_load.py.

    locust --headless --locustfile load/locustfile.py --host https://chat.lab --users 8 --run-time 10s --json

From the environment: CHAT_ADDRESS, where the host of --host is to be found; CHAT_COOKIES, sessions that are shared by
the users, and CHAT_TOKENS, their CSRF tokens, separated by spaces; CHAT_ROOM; CHAT_RATE, requests a second of one user
(0: one after the other); CHAT_PATH, one path that is asked for instead of all this.
"""

from __future__ import annotations

import itertools
import os
import random
from typing import Any
from uuid import uuid4

import gevent.socket
from locust import FastHttpUser, constant, constant_throughput, task

ADDRESS = os.environ["CHAT_ADDRESS"]
COOKIES = os.environ.get("CHAT_COOKIES", "").split()
TOKENS = os.environ.get("CHAT_TOKENS", "").split()
ROOM = os.environ.get("CHAT_ROOM", "lobby")
RATE = float(os.environ.get("CHAT_RATE", "0"))
PATH = os.environ.get("CHAT_PATH", "")
TURNS = itertools.count()

resolve = gevent.socket.getaddrinfo


def resolved(_host: Any, *rest: Any, **more: Any) -> Any:
    """As curl's --resolve: the name stays the one that is asked for, in TLS and in the header Host."""
    return resolve(ADDRESS, *rest, **more)


gevent.socket.getaddrinfo = resolved


class Member(FastHttpUser):
    wait_time = constant_throughput(RATE) if RATE else constant(0)
    network_timeout = connection_timeout = 20.0

    def on_start(self) -> None:
        self.known = 0
        self.headers = {}
        if COOKIES:
            turn = next(TURNS) % len(COOKIES)
            self.headers = {"Cookie": COOKIES[turn], "X-CSRF-Token": TOKENS[turn]}

    @task
    def act(self) -> None:
        if PATH:
            self.client.get(PATH, name=PATH)
            return
        dice = random.random()  # noqa: S311 - no secret
        if dice < 0.15:
            self.write()
        elif dice < 0.2:
            self.client.get("/api/rooms", headers=self.headers, name="rooms")
        else:
            self.read()

    def read(self) -> None:
        """What has come since; the first time the newest."""
        after = f"after={self.known}&" if self.known else ""
        with self.client.get(
            f"/api/rooms/{ROOM}/messages?{after}limit=50", headers=self.headers, name="read", catch_response=True
        ) as answer:
            if answer.status_code == 200:
                messages = answer.json()["messages"]
                self.known = messages[-1]["id"] if messages else self.known
            else:
                answer.failure(f"{answer.status_code}")

    def write(self) -> None:
        body = {"text": "Is there anybody out there?", "client_id": uuid4().hex}
        self.client.post(f"/api/rooms/{ROOM}/messages", json=body, headers=self.headers, name="write")
