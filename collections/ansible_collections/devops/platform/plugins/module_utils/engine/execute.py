"""Carrying a plan out, or foreseeing how that would go: loaded only by runs in which something differs."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from .errors import EngineError
from .generation import runtime_of
from .host import Host
from .ledger import Stamp, adopted, ledger_of_absent, next_ledger, unnamed_releases
from .plan import Plan
from .probe import wait_until_well
from .release import install
from .runtime import state_before
from .spec import RELEASES, Spec
from .store import Store
from .transaction import TakenBack, Transaction, became_true, intent, missing_parents
from .validate import validate, validate_in_passing
from .work import Mode, Work


def recover(host: Host, store: Store, journal: dict[str, Any]) -> str:
    """Finish or take back what a run that died left behind; 'finished' or 'taken back'."""
    name = journal["component"]
    transaction = Transaction(host, store, name, journal)
    if became_true(journal, store.ledger(name)):
        transaction.clean()
        return "finished"
    transaction.take_back()
    return "taken back"


class Execution:
    """The change of one component on one host."""

    def __init__(self, host: Host, store: Store, mode: Mode) -> None:
        self.host = host
        self.store = store
        self.mode = mode

    def foresee(self, work: Work) -> list[str]:
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

    def carry_out(self, work: Work) -> None:
        plan = work.plan
        stamp = Stamp(os.urandom(8).hex(), self.mode.rollout, int(time.time()))
        install_to = work.release if plan.install else ""
        parents = missing_parents(plan, install_to, self.host.exists)
        following = self._following(work, parents, stamp)
        journal = intent(
            work.spec.name,
            plan,
            work.runtime,
            _before(work),
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
            moved = any(not move.stays for move in plan.moves)
            if not plan.absent and (plan.effect != "none" or moved):
                trouble = wait_until_well(self.host, work.target.probes, work.unit, hide=work.mask.text)
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
            return ledger_of_absent(work.plan, work.ledger or {}, stamp, work.way)
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
            work.way,
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
            taken = transaction.take_back()
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
            self._how_it_stands(transaction, work, taken)
            if switched
            else "Nothing was switched; what ran before runs on"
        )
        raise EngineError("\n".join(parts), step) from error

    def _how_it_stands(self, transaction: Transaction, work: Work, taken: TakenBack) -> str:
        words = [self._how_the_service_stands(transaction, work, taken)]
        if transaction.packages_to_restore():
            from .packages import how_they_stand

            words += how_they_stand(work.plan.moves, taken.packages)
        return ". ".join(words)

    def _how_the_service_stands(self, transaction: Transaction, work: Work, taken: TakenBack) -> str:
        if taken.service:
            return f"Files are as before, but the old service did not come back: {taken.service}"
        as_before = "Files are as before" if taken.packages else "Everything is as before"
        if not transaction.journal["before"]["running"]:
            return f"{as_before}; nothing ran before"
        probes = tuple(((work.ledger or {}).get("generation") or {}).get("probes") or ())
        still = wait_until_well(self.host, probes, work.unit, hide=work.mask.text)
        if still:
            return f"Files are as before, but the old service does not answer: {still}"
        return f"{as_before}; the old service answers again"


def _before(work: Work) -> dict[str, Any]:
    """How the component ran before the change."""
    observed = state_before(work.runtime, work.observed.unit, work.observed.services)
    kept = runtime_of((work.ledger or {}).get("generation"))
    found_changed = any(move.back.argument and move.there is None for move in work.plan.moves)
    if found_changed and work.unit and kept.unit == work.unit:
        # The other version may have stopped it by now. With the ledger's version it ran: that was probed.
        return {"running": True, "enabled": True, "exists": True}
    return observed


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
