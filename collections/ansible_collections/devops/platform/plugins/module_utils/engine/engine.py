"""One component's whole run: recover, observe, plan, prepare, validate, switch, probe, keep or take back."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

from . import observe as observing
from .diff import diff_of
from .errors import EngineError
from .generation import generation_of, runtime_of, spec_of, staying_packages
from .host import Host
from .ledger import Stamp, adopted, describe, ledger_of_absent, next_ledger, unnamed_releases
from .masking import Mask
from .plan import Observed, Plan, blocked_by, plan_present
from .plan_absent import plan_absent
from .probe import wait_until_well
from .release import install
from .runtime import state_before
from .spec import RELEASES, Runtime, Spec, parse_spec
from .store import Store
from .transaction import Transaction, became_true, intent, missing_parents
from .validate import validate, validate_in_passing


@dataclass
class Result:
    """What one component's run says of itself."""

    name: str
    changed: bool = False
    effect: str = "none"
    plan: list[dict[str, str]] = field(default_factory=list)
    recovered: str = ""
    notes: list[str] = field(default_factory=list)
    diff: str = ""
    generation: str = ""
    previous: str = ""
    failed: bool = False
    message: str = ""
    step: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Mode:
    check: bool = False
    diff: bool = False
    rollout: str = ""


@dataclass(frozen=True)
class Work:
    """Everything that is known of one component once it is planned."""

    spec: Spec
    target: Spec
    plan: Plan
    observed: Observed
    ledger: Mapping[str, Any] | None
    generation: Mapping[str, Any]
    release: str
    runtime: Runtime
    mask: Mask

    @property
    def unit(self) -> str:
        return self.runtime.unit if self.runtime.kind in ("unit", "service") else ""


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
        try:
            spec = parse_spec(dict(raw), self.architecture)
            if not self.mode.check:
                self.store.prepare()
            with nullcontext() if self.mode.check else self.store.lock(spec.name):
                self._run_locked(spec, result)
        except EngineError as error:
            result.failed, result.step, result.message = True, error.step, str(error)
        except OSError as error:
            result.failed, result.step = True, "prepare"
            result.message = f"{error.strerror or error}: {error.filename or 'unknown path'}. The old state is in place"
        if result.message:
            secrets = {key: str(value) for key, value in (raw.get("secrets") or {}).items()}
            result.message = Mask(self.store.key, secrets, {}).text(result.message)
        result.seconds = round(time.monotonic() - started, 3)
        return result

    def _run_locked(self, spec: Spec, result: Result) -> None:
        result.recovered = self._recover(spec.name)
        work = self._plan(spec)
        before = (work.ledger or {}).get("generation") or {}
        if self.mode.diff:
            result.diff = diff_of(work.plan, work.mask, set(before.get("entries") or {}))
        result.plan = [asdict(item) for item in work.plan.items]
        result.changed = work.plan.changed or bool(result.recovered)
        result.effect = work.plan.effect
        # In check mode on a new host there is no key yet that digests would be stable under.
        result.generation = "" if self.mode.check else work.generation.get("id", "")[:12]
        result.previous = before.get("id", "")[:12]
        blocked = blocked_by(work.plan)
        if blocked:
            raise EngineError("; ".join(blocked), "plan", "Move it away, or declare it once, then run again")
        if spec.state == "rolled_back":
            result.notes += staying_packages(self._previous(work.ledger), work.observed.packages)
        if self.mode.check:
            result.notes += self._foresee(work)
        elif work.plan.changed:
            self._execute(work)

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
        transaction = Transaction(self.host, self.store, name, journal)
        if became_true(journal, self.store.ledger(name)):
            transaction.clean()
            recovered = "finished"
        else:
            transaction.take_back()
            recovered = "taken back"
        return recovered

    def _plan(self, spec: Spec) -> Work:
        ledger = self.store.ledger(spec.name)
        current = (ledger or {}).get("generation")
        mask = Mask(self.store.key, spec.secrets, (current or {}).get("secrets") or {})
        target = self._target(spec, ledger)
        choice = observing.choose_release(target, ledger)
        if spec.state == "rolled_back" and not choice.ready:
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
            secrets = mask.record() if spec.state == "present" else self._previous(ledger)["secrets"]
            generation = generation_of(target, entries, observed.packages, secrets)
            plan = plan_present(target, observed, ledger, originals, generation["id"])
        return Work(spec, target, plan, observed, ledger, generation, choice.directory, runtime, mask)

    @staticmethod
    def _previous(ledger: Mapping[str, Any] | None) -> dict[str, Any]:
        previous = (ledger or {}).get("previous") or []
        if not previous:
            raise EngineError("there is no earlier generation on this host", "plan", "Nothing was changed")
        found: dict[str, Any] = previous[0]
        return found

    def _target(self, spec: Spec, ledger: Mapping[str, Any] | None) -> Spec:
        if spec.state != "rolled_back":
            return spec
        generation = self._previous(ledger)
        digests = {entry["digest"] for entry in generation["entries"].values() if entry["digest"]}
        return spec_of(spec.name, generation, {digest: self.store.object(digest) for digest in digests})

    def _foresee(self, work: Work) -> list[str]:
        """Check mode: ask the product's checkers too, and say where the prediction has to be vague."""
        if work.plan.absent or not work.plan.changes:
            return []
        notes = []
        missing = [name for name in work.target.packages if name not in work.observed.packages]
        if missing:
            notes.append(
                f"{', '.join(missing)}: not installed yet; files and a running service that the package brings are "
                "not in this plan"
            )
        return notes + validate_in_passing(self.host, work.target, work.release)

    # The change

    def _execute(self, work: Work) -> None:
        plan = work.plan
        stamp = Stamp(os.urandom(8).hex(), self.mode.rollout, int(time.time()))
        install_to = work.release if plan.install else ""
        parents = missing_parents(plan, install_to, self.host.exists)
        following = self._following(work, parents, stamp)
        journal = intent(
            work.spec.name,
            plan,
            work.runtime,
            state_before(work.runtime, work.observed.unit, work.observed.services),
            install_to,
            stamp.transaction,
            parents,
            self._going(work, following),
            bool(following),
        )
        transaction = Transaction.begin(self.host, self.store, journal)
        step = "prepare"
        try:
            transaction.prepare(
                plan,
                lambda: self._install(work, following),
                lambda: self._validate(work),
                lambda: self._keep_contents(work),
            )
            staged = self.store.stage_ledger(work.spec.name, following) if following else ""
            step = "switch"
            transaction.switch(plan, _forced(work.target, plan))
            step = "probe"
            if not plan.absent and plan.effect != "none":
                trouble = wait_until_well(self.host, work.target.probes, work.unit)
                if trouble:
                    raise EngineError(trouble, "probe")
            step = "commit"
            transaction.commit(staged)
        except (EngineError, OSError) as error:
            self._fail(transaction, step, error, work)
        try:
            transaction.clean()
        except (EngineError, OSError) as error:
            raise EngineError(
                f"the change holds, but cleaning up after it did not end: {_words(error)}", "clean", "Run again"
            ) from error

    def _following(self, work: Work, parents: list[str], stamp: Stamp) -> dict[str, Any]:
        """The ledger that makes the change true; empty where nothing is left to know."""
        if work.plan.absent:
            return ledger_of_absent(work.plan, work.ledger or {}, stamp)
        return next_ledger(
            work.target,
            work.plan,
            work.observed,
            work.ledger,
            work.generation,
            work.release,
            parents,
            stamp,
            self.store.digest,
            work.spec.state == "rolled_back",
        )

    @staticmethod
    def _going(work: Work, following: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """(trees, folders that go if they are empty) once the change is true."""
        if not work.plan.absent:
            return unnamed_releases(work.ledger, following), []
        ledger = work.ledger or {}
        releases = [f"{RELEASES}/{work.spec.name}"] if ledger["releases"] else []
        parents = [] if following else [*reversed(ledger["created"]["parents"]), RELEASES]
        return [*work.plan.trees, *releases], [*work.plan.folders, *parents]

    def _install(self, work: Work, following: dict[str, Any]) -> None:
        assert work.plan.install is not None
        following["releases"][work.release] = install(self.host, work.plan.install, work.release)

    def _validate(self, work: Work) -> None:
        if work.plan.absent or not work.plan.changes:
            return
        root = self.store.stage_path(work.target.name)
        self.host.rmtree(root)
        self.host.mkdir(root, 0o700)
        try:
            validate(self.host, work.target, root, work.release)
        finally:
            self.host.rmtree(root)

    def _keep_contents(self, work: Work) -> None:
        """What a later way back needs: the new contents, and what is taken over."""
        if work.plan.absent:
            return
        for entry in work.target.entries:
            if not entry.is_link:
                self.store.keep_object(entry.content)
        for found in adopted(work.target, work.observed, work.ledger).values():
            if found.kind == "file":
                self.store.keep_object(found.content)

    def _fail(self, transaction: Transaction, step: str, error: EngineError | OSError, work: Work) -> None:
        """Take back, then say what happened, what the service said, and how things stand now. Always raises."""
        step = getattr(error, "step", "") or step
        switched = step in ("switch", "probe", "commit")
        words = transaction.runtime.last_words() if step in ("switch", "probe") else ""
        try:
            trouble = transaction.take_back()
        except (EngineError, OSError) as second:
            raise EngineError(
                f"{_words(error)}; taking it back failed too: {_words(second)}",
                step,
                "The journal is kept: the next run takes it back first",
            ) from error
        parts = [_words(error)]
        if words:
            parts.append(f"the service's last lines:\n{work.mask.text(words)}\n")
        parts.append(
            self._how_it_stands(transaction, work, trouble)
            if switched
            else "Nothing was switched; what ran before runs on"
        )
        raise EngineError("\n".join(parts), step) from error

    def _how_it_stands(self, transaction: Transaction, work: Work, trouble: str) -> str:
        if trouble:
            return f"Files are as before, but the old service did not come back: {trouble}"
        if not transaction.journal["before"]["running"]:
            return "Everything is as before; nothing ran before"
        probes = tuple(((work.ledger or {}).get("generation") or {}).get("probes") or ())
        still = wait_until_well(self.host, probes, work.unit)
        if still:
            return f"Files are as before, but the old service does not answer: {still}"
        return "Everything is as before; the old service answers again"


def _words(error: EngineError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or 'unknown path'}"
    return str(error)


def _forced(target: Spec, plan: Plan) -> bool:
    """Compose sees a changed compose file itself; containers whose mounted files changed must be made anew."""
    return any(
        change.path != target.runtime.file and change.after and change.after.on_change == "restart"
        for change in plan.changes
    )
