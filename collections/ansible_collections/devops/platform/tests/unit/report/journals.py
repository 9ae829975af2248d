"""Journals of rollouts that never were: events as the steps of a rollout write them, with a clock of their own."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

START = 1_795_279_874.0
Event = dict[str, Any]


def digest(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:12]


def difference(path: str, before: str, after: str) -> str:
    context = "       DATABASE_USER: chat"
    return f"--- {path}\n+++ {path}\n@@ -22,3 +22,3 @@\n{context}\n-{before}\n+{after}\n       PORT: '80'\n"


class Author:
    """Writes a rollout's events one after the other. ``hosts`` in ``waves``; each change takes ``seconds``."""

    def __init__(self, waves: Sequence[Sequence[str]], seconds: float = 17.0, target: str = "chat") -> None:
        self.waves = [list(wave) for wave in waves]
        self.hosts = [host for wave in waves for host in wave]
        self.seconds = seconds
        self.target = target
        self.now = START
        self.events: list[Event] = []
        self.batch = 0

    def write(self, event: str, wait: float = 0.1, **more: Any) -> None:
        self.now += wait
        self.events.append({"event": event, "at": round(self.now, 3), **more})

    def begin(self, more: Iterable[str] = (), **other: Any) -> Author:
        """``more``: hosts that are as declared already."""
        identifier = f"20261121T165114Z-13746-{self.target}"
        self.write(
            "begin", id=identifier, format=1, kind="rollout", target=self.target, tasks="app", apps=[self.target],
            hosts=[*self.hosts, *more], platform="chat", environment="lab", controller={"pid": 13746},
            **other,
        )  # fmt: skip
        self.plan(self.hosts, True)
        self.plan(more, False)
        return self

    def plan(self, hosts: Iterable[str], changed: bool) -> None:
        for host in hosts:
            diff = difference(
                "/etc/devops-platform/apps/chat/compose.yml", "      LOG_LEVEL: info", "      LOG_LEVEL: warning"
            )
            if host.endswith("1"):
                diff += difference("/etc/devops-platform/apps/chat/host.env", "NAME=x", f"NAME={host}")
            self.write(
                "planned", 0.05, host=host, status="changed" if changed else "unchanged", message="",
                components=[self.component(host, changed, "")], diff=diff if changed else "",
            )  # fmt: skip

    def component(self, host: str, changed: bool, generation: str, **more: Any) -> dict[str, Any]:
        path = f"/etc/devops-platform/apps/{self.target}/compose.yml"
        steps = [
            {"action": "update", "target": path, "reason": "its content differs"},
            {"action": "restart", "target": self.target, "reason": "what it runs from changed"},
        ]
        return {
            "name": self.target, "changed": changed, "effect": "restart" if changed else "none",
            "plan": steps if changed else [], "generation": generation, "previous": digest("old", host), "notes": [],
            "recovered": "", "step": "", "seconds": round(self.seconds * 0.95, 3) if generation else 0.2, **more,
        }  # fmt: skip

    def sort(self, prove: bool = True) -> Author:
        self.write("waves", waves=self.waves, prove=prove, parallel="25%")
        return self

    def edge(self, out: Sequence[str], seconds: float = 1.4) -> None:
        self.write("edge", host="edge1", out=list(out), status="begun")
        self.write("edge", seconds, host="edge1", out=list(out), status="changed", message="", components=[], diff="")

    def enter(self, hosts: Sequence[str], wave: int, back: bool = False, last: bool = True) -> None:
        self.batch += 1
        self.write(
            "enter", 0.3, back=back, number=self.batch, wave=wave, waves=len(self.waves), hosts=list(hosts),
            drain=list(hosts), last=last,
        )  # fmt: skip
        self.edge(hosts)

    def change(self, host: str, status: str = "changed", message: str = "", wait: float = 0.0) -> None:
        """Begun a moment ago, now over."""
        begun = self.now
        self.write("change", 0.02, host=host, status="begun")
        self.events[-1]["at"] = round(begun + 0.02, 3)
        if status != "begun":
            parts = [self.component(host, True, digest("new", host))] if status == "changed" else []
            self.write(
                "change", wait or self.seconds, host=host, status=status, message=message, components=parts, diff=""
            )

    def together(self, hosts: Sequence[str], **ends: tuple[str, str]) -> None:
        """Hosts changed at the same time; ``ends``: host -> (status, message) where it did not go well."""
        start, latest = self.now, self.now
        for number, host in enumerate(hosts):
            self.now = start
            status, message = ends.get(host, ("changed", ""))
            self.change(host, status, message, self.seconds * (1 + 0.13 * (number % 4)))
            latest = max(latest, self.now)
        self.now = latest
        self.events.sort(key=lambda event: event["at"])

    def wave(
        self, number: int, parallel: int = 3, objectives: Sequence[Event] | None = None, **ends: tuple[str, str]
    ) -> bool:
        """All of a wave, and its proof; whether it went well."""
        hosts = self.waves[number - 1]
        for first in range(0, len(hosts), parallel):
            batch = hosts[first : first + parallel]
            last = first + parallel >= len(hosts)
            self.enter(batch, number, last=last)
            self.now += 2
            self.together(batch, **ends)
            bad = {host: ends[host] for host in batch if host in ends}
            if bad:
                why = "; ".join(f"{host}: {message}" for host, (_status, message) in bad.items())
                self.write("stop", reason=why, wave=number)
            self.write("left", back=False, number=self.batch)
            self.edge([host for host, (status, _why) in bad.items() if status == "unreachable"])
            if bad:
                return False
        return self.prove(number, objectives)

    def prove(self, wave: int, objectives: Sequence[Event] | None = None) -> bool:
        self.now += 62
        shown = self.gate() if objectives is None else list(objectives)
        failed = [one for one in shown if one["verdict"] == "failed"]
        reason = "; ".join(f"gate: {one['name']}: {one['reason']}" for one in failed)
        self.write("proof", wave=wave, passed=not failed, asked=True, reason=reason, objectives=shown)
        if failed and wave:
            self.write("stop", reason=reason, wave=wave)
        return not failed

    def gate(self, bad: bool = False) -> list[Event]:
        errors = self.objective("error ratio", 0.0021, 0.01, factor=19 if bad else 1)
        if bad:
            errors.update(verdict="failed", reason="0.0399 is not < 0.01 over the last 60s (11 of 12 samples)")
        latency = self.objective("latency p95", 0.182, 0.5, baseline=0.171)
        queue = self.objective("queue length", 0, 100)
        queue.update(verdict="skipped", reason="no samples: nobody exports it", value=None, samples=0, series=[])
        return [errors, latency, queue]

    def objective(
        self, name: str, value: float, limit: float, factor: float = 1, baseline: float | None = None
    ) -> Event:
        times = [self.now - 60 + 5 * step for step in range(13)]
        grown = [value * (1 + (factor - 1) * step / 12) for step in range(13)]
        series = [[at, now * (1 + 0.12 * math.sin(at))] for at, now in zip(times, grown, strict=True)]
        compared: Event = {}
        if baseline is not None:
            points = [[at, baseline * (1 + 0.08 * math.cos(at))] for at in times]
            compared = {"value": baseline, "series": points, "ratio": value / baseline, "p_value": 0.41}
        return {
            "name": name, "query": 'sum(rate(http_requests_total{instance=~"@hosts",status=~"5.."}[@window]))',
            "verdict": "passed", "reason": "", "value": value * factor, "comparison": "<", "threshold": limit,
            "samples": 13, "series": series, "baseline": compared,
        }  # fmt: skip

    def back(self, hosts: Sequence[str], parallel: int = 3, **lost: str) -> Author:
        """``lost``: host -> why it cannot be taken back."""
        for first in range(0, len(hosts), parallel):
            batch = hosts[first : first + parallel]
            self.enter(batch, 1, back=True, last=first + parallel >= len(hosts))
            start = self.now
            for host in batch:
                self.now = start
                self.write("undo", host=host, status="begun")
                status, message = ("unreachable", lost[host]) if host in lost else ("changed", "")
                parts = (
                    []
                    if host in lost
                    else [self.component(host, True, digest("old", host), previous=digest("new", host))]
                )
                self.write("undo", 6, host=host, status=status, message=message, components=parts)
            self.events.sort(key=lambda event: event["at"])
            self.write("left", back=True, number=self.batch)
            self.edge(sorted(lost))
        return self

    def resume(self, how: str = "forward", later: float = 7_800) -> Author:
        self.write("resume", later, how=how, reason="", gone=[], controller={"pid": 14294})
        return self

    def end(self, result: str, **more: Any) -> list[Event]:
        self.write("end", result=result, **more)
        return self.events


def names(number: int) -> list[str]:
    return [f"app{one}" for one in range(1, number + 1)]


def cut(hosts: Sequence[str], *sizes: int) -> list[list[str]]:
    found, start = [], 0
    for size in sizes:
        found.append(list(hosts[start : start + size]))
        start += size
    return found


def good() -> list[Event]:
    author = Author(cut(names(12), 1, 2, 3, 6)).begin(more=["app13"]).sort()
    for number in range(1, 5):
        author.wave(number)
    return author.end("done")


def breached() -> list[Event]:
    author = Author(cut(names(12), 1, 2, 3, 6)).begin().sort()
    author.wave(1)
    author.wave(2)
    author.wave(3, objectives=[])
    author.events.pop()  # that proof; here comes the other one
    author.prove(3, author.gate(bad=True))
    author.back(["app6", "app5", "app4", "app3", "app2", "app1"])
    author.prove(0)
    return author.end("reversed", left={})


def incomplete() -> list[Event]:
    why = (
        "not reachable: Failed to connect to the host via ssh: ssh: connect to host 10.0.0.5 port 22: No route to host"
    )
    author = Author(cut(names(6), 1, 2, 3)).begin().sort()
    author.wave(1)
    author.wave(2)
    failed = (
        "the probe failed: http://127.0.0.1:8080/health: 503\nlast lines of chat:\n  database is locked\n  giving up"
    )
    author.wave(3, app5=("unreachable", why), app4=("failed", failed))
    author.back(["app6", "app5", "app4", "app3", "app2", "app1"], app5=why)
    author.prove(0)
    return author.end("incomplete", left={"app5": why})


def resumed() -> list[Event]:
    author = Author(cut(names(4), 1, 1, 2)).begin().sort()
    author.wave(1)
    author.enter(["app2"], 2)
    author.change("app2", "begun")
    author.resume()
    author.plan(names(4)[1:], True)
    author.wave(2)
    author.wave(3)
    return author.end("done")


def unfinished() -> list[Event]:
    author = Author(cut(names(4), 1, 1, 2)).begin().sort()
    author.wave(1)
    author.enter(["app2"], 2)
    author.change("app2", "begun")
    return author.events


def interrupted() -> list[Event]:
    author = Author(cut(names(4), 1, 1, 2)).begin().sort()
    author.wave(1)
    author.enter(["app2"], 2)
    author.write("interrupted", 3, signal="SIGINT")
    author.change("app2")
    author.write("stop", reason="interrupted", wave=2)
    author.write("left", back=False, number=author.batch)
    author.edge([])
    author.back(["app2", "app1"])
    author.prove(0)
    return author.end("reversed", left={})


def unchanged() -> list[Event]:
    return Author([]).begin(more=names(3)).end("unchanged")


def hundred() -> list[Event]:
    author = Author(cut(names(100), 1, 10, 50, 39)).begin().sort()
    for number in range(1, 5):
        author.wave(number, parallel=25)
    return author.end("done")


ALL = {
    "good": good,
    "breached": breached,
    "incomplete": incomplete,
    "resumed": resumed,
    "unfinished": unfinished,
    "interrupted": interrupted,
    "unchanged": unchanged,
    "hundred": hundred,
}


def save(events: Iterable[Event], path: Path) -> Path:
    path.write_text("".join(json.dumps(event, sort_keys=True) + "\n" for event in events))
    return path
