# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order of events: recover, plan, record, apply and watch, gate, then keep or take back.

The ledger says what is under way before it is done. A controller that dies leaves one of three phases: `forward` goes
on or is planned anew, `back` is carried to its end first, `keep` has only pruning left.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine.masking import Mask

from . import ledger as ledgers
from . import ready
from .carry import Carrier, Failure, Judge, Track
from .cluster import ApiError, Cluster, Conflict, NotFound, explained, may_force
from .difference import Change, certainly_same, change, diff_of
from .ledger import Ledger, Pending, Revision
from .objects import OWNER, Manifest, Object, Ref, is_workload, metadata, order, ref
from .plan import Plan, PlanError, Wanted, plan, wanted_refs
from .strategies import Course


@dataclass(frozen=True)
class Options:
    rollout: str
    timeout: float = 600.0
    patience: float = 60.0
    history: int = 5
    take_over: bool = False


@dataclass
class Result:
    changed: bool = False
    rollout: str = ""
    plan: list[str] = field(default_factory=list)
    diff: str = ""
    left: list[str] = field(default_factory=list)
    workloads: dict[str, Any] = field(default_factory=dict)
    failure: str = ""
    log: str = ""
    finding: dict[str, Any] = field(default_factory=dict)
    rolled_back: bool = False
    recovered: str = ""


class Rollout:
    def __init__(
        self,
        cluster: Cluster,
        application: str,
        namespace: str,
        options: Options,
        judge: Judge | None = None,
        say: Callable[[str], None] = lambda _text: None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.cluster, self.options, self.judge, self.say, self.random = cluster, options, judge, say, random
        self.application, self.namespace = application, namespace
        self.ledger = Ledger(application, namespace)
        self.key = b""
        self.known: dict[Ref, Manifest] = {}  # what we applied before, for conflicts
        self.result = Result(rollout=options.rollout)

    # ---- the two things that are asked for

    def forward(self, declared: Iterable[Manifest], strategies: Mapping[str, Any], prune: bool, check: bool) -> Result:
        items = tuple(declared)
        self._load(any(item.get("kind") == "Secret" for item in items))
        return self._run(Wanted(self.application, self.namespace, items, strategies, prune), check)

    def back_to(self, rollout: str, prune: bool, check: bool) -> Result:
        """To how an earlier rollout left the application, by the strategies that it had."""
        self._load(True)
        revision = self.ledger.find(rollout)
        lost = [str(ref(item)) for item in revision.declared if ledgers.is_sealed(item)]
        if lost:
            raise PlanError([f"the values of {', '.join(lost)} at rollout {rollout} are not kept any more"])
        return self._run(Wanted(self.application, self.namespace, revision.declared, revision.strategies, prune), check)

    # ---- memory

    def _load(self, secrets: bool) -> None:
        item = self.cluster.get(ledgers.place(self.application, self.namespace))
        self.ledger = ledgers.read(item, self.application, self.namespace)
        if not secrets and not ledgers.secrets_of(self.ledger):
            return
        found = self.cluster.versions(self.namespace, f"{OWNER}={self.application}")
        name = ledgers.key_place(self.application, self.namespace).name
        kept = next((one for one in found if metadata(one).get("name") == name), None)
        if kept is None and ledgers.secrets_of(self.ledger):
            raise ledgers.LedgerError(
                f"Secret {self.namespace}/{name} is missing; restore it, or its digests are worth nothing"
            )
        self.key = base64.b64decode((kept.get("data") or {})["key"]) if kept else b""
        spaces = {str(metadata(one)["namespace"]) for one in ledgers.secrets_of(self.ledger)} - {self.namespace}
        for space in sorted(spaces):
            found = [*found, *self.cluster.versions(space, f"{OWNER}={self.application}")]
        self.ledger = ledgers.with_secrets(self.ledger, self.key, found)

    def _write(self, following: Ledger) -> None:
        item = ledgers.write(following, self.key)
        try:
            # Not by applying: whoever else writes to the ledger must be noticed, not merged with.
            written = self.cluster.replace(item) if following.version else self.cluster.create(item)
        except ApiError as error:
            if error.status == 409:
                raise Failure(
                    f"another controller has taken over the rollout of {self.application}; this one stops here"
                ) from error
            raise
        self.ledger = replace(following, version=str(metadata(written).get("resourceVersion", "")))

    # ---- one run

    def _run(self, wanted: Wanted, check: bool) -> Result:
        pending = self.ledger.pending
        if pending and pending.phase != "forward" and not check:
            self._recover(pending)
        live = self._look(wanted)
        drawn = plan(wanted, self.ledger, live)
        head = self.ledger.head
        self.known = dict(head.concrete) if head else {}
        if self.ledger.pending:
            self.known = {**self.known, **self.ledger.pending.revision.concrete}
        changes = self._changes(drawn, live)
        self.result.plan = [one.said() for one in changes.values()]
        self.result.left = [str(one) for one in drawn.left]
        self.result.diff = "".join(diff_of(one, self.key or b"-") for one in changes.values())
        active = [one for one in drawn.courses if self._active(one, changes, live)]
        jobs = [one for one in drawn.jobs if one.forward]
        self.result.workloads = {
            str(one.workload): {"colour": one.colour, "template": one.template, "changed": one in active}
            for one in (*drawn.courses,)
        }
        resumed = self.ledger.pending is not None
        if not (changes or active or jobs or resumed):
            return self.result
        self.result.changed = bool(changes or jobs or resumed)
        if check:
            return self.result
        self._carry_out(wanted, drawn, live, changes, active, jobs)
        return self.result

    def _look(self, wanted: Wanted) -> dict[Ref, Object]:
        pending = self.ledger.pending
        remembered = [one.concrete for one in (self.ledger.head, pending.revision if pending else None) if one]
        self.cluster.learn([*wanted.declared, *(item for one in remembered for item in one.values())])
        return self.cluster.look(wanted_refs(wanted, self.ledger))

    def _changes(self, drawn: Plan, live: Mapping[Ref, Object]) -> dict[Ref, Change]:
        """What differs, by a dry run where it is not certain without."""
        found: dict[Ref, Change] = {}
        recorded = self.ledger.head.concrete if self.ledger.head and not self.ledger.pending else {}
        done = {ref(item) for one in drawn.jobs if not one.forward for item in one.concrete}
        spaces = {which.name for which in drawn.concrete if which.kind == "Namespace" and which not in live}
        for which, item in sorted(drawn.concrete.items(), key=lambda pair: order(pair[0])):
            if which in done or certainly_same(item, recorded.get(which), live.get(which)):
                continue
            one = change(which, live.get(which), self._tried(item, which, spaces, replaced=which.kind == "Job"))
            if one:
                found[which] = one
        for which in drawn.prune:
            found[which] = Change(which, "prune", live[which], None)
        return found

    def _tried(self, item: Manifest, which: Ref, spaces: set[str], replaced: bool) -> Object:
        if replaced or which.namespace in spaces:  # there is nothing yet that could refuse it
            return item
        try:
            return self.cluster.apply(item, dry_run=True)
        except Conflict as conflict:
            if self.options.take_over or may_force(conflict, self.known.get(which)):
                return self.cluster.apply(item, dry_run=True, force=True)
            raise PlanError([explained(conflict, which)]) from conflict
        except NotFound as error:
            text = f"{which}: {error.message}; declare the namespace {which.namespace}, or create it first"
            raise PlanError([text]) from error
        except ApiError as error:
            raise PlanError([f"{which}: the API server refuses it ({error.reason}): {error.message}"]) from error

    def _active(self, course: Course, changes: Mapping[Ref, Change], live: Mapping[Ref, Object]) -> bool:
        mine = [ref(item) for item in course.concrete]
        mine += [ref(item) for stage in course.forward for item in stage.apply]
        if any(which in changes for which in mine) or self.ledger.pending:
            return True
        # What did not change and does not serve: this run says so.
        waited = {which for stage in course.forward for which in stage.settled if which in drawn_refs(course)}
        return any(which in live and not ready.state_of(live[which]).ready for which in waited)

    def _apply(self, item: Manifest) -> Object:
        which = ref(item)
        if ledgers.is_sealed(item):
            raise Failure(f"{which}: its values are not kept any more; create it by hand, then run again")
        try:
            return self.cluster.apply(item)
        except Conflict as conflict:
            if self.options.take_over or may_force(conflict, self.known.get(which)):
                return self.cluster.apply(item, force=True)
            raise Failure(explained(conflict, which)) from conflict
        except ApiError as error:
            raise Failure(f"{which}: the API server refuses it ({error.reason}): {error.message}") from error

    def _carry_out(
        self,
        wanted: Wanted,
        drawn: Plan,
        live: Mapping[Ref, Object],
        changes: Mapping[Ref, Change],
        active: list[Course],
        jobs: list[Course],
    ) -> None:
        was = self.ledger.pending
        revision = drawn.revision(self.options.rollout, wanted, int(self.cluster.now()))
        same = was is not None and (was.revision.declared, was.revision.strategies) == (
            revision.declared,
            revision.strategies,
        )
        came = tuple(which for which in drawn.concrete if which not in live)
        pending = Pending(
            revision,
            "forward",
            was.positions if was and same else {},
            tuple({**dict.fromkeys(was.came if was else ()), **dict.fromkeys(came)}),
            tuple({**dict.fromkeys(was.transient if was else ()), **dict.fromkeys(drawn.transient)}),
            drawn.before,
        )
        if not self.ledger.version:
            # The ledger lies in the application's namespace: that is the one thing that comes before it.
            for item in drawn.ground:
                if item["kind"] == "Namespace" and ref(item) in changes:
                    self._apply(item)
        self._keep_secrets(drawn)
        self._write(replace(self.ledger, pending=pending))
        self.known = {**self.known, **drawn.concrete}
        try:
            for item in drawn.ground:
                if ref(item) in changes:
                    self._apply(item)
            carrier = self._carrier()
            carrier.cluster.watch(_kinds([*active, *jobs]))
            for group in (jobs, active):
                tracks = [Track(one, position=_position(one, pending)) for one in group]
                carrier.carry(tracks, self.options.timeout)
            for item in drawn.after:
                if ref(item) in changes:
                    self._apply(item)
        except (Failure, ApiError) as error:
            self._failed(error)
            self._take_back(drawn)
            return
        self._keep(drawn)

    def _failed(self, error: Failure | ApiError) -> None:
        mask = self._mask()
        self.result.failure = mask.text(str(error))
        if isinstance(error, Failure):
            self.result.log = mask.text(error.log)
            if error.finding:
                finding = error.finding
                self.result.finding = {
                    "pod": finding.pod,
                    "container": finding.container,
                    "reason": finding.reason,
                    "message": mask.text(finding.text),
                    "advice": finding.advice,
                }

    def _mask(self) -> Mask:
        """Hides what the Secrets hold in what containers and servers say."""
        values: dict[str, str] = {}
        for which, item in self.known.items():
            for name, value in (item.get("data") or {}).items() if which.kind == "Secret" else ():
                text = _decoded(str(value))
                if len(text) >= 4:  # a shorter one would be found in harmless text
                    values[f"{which.name}.{name}"] = text
        return Mask(self.key or b"-", values, {})

    def _carrier(self) -> Carrier:
        return Carrier(self.cluster, self._apply, self._positions, self.judge, self.options.patience, self.say)

    def _positions(self, positions: Mapping[str, int]) -> None:
        pending = self.ledger.pending
        if pending:
            self._write(replace(self.ledger, pending=replace(pending, positions={**pending.positions, **positions})))

    def _keep_secrets(self, drawn: Plan) -> None:
        """The values of Secrets, before a ledger names their digests."""
        found = [item for item in drawn.concrete.values() if item.get("kind") == "Secret" and item.get("data")]
        if not found:
            return
        if not self.key:
            self.key = self.random(32)
            self.cluster.create(ledgers.key_secret(self.application, self.namespace, self.key))
        there = {ledgers.version_name(item, self.key) for item in ledgers.secrets_of(self.ledger)}
        for item in found:
            if ledgers.version_name(item, self.key) not in there:
                self.cluster.apply(ledgers.version_secret(item, self.key, self.application))

    # ---- the ends

    def _keep(self, drawn: Plan) -> None:
        """It has proved itself: what is not wanted any more goes, and nothing is taken back."""
        pending = self.ledger.pending
        assert pending is not None
        retire = [item for course in drawn.courses for item in course.retire]
        if drawn.prune or retire:
            self._write(replace(self.ledger, pending=replace(pending, phase="keep")))
            self._finish(drawn.prune, retire)
        known = {_version(item, self.key) for item in ledgers.secrets_of(self.ledger)}
        self._write(self.ledger.kept(pending.revision, self.options.history))
        for space, name in sorted(known - {_version(item, self.key) for item in ledgers.secrets_of(self.ledger)}):
            self.cluster.delete(Ref("Secret", space, name))

    def _finish(self, prune: Iterable[Ref], retire: Iterable[Manifest]) -> None:
        for item in retire:
            self._apply(item)
        for which in prune:
            self.cluster.delete(which)

    def _take_back(self, drawn: Plan) -> None:
        """Everything of this rollout, whichever workload failed; then whether the old state serves."""
        pending = self.ledger.pending
        assert pending is not None
        self._write(replace(self.ledger, pending=replace(pending, phase="back", positions={})))
        head = self.ledger.head
        old = {**drawn.before, **(head.concrete if head else {})}
        try:
            self._ground_back(drawn, old)
            courses = [one for one in drawn.courses if one.back]
            self.cluster.watch(_kinds(courses))
            self._carrier().carry([Track(one, back=True) for one in courses], self.options.timeout)
            gone = set(pending.came) | set(pending.transient)
            for which in sorted(gone - set(old), key=order, reverse=True):
                if which.kind not in ("Namespace", "PersistentVolumeClaim", "CustomResourceDefinition"):
                    self.cluster.delete(which)
        except (Failure, ApiError) as error:
            self.result.failure += f" Taking it back failed as well: {self._mask().text(str(error))}. Run it again."
            return
        self._write(replace(self.ledger, pending=None))
        self.result.rolled_back = True

    def _ground_back(self, drawn: Plan, old: Mapping[Ref, Manifest]) -> None:
        """What pods read has to be as it was before they start again. Services are led back by their courses."""
        led = {ref(item) for course in drawn.courses for stage in course.back for item in stage.apply}
        for which, item in sorted(old.items(), key=lambda pair: order(pair[0])):
            ours = drawn.concrete.get(which)
            if ours != item and not is_workload(which) and which not in led and which.kind != "Job":
                self._apply(item)

    def _recover(self, pending: Pending) -> None:
        """A controller died on the way back, or while pruning: that comes to its end first."""
        revision = pending.revision
        wanted = Wanted(self.application, self.namespace, revision.declared, revision.strategies)
        live = self._look(wanted)
        drawn = plan(wanted, self.ledger, live)
        self.known = {**(self.ledger.head.concrete if self.ledger.head else {}), **revision.concrete}
        self.result.recovered = f"{'pruned after' if pending.phase == 'keep' else 'took back'} {revision.rollout}"
        if pending.phase == "keep":
            self._keep(drawn)
            return
        self._take_back(drawn)
        if not self.result.rolled_back:
            raise Failure(f"rollout {revision.rollout} is half taken back.{self.result.failure}")
        self.result.rolled_back = False


def drawn_refs(course: Course) -> set[Ref]:
    return {ref(item) for item in course.concrete}


def _version(item: Manifest, key: bytes) -> tuple[str, str]:
    return str(metadata(item)["namespace"]), ledgers.version_name(item, key)


def _position(course: Course, pending: Pending) -> int:
    return min(pending.positions.get(str(course.workload), 0), max(0, len(course.forward) - 1))


def _kinds(courses: Iterable[Course]) -> list[tuple[str, str, str]]:
    """What to watch: the workloads' kinds and their pods, once for each namespace."""
    found = {(one.workload.group, one.workload.kind, one.workload.namespace) for one in courses}
    found |= {("", "Pod", one.workload.namespace) for one in courses}
    return sorted(found)


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value).decode()
    except ValueError:
        return value


__all__ = ["Options", "Result", "Revision", "Rollout"]
