"""One component's whole run: recover, observe, plan; then execute.py carries the plan out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from . import dpkg
from . import observe as observing
from .errors import EngineError
from .generation import describe, generation_of, runtime_of, spec_of
from .host import Host
from .masking import Mask, joined
from .plan import blocked_by, plan_present
from .plan_absent import plan_absent
from .spec import Spec, parse_spec
from .store import Store
from .work import Mode, Result, Work

if TYPE_CHECKING:
    from .history import Way
    from .packages import Move


class Engine:
    """Runs components on one host. `architecture` is the artifact's name for it: amd64 or arm64."""

    def __init__(self, host: Host, store: Store, architecture: str, mode: Mode) -> None:
        self.host = host
        self.store = store
        self.architecture = architecture
        self.mode = mode

    def run(self, raw: Mapping[str, Any]) -> Result:
        """One component; failures are in the result, with secrets masked, never raised."""
        started = time.monotonic()
        result = Result(str(raw.get("name")))
        self._mask: Mask | None = None
        try:
            spec = parse_spec(dict(raw), self.architecture)
            if (spec.undo or spec.to) and spec.name not in self.store.known():
                from .history import NOT_HERE

                result.notes.append(NOT_HERE)
            else:
                self._run_alone(spec, result)
        except EngineError as error:
            result.failed, result.step, result.message = True, error.step, str(error)
        except OSError as error:
            result.failed, result.step = True, "prepare"
            result.message = f"{error.strerror or error}: {error.filename or 'unknown path'}. The old state is in place"
        if result.message:
            secrets = {key: str(value) for key, value in (raw.get("secrets") or {}).items()}
            result.message = (self._mask or Mask(self.store.key, secrets, {})).text(result.message)
        result.seconds = round(time.monotonic() - started, 3)
        return result

    def _run_alone(self, spec: Spec, result: Result) -> None:
        if not self.mode.check:
            self.store.prepare()
        with nullcontext() if self.mode.check else self.store.lock(spec.name, self.mode.patience):
            result.recovered = self._recover(spec.name)
            result.changed = bool(result.recovered)
            ledger = self.store.ledger(spec.name)
            way = self._way_back(spec, ledger)
            if way and way.note:
                result.notes.append(way.note)
            if way and way.idle:
                generation = (ledger or {}).get("generation") or {}
                result.generation = result.previous = generation.get("id", "")[:12]
                return
            if way and way.generation is None:
                spec = replace(spec, state="absent", purge=False)
            self._make_true(spec, ledger, way, result)

    def _make_true(self, spec: Spec, ledger: Mapping[str, Any] | None, way: Way | None, result: Result) -> None:
        work = self._plan(spec, ledger, way)
        before = (ledger or {}).get("generation") or {}
        if self.mode.diff:
            from .diff import diff_of

            back = way is not None
            result.diff = diff_of(work.plan, work.mask, set(before.get("entries") or {}), back)
        result.plan = [asdict(item) for item in work.plan.items]
        result.changed = work.plan.changed or bool(result.recovered)
        result.effect = work.plan.effect
        # In check mode on a new host there is no key yet that digests would be stable under.
        result.generation = "" if self.mode.check else work.generation.get("id", "")[:12]
        result.previous = before.get("id", "")[:12]
        blocked = blocked_by(work.plan)
        if blocked:
            raise EngineError("; ".join(blocked), "plan", "Move it away, or declare it once, then run again")
        result.notes += [f"the package {move.name} {move.reason}" for move in work.plan.moves if move.stays]
        if work.plan.changed:
            # Only now: most runs change nothing, and reading code is most of what such a run does.
            from .execute import Execution

            execution = Execution(self.host, self.store, self.mode)
            if self.mode.check:
                result.notes += execution.foresee(work)
            else:
                execution.carry_out(work)

    # Parts of a run

    def _recover(self, name: str) -> str:
        """Finish or take back what a run that died left behind."""
        journal = self.store.journal(name)
        if journal is None:
            if not self.mode.check:
                self.store.sweep(name)
            return ""
        if self.mode.check:
            return "an interrupted change waits to be taken back or finished by the next run"
        from .execute import recover

        return recover(self.host, self.store, journal)

    @staticmethod
    def _way_back(spec: Spec, ledger: Mapping[str, Any] | None) -> Way | None:
        if spec.state != "rolled_back":
            return None
        from .history import way_back

        return way_back(ledger, spec.undo, spec.to)

    def _plan(self, spec: Spec, ledger: Mapping[str, Any] | None, way: Way | None) -> Work:
        current = (ledger or {}).get("generation")
        kept: Mapping[str, Any] = (way.generation if way else None) or {}
        # Where anything fails from here on, what it says is masked with this one.
        self._mask = mask = Mask(self.store.key, spec.secrets, joined(current, kept))
        target = self._kept(spec, kept) if kept else spec
        choice = observing.choose_release(target, ledger)
        if kept and not choice.ready:
            raise EngineError(f"release {choice.directory} is no longer intact on this host", "plan", "Roll forward")
        target = observing.with_release(target, choice)
        runtime = target.runtime if spec.state != "absent" else runtime_of(current)
        observed = observing.observe(self.host, self.store, target, ledger, runtime, choice.ready)
        originals = observing.original_entries(ledger, self.store.object)
        generation: dict[str, Any] = {}
        if spec.state == "absent":
            plan = plan_absent(observed, ledger, originals, spec.purge)
        else:
            entries = {entry.path: describe(entry, self.store.digest) for entry in target.entries}
            secrets = kept["secrets"] if kept else mask.record()
            moves = self._moves(current, kept, observed.packages)
            packages = {**observed.packages, **{move.name: move.after for move in moves if move.installs}}
            generation = generation_of(target, entries, packages, secrets)
            plan = plan_present(target, observed, ledger, originals, generation["id"], moves)
        return Work(spec, target, plan, observed, ledger, generation, choice.directory, runtime, mask, way)

    def _moves(
        self, current: Mapping[str, Any] | None, kept: Mapping[str, Any], installed: Mapping[str, str]
    ) -> tuple[Move, ...]:
        """Packages that are not at the version of the generation that the ledger has, or that is gone back to."""
        recorded: dict[str, str] = (kept or current or {}).get("packages") or {}
        if not kept:
            # What is no longer declared, or no longer there, has no version to compare.
            recorded = {name: version for name, version in recorded.items() if name in installed}
        if not dpkg.differing(recorded, installed):
            return ()
        # Only now: apt takes half a second to say anything.
        from . import apt

        return (apt.moves_back if kept else apt.moves_present)(self.host, recorded, installed)

    def _kept(self, spec: Spec, generation: Mapping[str, Any]) -> Spec:
        digests = {entry["digest"] for entry in generation["entries"].values() if entry["digest"]}
        return spec_of(spec.name, generation, {digest: self.store.object(digest) for digest in digests})
