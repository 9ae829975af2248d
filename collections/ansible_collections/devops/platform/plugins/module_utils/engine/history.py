"""A component's generations: where a way back leads, and what a change remembers of them. Pure.

The ledger's words on them, beside `generation` and `previous` (of which the one used last comes first):

    before       {rollout, id}: what the component was when that rollout, the last that changed it, began; id is that
                 of a generation, or "" where there was none. Ledgers of older engines do not know.
    changed_by   {rollout, at}: who made the last change, also one that went back or put right what had drifted
    keep         how many generations were to be kept at the last change
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import EngineError
from .spec import KEEP

# Ids of this form sort by time; of others it is only known whether they are equal.
OWN = re.compile(r"\d{8}T\d{6}Z-")
NOT_HERE = "it is not on this host; nothing to go back from"
Generation = Mapping[str, Any]
Ledger = Mapping[str, Any]


@dataclass(frozen=True)
class Way:
    """Where a way back leads: to `generation`, or to absence where that is None; nowhere where it is `idle`.

    `rest`: the generations that can be gone back to afterwards. `drops`: the one that is left is not among them.
    """

    generation: Generation | None = None
    rest: tuple[Generation, ...] = ()
    drops: bool = True
    idle: bool = False
    note: str = ""


def generations(ledger: Ledger | None) -> list[Generation]:
    """All that are kept, the present one first."""
    old = ledger or {}
    return [item for item in (old.get("generation"), *(old.get("previous") or [])) if item]


def _lasting(ledger: Ledger | None) -> list[Generation]:
    return [item for item in generations(ledger) if not item.get("transient")]


# The way back


def way_back(ledger: Ledger | None, undo: str = "", to: str = "") -> Way:
    """To what was before the rollout `undo`, to what there was at the end of the rollout `to`, or one generation."""
    if undo or to:
        return _undone(ledger, undo) if undo else _then(ledger, to)
    previous = (ledger or {}).get("previous") or []
    if not previous:
        raise EngineError("there is no earlier generation on this host", "plan", "Nothing was changed")
    return Way(previous[0], tuple(previous[1:]))


def _undone(ledger: Ledger | None, rollout: str) -> Way:
    if ledger is None:
        return Way(idle=True, note=NOT_HERE)
    present: Generation = ledger.get("generation") or {}
    before = ledger.get("before") or {}
    if present.get("transient") and present["rollout"] != before.get("rollout"):
        # It set no `before`: returning from it is to leave the ledger as it was.
        before = {"rollout": present["rollout"], "id": _base(ledger)}
    if before.get("rollout") != rollout:
        return Way(idle=True, note=_not_the_last(ledger, rollout, before))
    if present.get("id", "") == before["id"]:
        return Way(idle=True, note=f"it is as it was before rollout {rollout}")
    if not before["id"]:
        return Way()
    found = _named(before, ledger.get("previous") or [])
    if found is None:
        raise EngineError(f"what was here before rollout {rollout} is no longer on this host; {_kept(ledger)}", "plan")
    # A transient one stood in front of another rollout's change: what undoing that leads to is needed still.
    held = _named(ledger.get("before"), ledger.get("previous") or [])
    rest = (item for item in _lasting(ledger) if item is held or item["rollout"] != rollout)
    return Way(found, tuple(item for item in rest if item is not found))


def _not_the_last(ledger: Ledger, rollout: str, before: Mapping[str, str]) -> str:
    """Why there is nothing to undo. Raises EngineError where that cannot be told."""
    last = before.get("rollout") or (ledger.get("changed_by") or {}).get("rollout")
    if rollout not in [item["rollout"] for item in generations(ledger)]:
        return f"rollout {rollout} left nothing here" + (f"; the last that changed it is {last}" if last else "")
    if last:
        return f"rollout {last} changed it after rollout {rollout}: it stays as it is"
    if (ledger.get("generation") or {}).get("rollout") != rollout:
        return f"it was changed after rollout {rollout}: it stays as it is"
    raise EngineError(
        f"what was here before rollout {rollout} is not known: an older version of the collection made that change",
        "plan",
        f"Name the rollout to go back to; {_kept(ledger)}",
    )


def _named(before: Mapping[str, str] | None, history: Iterable[Generation]) -> Generation | None:
    """The kept generation that `before` means: one that its rollout made itself only where there is no other."""
    named = [item for item in history if before and item["id"] == before["id"]]
    foreign = [item for item in named if before and item.get("rollout") != before["rollout"]]
    return next(iter(foreign or named), None)


def _then(ledger: Ledger | None, rollout: str) -> Way:
    present = (ledger or {}).get("generation")
    if ledger is None or not present:
        return Way(idle=True, note=NOT_HERE)
    kept = _lasting(ledger)
    found = max((item for item in kept if item["rollout"] == rollout), key=lambda item: item["at"], default=None)
    note = ""
    if found is None and OWN.match(rollout):
        found = _current_at(ledger, rollout, kept)
        if found:
            note = f"rollout {rollout} made no generation that is kept; there was that of rollout {found['rollout']}"
    if found is None:
        raise EngineError(f"what rollout {rollout} left is no longer on this host; {_kept(ledger)}", "plan")
    if found["id"] == present["id"]:
        return Way(idle=True, note=note or f"it is as rollout {rollout} left it")
    return Way(found, tuple(item for item in kept if item is not found), drops=False, note=note)


def _current_at(ledger: Ledger, rollout: str, kept: list[Generation]) -> Generation | None:
    """What there was at the end of a rollout that made none of the kept generations."""
    last = (ledger.get("changed_by") or {}).get("rollout") or ""
    if OWN.match(last) and last <= rollout and kept[:1] == [ledger["generation"]]:
        # Nothing has changed since: also where that change went back to something older.
        return kept[0]
    earlier = (item for item in kept if OWN.match(item["rollout"]) and item["rollout"] <= rollout)
    return max(earlier, key=lambda item: (item["rollout"], item["at"]), default=None)


def _kept(ledger: Ledger) -> str:
    """What there is to go back to, in words."""
    rows = [
        f"{item['rollout']} of {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(item['at']))} UTC"
        for item in _lasting(ledger)
    ]
    return f"kept are {', '.join(rows) or 'none'}; keep is {ledger.get('keep') or KEEP} here"


# What a change remembers


def remembered(
    ledger: Ledger | None, generation: Generation, way: Way | None, keep: int, rollout: str, at: int
) -> dict[str, Any]:
    """What the next ledger says of generations, after a change by a rollout to `generation`.

    One that was there before keeps its stamps. A transient one is not put into the history when it is replaced.
    """
    if way:
        same, history = way.generation, list(way.rest)
        keep = (ledger or {}).get("keep") or KEEP
    else:
        same, history = _replaced(ledger, generation["id"])
    before = before_after(ledger, generation, way, rollout)
    stamps = {key: same[key] for key in ("rollout", "at")} if same else {"rollout": rollout, "at": at}
    # A transient generation takes no place: what it replaced, and all before that, has to outlive it.
    places = max(keep - 1, 1) + (1 if generation.get("transient") else 0)
    needed = _named(before, history)
    return {
        "generation": {**generation, **stamps},
        "previous": [item for place, item in enumerate(history) if place < places or item is needed],
        **({"before": before} if before else {}),
        "changed_by": {"rollout": rollout, "at": at},
        "keep": keep,
    }


def _replaced(ledger: Ledger | None, new: str) -> tuple[Generation | None, list[Generation]]:
    """(the kept generation that comes into use again, the history) after a change to the id `new`."""
    history = generations(ledger)
    if history and history[0].get("transient") and history[0]["id"] != new:
        history = history[1:]
    return (history[0], history[1:]) if history and history[0]["id"] == new else (None, history)


def before_after(
    ledger: Ledger | None, generation: Generation | None, way: Way | None, rollout: str
) -> Mapping[str, str] | None:
    """`before` after a change by a rollout: set by its first that leads to another lasting generation, or to none.

    A way back that drops what it leaves sets none: to that there is no way. None where it is not known.
    """
    before: Mapping[str, str] | None = (ledger or {}).get("before")
    was = _base(ledger)
    will = generation["id"] if generation else ""
    if way and way.generation and generation:
        # A package that had to stay makes another id of what was gone back to.
        if before and before["id"] == way.generation["id"]:
            before = {**before, "id": will}
        was = will if was == way.generation["id"] else was
    if generation and generation.get("transient"):
        will = was
    if was == will or (way and way.drops) or (before and before["rollout"] == rollout):
        return before
    return {"rollout": rollout, "id": was}


def _base(ledger: Ledger | None) -> str:
    """The id of what the component is, but for a transient generation in front of it; "" where it is not there."""
    return next((item["id"] for item in _lasting(ledger)), "")
