"""Load through the edge, and figures of it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from ansible_collections.devops.platform.plugins.module_utils.journey import chat
from ansible_collections.devops.platform.plugins.module_utils.journey.edge import Edge
from lab import REPOSITORY
from tools.apptests import UV, environment

APP = REPOSITORY / "apps" / "chat"


@dataclass(frozen=True)
class Figures:
    """Of one stage. Times are milliseconds; ``rate`` is requests a second that were answered well."""

    users: int
    rate: float
    failures: int
    p50: float
    p95: float
    p99: float

    def __str__(self) -> str:
        return (
            f"{self.users:4} users {self.rate:7.1f} requests/s  p50 {self.p50:6.0f}  p95 {self.p95:6.0f}  "
            f"p99 {self.p99:6.0f} ms  {self.failures} failed"
        )


def percentile(counts: Mapping[float, int], share: float) -> float:
    """The value that this share of all does not exceed; `counts` is value -> how often. 0 of nothing."""
    wanted, seen = share * sum(counts.values()), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= wanted:
            return value
    return 0.0


def figures(entries: Sequence[Mapping[str, object]], users: int) -> Figures:
    """The sums of Locust's JSON: one entry a kind of request."""
    times: dict[float, int] = {}
    requests = failures = 0
    start, end = float("inf"), 0.0
    for entry in entries:
        for value, count in dict(entry["response_times"]).items():  # type: ignore[call-overload]
            times[float(value)] = times.get(float(value), 0) + int(count)
        requests += int(entry["num_requests"])  # type: ignore[call-overload]
        failures += int(entry["num_failures"])  # type: ignore[call-overload]
        start = min(start, float(entry["start_time"]))  # type: ignore[arg-type]
        end = max(end, float(entry["last_request_timestamp"]))  # type: ignore[arg-type]
    seconds = max(end - start, 0.001)
    good = (requests - failures) / seconds
    return Figures(users, good, failures, *(percentile(times, share) for share in (0.5, 0.95, 0.99)))


def locust(address: str, users: int, seconds: int, settings: Mapping[str, str]) -> Figures:
    """One stage; `settings` are locustfile.py's."""
    command = [str(UV), "run", "--frozen", "--quiet", "--group", "load", "locust", "--headless", "--json"]
    command += ["--locustfile", "load/locustfile.py", "--host", "https://chat.lab", "--loglevel", "ERROR"]
    command += ["--users", str(users), "--spawn-rate", str(users), "--run-time", f"{seconds}s", "--stop-timeout", "5"]
    variables = {**environment(os.environ), "CHAT_ADDRESS": address, **settings}
    done = subprocess.run(
        command, cwd=APP, env=variables, capture_output=True, text=True, timeout=seconds + 120, check=False
    )
    start = done.stdout.find("[")
    assert start >= 0, f"locust ended with {done.returncode}: {done.stderr[-2000:]}"
    return figures(json.loads(done.stdout[start:]), users)


def limit(address: str, settings: Mapping[str, str], stages: Sequence[int] = (4, 8, 16, 32, 64)) -> list[Figures]:
    """Stages of more and more users, until that many more bring less than a twentieth more: the best is the limit."""
    found: list[Figures] = []
    for users in stages:
        found.append(locust(address, users, 10, settings))
        print(f"  {found[-1]}", flush=True)
        if len(found) > 1 and found[-1].rate < 1.05 * max(stage.rate for stage in found[:-1]):
            break
    return found


def fan_out(edge: Edge, cookies: Sequence[str], room: str, clients: int, messages: int, pause: float) -> list[float]:
    """Milliseconds from sending to each arrival, of `messages` sent by one to `clients` others on all hosts."""
    sent: dict[str, float] = {}
    arrived: list[float] = []
    lock, ready = threading.Lock(), threading.Barrier(clients + 1)

    def listen(number: int) -> None:
        client, _host = chat.connector(edge, "/ws/socket.io", cookies[number % len(cookies)])()
        try:
            chat.accepted(client.call("join", {"room": room}), "joining")
            ready.wait(60)
            for _message in range(messages):
                packet = client.wait_for(lambda packet: packet.name == "message", "a message")
                now = time.monotonic()
                with lock:
                    arrived.append((now - sent[packet.data[0]["client_id"]]) * 1000)
        finally:
            client.close()

    threads = [threading.Thread(target=listen, args=(number,), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    sender, _host = chat.connector(edge, "/ws/socket.io", cookies[0])()
    chat.accepted(sender.call("join", {"room": room}), "joining")
    ready.wait(60)
    for _message in range(messages):
        client_id = uuid4().hex
        with lock:
            sent[client_id] = time.monotonic()
        chat.accepted(sender.call("message", {"room": room, "text": "Hear ye!", "client_id": client_id}), "writing")
        time.sleep(pause)
    for thread in threads:
        thread.join(30)
    sender.close()
    return arrived
