# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happened in a rollout, and when, from the events of its journal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.rollout.state import SOUND, State, fold
from ansible_collections.devops.platform.plugins.plugin_utils.report.scale import Run

Event = Mapping[str, Any]

# What an event needs so that it can be told; one that lacks it is counted, and passed over.
NEEDED = {
    "begin": (), "resume": (), "planned": ("host",), "waves": ("waves",), "enter": (), "left": (), "edge": ("host",),
    "change": ("host", "status"), "undo": ("host", "status"), "proof": (), "interrupted": (), "stop": (),
    "end": ("result",),
}  # fmt: skip


@dataclass
class Span:
    """Something that took time. ``kind``: drained, change, undo or proof; ``ended``: whether anybody saw it end."""

    kind: str
    start: float
    end: float
    status: str = ""
    ended: bool = True


@dataclass
class Part:
    """A component on a host: what it was before the rollout, what it is after it."""

    name: str
    before: str = ""
    after: str = ""
    effect: str = ""
    seconds: float = 0.0
    steps: list[str] = field(default_factory=list)
    changed: bool = False
    done: bool = False
    back: bool = False


@dataclass
class Lane:
    """A host's share."""

    host: str
    wave: int
    spans: list[Span] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    diff: str = ""

    def seconds(self, kind: str) -> float:
        return sum(span.end - span.start for span in self.spans if span.kind == kind)

    def open(self, kind: str) -> Span | None:
        last = next((span for span in reversed(self.spans) if span.kind == kind), None)
        return last if last and not last.ended else None


@dataclass
class Gate:
    """A proof. ``wave`` is 0 for the one after the way back."""

    wave: int
    start: float
    end: float
    passed: bool
    asked: bool
    reason: str
    objectives: list[Event]


@dataclass
class Failure:
    at: float
    where: str
    what: str
    message: str


@dataclass
class Story:
    state: State = field(default_factory=State)
    start: float = 0.0
    end: float = 0.0
    runs: list[Run] = field(default_factory=list)
    lanes: dict[str, Lane] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    course: list[tuple[float, str, str]] = field(default_factory=list)  # (at, kind, words)
    turned: float = 0.0  # when the way back began
    turned_wave: int = 0
    signal: str = ""
    left: dict[str, str] = field(default_factory=dict)
    passed_over: int = 0

    @property
    def seconds(self) -> float:
        """At work, without what lay between the runs."""
        return sum(run.seconds for run in self.runs)


def tell(events: Iterable[Any]) -> Story:
    """The story of a journal. Events that make no sense here are passed over, and counted."""
    story = Story()
    sound: list[dict[str, Any]] = []
    for event in events:
        if _makes_sense(event):
            sound.append(dict(event))
        else:
            story.passed_over += 1
    story.state = fold(sound)
    if not sound:
        return story
    times = [float(event["at"]) for event in sound]
    story.start, story.end = times[0], times[-1]
    _Teller(story).all(sound)
    return story


def _makes_sense(event: Any) -> bool:
    if not isinstance(event, Mapping) or event.get("event") not in NEEDED:
        return False
    at = event.get("at")
    if isinstance(at, bool) or not isinstance(at, (int, float)) or not 0 <= at < 1e11:
        return False
    waves = event.get("waves")
    if event["event"] == "waves" and not (isinstance(waves, list) and all(isinstance(wave, list) for wave in waves)):
        return False
    listed = all(isinstance(part, Mapping) and part.get("name") for part in event.get("components") or ())
    return listed and all(key in event for key in NEEDED[event["event"]])


class _Teller:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.before = story.start  # when the event before this one was
        self.began = story.start  # when this run began
        self.batch: Event = {}
        self.out: dict[str, set[str]] = {}  # edge -> hosts that it leaves out
        waves = story.state.waves
        for number, wave in enumerate(waves, 1):
            for host in wave:
                story.lanes[str(host)] = Lane(str(host), number)

    def all(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            getattr(self, f"_{event['event']}")(event, float(event["at"]))
            self.before = max(self.before, float(event["at"]))
        self._close_run()
        for host in self.story.lanes.values():
            for span in host.spans:
                if not span.ended and span.kind == "drained":
                    span.end = self.story.end

    def _close_run(self) -> None:
        """Here somebody stopped working: what was under way has no end that anybody saw."""
        self.story.runs.append(Run(self.began, self.before))
        for lane in self.story.lanes.values():
            for kind in ("change", "undo"):
                span = lane.open(kind)
                if span and span.end <= span.start:
                    span.end = self.before

    def _lane(self, event: Event) -> Lane:
        name = str(event["host"])
        return self.story.lanes.setdefault(name, Lane(name, 0))

    def _say(self, at: float, kind: str, words: str) -> None:
        self.story.course.append((at, kind, words))

    def _begin(self, event: Event, at: float) -> None:
        self._say(at, "begin", f"{event.get('kind') or 'rollout'} of {event.get('target')} begins")

    def _resume(self, event: Event, at: float) -> None:
        self._close_run()
        self.began = self.before = at
        how = "is taken back" if event.get("how") == "reverse" else "goes on"
        if event.get("how") == "reverse":
            self._turn(at, 0)
        self._say(at, "resume", f"after the controller had stopped, the rollout {how}")

    def _planned(self, event: Event, _at: float) -> None:
        lane = self._lane(event)
        for component in event.get("components") or ():
            part = lane.parts.setdefault(str(component["name"]), Part(str(component["name"])))
            if not part.done and component.get("changed"):
                part.changed = True
                part.before = str(component.get("previous") or "")
                part.effect = str(component.get("effect") or "")
                part.steps = _steps(component)
        diff = str(event.get("diff") or "")
        if diff and not any(span.kind == "change" for span in lane.spans) and diff not in lane.diff:
            lane.diff = f"{lane.diff}\n{diff}".lstrip("\n")

    def _waves(self, event: Event, at: float) -> None:
        sizes = [len(wave) for wave in event["waves"]]
        self._say(at, "waves", f"{sum(sizes)} hosts change, in {len(sizes)} waves of {', '.join(map(str, sizes))}")

    def _enter(self, event: Event, at: float) -> None:
        self.batch = event
        hosts = ", ".join(str(host) for host in event.get("hosts") or ())
        if event.get("back"):
            self._turn(at, 0)
            self._say(at, "undo", f"taking back {hosts}")
        else:
            self._say(at, "enter", f"wave {event.get('wave')} of {event.get('waves')}: {hosts}")

    def _left(self, event: Event, at: float) -> None:
        """Says nothing new."""

    def _edge(self, event: Event, at: float) -> None:
        if event.get("status") not in SOUND:
            return
        earlier = set().union(*self.out.values()) if self.out else set()
        self.out[str(event["host"])] = {str(host) for host in event.get("out") or ()}
        now = set().union(*self.out.values())
        for name in sorted(now - earlier):
            lane = self.story.lanes.get(name)
            if lane:
                lane.spans.append(Span("drained", at, at, ended=False))
        for name in sorted(earlier - now):
            lane = self.story.lanes.get(name)
            span = lane.open("drained") if lane else None
            if span:
                span.end, span.ended = at, True

    def _change(self, event: Event, at: float) -> None:
        lane = self._lane(event)
        self._span(lane, "change", event, at)
        for component in event.get("components") or ():
            part = lane.parts.setdefault(str(component["name"]), Part(str(component["name"])))
            if component.get("changed"):
                if not part.done:
                    part.before = str(component.get("previous") or "") or part.before
                part.effect = str(component.get("effect") or "") or part.effect
                part.after = str(component.get("generation") or "")
                part.done = part.changed = True
            part.seconds += _seconds(component)
        if event.get("diff") and not lane.diff:
            lane.diff = str(event["diff"])
        self._outcome(lane, "change", event, at)

    def _undo(self, event: Event, at: float) -> None:
        lane = self._lane(event)
        self._turn(at, 0)
        self._span(lane, "undo", event, at)
        if event["status"] in SOUND:
            for part in lane.parts.values():
                part.back = part.done
        self._outcome(lane, "undo", event, at)

    def _span(self, lane: Lane, kind: str, event: Event, at: float) -> None:
        status = str(event["status"])
        span = lane.open(kind)
        if status == "begun":
            lane.spans.append(Span(kind, at, at, "begun", ended=False))
        elif span:
            span.end, span.status, span.ended = at, status, True
        else:
            lane.spans.append(Span(kind, at, at, status))

    def _outcome(self, lane: Lane, kind: str, event: Event, at: float) -> None:
        status = str(event["status"])
        what = {"change": "being changed", "undo": "being taken back"}[kind]
        if status in SOUND:
            done = {"change": status, "undo": "taken back" if status == "changed" else "as before already"}[kind]
            self._say(at, "ok", f"{lane.host} is {done}")
        elif status != "begun":
            self._say(at, "failed", f"{lane.host}: {status} while {what}")
            message = str(event.get("message") or "no message")
            self.story.failures.append(Failure(at, lane.host, f"{status} while {what}", message))

    def _proof(self, event: Event, at: float) -> None:
        wave = event.get("wave") if isinstance(event.get("wave"), int) else 0
        objectives = [one for one in event.get("objectives") or () if isinstance(one, Mapping)]
        passed, reason = bool(event.get("passed")), str(event.get("reason") or "")
        self.story.gates.append(
            Gate(int(wave or 0), self.before, at, passed, bool(event.get("asked")), reason, objectives)
        )
        name = f"wave {wave}" if wave else "the old state"
        self._say(
            at, "ok" if passed else "failed", f"{name} is proved" if passed else f"{name} is not proved: {reason}"
        )
        if not passed:
            self.story.failures.append(Failure(at, name, "not proved", reason or "no reason given"))
        for lane in self.story.lanes.values():
            if wave and lane.wave == wave:
                status = "passed" if passed else "failed"
                lane.spans.append(Span("proof", self.before, at, status))

    def _interrupted(self, event: Event, at: float) -> None:
        self.story.signal = str(event.get("signal") or "a signal")
        self._turn(at, int(self.batch.get("wave") or 0))
        self._say(at, "failed", f"interrupted by {self.story.signal}")

    def _stop(self, event: Event, at: float) -> None:
        wave = event.get("wave")
        self._turn(at, wave if isinstance(wave, int) else 0)
        self._say(at, "failed", f"turns back: {event.get('reason')}")

    def _end(self, event: Event, at: float) -> None:
        left = event.get("left")
        self.story.left = {str(host): str(why) for host, why in left.items()} if isinstance(left, Mapping) else {}
        self._say(at, "end", f"ends as {event['result']}")

    def _turn(self, at: float, wave: int) -> None:
        if not self.story.turned:
            self.story.turned, self.story.turned_wave = at, wave


def _steps(component: Event) -> list[str]:
    steps = [step for step in component.get("plan") or () if isinstance(step, Mapping)]
    return [f"{step.get('action')} {step.get('target')} ({step.get('reason')})" for step in steps]


def _seconds(component: Event) -> float:
    value = component.get("seconds")
    return float(value) if isinstance(value, (int, float)) else 0.0
