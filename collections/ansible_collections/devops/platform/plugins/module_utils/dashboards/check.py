# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every query of every dashboard, asked as Grafana would, until each has its answer or the time is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import QueryError

from . import exceptions
from .exceptions import Allowance
from .fill import Case, FillError, Window, cases, fill
from .read import Board, Query

PAUSE = 3.0  # seconds before what had no answer is asked again: a rate needs two scrapes


class Asked(Protocol):
    """ask.Source, or what a test puts there."""

    def answered(self, expr: str, at: float) -> bool: ...

    def count(self, expr: str, window: Window, instant: bool) -> int: ...

    def label_values(self, metric: str, label: str, window: Window) -> Sequence[str]: ...


@dataclass(frozen=True)
class Clock:
    now: Callable[[], float]  # epoch seconds, for queries
    left: Callable[[], float]  # seconds until the time is over
    sleep: Callable[[float], None]


@dataclass
class Outcome:
    """`asked`: requests for `queries`; `excused`: those that answered nothing, and may; `failures`: a line each."""

    queries: int = 0
    asked: int = 0
    skipped: int = 0
    excused: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Trouble:
    """Why a query has no answer. `empty`: it was understood, and may be excused; `final`: it will be the same again."""

    text: str
    empty: bool = False
    final: bool = False


Troubles = Mapping[Query, Trouble]


def check(
    boards: Sequence[Board], allowances: Sequence[Allowance], source: Asked, clock: Clock, scrape: float
) -> Outcome:
    queries = [query for board in boards for query in all_queries(board)]
    outcome = Outcome(sum(len(board.queries) for board in boards), skipped=sum(board.skipped for board in boards))
    wanted = set(queries)
    troubles: dict[Query, Trouble] = {}
    while True:
        for query in wanted:
            troubles.pop(query, None)
        try:
            active = exceptions.in_force(allowances, lambda expr: source.answered(expr, clock.now()))
            for board in boards:
                troubles.update(_ask(board, wanted, source, clock, scrape, outcome))
        except QueryError as error:
            if not error.final and clock.left() > PAUSE:
                clock.sleep(PAUSE)
                continue
            outcome.failures.append(str(error))
            return outcome
        excused = {query for query in troubles if troubles[query].empty and _covered(query, active)}
        wanted = {query for query in troubles if query not in excused and not troubles[query].final}
        if not wanted or clock.left() <= PAUSE:
            break
        clock.sleep(PAUSE)
    empty = [query for query in queries if query in troubles and troubles[query].empty]
    outcome.excused = [query.place for query in queries if query in excused]
    failed = [query for query in queries if query in troubles and query not in excused]
    outcome.failures += [f"{query.place}: {troubles[query].text}" for query in failed]
    outcome.failures += exceptions.unneeded(allowances, active, queries, empty)
    return outcome


def _covered(query: Query, active: Sequence[Allowance]) -> bool:
    return any(item.covers(query) for item in active)


def all_queries(board: Board) -> list[Query]:
    """Those of its panels, and those that its variables come from."""
    return [*(_of_variable(board, name) for name in _looked_up(board)), *board.queries]


def _looked_up(board: Board) -> dict[str, str]:
    return {variable.name: variable.text for variable in board.variables if variable.label}


def _of_variable(board: Board, name: str) -> Query:
    return Query(board.uid, f"variable {name}", "A", _looked_up(board)[name])


def _ask(
    board: Board, wanted: set[Query], source: Asked, clock: Clock, scrape: float, outcome: Outcome
) -> dict[Query, Trouble]:
    """What of `wanted` in one dashboard has no answer. QueryError where Prometheus itself is away."""
    if not any(query in wanted for query in all_queries(board)):
        return {}
    window = Window(clock.now(), board.span, scrape)
    troubles: dict[Query, Trouble] = {}
    try:
        found = cases(board, lambda metric, label: source.label_values(metric, label, window), window.builtins())
    except (FillError, QueryError) as error:
        if isinstance(error, QueryError) and error.away:
            raise
        query = next(query for query in all_queries(board) if query in wanted)
        return {query: Trouble(f"its variables cannot be filled in: {error}", final=True)}
    for variable in found[0].unset:
        query = _of_variable(board, variable.name)
        troubles[query] = Trouble(f"has no value: {query.expr}; is this scraped here?", empty=True)
    for query in board.queries:
        if query in wanted:
            trouble = _ask_one(query, board, found, source, clock, scrape, outcome)
            if trouble:
                troubles[query] = trouble
    return troubles


def _ask_one(
    query: Query, board: Board, found: Sequence[Case], source: Asked, clock: Clock, scrape: float, outcome: Outcome
) -> Trouble | None:
    """An answer for one of the applications is enough: one of them may lack what another has."""
    asked: dict[str, bool] = {}  # expression -> whether its answer counts
    answered = False
    for case in found:
        if clock.left() <= 0:
            return Trouble("was not asked: the time was over; give more of it", final=True)
        window = Window(clock.now(), board.span, scrape, query.step)
        try:
            expr = fill(query.expr, case.choices, window.builtins())
            if expr in asked:
                continue
            asked[expr] = case.judged
            outcome.asked += 1
            count = source.count(expr, window, query.instant)
        except FillError as error:
            return Trouble(f"{error}; in: {query.expr}", final=True)
        except QueryError as error:
            if error.away:
                raise
            return Trouble(str(error), final=error.final)
        answered = answered or (case.judged and bool(count))
    if answered:
        return None
    first, *others = [expr for expr, judged in asked.items() if judged]
    more = f", nor with {len(others)} other settings of its variables" if others else ""
    return Trouble(f"has no answer: {first}{more}", empty=True)
