# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Courses side by side: entering stages, waiting, and saying why one does not come to its end.

Time and cluster are handed in. What is under way is recorded before it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from . import diagnose, ready
from .cluster import Cluster
from .diagnose import Finding
from .objects import Manifest, Object, Ref, metadata, ref, replicas, status, template_of, workload_of
from .strategies import Course, Stage
from .strategies.course import pod_ready

WAKE = 2.0  # seconds without news after which time itself is news: patience and deadlines end
ASK_EVENTS = 15.0  # seconds between questions for events, which are not watched


class Failure(Exception):  # noqa: N818 - of the rollout, not of the program
    """Why a rollout does not go on."""

    def __init__(self, text: str, finding: Finding | None = None, log: str = "") -> None:
        super().__init__(text)
        self.text, self.finding, self.log = text, finding, log


@dataclass(frozen=True)
class Gate:
    """Pods to be judged, those to compare them with, and since when the former serve."""

    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    since: float


@dataclass
class Track:
    """How far one course is."""

    course: Course
    back: bool = False
    position: int = 0
    entered: bool = False
    entered_at: float = 0
    settled_at: float | None = None
    generations: dict[Ref, int] = field(default_factory=dict)

    @property
    def stages(self) -> tuple[Stage, ...]:
        return self.course.stages(self.back)

    @property
    def done(self) -> bool:
        return self.position >= len(self.stages)

    @property
    def stage(self) -> Stage:
        return self.stages[self.position]


Apply = Callable[[Manifest], Object]
Judge = Callable[[Gate], "list[str]"]
Record = Callable[[Mapping[str, int]], None]


@dataclass
class Carrier:
    cluster: Cluster
    apply: Apply
    record: Record
    judge: Judge | None = None
    patience: float = 60.0
    say: Callable[[str], None] = lambda _text: None
    asked_events: float = 0.0
    known_events: list[Object] = field(default_factory=list)

    def carry(self, tracks: Sequence[Track], timeout: float) -> None:
        """All of them to their ends, or Failure."""
        deadline = self.cluster.now() + timeout
        pods: dict[Ref, list[Object]] = {}
        while True:
            pods = self.pods()
            moved = [track for track in tracks if not track.done and self._step(track, pods)]
            if all(track.done for track in tracks):
                return
            if moved:
                self._record(tracks, moved)
                continue
            open_ones = [track for track in tracks if not track.done]
            if all(track.settled_at is not None for track in open_ones):
                self._gate(open_ones, pods)
                continue
            if self.cluster.now() >= deadline:
                raise self._late(open_ones, pods, timeout)
            self.cluster.refresh(WAKE)

    def pods(self) -> dict[Ref, list[Object]]:
        """Workload -> its pods, as far as they are watched."""
        found: dict[Ref, list[Object]] = {}
        for which, item in self.cluster.seen.items():
            if which.kind == "Pod":
                owner = workload_of(item)
                if owner:
                    found.setdefault(owner, []).append(item)
        return found

    def _step(self, track: Track, pods: Mapping[Ref, list[Object]]) -> bool:
        """Whether the track has come to its next stage."""
        if not track.entered:
            self._enter(track)
            return False
        if track.settled_at is not None:
            return False
        if not self._settled(track, pods):
            self._fail_early(track, pods)
            return False
        stage = track.stage
        if stage.gate and self.judge and not track.back and track.course.template:
            track.settled_at = self.cluster.now()
            return False
        _advance(track)
        return True

    def _enter(self, track: Track) -> None:
        stage = track.stage
        self.say(f"{track.course.workload} {stage.says}")
        for item in stage.apply:
            track.generations[ref(item)] = int(metadata(self.apply(item)).get("generation") or 0)
        for which in stage.delete:
            self.cluster.delete(which)
        track.entered, track.entered_at = True, self.cluster.now()

    def _fresh(self, track: Track, which: Ref) -> Object | None:
        """An object as it is seen, unless that is older than what was applied to it."""
        item = self.cluster.seen.get(which)
        if item is None or int(metadata(item).get("generation") or 0) < track.generations.get(which, 0):
            return None
        return item

    def _settled(self, track: Track, pods: Mapping[Ref, list[Object]]) -> bool:
        stage = track.stage
        if any(which in self.cluster.seen for which in stage.delete):
            return False
        if stage.renew and self._renew(stage, pods):
            return False
        for which in stage.settled:
            item = self._fresh(track, which)
            if item is None or not ready.state_of(item).ready:
                return False
        return True

    def _renew(self, stage: Stage, pods: Mapping[Ref, list[Object]]) -> bool:
        """Whether pods are still to be renewed."""
        renew = stage.renew
        if renew is None:
            return False
        item = self.cluster.seen.get(renew.workload)
        if item is None:
            return True
        mine, total = pods.get(renew.workload, []), pods_of(item)
        for pod in renew.due(mine, total):
            # What is seen may be older than the last deletion: a new pod of the same name is not meant.
            about = metadata(pod)
            self.cluster.delete(Ref("Pod", renew.workload.namespace, str(about["name"])), str(about.get("uid", "")))
        return not renew.enough(mine, total)

    def findings(self, track: Track, pods: Mapping[Ref, list[Object]]) -> list[Finding]:
        """What is wrong with a course's pods of the template that is being rolled out."""
        found: list[Finding] = []
        for which in track.stage.settled:
            item = self._fresh(track, which)
            if item is None:
                continue
            mine = [pod for pod in pods.get(which, []) if template_of(pod) == template_of(item)]
            events = [one for one in self.known_events if _about(one, which, mine)]
            found += diagnose.findings(mine, item, self.cluster.now(), self.patience, events, track.entered_at)
        return found

    def _fail_early(self, track: Track, pods: Mapping[Ref, list[Object]]) -> None:
        self._ask_events(track, pods)
        for finding in self.findings(track, pods):
            if finding.final:
                raise self.failure(f"{track.course.workload} {track.stage.says}, and that fails", finding)
        for which in track.stage.settled:
            item = self._fresh(track, which)
            state = ready.state_of(item) if item is not None else None
            if state and state.failed:
                found = self.findings(track, pods)
                raise self.failure(f"{which} {state.reason}", found[0] if found else None)

    def _ask_events(self, track: Track, pods: Mapping[Ref, list[Object]]) -> None:
        """Only a Deployment has a condition that says that its pods are refused; of others there are events only."""
        short = any(
            which.kind in ("StatefulSet", "DaemonSet", "Job")
            and not any(not pod_ready(pod) for pod in pods.get(which, []))
            for which in track.stage.settled
        )
        if short and self.cluster.now() - self.asked_events >= ASK_EVENTS:
            self.asked_events = self.cluster.now()
            self.known_events = self.cluster.events(track.course.workload.namespace)

    def failure(self, text: str, finding: Finding | None) -> Failure:
        if finding is None:
            return Failure(text)
        log = ""
        if finding.started:
            log = self.cluster.logs(finding.namespace, finding.pod, finding.container, finding.previous, diagnose.LINES)
        return Failure(f"{text}. {finding.sentence()}", finding, log)

    def _late(self, tracks: Sequence[Track], pods: Mapping[Ref, list[Object]], timeout: float) -> Failure:
        for namespace in sorted({track.course.workload.namespace for track in tracks}):
            self.known_events = [*self.known_events, *self.cluster.events(namespace)]
        found = [finding for track in tracks for finding in self.findings(track, pods)]
        states = []
        for track in tracks:
            for which in track.stage.settled:
                item = self.cluster.seen.get(which)
                states.append(f"{which} {ready.state_of(item).reason if item is not None else 'is not there'}")
        text = f"not ready after {timeout:g} s: {'; '.join(states[:5])}"
        more = f" and {len(states) - 5} more" if len(states) > 5 else ""
        return self.failure(text + more, found[0] if found else None)

    def _gate(self, tracks: Sequence[Track], pods: Mapping[Ref, list[Object]]) -> None:
        changed: list[str] = []
        unchanged: list[str] = []
        for track in tracks:
            for which, mine in pods.items():
                if _of(track.course, which):
                    for pod in mine:
                        names = changed if template_of(pod) == track.course.template else unchanged
                        if pod_ready(pod):
                            names.append(str(metadata(pod)["name"]))
        since = max(track.settled_at or 0.0 for track in tracks)
        self.say(f"measures {len(changed)} pods")
        breaches = self.judge(Gate(tuple(sorted(changed)), tuple(sorted(unchanged)), since)) if self.judge else []
        if breaches:
            stopped = ", ".join(str(track.course.workload) for track in tracks)
            raise Failure(f"the gate stops {stopped}: {'; '.join(breaches)}")
        for track in tracks:
            _advance(track)
        self._record(tracks, tracks)

    def _record(self, tracks: Sequence[Track], moved: Sequence[Track]) -> None:
        """Before any of them enters its next stage; one write for all that advance together, none for the last ones."""
        if any(not track.done for track in moved):
            self.record({str(track.course.workload): track.position for track in tracks})


def pods_of(item: Object) -> int:
    """How many pods a workload is to have."""
    if item.get("kind") == "DaemonSet":
        return int(status(item).get("desiredNumberScheduled") or 0)
    return replicas(item)


def _advance(track: Track) -> None:
    track.position += 1
    track.entered = False
    track.settled_at = None


def _of(course: Course, which: Ref) -> bool:
    mine = {course.workload, *course.transient, *(ref(item) for item in course.concrete)}
    return which in mine


def _about(event: Object, which: Ref, pods: Sequence[Object]) -> bool:
    about = event.get("involvedObject") or {}
    if about.get("kind") == "Pod":
        return any(metadata(pod).get("name") == about.get("name") for pod in pods)
    return about.get("kind") == which.kind and about.get("name") == which.name
